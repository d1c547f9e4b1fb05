"""The arithmetic of slots: which slot each pair's next row must be for, from row to row and file to file."""

from price import times
from price.text import counted


class Arithmetic:
    """The last slot that each pair's rows account for, in Unix time, and which pairs must go on from there.

    Between two `# price-log` lines (a segment) each pair's rows follow one another without a hole. So do the
    pairs in `last`; those in `ended` may go on at any later slot.
    """

    def __init__(self) -> None:
        self.every = 0
        self.last: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.first: dict[str, int] = {}
        """The first slot of each pair."""

    def begin(self, every: int, *, goes_on: bool) -> None:
        """Begins a segment with another or the same interval; `goes_on` where it must join the one before.

        Then the pairs that were recorded to the end of that one continue at the next slot; those that
        had ended earlier may come back anywhere.
        """
        newest = max(self.last.values(), default=0)
        joined = {pair: last for pair, last in self.last.items() if goes_on and last == newest}
        self.forget()
        self.every, self.last = every, joined

    def forget(self) -> None:
        """Lets every pair begin anywhere, as after a line of which nobody knows what it stood for."""
        self.ended |= self.last
        self.last = {}

    def add(self, pair: str, unix: int, slots: int) -> str:
        """Goes on after a row; what is wrong with its slots, or nothing."""
        self.first.setdefault(pair, unix)
        if not self.every:
            return ""
        last, end = self.end(pair), unix + (slots - 1) * self.every
        due = times.next_multiple(self.last[pair], self.every) if pair in self.last else unix
        wrong = ""
        if unix % self.every:
            wrong, end = f"not a slot of every={self.every}s", unix - unix % self.every
        elif last is not None and unix <= last:
            wrong = f"{pair} has a row for this slot already"
        elif unix > due:
            count = (unix - due) // self.every
            wrong = f"a hole: {pair} has no row for {counted(count, 'slot')} from {times.slot_text(due)} on"
        if end + self.every > times.LAST_SECOND:
            self.last.pop(pair, None)
            self.ended[pair] = times.LAST_SECOND
            return "its slots reach beyond the year 9999"
        self.last[pair] = end
        return wrong

    def end(self, pair: str) -> int | None:
        """The last slot that a pair's rows account for; None where it has none."""
        return self.last.get(pair, self.ended.get(pair))
