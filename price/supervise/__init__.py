"""`price supervise`: starts the recorder, and starts it again when it is gone or hangs."""
