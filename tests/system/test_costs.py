"""What a quote costs: bytes in a real journal, and CPU beside the stock handler of cysystemd."""

import re

import pytest

from tests.process import until
from tests.system.machine import Machine
from tests.system.service import CHECKOUT

pytestmark = pytest.mark.realtime

COST = ("/opt/price/venv/bin/python", "-m", "tests.system.cost")
BLOCK_BYTES = 512
FEW, MANY = 2_500, 12_500
MOST_BYTES_ABOVE_THE_LEAST = 84


def bytes_of_an_entry(machine: Machine, way: str) -> float:
    """What an entry adds to a journal file, beside what the file itself takes."""
    few, many = (archived(machine, way, count) for count in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def archived(machine: Machine, way: str, count: int) -> int:
    """The bytes on disk of an archived journal file with the entries of so many slots and little else."""
    machine.run("journalctl", "--rotate")
    before = files(machine)
    no_limit = ("-p", "LogRateLimitIntervalSec=1s", "-p", "LogRateLimitBurst=1000000")
    where = f"--working-directory={CHECKOUT}"
    machine.run("systemd-run", "--quiet", "--wait", where, *no_limit, *COST, way, str(count))
    machine.run("journalctl", "--sync")  # it may still be reading
    machine.run("journalctl", "--rotate")
    (new,) = files(machine) - before
    # until then it is as large as it was allocated, and its unused parts are not yet given back
    until(lambda: "State: ARCHIVED" in machine.run("journalctl", "--header", "--file", new), 10)
    entries = re.findall(r"Entry objects: (\d+)", machine.run("journalctl", "--header", "--file", new))
    assert count <= int(entries[0]) < count + 100
    return machine.path(new).stat().st_blocks * BLOCK_BYTES


def files(machine: Machine) -> set[str]:
    return set(machine.run("sh", "-c", "ls /var/log/journal/*/system@*").split())


def test_a_quote_takes_hardly_more_journal_than_its_fields_must(machine: Machine) -> None:
    least, ours = (bytes_of_an_entry(machine, way) for way in ("by_hand", "ours"))

    print(
        f"\nan entry in the journal, one pair and three sources, prices that never repeat: {ours:.0f} bytes"
    )
    print(f"the same fields sent by hand: {least:.0f} bytes")
    assert ours <= least + MOST_BYTES_ABOVE_THE_LEAST


def test_a_quote_takes_at_most_half_of_the_stock_handlers_time(machine: Machine) -> None:
    ours, stock = map(float, machine.run(*COST, "cpu", cwd=CHECKOUT).split())

    print(f"\nCPU of a quote: {ours:.1f} µs, with the stock handler {stock:.1f} µs")
    assert ours <= stock / 2
