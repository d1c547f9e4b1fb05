"""`price repair`: fills missed slots of a log from a provider, into repairs.txt beside it."""
