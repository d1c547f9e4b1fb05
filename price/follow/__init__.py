"""Followers bring the rows of a log into other engines: each a process of its own, which may wait."""
