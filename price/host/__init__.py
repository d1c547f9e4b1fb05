"""What differs from system to system: who stops us, and how files are locked and synced."""

import os

if os.name == "posix":
    from price.host.posix import lock, on_signals, sync
else:
    from price.host.other import lock, on_signals, sync

__all__ = ["lock", "on_signals", "sync"]
