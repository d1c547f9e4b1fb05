"""How fast a year of ticks is read, beside grep, mawk, DuckDB and polars."""

import compileall
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench import tables
from bench.measured import Cost, measured

HOUR = ("2026-07-02T12:00:00Z", "2026-07-02T13:00:00Z")
_PEERS = Path(__file__).with_name("peers")


def tell(year: Path, rounds: int) -> None:
    """Prints the tables, for a log of a year."""
    compileall.compile_dir("price", quiet=1)  # as an install does
    price = [sys.executable, "-B", "main.py"]
    file = ["--file", str(year)]
    hour = [*price, "history", *file, "--since", HOUR[0], "--until", HOUR[1]]
    _compare(
        "An hour out of a year of ticks",
        {
            "bare Python: `python -c pass`": [sys.executable, "-c", "pass"],
            "`price history`": hour,
            "`grep`": ["grep", f"^{HOUR[0][:13]}", str(year)],
            "`mawk`": ["mawk", f'$1 >= "{HOUR[0]}" && $1 < "{HOUR[1]}"', str(year)],
        },
        rounds,
    )
    _compare(
        "One-minute candles of a year of ticks",
        {
            "`mawk`": ["mawk", "-f", str(_PEERS / "candles.awk"), str(year)],
            "`price candles`": [*price, "candles", "--every", "1m", *file],
            "DuckDB (floats)": [sys.executable, str(_PEERS / "candles_duckdb.py"), str(year)],
            "polars (floats)": [sys.executable, str(_PEERS / "candles_polars.py"), str(year)],
        },
        rounds,
    )
    _compare(
        "The whole year",
        {
            "`wc -l`": ["wc", "-l", str(year)],
            "`price verify`": [*price, "verify", *file],
            "`price gaps`": [*price, "gaps", *file],
        },
        rounds,
    )


def make_year(path: Path) -> None:
    """Writes the log of a year, unless it is there."""
    if not path.exists():
        draft = path.with_suffix(".new")
        subprocess.run([sys.executable, str(Path(__file__).with_name("year.py")), str(draft)], check=True)
        draft.rename(path)


def _compare(title: str, ways: dict[str, Sequence[str]], rounds: int) -> None:
    """Prints what each way costs, at the median of rounds in turn, beside the first."""
    seen: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, command in ways.items():
            seen[name].append(measured(list(command)))
    cpu = {name: median(cost.cpu_seconds for cost in costs) for name, costs in seen.items()}
    first = next(iter(ways))
    rows = [
        (
            name,
            median(cost.seconds for cost in costs),
            cpu[name],
            cpu[name] / cpu[first],
            median(cost.peak_kib for cost in costs) / 1024,
        )
        for name, costs in seen.items()
    ]
    tables.show(title, ("way", "seconds", "CPU seconds", f"x {first}", "peak MiB"), rows)
