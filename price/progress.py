"""A bar on a terminal while it takes long."""

from typing import TextIO

from price import times

_WIDTH = 30


class Progress:
    """Shows how far the work has come between two Unix times; silent where nobody looks at a terminal."""

    def __init__(self, stream: TextIO | None, what: str) -> None:
        """`what` is done with what is counted: `filled`."""
        self._stream = stream if stream is not None and stream.isatty() else None
        self._what = what
        self._at = self._begin = self._end = 0
        self.counted = 0

    def begin(self, begin: int, end: int) -> None:
        """The work goes from one time to another."""
        self._at = self._begin = begin
        self._end = end

    def show(self, unix: int) -> None:
        """Draws the bar at a time; it never goes back."""
        self._at = max(self._at, min(unix, self._end))
        if self._stream is not None:
            done = _WIDTH * (self._at - self._begin) // max(1, self._end - self._begin)
            bar = "#" * done + "." * (_WIDTH - done)
            self._stream.write(f"\r[{bar}] {times.slot_text(self._at)} {self.counted} {self._what}")
            self._stream.flush()

    def clear(self) -> None:
        """Takes the bar away."""
        if self._stream is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
