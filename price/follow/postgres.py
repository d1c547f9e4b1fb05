"""Rows into PostgreSQL: a batch is one transaction, which also says how far the follower is.

So a cursor that is lost, older or newer than the rows cannot exist, and a database that was restored from a
backup asks by itself for what it lacks. Of two recorders' prices for a slot the better one wins, by an order
that nothing can change later: live before repaired, more sources before fewer, then the recorder's name.
It does not depend on who came first. schema.sql is the other half of this file.
"""

import os
import socket
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import conninfo, errors

from price import times
from price.errors import SettingsError
from price.follow import sql
from price.follow.target import Batch, Conflicts, Lost, Refused
from price.log import row
from price.log.row import Row

SCHEMA_VERSION = 1
_SCHEMA = Path(__file__).with_name("schema.sql")
_TURN = 0x70726963
"""The advisory lock by which followers take turns: two that write in other orders cannot deadlock."""
_COPIED_ROWS = 1000
_DEFAULTS = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "target_session_attrs": "read-write",
}
"""Where the URL has nothing else: a dead network is noticed, and of several hosts the writable one used."""
_ABSENT = (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedFunction)
_OF_THE_ROWS = (errors.DataError, errors.IntegrityError, errors.ProgramLimitExceeded)
_INIT_HINT = "as its owner type: price follow postgres --init (with --print to see what it does)"


class Postgres:
    """One database; `url` is libpq's, `recorder` the name that this log's rows get."""

    name = "postgres"
    most_rows = 10_000

    def __init__(
        self,
        url: str,
        recorder: str,
        log: str,
        *,
        passfile: str = "",
        deadline_seconds: float = 30.0,
        alone: bool = True,
    ) -> None:
        """`alone`: nobody else may write under this name meanwhile.

        Raises SettingsError for an address that cannot be used.
        """
        self._parameters = _parameters(url, passfile)
        self._recorder, self._log = recorder, log
        self._deadline_seconds, self._alone = deadline_seconds, alone
        self._id = f"price-follow {uuid.uuid4().hex[:12]}"
        self._connection: psycopg.Connection | None = None
        self._months: set[str] = set()
        self.where = _shown(self._parameters)

    def connect(self) -> str:
        self._open()
        with self._guarded() as connection:
            self._demand_version(connection)
            if self._alone:
                self._demand_alone(connection)
            connection.execute(sql.STAGE)
            found = connection.execute(sql.CURSOR, [self._recorder, self._log]).fetchone()
        self._months = set()
        return str(found[0]) if found else ""

    def send(self, batch: Batch) -> None:
        with self._guarded() as connection:
            try:
                with connection.transaction():
                    self._write(connection, batch)
            except errors.CheckViolation:  # a month that is dropped gives the same error as a bad row
                if not self._months:
                    raise
                self._months.clear()
                with connection.transaction():
                    self._write(connection, batch)

    def send_repairs(self, rows: Sequence[Row]) -> None:
        for at in range(0, len(rows), self.most_rows):
            self.send(Batch(rows[at : at + self.most_rows], 0, ""))

    def conflicts(self) -> Conflicts:
        with self._guarded() as connection:
            found = connection.execute(sql.CONFLICTS).fetchone()
        return Conflicts(*found) if found else Conflicts()

    def init(self) -> str:
        self._open()
        with self._guarded() as connection, connection.transaction():
            found = _version(connection)
            if found > SCHEMA_VERSION:
                raise Lost(f"the schema has version {found}, this program knows {SCHEMA_VERSION}: update it")
            connection.execute(script().encode())
        return f"the schema price, version {SCHEMA_VERSION}, is in {self.where}"

    def check(self) -> list[str]:
        self._open()
        with self._guarded() as connection:
            self._demand_version(connection)
            lacking = [str(found[0]) for found in connection.execute(sql.RIGHTS)]
            next_month = "to_regclass('price.quote_' || to_char(now() + interval '1 month', 'YYYY_MM'))"
            ahead = connection.execute(f"SELECT {next_month} IS NOT NULL").fetchone()
            secure = connection.pgconn.ssl_in_use or _is_near(self._parameters)
        faults = [f"{one}: this right is missing; {_INIT_HINT}" for one in lacking]
        if ahead == (False,):
            faults.append(
                f"next month has no partition yet; a follower makes it a day ahead, or {_INIT_HINT}"
            )
        return faults + ([] if secure else ["the connection is not encrypted: sslmode=verify-full"])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        self.close()
        try:
            address = conninfo.make_conninfo(**self._parameters, application_name=self._id)
            self._connection = psycopg.connect(address, autocommit=True)
        except psycopg.Error as error:
            raise Lost(_text(error)) from error

    def _demand_version(self, connection: psycopg.Connection) -> None:
        """Raises Lost where the schema is not the one that this program writes."""
        found = _version(connection)
        if not found:
            raise Lost(f"there is no schema price in the database; {_INIT_HINT}")
        if found != SCHEMA_VERSION:
            wise = "update this program" if found > SCHEMA_VERSION else _INIT_HINT
            raise Lost(f"the schema has version {found}, this program knows {SCHEMA_VERSION}: {wise}")

    def _demand_alone(self, connection: psycopg.Connection) -> None:
        """Raises Lost where another follower writes under this recorder's name.

        A connection of our own that froze may still hold the lock: it is ended first.
        """
        ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        connection.execute(f"{ours} AND pid <> pg_backend_pid()", [self._id])
        key, holder = f"price follow {self._recorder}", None
        while not holder:  # one that ends just now still has the lock, and is listed no more
            if connection.execute(sql.TAKE, [_TURN, key]).fetchone() == (True,):
                return
            holder = connection.execute(sql.HOLDER, [key]).fetchone()
        raise Lost(
            f"another follower of {self._recorder} is at work: {holder[0]} at {holder[1]}, backend"
            f" {holder[2]}; end it, or name this recorder otherwise with PRICE_RECORDER"
        )

    def _write(self, connection: psycopg.Connection, batch: Batch) -> None:
        """All of a batch, inside a transaction."""
        priced = [one for one in batch.rows if one[2] != row.MISSED]
        missed = [one for one in batch.rows if one[2] == row.MISSED]
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
        self._ensure_months(connection, priced)
        if priced:
            self._write_priced(connection, priced)
        if missed and batch.every:
            self._write_missed(connection, missed, batch.every)
        if batch.cursor:
            told = f"{self._recorder} {batch.cursor}"
            place = {"recorder": self._recorder, "log": self._log, "slot": batch.cursor, "told": told}
            connection.execute(sql.PROGRESS, place)

    def _write_priced(self, connection: psycopg.Connection, priced: Sequence[Row]) -> None:
        """Where nobody has rows yet, straight into the table, at half the work; else what is better wins.

        What is sent again is there already, as sums show at half the work: a recorder never changes its row
        of a slot.
        """
        pairs = list({one[1] for one in priced})
        reach = {"first": priced[0][0], "last": priced[-1][0], "pairs": pairs, "recorder": self._recorder}
        found = connection.execute(sql.THERE, reach, prepare=False).fetchall()
        if found and {pair: tuple(sums) for pair, *sums in found} == sql.sums(priced):
            return
        table = "stage" if found else "price.quote"
        with connection.cursor().copy(f"COPY {table} {sql.COLUMNS} FROM STDIN") as copy:
            for at in range(0, len(priced), _COPIED_ROWS):  # the server works while the next ones are made
                copy.write(sql.copied(priced[at : at + _COPIED_ROWS], self._recorder))
        if found:
            connection.execute(sql.BEST, reach, prepare=False)

    def _ensure_months(self, connection: psycopg.Connection, priced: Sequence[Row]) -> None:
        """Makes the partitions of the rows, and the next one a day ahead."""
        months = {one[0][:7] for one in priced}
        if priced:
            months.add(times.slot_text(times.slot_unix(priced[-1][0]) + times.DAY)[:7])
        for month in sorted(months - self._months):
            connection.execute("SELECT price.ensure_month(%s)", [f"{month}-01T00:00:00Z"])
        self._months |= months

    def _write_missed(self, connection: psycopg.Connection, missed: Sequence[Row], every: int) -> None:
        values = {
            "every": every,
            "recorder": self._recorder,
            "slots": [one[0] for one in missed],
            "counts": [row.slots(one) for one in missed],
            "pairs": [one[1] for one in missed],
            "reasons": [one[3] for one in missed],
        }
        connection.execute(sql.MISSED, values)

    @contextmanager
    def _guarded(self) -> Iterator[psycopg.Connection]:
        """The connection, which ends at a deadline of our own, and whose errors become ours.

        A frozen server still acknowledges at TCP, so that no timeout of libpq or the kernel ever acts.
        """
        connection = self._connection
        if connection is None:
            raise Lost("not connected")
        late = threading.Event()

        def cut() -> None:
            late.set()
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as one:
                one.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self._deadline_seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield connection
        except _OF_THE_ROWS as error:
            self._months.clear()
            raise Refused(_text(error)) from error
        except psycopg.Error as error:
            self.close()
            text = f"no answer within {self._deadline_seconds:g} s" if late.is_set() else _text(error)
            raise Lost(f"{text}; {_INIT_HINT}" if isinstance(error, _ABSENT) else text) from error
        except Lost:
            self.close()
            raise
        finally:
            timer.cancel()


def script() -> str:
    """What `init` runs, for people who run it themselves."""
    return _SCHEMA.read_text("utf-8")


def _parameters(url: str, passfile: str) -> dict[str, str]:
    """The parameters of an address and our defaults. Raises SettingsError."""
    try:
        given = {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items()}
    except psycopg.Error as error:
        raise SettingsError(
            [f"PRICE_FOLLOW_POSTGRES: libpq does not understand it: {_text(error)}"]
        ) from error
    found = {**_DEFAULTS, **({"passfile": passfile} if passfile else {}), **given}
    if not _is_near(found) and "sslmode" not in found:
        fault = (
            f"PRICE_FOLLOW_POSTGRES: {found.get('host')} is another machine: say how it is known to be it:"
            " ?sslmode=verify-full&sslrootcert=FILE (or sslmode=disable, which trusts the network)"
        )
        raise SettingsError([fault])
    return found


def _is_near(parameters: dict[str, str]) -> bool:
    """Whether the server is on this machine."""
    hosts = parameters.get("host", parameters.get("hostaddr", "")).split(",")
    return all(host in ("", "localhost", "127.0.0.1", "::1") or host[0] in "/@" for host in hosts)


def _shown(parameters: dict[str, str]) -> str:
    host = parameters.get("host", parameters.get("hostaddr", "")) or "this machine"
    return f"{host}/{parameters.get('dbname', parameters.get('user', ''))}"


def _version(connection: psycopg.Connection) -> int:
    """The version of the schema; 0 where there is none."""
    there = connection.execute("SELECT to_regclass('price.version') IS NOT NULL").fetchone()
    found = connection.execute("SELECT n FROM price.version").fetchone() if there == (True,) else None
    return int(found[0]) if found else 0


def _text(error: Exception) -> str:
    """What an error says, on one line; libpq never shows a password."""
    return " ".join(str(error).split()) or type(error).__name__
