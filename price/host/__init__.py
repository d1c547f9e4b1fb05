"""What differs from system to system: who stops us, who runs, and how files are locked and synced."""

import os

if os.name == "posix":
    from price.host.posix import alive, claim, lock, on_signals, sync
else:
    from price.host.other import alive, claim, lock, on_signals, sync

__all__ = ["alive", "claim", "lock", "on_signals", "sync"]
