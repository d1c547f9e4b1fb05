"""The price log on disk: one form of a row, its files, and how they are read and appended to."""
