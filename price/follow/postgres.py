"""Rows into PostgreSQL: a batch is one transaction, which also says how far the follower is.

So a cursor that is lost, older or newer than the rows cannot exist, and a database that was restored from a
backup asks by itself for what it lacks. Of two recorders' prices for a slot the better one wins, by an order
that nothing can change later: live before repaired, more sources before fewer, then the recorder's name.
It does not depend on who came first. schema.sql is the other half of this file.
"""

from collections.abc import Sequence

from psycopg import Connection, errors

from price import times
from price.follow import schema, sql
from price.follow.database import Database
from price.follow.target import Batch, Conflicts, Lost
from price.log import row
from price.log.row import Row

_TURN = 0x70726963
"""The advisory lock by which followers take turns: two that write in other orders cannot deadlock."""
_ENDS_SECONDS = 1
"""How long a follower that ends may need until its lock is free."""
_COPIED_ROWS = 1000

script = schema.script


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
        self._database = Database(url, passfile, deadline_seconds)
        self._recorder, self._log, self._alone = recorder, log, alone
        self._months: set[str] = set()
        """Those whose partitions are there for certain."""
        self.where = self._database.where

    def connect(self) -> str:
        self._database.open()
        self._months = set()
        with self._database.connection() as connection:
            schema.demand(connection)
            if self._alone:
                self._demand_alone(connection)
            connection.execute(sql.STAGE)
            found = connection.execute(sql.CURSOR, [self._recorder, self._log]).fetchone()
        return str(found[0]) if found else ""

    def send(self, batch: Batch) -> None:
        with self._database.connection() as connection:
            try:
                self._write(connection, batch)
            except errors.CheckViolation:  # a month that is dropped gives the same error as a bad row
                self._months = set()
                self._write(connection, batch)

    def send_repairs(self, rows: Sequence[Row]) -> None:
        for at in range(0, len(rows), self.most_rows):
            self.send(Batch(rows[at : at + self.most_rows], 0, ""))

    def conflicts(self) -> Conflicts:
        with self._database.connection() as connection:
            found = connection.execute(sql.CONFLICTS).fetchone()
        return Conflicts(*found) if found else Conflicts()

    def init(self) -> str:
        self._database.open()
        with self._database.connection() as connection:
            schema.make(connection)
        return f"the schema price, version {schema.VERSION}, is in {self.where}"

    def check(self) -> list[str]:
        self._database.open()
        with self._database.connection() as connection:
            schema.demand(connection)
            faults = schema.faults(connection)
            secure = connection.pgconn.ssl_in_use or self._database.is_near
        return faults + ([] if secure else ["the connection is not encrypted: sslmode=verify-full"])

    def close(self) -> None:
        self._database.close()

    def _demand_alone(self, connection: Connection) -> None:
        """Raises Lost where another follower writes under this recorder's name.

        A connection of our own that froze may still hold the lock: it is ended first. It keeps the lock
        until its backend is gone, as does a follower that was stopped a moment ago: both are waited for.
        """
        ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        connection.execute(f"{ours} AND pid <> pg_backend_pid()", [self._database.name])
        key = f"price follow {self._recorder}"
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{_ENDS_SECONDS}s'")
                connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", [_TURN, key])
        except errors.LockNotAvailable as error:
            found = connection.execute(sql.HOLDER, [key]).fetchone()
            holder = f"{found[0]} at {found[1]}, backend {found[2]}" if found else "one that ends just now"
            raise Lost(
                f"another follower of {self._recorder} is at work: {holder}; end it, or name this recorder"
                " otherwise with PRICE_RECORDER"
            ) from error

    def _write(self, connection: Connection, batch: Batch) -> None:
        """Writes all of a batch, or nothing."""
        priced = [one for one in batch.rows if one[2] != row.MISSED]
        missed = [one for one in batch.rows if one[2] == row.MISSED]
        months = self._lacking_months(priced)
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
            for month in months:
                connection.execute("SELECT price.ensure_month(%s)", [f"{month}-01T00:00:00Z"])
            if priced:
                self._write_priced(connection, priced)
            if missed and batch.every:
                self._write_missed(connection, missed, batch.every)
            if batch.cursor:
                told = f"{self._recorder} {batch.cursor}"
                place = {"recorder": self._recorder, "log": self._log, "slot": batch.cursor, "told": told}
                connection.execute(sql.PROGRESS, place)
        self._months.update(months)

    def _lacking_months(self, priced: Sequence[Row]) -> list[str]:
        """The months of rows, and the next one a day ahead, that are not known to have a partition."""
        months = {one[0][:7] for one in priced}
        if priced:
            ahead = min(times.slot_unix(priced[-1][0]) + times.DAY, times.LAST_SECOND)
            months.add(times.slot_text(ahead)[:7])
        return sorted(months - self._months)

    def _write_priced(self, connection: Connection, priced: Sequence[Row]) -> None:
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

    def _write_missed(self, connection: Connection, missed: Sequence[Row], every: int) -> None:
        values = {
            "every": every,
            "recorder": self._recorder,
            "slots": [one[0] for one in missed],
            "counts": [row.slots(one) for one in missed],
            "pairs": [one[1] for one in missed],
            "reasons": [one[3] for one in missed],
        }
        connection.execute(sql.MISSED, values)
