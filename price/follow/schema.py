"""The schema price in a database: made by its owner, compared by followers. schema.sql is its text."""

from pathlib import Path

from psycopg import Connection

from price.follow import sql
from price.follow.target import Lost

VERSION = 1
_INIT_HINT = "as its owner type: price follow postgres --init (with --print to see what it does)"


def script() -> str:
    """What `make` runs, for people who run it themselves."""
    return Path(__file__).with_name("schema.sql").read_text("utf-8")


def make(connection: Connection) -> None:
    """Makes what is missing of the schema. Raises Lost where a newer program has made it."""
    with connection.transaction():
        found = _version(connection)
        if found > VERSION:
            raise Lost(_differs(found, "update it"))
        connection.execute(script().encode())


def demand(connection: Connection) -> None:
    """Raises Lost where the schema is not the one that this program writes."""
    found = _version(connection)
    if not found:
        raise Lost(f"there is no schema price in the database; {_INIT_HINT}")
    if found != VERSION:
        raise Lost(_differs(found, "update this program" if found > VERSION else _INIT_HINT))


def faults(connection: Connection) -> list[str]:
    """What a follower lacks in a schema of the right version."""
    lacking = [f"{right}: this right is missing; {_INIT_HINT}" for (right,) in connection.execute(sql.RIGHTS)]
    if connection.execute(sql.NEXT_MONTH).fetchone() == (False,):
        ahead = f"next month has no partition yet; a follower makes it a day ahead, or {_INIT_HINT}"
        lacking.append(ahead)
    return lacking


def _differs(found: int, hint: str) -> str:
    return f"the schema has version {found}, this program knows {VERSION}: {hint}"


def _version(connection: Connection) -> int:
    """The version of the schema; 0 where there is none."""
    there = connection.execute("SELECT to_regclass('price.version') IS NOT NULL").fetchone()
    found = connection.execute("SELECT n FROM price.version").fetchone() if there == (True,) else None
    return int(found[0]) if found else 0
