"""Two recorders, a database and three nodes, one of each killed now and then: `make demo-cluster`."""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from price import times
from price.log import row
from price.log.read import PriceLog
from tests.exchange import Market, Walk
from tests.follow.engines import NatsServers, PostgresServer, until
from tests.follow.following import MAIN, Cluster, Database

WELCOME = """\
Three made-up exchanges, two recorders with a price each second, a PostgreSQL and three NATS nodes, all on
this machine; each recorder has a follower into each engine. Every few seconds one of these is killed: lines
with # say which. At the end the logs are compared with what the engines hold. Ctrl-C goes there now.
"""
NAMES = ("box-a", "box-b")
SECONDS = 60.0
AWAY_SECONDS = 2.5
"""Long enough that a recorder misses slots, which the other one has."""


class Box:
    """A recorder and its followers, each of which is started again when it was killed."""

    def __init__(self, name: str, folder: Path, environ: dict[str, str]) -> None:
        self.name, self.folder = name, folder / name
        self.folder.mkdir()
        self.log = self.folder / "prices.txt"
        self._environ = {
            **environ,
            "PRICE_RECORDER": name,
            "PRICE_FILE": str(self.log),
            "PRICE_STATE": str(self.folder / "state.json"),
            "PRICE_STATUS": str(self.folder / "status.json"),
        }
        self.processes = {part: self._start(part) for part in ("recorder", "postgres", "nats")}

    def _start(self, part: str) -> "subprocess.Popen[bytes]":
        words = ("run",) if part == "recorder" else ("follow", part)
        with (self.folder / f"{part}.log").open("ab") as said:
            return subprocess.Popen(
                [*MAIN, *words],
                env=self._environ,
                cwd=self.folder,
                stdout=said,
                stderr=said,
                start_new_session=True,  # a Ctrl-C is ours alone
            )

    def follow_once(self, target: str, log: Path) -> "subprocess.Popen[bytes]":
        """Another follower, of another log, up to its end; at the priority that the unit has."""
        return subprocess.Popen(
            ["nice", "-n", "5", *MAIN, "follow", target, "--once", "--file", str(log)],
            env=self._environ | {"PRICE_RECORDER": f"{self.name}-2"},
            cwd=log.parent,
        )

    def kill(self, part: str) -> None:
        self.processes[part].kill()
        self.processes[part].wait()
        time.sleep(AWAY_SECONDS)
        self.processes[part] = self._start(part)

    def end(self, part: str) -> None:
        self.processes[part].terminate()
        try:
            self.processes[part].wait(10)
        except subprocess.TimeoutExpired:
            self.processes[part].kill()
            self.processes[part].wait()

    def close(self) -> None:
        for part in self.processes:
            self.end(part)


def main() -> int:
    """Runs for some seconds, then proves that nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo_cluster", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, metavar="N", help="how long (default 60)")
    seconds = parser.parse_args().seconds
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(WELCOME, flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        market = stack.enter_context(Market(prices=Walk(20)))
        postgres, servers = PostgresServer(), NatsServers()
        stack.callback(postgres.stop)
        stack.callback(servers.stop)
        database, cluster = Database(postgres), Cluster(servers)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PRICE_")}
        environ = kept | market.environment
        environ |= {
            "PRICE_INTERVAL": "1",
            "PRICE_FOLLOW_NATS": cluster.url,
            "PRICE_FOLLOW_POSTGRES": database.url,
        }
        boxes = [Box(name, folder, environ) for name in NAMES]
        for box in boxes:
            stack.callback(box.close)
        until(lambda: all(box.log.exists() for box in boxes))
        try:
            _play(boxes, postgres, servers, seconds)
        except KeyboardInterrupt:
            print("\n# Ctrl-C", flush=True)
        return _prove(boxes, database, cluster)


def _play(boxes: list[Box], postgres: PostgresServer, servers: NatsServers, seconds: float) -> None:
    chance, end = random.Random(), time.monotonic() + seconds
    while time.monotonic() < end - 5:
        time.sleep(chance.uniform(2, 5))
        box = chance.choice(boxes)
        what = chance.choice(("recorder", "postgres", "nats", "the database", "a node", "the leader"))
        if what == "the database":
            print("# PostgreSQL is killed", flush=True)
            postgres.kill()
            postgres.start()
        elif what in ("a node", "the leader"):
            number = max(0, servers.leader()) if what == "the leader" else chance.randrange(3)
            print(f"# {what} is killed: n{number + 1}", flush=True)
            servers.kill(number)
            time.sleep(1)
            servers.start(number)
        else:
            print(
                f"# {box.name}: the {what if what == 'recorder' else what + ' follower'} is killed",
                flush=True,
            )
            box.kill(what)
    time.sleep(5)


def _prove(boxes: list[Box], database: Database, cluster: Cluster) -> int:
    """Compares what the logs have with what the engines hold, and says it."""
    cluster.servers.await_ready()
    for box in boxes:
        box.end("recorder")
    logs = {box.name: list(PriceLog(str(box.log)).rows()) for box in boxes}
    priced = {name: {(one[1], one[0]) for one in rows if one[2] != row.MISSED} for name, rows in logs.items()}
    both = set.union(*priced.values())
    slots = sorted(slot for _, slot in both)
    wanted = {(name, *key) for name, keys in priced.items() for key in keys}

    def held() -> set[tuple[str, str, str]]:
        found = database.content()
        return {(quote[4], quote[0], quote[1]) for quote in [*found["quote"], *found["other"]]}

    print("\n# the recorders are stopped; the followers send what is left", flush=True)
    until(lambda: held() == wanted, 120, step=0.5)
    last = {name: max((key[1] for key in keys), default="") for name, keys in priced.items()}
    until(lambda: cluster.quotes()[-1][:20] == max(last.values()), 120, step=0.5)
    quotes = database.content()["quote"]
    stream = [line.split()[0] for line in cluster.quotes()]
    known = {row.text(one) for rows in logs.values() for one in rows}
    span = times.slot_unix(slots[-1]) - times.slot_unix(slots[0]) + 1
    faults = {
        "slots of either log that PostgreSQL lacks": len(both - {(quote[0], quote[1]) for quote in quotes}),
        "slots that PostgreSQL has twice": len(quotes) - len({quote[:2] for quote in quotes}),
        "slots that the stream has twice": len(stream) - len(set(stream)),
        "slots that the stream has out of order": sum(a >= b for a, b in pairwise(stream)),
        "rows of the stream that are in no log": sum(line not in known for line in cluster.quotes()),
    }
    for box in boxes:
        missing = span - len(priced[box.name])
        print(f"{box.name} alone: {len(priced[box.name])} prices, {missing} of {span} slots missing")
    print(f"PostgreSQL: {len(quotes)} prices, {span - len(quotes)} of {span} slots missing")
    print(f"JetStream:  {len(stream)} prices, {span - len(stream)} of {span} slots missing")
    for words, count in faults.items():
        print(f"{count:>4} {words}")
    print("nothing was lost or doubled" if not any(faults.values()) else "THAT IS WRONG")
    return int(any(faults.values()))


if __name__ == "__main__":
    sys.exit(main())
