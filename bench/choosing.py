"""What choosing costs: the CPU of a slot's choice, by pairs and sources."""

import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bench import tables
from price.choose import Memory, Rules, choose
from price.model import Pair, Reading
from price.sources import SOURCES

SIZES = ((1, 3), (30, 3), (300, 3), (300, 8))
"""Pairs and sources."""
SLOTS = 20
BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
RULES = Rules(None, timedelta(seconds=5), timedelta(seconds=60), Decimal(1), Decimal(5))
Slot = tuple[datetime, Mapping[Pair, Sequence[Reading]]]


def tell(rounds: int) -> None:
    """Prints the table: the best of the rounds, since only the machine can make one slower."""
    rows = []
    for pairs, sources in SIZES:
        slots = _slots(pairs, list(SOURCES)[:sources])
        best = min(_seconds(slots) for _ in range(rounds)) / SLOTS
        rows.append((pairs, sources, 1000 * best, 1_000_000 * best / pairs))
    tables.show("Cost of choosing", ("pairs", "sources", "CPU ms a slot", "CPU µs a pair"), rows)


def _seconds(slots: Sequence[Slot]) -> float:
    memories: dict[Pair, Memory] = {}
    began = time.process_time()
    for slot, readings in slots:
        now = slot + timedelta(seconds=0.3)
        for pair, said in readings.items():
            _, memories[pair] = choose(slot, pair, said, now, memories.get(pair, Memory()), RULES)
    return time.process_time() - began


def _slots(pairs: int, sources: Sequence[str]) -> list[Slot]:
    """Prices that scatter by a tenth of a percent; every other source gives its own time."""
    dice = random.Random(1)
    slots: list[Slot] = []
    for number in range(SLOTS):
        slot = BEGIN + timedelta(seconds=5 * number)
        readings = {
            Pair(f"C{pair:04d}", "USDT"): [
                Reading(
                    source,
                    Decimal(f"{100 * (1 + pair) * dice.gauss(1, 0.001):.2f}"),
                    time=slot - timedelta(seconds=1) if place % 2 else None,
                )
                for place, source in enumerate(sources)
            ]
            for pair in range(pairs)
        }
        slots.append((slot, readings))
    return slots
