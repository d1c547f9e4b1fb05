"""The fast reader says what the brute-force reader says."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import times
from price.log.read import PriceLog
from price.log.row import text, write
from tests.report.asking import answer, lines
from tests.report.bruteforce import BruteForce
from tests.report.randomlog import PAIRS, START, RandomLog

MOMENTS = st.integers(START - 300, START + 9000)
SEEDS = st.integers(0, 1 << 60)


class Scene:
    """A random log in a folder of its own, asked about one range."""

    def __init__(self, folder: str, seed: int, slots: int = 120) -> None:
        self.chance = random.Random(seed)
        made = RandomLog(self.chance, slots, odd=self.chance.random() < 0.5)
        self.path = made.write(Path(folder))
        if self.chance.random() < 0.7:
            made.write_repairs(Path(folder))
        self.live_only = self.chance.random() < 0.2
        self.pairs = [pair for pair in PAIRS if self.chance.random() < 0.3]
        self.brute = BruteForce(self.path, live_only=self.live_only)

    def words(self, since: int, until: int) -> list[str]:
        pairs = [word for pair in self.pairs for word in ("--pair", str(pair))]
        window = ["--since", times.iso(times.from_unix(since)), "--until", times.iso(times.from_unix(until))]
        return ["--file", self.path, *pairs, *window, *(["--live-only"] if self.live_only else [])]

    def around(self, since: int, until: int) -> list[tuple[int, str, str, int]]:
        """The slots of the range and those nearest to it on both sides: of an hour, of sixteen, and so on."""
        spans = [3600 * 16**number for number in range(4)]
        before = (self.brute.slots(since - span, since, self.pairs) for span in spans)
        after = (self.brute.slots(until, until + span, self.pairs) for span in spans)
        within = self.brute.slots(since, until, self.pairs)
        return [*next(filter(None, before), []), *within, *next(filter(None, after), [])]

    def rows(self, since: int, until: int) -> list[str]:
        return [write(quote) for quote, _ in self.brute.quotes(since, until, self.pairs)]


@given(seed=SEEDS, edges=st.tuples(MOMENTS, MOMENTS).map(sorted))
def test_history_gives_the_rows_that_brute_force_gives(seed: int, edges: list[int]) -> None:
    with TemporaryDirectory() as folder:
        scene = Scene(folder, seed)
        since, until = edges

        shown = lines("history", *scene.words(since, until))

        assert shown == scene.rows(since, until)


@given(seed=SEEDS)
def test_rows_that_stand_twice_or_out_of_order_are_counted(seed: int) -> None:
    with TemporaryDirectory() as folder:
        path = RandomLog(random.Random(seed), 120, odd=True).write(Path(folder))
        brute = BruteForce(path)
        log = PriceLog(path)

        shown = [text(one) for one in log.rows()]

        assert shown == [write(quote) for quote, _ in brute.live]
        assert (log.left.doubles, log.left.disordered) == (brute.doubles, brute.disordered)


@given(
    seed=SEEDS, edges=st.tuples(MOMENTS, MOMENTS).map(sorted), every=st.sampled_from([1, 7, 60, 300, 86400])
)
def test_candles_are_those_of_brute_force_to_the_digit(seed: int, edges: list[int], every: int) -> None:
    with TemporaryDirectory() as folder:
        scene = Scene(folder, seed)
        since, until = edges

        shown = lines("candles", *scene.words(since, until), "--every", f"{every}s")

        assert shown == scene.brute.candles(since, until, scene.pairs, every)


@given(seed=SEEDS, edges=st.tuples(MOMENTS, MOMENTS).map(sorted))
def test_gaps_cover_exactly_the_missed_slots(seed: int, edges: list[int]) -> None:
    with TemporaryDirectory() as folder:
        scene = Scene(folder, seed)
        since, until = edges

        *shown, complete = lines("gaps", *scene.words(since, until))

        slots = [slot for slot in filled(scene.around(since, until)) if since <= slot[0] < until]
        priced = sum(not reason for _, _, reason, _ in slots)
        assert sorted(unfolded(gap) for gap in shown) == sorted(runs(slots))
        assert [gap.split(" ")[0] for gap in shown] == sorted(gap.split(" ")[0] for gap in shown)
        total = f"{priced} of {len(slots)} slots have a price"
        assert complete.endswith(total if slots else "no slots in this range")


def unfolded(gap: str) -> tuple[int, int, str, int, str]:
    start, end, pair, slots, reason = gap.split(" ")
    return *(times.unix(times.parse_iso(edge)) for edge in (start, end)), pair, int(slots), reason  # type: ignore[return-value]


def filled(slots: list[tuple[int, str, str, int]]) -> list[tuple[int, str, str, int]]:
    """The slots with those between them of which no row says anything."""
    found, last = [], dict[str, int]()
    for slot, pair, reason, every in slots:
        due = (last[pair] // every + 1) * every if pair in last else slot
        found += [(lost, pair, "unrecorded", every) for lost in range(due, slot, every)]
        found.append((slot, pair, reason, every))
        last[pair] = slot
    return found


def runs(slots: list[tuple[int, str, str, int]]) -> list[tuple[int, int, str, int, str]]:
    """The missed slots of each pair, joined where the pair's next one follows with the same reason."""
    found: list[list[Any]] = []
    last: dict[str, list[Any]] = {}
    for slot, pair, reason, every in slots:
        run = last.get(pair)
        if run and reason and run[4] == reason and (run[1] // every + 1) * every == slot:
            run[1], run[3] = slot, run[3] + 1
            continue
        last[pair] = [slot, slot, pair, 1, reason]
        found += [last[pair]] if reason else []
    return [tuple(run) for run in found]


@given(seed=SEEDS, since=MOMENTS, count=st.integers(1, 30))
def test_last_gives_the_last_rows_and_candles_of_each_pair(seed: int, since: int, count: int) -> None:
    with TemporaryDirectory() as folder:
        scene = Scene(folder, seed)
        words = [*scene.words(since, START + 90_000), "--last", str(count)]

        rows, candles = lines("history", *words), lines("candles", *words)

        assert rows == last_of_each(scene.rows(since, START + 90_000), count)
        assert candles == last_of_each(scene.brute.candles(since, START + 90_000, scene.pairs, 60), count)


def last_of_each(rows: list[str], count: int) -> list[str]:
    pairs = [row.split(" ")[1] for row in rows]
    return [row for number, row in enumerate(rows) if pairs[number:].count(pairs[number]) <= count]


@pytest.mark.parametrize("seed", range(3))
def test_logs_of_many_blocks_are_read_alike(tmp_path: Path, seed: int) -> None:
    scene = Scene(str(tmp_path), seed, slots=2500)
    everything = scene.brute.quotes(0, 1 << 40, scene.pairs)
    first, last = everything[0][0].slot, everything[-1][0].slot

    for _ in range(8):
        since, until = sorted(scene.chance.randint(times.unix(first), times.unix(last)) for _ in range(2))
        wanted = scene.rows(since, until)

        assert lines("history", *scene.words(since, until)) == wanted


@given(seed=SEEDS)
def test_verify_finds_nothing_in_a_sound_log(seed: int) -> None:
    with TemporaryDirectory() as folder:
        made = RandomLog(random.Random(seed), 120)
        path = made.write(Path(folder))
        made.write_repairs(Path(folder), sound=True)

        status, shown = answer("verify", "--file", path)

        assert (status, shown) == (0, "")
