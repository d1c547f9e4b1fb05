"""What differs from system to system: who stops us, who runs, and how files are locked and synced."""

from price.host.owner import become_owner
from price.host.posix import (
    alive,
    claim,
    exit_on_term,
    fill_streams,
    lock,
    on_signals,
    place,
    sync,
    sync_folder,
)

__all__ = [
    "alive",
    "become_owner",
    "claim",
    "exit_on_term",
    "fill_streams",
    "lock",
    "on_signals",
    "place",
    "sync",
    "sync_folder",
]
