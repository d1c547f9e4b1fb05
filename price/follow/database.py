"""A connection to one PostgreSQL database: its address, a deadline of our own, its errors as ours."""

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import conninfo, errors

from price.errors import SettingsError
from price.follow.target import Lost, Refused

_DEFAULTS = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "target_session_attrs": "read-write",
}
"""Where the URL has nothing else: a dead network is noticed, and of several hosts the writable one used."""
_OF_THE_ROWS = (errors.DataError, errors.IntegrityError, errors.ProgramLimitExceeded)


class Database:
    """One database; `url` is libpq's."""

    def __init__(self, url: str, passfile: str, deadline_seconds: float) -> None:
        """Raises SettingsError for an address that cannot be used."""
        parameters = _parameters(url, passfile)
        host = parameters.get("host", parameters.get("hostaddr", "")) or "this machine"
        self.where = f"{host}/{parameters.get('dbname', parameters.get('user', ''))}"
        """Which one it is, without passwords."""
        self.is_near = _is_near(parameters)
        self.name = f"price-follow {uuid.uuid4().hex[:12]}"
        """What the server lists our connections as."""
        self._address = conninfo.make_conninfo(**parameters, application_name=self.name)
        self._deadline_seconds = deadline_seconds
        self._connection: psycopg.Connection | None = None

    def open(self) -> None:
        """Connects, in place of a connection that there is. Raises Lost."""
        self.close()
        try:
            self._connection = psycopg.connect(self._address, autocommit=True)
        except psycopg.Error as error:
            raise Lost(_text(error)) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """The connection, for a call that ends at the deadline. Raises Refused, or Lost and is closed then.

        A frozen server still acknowledges at TCP, so that no timeout of libpq or the kernel ever acts: its
        socket is shut down from a second thread. psycopg must keep its own descriptor, hence the duplicate.
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
            raise Refused(_text(error)) from error
        except psycopg.Error as error:
            self.close()
            text = f"no answer within {self._deadline_seconds:g} s" if late.is_set() else _text(error)
            raise Lost(text) from error
        except Lost:
            self.close()
            raise
        finally:
            timer.cancel()


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


def _text(error: Exception) -> str:
    """What an error says, on one line; libpq never shows a password."""
    return " ".join(str(error).split()) or type(error).__name__
