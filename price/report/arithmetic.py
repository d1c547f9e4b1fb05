"""The arithmetic of slots: which slot each pair's next row must be for, from row to row and file to file."""

from price import times
from price.text import counted

_LAST_SECOND = 253_402_300_799
"""Of the calendar."""


class Arithmetic:
    """Up to where each pair is accounted for, and which slot its next row must be for.

    Between two `# price-log` lines (a segment) each pair's rows follow one another without a hole. A pair
    that may begin anywhere is not in `due`; `ended` still knows where it was accounted for.
    """

    def __init__(self) -> None:
        self.every = 0
        self.due: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.first: dict[str, int] = {}
        """The first slot of each pair."""

    def begin(self, every: int, *, goes_on: bool) -> None:
        """Begins a segment with another or the same interval; `goes_on` where it must join the one before.

        Then the pairs that were recorded to the end of that one continue at the next slot; those that
        had ended earlier may come back anywhere.
        """
        ends = {pair: due - self.every for pair, due in self.due.items()}
        self.forget()
        self.every = every
        for pair, end in ends.items():
            if goes_on and end == max(ends.values()):
                self.due[pair] = times.next_multiple(end, every)

    def forget(self) -> None:
        """Lets every pair begin anywhere, as after a line of which nobody knows what it stood for."""
        self.ended |= {pair: due - self.every for pair, due in self.due.items()}
        self.due = {}

    def add(self, pair: str, unix: int, slots: int) -> str:
        """Goes on after a row; what is wrong with its slots, or nothing."""
        self.first.setdefault(pair, unix)
        if not self.every:
            return ""
        due, last = self.due.get(pair), self.last(pair)
        end = unix + slots * self.every
        wrong = ""
        if unix % self.every:
            wrong, end = f"not a slot of every={self.every}s", times.next_multiple(unix, self.every)
        elif last is not None and unix <= last:
            wrong = f"{pair} has a row for this slot already"
        elif due is not None and unix > due:
            count = (unix - due) // self.every
            wrong = f"a hole: {pair} has no row for {counted(count, 'slot')} from {times.slot_text(due)} on"
        if end > _LAST_SECOND:
            self.due.pop(pair, None)
            self.ended[pair] = _LAST_SECOND
            return "its slots reach beyond the year 9999"
        self.due[pair] = end
        return wrong

    def last(self, pair: str) -> int | None:
        """The last slot that a pair's rows account for."""
        return self.due[pair] - self.every if pair in self.due else self.ended.get(pair)
