"""What a tick costs: CPU, memory, start, journal."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from bench import tables
from bench.measured import Cost
from bench.stand import PYTHON, Stand, back_to_back, peer, recorder

ONE, THREE = ("coinbase",), ("coinbase", "kraken", "bitstamp")
FLOOR, TUTORIAL, COLLECTD = "C, libcurl (the floor)", "tutorial script", "collectd, curl_json + csv"
SESSION = "Session, stock handlers"
REAL_SECONDS = (5, 35)
COLLECTD_INTERVAL_SECONDS = 0.01
COLLECTD_SECONDS = (2, 8)
STARTS = 9
"""How often a start is measured at least: of three the median differs by a third from run to run."""
JOURNAL_TICKS = (2_000, 12_000)


class Way(NamedTuple):
    """A way to record prices: its command, what it asks, and how many ticks tell its cost."""

    name: str
    command: Sequence[str]
    sources: tuple[str, ...]
    few: int
    many: int


RECORDERS = (Way("price", recorder(), ONE, 0, 2000), Way("price, 3 sources", recorder(), THREE, 0, 2000))
PEERS = (
    Way(FLOOR, peer("floor"), ONE, 1000, 16000),
    Way(SESSION, peer("session.py"), ONE, 100, 2100),
    Way(f"{SESSION}, 3 sources", peer("session.py"), THREE, 100, 1100),
    Way("ccxt, stock handlers", peer("ccxt_loop.py"), ONE, 100, 1100),
    Way(TUTORIAL, peer("tutorial.py"), ONE, 20, 220),
    Way("curl, jq, logger", peer("loop.sh"), ONE, 5, 65),
)


def tell(stand: Stand, rounds: int) -> None:
    """Prints the tables."""
    with stand.serving(*(f"{name}={name}" for name in THREE)):
        cpu = _cpu_us(stand, rounds)
        rows: list[tuple[object, ...]] = []
        for way in (*RECORDERS, *PEERS):
            spent, real = _in_real_time(stand, way)
            rows.append((*_beside(way.name, cpu), spent, real.peak_kib / 1024, _start_ms(stand, way, rounds)))
        once = stand.cost(stand.collectd("coinbase", 1), {}, seconds=REAL_SECONDS[0])
        rows.append((*_beside(COLLECTD, cpu), "", once.peak_kib / 1024, ""))
        tables.show(
            "Cost of a tick",
            (
                "way",
                "CPU µs, back to back",
                "x C",
                "x tutorial",
                "CPU µs, one a second",
                "peak MiB",
                "start ms",
            ),
            rows,
            "Start: from exec to READY=1 for price, to the first row for the others.",
            "collectd writes no journal entry, and cannot go back to back: it ran at 100 ticks a second.",
        )
        ways = _journal_ways(stand)
        tables.show(
            "Journal, one pair",
            ("way", "bytes an entry"),
            [(name, _journal_bytes(stand, send)) for name, send in ways.items()],
        )


def _beside(name: str, cpu: Mapping[str, float]) -> tuple[str, float, float, float]:
    return name, cpu[name], cpu[name] / cpu[FLOOR], cpu[name] / cpu[TUTORIAL]


def _cpu_us(stand: Stand, rounds: int) -> dict[str, float]:
    """CPU of a tick back to back, in microseconds: medians of rounds, all ways in turn."""
    seen: dict[str, list[float]] = {}
    for _ in range(rounds):
        for way in RECORDERS:
            run = stand.run(back_to_back("--marks", str(way.many)), stand.recorder(*way.sources))
            seen.setdefault(way.name, []).append(run[0]["us"])
        for way in PEERS:
            few, many = (
                stand.cost(way.command, stand.peer(*way.sources, slots=slots))
                for slots in (way.few, way.many)
            )
            seen.setdefault(way.name, []).append(_spent_us(few, many, way.many - way.few))
        command = stand.collectd("coinbase", COLLECTD_INTERVAL_SECONDS)
        few, many = (stand.cost(command, {}, seconds=seconds) for seconds in COLLECTD_SECONDS)
        ticks = (COLLECTD_SECONDS[1] - COLLECTD_SECONDS[0]) / COLLECTD_INTERVAL_SECONDS
        seen.setdefault(COLLECTD, []).append(_spent_us(few, many, ticks))
    return {name: median(costs) for name, costs in seen.items()}


def _spent_us(few: Cost, many: Cost, ticks: float) -> float:
    """CPU of a tick: that of many ticks without that of a few, so that the start does not count."""
    return (many.cpu_seconds - few.cpu_seconds) / ticks * 1e6


def _in_real_time(stand: Stand, way: Way) -> tuple[float, Cost]:
    """CPU of a tick in microseconds at one tick a second, as people start it; and what the run cost."""

    def run(seconds: float) -> Cost:
        environ = stand.peer(*way.sources, slots=1_000_000, interval=1)
        environ |= stand.recorder(*way.sources, PRICE_INTERVAL="1")
        return stand.cost(way.command, environ, seconds=seconds)

    few, many = map(run, REAL_SECONDS)
    return _spent_us(few, many, REAL_SECONDS[1] - REAL_SECONDS[0]), many


def _start_ms(stand: Stand, way: Way, rounds: int) -> float:
    """Milliseconds from exec until it is ready, or its first row is there."""
    seen: list[float] = []
    for _ in range(max(STARTS, rounds)):
        environ = stand.peer(*way.sources, slots=1_000_000, interval=1) | stand.recorder(*way.sources)
        wait = ("--ready", "--rows", "0") if way in RECORDERS else ("--rows", "1")
        watch = (PYTHON, "-B", "-m", "bench.watch", *wait, environ["FILE"], *way.command)
        seen.append(stand.run(watch, environ)["seconds"])
    return median(seen) * 1000


Sends = Callable[[int], object]
"""Sends the journal so many entries."""


def _journal_ways(stand: Stand) -> dict[str, Sends]:
    def recording(way: Way) -> Sends:
        return lambda slots: stand.run(back_to_back("--marks", str(slots)), stand.recorder(*way.sources))

    def sending(way: Way) -> Sends:
        return lambda slots: stand.cost(way.command, stand.peer(*way.sources, slots=slots))

    compared = [way for way in PEERS if way.name in (FLOOR, SESSION)]
    return {way.name: recording(way) for way in RECORDERS} | {way.name: sending(way) for way in compared}


def _journal_bytes(stand: Stand, send: Sends) -> float:
    """What an entry adds to a journal file, beside what the file itself takes."""
    sizes = []
    for slots in JOURNAL_TICKS:
        stand.begin_journal()
        send(slots)
        sizes.append(stand.end_journal())
    return (sizes[1] - sizes[0]) / (JOURNAL_TICKS[1] - JOURNAL_TICKS[0])
