"""Proof of a prices.txt, said without the code that writes it or reads it."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

HEADER = re.compile(r"# price-log 1 every=(\d+)s(?: simulated)?")
ROW = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([A-Z0-9]+-[A-Z0-9]+)"
    r" (?:(?:[1-9]\d*|0\.\d*[1-9]|[1-9]\d*\.\d*[1-9]) [a-z]+(?:,[a-z]+)*"
    r"|- [a-z-]+(?::[a-z-]+)?(?:,[a-z-]+:[a-z-]+)*)"
    r"(?: slots=(\d+))?"
)


def proven(text: str) -> list[str]:
    """The rows of a log, after proof of its form, its order, and the arithmetic of each sum.

    A sum goes from one header to the next: per pair, the sum of slots over its rows equals
    (last slot - first slot) / interval + slots of the last row.
    """
    assert text.endswith("\n"), "the last line has no line end"
    lines = text.splitlines()
    assert HEADER.fullmatch(lines[0]), f"no header: {lines[0]}"
    rows = [one for one in lines if not one.startswith("#")]
    keys = [tuple(row.split(" ")[:2]) for row in rows]
    assert len(set(keys)) == len(keys), "a slot of a pair stands twice"
    slots = [slot for slot, _ in keys]
    assert slots == sorted(slots), "not sorted by slot"
    for every, section in _sections(lines):
        _prove_sums(every, section)
    return rows


def _sections(lines: Sequence[str]) -> list[tuple[int, list[re.Match[str]]]]:
    sections: list[tuple[int, list[re.Match[str]]]] = []
    for number, one in enumerate(lines, 1):
        if header := HEADER.fullmatch(one):
            sections.append((int(header[1]), []))
        elif not one.startswith("#"):
            row = ROW.fullmatch(one)
            assert row, f"line {number} is no row: {one}"
            sections[-1][1].append(row)
    return sections


def _prove_sums(every: int, section: Sequence[re.Match[str]]) -> None:
    for pair in dict.fromkeys(row[2] for row in section):
        rows = [(_unix(row[1]), int(row[3] or 1)) for row in section if row[2] == pair]
        for (slot, slots), (following, _) in pairwise(rows):
            assert slot + slots * every == following, f"{pair}: a hole or an overlap after {slot}"
        assert all(slot % every == 0 for slot, _ in rows), f"{pair}: not a slot"
        first, (last, of_last) = rows[0][0], rows[-1]
        total = sum(slots for _, slots in rows)
        assert total == (last - first) // every + of_last, f"{pair}: the sum of slots"


def _unix(slot: str) -> int:
    return round(datetime.strptime(slot, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
