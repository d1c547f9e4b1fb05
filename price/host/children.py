"""Processes that we start, and those that are left to us; `posix_children` has the meaning of the names."""

import sys

if sys.platform == "win32":
    from price.host.windows_children import ask_to_end, ask_to_reload, on_child_end, options, reap
else:
    from price.host.posix_children import ask_to_end, ask_to_reload, on_child_end, options, reap

__all__ = ["ask_to_end", "ask_to_reload", "on_child_end", "options", "reap"]
