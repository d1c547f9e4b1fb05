r"""What a follower costs beside what people would type instead: `psql \copy`, and publishing by hand.

    python -m bench follow

The engines are its own, on this machine's disk and with fsync; each way has its own database or stream.
The CPU of a server is that of all its processes, by the kernel's accounts.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench import tables
from bench.measured import Cost, measured
from bench.year import EVERY, days
from price import times
from price.follow import sql
from price.log import row
from price.log.read import PriceLog
from price.log.row import header_line
from tests.follow.engines import NatsServers, PostgresServer
from tests.follow.following import MAIN, Cluster, Database

_DISK = "/var/tmp"
_RAW = Path(__file__).with_name("peers") / "nats_raw.py"
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_HEAD = ("way", "seconds", "x", "client µs/row", "server µs/row", "CPU x", "written B/row", "client MiB")


class Seen(NamedTuple):
    """What one run took."""

    client: Cost
    server_seconds: float
    written_bytes: int = 0
    """By PostgreSQL's write-ahead log."""


def tell(year: Path, rounds: int) -> None:
    """Prints the tables: a day into JetStream, a month and a year into PostgreSQL."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the servers would outlive us
    with TemporaryDirectory(dir=_DISK) as folder:
        with ExitStack() as stack:
            servers = NatsServers(folder=_DISK)
            stack.callback(servers.stop)
            _into_jetstream(servers, Path(folder) / "prices.txt", rounds)
        month = Path(folder) / "month" / "prices.txt"
        month.parent.mkdir()
        with year.open() as lines, month.open("w") as file:
            file.writelines(line for line in lines if line.startswith(("#", "2026-01")))
        with ExitStack() as stack:
            server = PostgresServer(folder=_DISK, durable=True)
            stack.callback(server.stop)
            _into_postgres(server, month, "A month of one pair into PostgreSQL", rounds)
            _into_postgres(server, year, "A year of one pair into PostgreSQL", 1, second=False)


def _into_postgres(
    server: PostgresServer, log: Path, title: str, rounds: int, *, second: bool = True
) -> None:
    ready = log.with_suffix(".copy")
    with ready.open("wb") as file:
        for _, rows in PriceLog(str(log)).blocks():
            file.write(sql.copied([one for one in rows if one[2] != row.MISSED], "psql"))
    with ready.open("rb") as file:
        count = sum(1 for _ in file)
    seen: dict[str, list[Seen]] = {}
    for _ in range(rounds):
        by_hand, ours = _with_months(server, log), _with_months(server, log)
        copy = f"\\copy price.quote {sql.COLUMNS} from {ready}"
        psql = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", copy, server.url(by_hand.name, "owner")]
        ways = {
            "`psql \\copy`": psql,
            "`price follow postgres --once`": _follow("postgres", log, ours.url, "box-a"),
            "the same again, progress deleted": _follow("postgres", log, ours.url, "box-a"),
        }
        if second:
            ways["a second recorder"] = _follow("postgres", log, ours.url, "box-b")
        for way, command in ways.items():
            if "again" in way:
                with ours.owner() as one:
                    one.execute("DELETE FROM price.progress")
            with server.owner() as one:
                one.execute("CHECKPOINT")  # else one way would write the pages of another
            before = _written(server)
            used, client = _used(server.pids, command)
            seen.setdefault(way, []).append(Seen(client, used, _written(server) - before))
        for database in (by_hand, ours):
            with server.owner() as one:
                one.execute(f"DROP DATABASE {database.name}".encode())
    ready.unlink()
    _show(f"{title}: {count:,} prices", seen, count)


def _with_months(server: PostgresServer, log: Path) -> Database:
    """A database whose partitions are there, so that `psql` needs not make them."""
    made = Database(server)
    first = times.slot_unix(next(PriceLog(str(log)).rows())[0])
    with made.owner() as one:
        for month in range(13):
            one.execute("SELECT price.ensure_month(to_timestamp(%s))", [first + month * 31 * times.DAY])
    return made


def _into_jetstream(servers: NatsServers, log: Path, rounds: int) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = next(days(midnight - timedelta(days=1), 1, "BTC-USD", 1))  # what is older than a week is not sent
    log.write_text(f"{header_line(EVERY)}\n{day}")
    count = day.count("\n")
    seen: dict[str, list[Seen]] = {}
    for _ in range(rounds):
        urls = ",".join(servers.urls)
        ways = {
            "published by hand, 1,000 in flight": [sys.executable, str(_RAW), urls, str(log)],
            "`price follow nats --once`": _follow("nats", log, urls, "box-a"),
        }
        for way, command in ways.items():
            Cluster(servers)  # makes the stream again, empty
            used, client = _used(servers.pids, command)
            seen.setdefault(way, []).append(Seen(client, used))
        again, client = _used(servers.pids, _follow("nats", log, urls, "box-a"))
        seen.setdefault("the same again", []).append(Seen(client, again))
    _show(f"A day of one pair into JetStream, three nodes that sync always: {count:,} rows", seen, count)


def _follow(target: str, log: Path, url: str, recorder: str) -> Sequence[str]:
    settings = (f"PRICE_FOLLOW_{target.upper()}={url}", f"PRICE_RECORDER={recorder}")
    return ["env", *settings, *MAIN, "follow", target, "--once", "--file", str(log)]


def _used(pids: Callable[[], Iterable[int]], command: Sequence[str]) -> tuple[float, Cost]:
    """The CPU seconds of a server while a command runs, and what the command took itself."""
    before = _sum(pids)
    client = measured(list(command))
    return _sum(pids) - before, client


def _sum(pids: Callable[[], Iterable[int]]) -> float:
    while True:
        with suppress(FileNotFoundError):  # one ended meanwhile: its time is its parent's now
            return sum(map(_cpu_seconds, pids()))


def _cpu_seconds(pid: int) -> float:
    """The CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS_A_SECOND


def _written(server: PostgresServer) -> int:
    with server.owner() as one:
        found = one.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8").fetchone()
    assert found is not None
    return int(found[0])


def _show(title: str, seen: dict[str, list[Seen]], count: int) -> None:
    """Prints what each way took, at the median, beside the first."""
    rows, first = [], (0.0, 0.0)
    for way, runs in seen.items():
        seconds = median(one.client.seconds for one in runs)
        client = median(one.client.cpu_seconds for one in runs) * 1e6 / count
        server = median(one.server_seconds for one in runs) * 1e6 / count
        first = first if any(first) else (seconds, client + server)
        written = median(one.written_bytes for one in runs) / count
        peak = max(one.client.peak_kib for one in runs) / 1024
        both = (client + server) / first[1]
        rows.append((way, seconds, seconds / first[0], client, server, both, written, peak))
    tables.show(title, _HEAD, rows)
