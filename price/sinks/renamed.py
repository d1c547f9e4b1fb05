"""A log that was renamed while a slot was written into it: whether those rows are lost."""

import os
from collections.abc import Sequence

from price.sinks.backlog import Block


class Renamed:
    """The renamed file, kept open until the next slot, and what was written into it.

    Who packs a rotated file reads it and then removes it. Rows that came after it was read are gone with it;
    a slot later that has happened or not. If it has, they may stand twice, of which readers count the first.
    """

    def __init__(self) -> None:
        self._descriptor = -1
        self._blocks: Sequence[Block] = ()

    def keep(self, descriptor: int, written: Sequence[Block]) -> None:
        """Keeps the file of a descriptor open, which may be closed meanwhile, and what went into it."""
        self._descriptor, self._blocks = os.dup(descriptor), written

    def lost(self) -> Sequence[Block]:
        """The blocks that are gone with the file, to be written once more; asked once."""
        if self._descriptor < 0:
            return ()
        descriptor, self._descriptor = self._descriptor, -1
        try:
            return self._blocks if os.fstat(descriptor).st_nlink == 0 else ()
        finally:
            os.close(descriptor)
