"""The writing wing: clock slot -> sources -> one quote -> one record -> handlers."""
