"""`price chart`: a range as a picture, in the terminal or as a file."""
