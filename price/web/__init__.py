"""`price web`: a page to look at, in a process of its own over the log and status.json. It only reads."""
