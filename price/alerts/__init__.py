"""Alerts: rules over the recorded prices; each change of a rule is one log record."""
