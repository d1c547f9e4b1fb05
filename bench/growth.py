"""Whether it grows: memory and cost of a tick after very many slots, and with a long log."""

from pathlib import Path

from bench import tables
from bench.stand import Stand, back_to_back

MARKS = (1_000, 2_000, 10_000, 11_000, 40_000, 41_000)


def tell(stand: Stand, year: Path) -> None:
    """Prints the table; `year` is a log of a year."""
    with stand.serving("coinbase=coinbase"):
        marks = back_to_back("--marks", ",".join(map(str, MARKS)))
        seen = stand.run(marks, stand.recorder("coinbase"), seconds=1800)
        rows = [_row(f"{one['slots']:,} slots", one) for one in seen if one["slots"] in MARKS[1::2]]
        settings = stand.recorder("coinbase")
        long = stand.machine.path(settings["PRICE_FILE"])
        with year.open("rb") as old, long.open("wb") as new:
            for line in old:
                new.write(line.replace(b"2026-", b"2025-", 1))  # a log may not end in the future
        after = stand.run(back_to_back("--marks", "1000,2000"), settings)[-1]
        rows.append(_row("2,000 slots, behind a year of ticks", after))
    tables.show("Growth", ("after", "CPU µs a tick, the last thousand", "resident MiB"), rows)


def _row(name: str, seen: dict[str, float]) -> tuple[str, float, float]:
    return name, seen["us"], seen["kib"] / 1024
