"""What exchanges say, as trimmed answers in a folder each, and how it is read."""
