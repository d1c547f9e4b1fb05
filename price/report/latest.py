"""--last N: the last answers of each pair, without reading the log from its beginning."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import TypeVar

from price.log.read import PriceLog
from price.report.options import Window

_Answer = TypeVar("_Answer")


def last_of(answers: Iterable[tuple[str, _Answer]], most: int) -> list[tuple[str, _Answer]]:
    """The last `most` of the answers of each pair, in their order."""
    kept: defaultdict[str, deque[tuple[int, _Answer]]] = defaultdict(lambda: deque(maxlen=most))
    for number, (pair, answer) in enumerate(answers):
        kept[pair].append((number, answer))
    last = [(number, pair, answer) for pair, answers_ in kept.items() for number, answer in answers_]
    return [(pair, answer) for _, pair, answer in sorted(last, key=itemgetter(0))]


def latest(
    log: PriceLog,
    asked: Window,
    span: int,
    most: int,
    ask: Callable[[int | None], Iterable[tuple[str, _Answer]]],
    *,
    of_one_row: bool = True,
) -> Iterator[_Answer]:
    """The last `most` answers of each pair that `ask(since)` returns for a range that ends as `asked` does.

    Asks for the last `span` seconds, then for four times as many, until each pair has one answer more than
    wanted: the first one of a range may have been cut off by its edge. A damaged file matters only if those
    behind it do not hold enough; each answer may be `of_one_row`, which is in one file, or of several.
    """
    first, last = log.first(), log.last()
    if first is None or last is None:
        return
    first = first if asked.since is None else max(asked.since, first)
    end = last + 1 if asked.until is None else min(asked.until, last + 1)
    pairs = log.pairs or log.pairs_between(asked.since, asked.until)

    def answers(since: int | None) -> tuple[list[tuple[str, _Answer]], int]:
        """The last ones, one more of each pair than wanted, and how many the pair that has fewest has."""
        log.left.forget()
        found = last_of(ask(since), most + 1)
        counts = Counter(pair for pair, _ in found)
        return found, min((counts[pair] for pair in pairs), default=0)

    while True:
        start = end - span if end - span > first else asked.since
        found, fewest = answers(start)
        behind = log.behind_damage()
        if behind is not None and (start is None or behind > start):
            found, fewest = answers(behind)
            if fewest >= most + (not of_one_row):
                fewest = most + 1
            else:
                found, fewest = answers(start)
        if start == asked.since or fewest > most:
            yield from (answer for _, answer in last_of(found, most))
            return
        span *= 4
