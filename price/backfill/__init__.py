"""`price repair`: fills missed slots of a log from a provider, into repairs.txt in the same folder."""
