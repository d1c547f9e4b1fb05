"""--last N: the last answers of each pair, without reading the log from its beginning."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

from price.log.read import PriceLog
from price.log.row import Row
from price.report.options import Window

_Answer = TypeVar("_Answer")
_pair: Callable[[Any], str] = itemgetter(1)
"""Of a row, and of a candle."""


def last_of(answers: Iterable[_Answer], most: int, pair: Callable[[_Answer], str] = _pair) -> list[_Answer]:
    """The last `most` of the answers of each pair, in their order."""
    kept: defaultdict[str, deque[tuple[int, _Answer]]] = defaultdict(lambda: deque(maxlen=most))
    for number, answer in enumerate(answers):
        kept[pair(answer)].append((number, answer))
    return [answer for _, answer in sorted(chain.from_iterable(kept.values()), key=itemgetter(0))]


def last_rows(log: PriceLog, asked: Window, most: int) -> list[Row]:
    """The last `most` rows of each pair in a range."""
    # no interval is over an hour, most are 5 s: a first span that is short costs one more turn
    return latest(log, asked, 10 * (most + 2), most, lambda since: log.rows(since, asked.until))


def latest(
    log: PriceLog,
    asked: Window,
    span: int,
    most: int,
    ask: Callable[[int | None], Iterable[_Answer]],
    *,
    of_one_row: bool = True,
) -> list[_Answer]:
    """The last `most` answers of each pair that `ask(since)` returns for a range that ends as `asked` does.

    Asks for the last `span` seconds, then for four times as many, until each pair has one answer more than
    wanted: the first one of a range may have been cut off by its edge. A damaged file matters only if those
    behind it do not hold enough; each answer may be `of_one_row`, which is in one file, or of several.
    """
    first, last = log.first(), log.last()
    if first is None or last is None:
        return []
    first = first if asked.since is None else max(asked.since, first)
    end = last + 1 if asked.until is None else min(asked.until, last + 1)
    pairs = log.pairs or log.pairs_between(asked.since, asked.until)

    def last_since(since: int | None) -> tuple[list[_Answer], int]:
        """The last answers, one more of each pair than wanted, and how many the pair with fewest has."""
        log.left.forget()
        found = last_of(ask(since), most + 1)
        counts = Counter(map(_pair, found))
        return found, min((counts[pair] for pair in pairs), default=0)

    while True:
        start = end - span if end - span > first else asked.since
        found, fewest = last_since(start)
        behind = log.behind_damage()
        if behind is not None and (start is None or behind > start):
            found, fewest = last_since(behind)
            if fewest >= most + (not of_one_row):
                return last_of(found, most)
            found, fewest = last_since(start)
        if start == asked.since or fewest > most:
            return last_of(found, most)
        span *= 4
