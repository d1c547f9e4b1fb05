"""What many pairs cost: CPU, time to a readable row, journal; and which stage takes it."""

import time

from bench import tables
from bench.server import many
from bench.stand import PYTHON, Stand, back_to_back, recorder
from price.events import Event

COUNTS = {1: 1000, 30: 300, 300: 100, 3000: 12}
"""Pairs, and how many slots tell their cost."""
REAL_SLOTS = 6
WAIT_SECONDS = 5


def tell(stand: Stand) -> None:
    """Prints the tables."""
    rows, stages = [], {}
    with stand.serving(*(f"binance-{count}=binance:{count}" for count in COUNTS)):
        for count, slots in COUNTS.items():
            pairs = ",".join(map(str, many(count)))
            began = time.time()
            stand.begin_journal()
            marks = back_to_back("--marks", f"1,{slots}")
            settings = stand.recorder(f"binance-{count}", PRICE_PAIRS=pairs)
            last = stand.run(marks, settings)[-1]
            journal = stand.end_journal()
            dropped = _dropped(stand, began)
            staged = stand.run((*marks, "--stages"), stand.recorder(f"binance-{count}", PRICE_PAIRS=pairs))[
                -1
            ]
            stages[count] = {name: value for name, value in staged.items() if name not in last}
            durable = _durable_ms(stand, count, pairs)
            rows.append(
                (
                    count,
                    last["us"] / count,
                    durable,
                    journal / count / (slots + 20),
                    dropped,
                    last["peak_kib"] / 1024,
                )
            )
    tables.show(
        "Many pairs, one source (Binance, 20 pairs a request)",
        (
            "pairs",
            "CPU µs a quote",
            "slot to readable row, ms",
            "journal bytes a quote",
            "entries dropped",
            "peak MiB",
        ),
        rows,
    )
    names = list(next(iter(stages.values())))
    tables.show(
        "Where the time goes: CPU µs a quote",
        ("stage", *(f"{count} pairs" for count in stages)),
        [(name, *(found[name] / count for count, found in stages.items())) for name in names],
        "What a worker carries out runs beside the recorder's thread. No stage counts those inside it.",
    )


def _durable_ms(stand: Stand, count: int, pairs: str) -> float:
    """From the slot to the moment at which another process can read its rows, at the median."""
    settings = stand.recorder(f"binance-{count}", PRICE_PAIRS=pairs, PRICE_INTERVAL=str(WAIT_SECONDS))
    watch = (PYTHON, "-B", "-m", "bench.watch", "--ready", "--rows", str(REAL_SLOTS), settings["PRICE_FILE"])
    seen = stand.run((*watch, *recorder()), settings)["rows"]
    late = sorted(moment % WAIT_SECONDS for moment in seen[1:])
    return float(late[len(late) // 2]) * 1000


def _dropped(stand: Stand, since: float) -> int:
    """How many entries journald had no room for, as the recorder says afterwards."""
    kind = f"MESSAGE_ID={Event.ENTRIES_DROPPED.value}"
    said = stand.machine.run("journalctl", f"--since=@{since:.0f}", "-o", "cat", kind)
    return sum(int(line.split()[0]) for line in said.splitlines() if line[0].isdigit())
