"""The figures of docs/clusters.md that no short test shows: `python -m tests.follow.figures [NAME...]`.

    freeze   the database is stopped for 40 s under a follower
    leader   how long the stream rests when its leader is killed
    idle     what followers cost with a slot each 5 s
    pairs    50 pairs, a slot each second: whether the recorder is late, and how fast a catch-up is
    growth   the memory of followers over 100,000 slots, each sent by itself

`make sweep-follow` runs all of them; a figure that is worse than its goal ends it with 1.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from price import times
from price.follow.postgres import Postgres
from price.follow.target import Target
from price.log import row
from tests.demo_cluster import Box
from tests.follow.engines import NatsServers, PostgresServer, until
from tests.follow.following import Cluster, Database, Following
from tests.follow.logs import steady, write_log

SLOTS = 100_000
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAIRS = ",".join(f"{a}{b}-USD" for a, b in product("ABCDE", "ABCDEFGHIJ"))


class Engines(NamedTuple):
    """What the followers of a figure write to."""

    postgres: PostgresServer
    database: Database
    cluster: Cluster
    folder: Path

    def box(self, stack: ExitStack, name: str, **settings: str) -> Box:
        """A recorder of made-up prices with two followers, until the stack ends."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PRICE_")}
        urls = {"PRICE_FOLLOW_POSTGRES": self.database.url, "PRICE_FOLLOW_NATS": self.cluster.url}
        box = Box(name, self.folder, {**kept, **urls, "PRICE_SOURCES": "simulated", **settings})
        stack.callback(box.close)
        for target in ("postgres", "nats"):
            until(partial(_sent, box, target, 1))
        return box


def freeze(engines: Engines) -> bool:
    """A stopped server keeps its connections: only a deadline of our own ends the wait."""
    with ExitStack() as stack:
        box = engines.box(stack, "freeze", PRICE_INTERVAL="1")
        go_on = engines.postgres.freeze()
        time.sleep(40)
        go_on()
        began = time.time()
        until(partial(_sent, box, "postgres", began))
        lasted = time.time() - began
    said = (box.folder / "postgres.log").read_text().splitlines()
    lost, back = ([line for line in said if words in line] for words in ("trying again", "back after"))
    print(f"freeze of 40 s: went on {lasted:.1f} s after its end; it said:", *said, sep="\n    ")
    return len(lost) == len(back) == 1


def leader(engines: Engines) -> bool:
    """The time from a kill to the first slot after it that the stream has."""
    pauses, servers = [], engines.cluster.servers
    with ExitStack() as stack:
        box = engines.box(stack, "leader", PRICE_INTERVAL="1")
        for _ in range(5):
            until(lambda: servers.leader() >= 0)
            number, killed = servers.leader(), time.time()
            servers.kill(number)
            until(partial(_sent, box, "nats", killed + 1))
            pauses.append(time.time() - killed)
            servers.start(number)
            servers.await_ready()
    print("leader killed, first slot after it:", *(f"{one:.1f} s" for one in pauses))
    return max(pauses) <= 15


def idle(engines: Engines, seconds: int = 60) -> bool:
    """The share of a processor, and the memory."""
    well = True
    with ExitStack() as stack:
        box = engines.box(stack, "idle", PRICE_INTERVAL="5")
        pids = {target: box.processes[target].pid for target in ("postgres", "nats")}
        before = {target: _cpu_seconds(pid) for target, pid in pids.items()}
        time.sleep(seconds)
        for target, pid in pids.items():
            share = 100 * (_cpu_seconds(pid) - before[target]) / seconds
            memory = _resident_mib(pid)
            print(f"{target}, a slot each 5 s: {share:.2f} % of a processor, {memory:.1f} MiB resident")
            well &= share <= 0.5 and memory <= 60
    return well


def pairs(engines: Engines, seconds: int = 10) -> bool:
    """How late the recorder's rows are whatever its followers do, whether all arrive, and how fast."""
    path = write_log(engines.folder / "hours" / "prices.txt", _of_pairs(2 * 3600))
    count = 2 * 3600 * 50
    with ExitStack() as stack:
        box = engines.box(stack, "pairs", PRICE_INTERVAL="1", PRICE_PAIRS=_PAIRS)
        followers = [box.processes[target] for target in ("postgres", "nats")]
        end = time.monotonic() + seconds
        late = {"at work": _lateness(box.log, lambda: time.monotonic() > end)}
        for one in followers:
            one.send_signal(signal.SIGSTOP)
        later = time.monotonic() + seconds
        late["stopped"] = _lateness(box.log, lambda: time.monotonic() > later)
        for one in followers:
            one.send_signal(signal.SIGCONT)
        began, ends = time.monotonic(), dict[str, float]()
        running = {target: box.follow_once(target, path) for target in ("postgres", "nats")}

        def ended() -> bool:
            for target, process in running.items():
                if process.poll() is not None:
                    ends.setdefault(target, time.monotonic())
            return len(ends) == len(running)

        late["in catch-up"] = _lateness(box.log, ended)
        box.end("recorder")
        rows = [line.split(" ", 3) for line in box.log.read_text().splitlines() if line[0] != "#"]
        last = times.slot_unix(rows[-1][0])
        for target in running:
            until(partial(_sent, box, target, last))
    held = engines.database.ask("SELECT count(*) FROM price.quote WHERE recorder = 'pairs'")[0][0]
    missed = sum(one[2] == "-" for one in rows)
    print(f"50 pairs, a slot each second: {len(rows)} rows, {missed} missed, {held} in PostgreSQL; on disk")
    for words, found in late.items():
        print(
            f"    {median(found):.0f} ms after the slot, {max(found):.0f} ms at most, with followers {words}"
        )
    for target, moment in ends.items():
        print(f"{target}: catch-up of 50 pairs: {count / (moment - began):,.0f} rows a second, both at once")
    return held + missed == len(rows) and max(map(median, late.values())) < 100


def _lateness(log: Path, is_over: Callable[[], bool]) -> list[float]:
    """The milliseconds from each slot to its rows in the file, by the kernel's clock, some behind."""
    found, seen = [], log.stat().st_mtime
    while not is_over():
        written = log.stat().st_mtime
        if written != seen:
            found.append(1000 * ((written + 0.5) % 1 - 0.5))
            seen = written
        time.sleep(0.01)
    return found


def _of_pairs(slots: int) -> list[row.Row]:
    """Rows of other 50 pairs that end a moment ago."""
    start = int(time.time()) - slots
    by_pair = (steady(slots, f"X{pair}", start, 1) for pair in _PAIRS.split(","))
    return [one for slot in zip(*by_pair, strict=True) for one in slot]


def growth(engines: Engines) -> bool:
    """The resident memory as it goes, of a process for each target."""
    context = multiprocessing.get_context("spawn")
    wanted = {"postgres": engines.database.url, "nats": engines.cluster.url}
    made = [context.Process(target=_grow, args=(*one, str(engines.folder))) for one in wanted.items()]
    for one in made:
        one.start()
    for one in made:
        one.join()
    return all(one.exitcode == 0 for one in made)


def _grow(name: str, url: str, folder: str) -> None:
    from price.follow.nats import Nats

    start = int(time.time())
    moment = times.from_unix(start + SLOTS)
    target: Target = (
        Postgres(url, "growth", "prices.txt")
        if name == "postgres"
        else Nats(url.split(","), "growth", lambda: moment)
    )
    path = write_log(Path(folder) / name / "prices.txt", [], 1)
    following = Following(path, target, "growth")
    found = []
    with path.open("a") as file:
        for number in range(SLOTS):
            slot = times.slot_text(start + number)
            file.write(f"{slot} GROWTH-{name.upper()} {number + 1}.5 coinbase,kraken\n")
            file.flush()
            following.follower.catch_up()
            if number % (SLOTS // 10) == SLOTS // 100:
                found.append(_resident_mib(os.getpid()))
    following.target.close()
    print(f"{name}, {SLOTS:,} slots: MiB resident", *(f"{one:.1f}" for one in found), flush=True)
    sys.exit(int(found[-1] > found[1] + 2))


def _status(box: Box, target: str) -> Mapping[str, object]:
    with suppress(OSError, ValueError):
        found: Mapping[str, object] = json.loads((box.folder / f"follow-{target}.json").read_text())
        return found
    return {}


def _sent(box: Box, target: str, unix: float) -> bool:
    """Whether a follower has sent a slot of that Unix time or later."""
    slot = _status(box, target).get("slot")
    return bool(slot) and times.slot_unix(str(slot)) >= unix


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / _TICKS_A_SECOND


def _resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


FIGURES: Mapping[str, Callable[[Engines], bool]] = {
    "freeze": freeze,
    "leader": leader,
    "idle": idle,
    "pairs": pairs,
    "growth": growth,
}


def main() -> int:
    """Measures what the command line names, or all; 1 where a figure is worse than its goal."""
    parser = argparse.ArgumentParser(prog="python -m tests.follow.figures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(FIGURES))
    names = parser.parse_args().names or list(FIGURES)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the servers would outlive us
    bad = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        postgres, servers = PostgresServer(), NatsServers()
        stack.callback(postgres.stop)
        stack.callback(servers.stop)
        for name in names:
            place = folder / name
            place.mkdir()
            if not FIGURES[name](Engines(postgres, Database(postgres), Cluster(servers), place)):
                bad.append(name)
            sys.stdout.flush()
    if bad:
        print("worse than the goal:", *bad)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
