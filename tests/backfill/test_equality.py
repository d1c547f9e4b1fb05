"""A repair fills what brute force would fill, and nothing else, whatever the log."""

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from price import times
from price.backfill.missing import Slot
from price.log.row import write
from price.model import Pair, Quote
from tests.backfill.repairing import Knows, Shop
from tests.report.asking import lines
from tests.report.bruteforce import live_rows, repairs_of
from tests.report.randomlog import PAIRS, START, RandomLog

SEEDS = st.integers(0, 1 << 60)
MOMENTS = st.none() | st.integers(START - 300, START + 9000)
SAID = "1 kraken"


def missed_by_brute_force(path: str) -> set[tuple[int, Pair]]:
    """The slots between the first and the last row of each pair that have no live price."""
    found: set[tuple[int, Pair]] = set()
    rows = live_rows(path)
    changes = intervals(rows)
    for pair in PAIRS:
        mine = [place for place, (quote, _) in enumerate(rows) if quote.pair == pair]
        for place, following in zip(mine, [*mine, None][1:], strict=True):
            quote, every = rows[place]
            start = times.unix(quote.slot)
            if quote.missed:
                found |= {(start + number * every, pair) for number in range(quote.slots)}
            if following is not None:
                last = start + (quote.slots - 1) * every
                after, its = rows[following]
                hole = range((last // its + 1) * its, times.unix(after.slot))
                found |= {(unix, pair) for unix in hole if unix % interval_at(changes, unix) == 0}
    return found


def intervals(rows: Sequence[tuple[Quote, int]]) -> list[tuple[int, int]]:
    """The intervals of a log, each with when it began: one ends with the last slot that its rows speak of."""
    changes = [(every, 0) for _, every in rows[:1]]
    last = 0
    for quote, every in rows:
        if every != changes[-1][0]:
            changes.append((every, last + 1))
        last = max(last, times.unix(quote.slot) + (quote.slots - 1) * every)
    return changes


def interval_at(changes: Sequence[tuple[int, int]], unix: int) -> int:
    """The interval in force at a time."""
    return next(every for every, start in reversed(changes) if start <= unix)


def window(since: int | None, until: int | None) -> list[str]:
    return [
        word
        for option, unix in (("--since", since), ("--until", until))
        if unix is not None
        for word in (option, times.iso(times.from_unix(unix)))
    ]


@given(seed=SEEDS, edges=st.tuples(MOMENTS, MOMENTS), named=st.booleans())
def test_it_fills_what_is_missed_and_known_and_nothing_else(
    seed: int, edges: tuple[int | None, int | None], named: bool
) -> None:
    since, until = edges if None in edges else sorted(edges)  # type: ignore[type-var]
    with TemporaryDirectory() as folder:
        chance = random.Random(seed)
        made = RandomLog(chance, 100)
        shop = Shop(Path(folder), environ={"PRICE_MAX_JUMP": "1000"})
        path = made.write(Path(folder))
        if chance.random() < 0.5:
            made.write_repairs(Path(folder), sound=True)
        before = repairs_of(path)
        wanted = chance.choice(PAIRS) if named else None
        missed = {
            (unix, pair)
            for unix, pair in missed_by_brute_force(path)
            if (since is None or unix >= since) and (until is None or unix < until) and wanted in (None, pair)
        }
        share = chance.choice((0.1, 1))
        known = {slot for slot in missed if chance.random() < share}
        strange = {
            (START + chance.randint(-600, 9000), chance.choice(PAIRS)) for _ in range(chance.choice((0, 99)))
        }
        knows: dict[Slot, str] = {(unix, str(pair)): SAID for unix, pair in known | strange}
        words = [*window(since, until), *(["--pair", str(wanted)] if wanted else [])]

        shop.repair("anyone", *words, known=Knows(knows))

        after = repairs_of(path)
        new = {slot for slot in missed & (known | strange) if slot not in before}
        assert after.keys() == before.keys() | new
        assert all(after[slot] == quote for slot, quote in before.items())
        assert {write(after[slot]).split(" ", 2)[2] for slot in new} <= {f"{SAID} by=journal"}
        assert lines("verify", "--file", path) == []
        filled = shop.repairs.read_bytes() if shop.repairs.exists() else b""

        shop.repair("anyone", *words, known=Knows(knows))

        assert (shop.repairs.read_bytes() if shop.repairs.exists() else b"") == filled
