"""The lowest and highest price of a sliding window, exact and in bounded memory."""

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Context, Decimal, Inexact

EXACT = Context(prec=600, traps=[Inexact])
"""Products of a price of at most 124 digits and a percentage are exact in it."""
BUCKETS = 60
"""The parts of a window: it may reach one of them farther back than its length."""


class Extreme:
    """The lowest or highest price of a sliding window, and what it makes of a rule's two percentages.

    The window is a monotonic queue: an entry goes when it is too old, or when a later price beats it, since
    it can then never be the extreme again. One entry a bucket is enough, which bounds a window of a day to
    60 entries; an entry goes with its whole bucket, so that the window may reach a sixtieth farther back.
    """

    __slots__ = ("_beats", "_factors", "_window", "on", "over", "price")

    def __init__(self, beats: Callable[[Decimal, Decimal], bool], factors: Sequence[Decimal]) -> None:
        self._beats = beats
        self._factors = factors
        self._window: deque[tuple[int, Decimal]] = deque()
        self.price = self.on = self.over = Decimal(0)

    def add(self, bucket: int, price: Decimal, oldest: int) -> None:
        """Adds a price; buckets before `oldest` go."""
        window = self._window
        while window and window[0][0] < oldest:
            window.popleft()
        while window and self._beats(price, window[-1][1]):
            window.pop()
        if not window or window[-1][0] != bucket:
            window.append((bucket, price))
        if window[0][1] is not self.price:
            self.price = window[0][1]
            self.on, self.over = (EXACT.multiply(self.price, factor) for factor in self._factors)
