"""Where log records go: the journal, a terminal, the Event Log; and the service manager."""
