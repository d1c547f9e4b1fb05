"""Writes a year of prices as the recorder would have.

    python bench/year.py /tmp/year/prices.txt

About 6.3 million rows and 325 MB in a few seconds: one pair every five seconds, a random walk, now and
then a missed slot or a stretch in which the recorder did not run. The same seed gives the same bytes.
"""

import argparse
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

EVERY = 5
SLOTS_A_DAY = 86400 // EVERY
BASES = ("coinbase", "coinbase", "coinbase,kraken", "coinbase,bitstamp", "coinbase,kraken,bitstamp")
REASONS = (
    "coinbase:timeout,kraken:rate-limited,bitstamp:unreachable",
    "quorum,kraken:timeout,bitstamp:outlier",
    "disagree,kraken:stale",
    "unconfirmed,kraken:unavailable,bitstamp:resting",
)
STRETCHES_A_DAY = 3
MISSED_ONE_IN = 500


def days(first: datetime, count: int, pair: str, seed: int) -> Iterator[str]:
    """The rows of `count` days from midnight `first` on, a day at a time."""
    chance = random.Random(seed)
    clock = [f"T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}Z {pair} " for s in range(0, 86400, EVERY)]
    cents, basis, resume = 9_700_000, BASES[0], 0
    for number in range(count):
        date = (first + timedelta(days=number)).date().isoformat()
        down = sorted(chance.randrange(SLOTS_A_DAY) for _ in range(STRETCHES_A_DAY))
        rows = []
        # chance.random() is the cheapest call of the module: one a slot keeps a year under a minute.
        for index in range(resume, SLOTS_A_DAY):
            if index < resume:
                continue
            luck = chance.random()
            if down and index >= down[0] and index > 0:
                down.pop(0)
                slots = 2 + int(luck * luck * 120)
                rows.append(f"{date}{clock[index]}- down slots={slots}\n")
                resume = index + slots
                continue
            if luck * MISSED_ONE_IN < 1:
                rows.append(f"{date}{clock[index]}- {chance.choice(REASONS)}\n")
                continue
            if luck > 0.98:
                basis = chance.choice(BASES)
            cents += int((luck - 0.5) * 800)
            cents = max(cents, 100_000)
            price = f"{cents // 100}.{cents % 100:02d}".rstrip("0").rstrip(".")
            rows.append(f"{date}{clock[index]}{price} {basis}\n")
        resume = max(0, resume - SLOTS_A_DAY)
        yield "".join(rows)


def main() -> None:
    """Writes the file that the command line names."""
    parser = argparse.ArgumentParser(description="Writes a year of prices to measure with.")
    parser.add_argument("path", type=Path, help="the file to write; outside the repository")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--pair", default="BTC-USD")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.path.parent.mkdir(parents=True, exist_ok=True)
    with args.path.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"# price-log 1 every={EVERY}s\n")
        for day in days(datetime(2026, 1, 1, tzinfo=UTC), args.days, args.pair, args.seed):
            file.write(day)


if __name__ == "__main__":
    main()
