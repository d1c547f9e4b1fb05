"""The arithmetic of slots: which slot each pair's next row must be for, from row to row and file to file."""

from collections.abc import Iterator
from functools import cache

from price.errors import PriceError
from price.log.old import row


class Arithmetic:
    """Up to where each pair is accounted for, and what must come next.

    A sum is what lies between two `# price-log` lines: in it each pair's rows follow one another without
    a hole. `next` holds the slot that a pair's next row must be for; a pair that may begin anywhere is
    not in it.
    """

    def __init__(self) -> None:
        self.every = 0
        self.next: dict[bytes, bytes] = {}
        self._coming: dict[bytes, Iterator[bytes]] = {}
        self._ended: dict[bytes, int] = {}

    def step(self, pair: bytes) -> None:
        """Goes on after a row that was for `next[pair]` and stands for one slot."""
        self.next[pair] = next(self._coming[pair])

    def begin(self, every: int, *, goes_on: bool) -> None:
        """A new sum with another or the same interval; `goes_on` where it must join the one before.

        Then the pairs that were recorded to the end of that one continue at the next slot; those that
        had ended earlier may come back anywhere.
        """
        ends = {pair: row.unix_of(slot) - self.every for pair, slot in self.next.items()}
        self.forget()
        self.every = every
        for pair, end in ends.items():
            if goes_on and end == max(ends.values()):
                self._expect(pair, row.next_multiple(end, every))

    def forget(self) -> None:
        """Lets every pair begin anywhere, as after a line of which nobody knows what it stood for."""
        for pair, slot in self.next.items():
            self._ended[pair] = row.unix_of(slot) - self.every
        self.next, self._coming = {}, {}

    def take(self, pair: bytes, unix: int, slots: int) -> str:
        """Goes on after a row; what is wrong with its slots, or nothing."""
        if not self.every:
            return ""
        name, due = pair.decode(), self.next.get(pair)
        covered = row.unix_of(due) - self.every if due else self._ended.get(pair, unix - 1)
        end = unix + slots * self.every
        wrong = ""
        if unix % self.every:
            wrong = f"not a slot of every={self.every}s"
            end = row.next_multiple(unix, self.every)
        elif unix <= covered:
            wrong = f"{name} has a row for this slot already"
        elif due and unix > row.unix_of(due):
            count = (unix - row.unix_of(due)) // self.every
            wrong = f"a hole: {name} has no row for {count} slots from {due.decode()} on"
        try:
            self._expect(pair, end)
        except PriceError:
            return "its slots reach beyond the year 9999"
        return wrong

    def _expect(self, pair: bytes, unix: int) -> None:
        coming = _texts(unix, self.every)
        self.next[pair] = next(coming)
        self._coming[pair] = coming


@cache
def _clock(every: int) -> list[bytes]:
    return [row.slot_of(second)[10:] for second in range(0, row.DAY, every)]


def _texts(unix: int, every: int) -> Iterator[bytes]:
    """The slots from one on. A day's times are made once: what a row must say is then one addition."""
    while True:
        day, second = divmod(unix, row.DAY)
        date = row.slot_of(unix)[:10]
        for time in _clock(every)[second // every :]:
            yield date + time
        unix = (day + 1) * row.DAY
