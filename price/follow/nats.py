"""Rows into NATS JetStream: a chain of messages for each subject, each naming the sequence of the one before.

A message says which sequence its subject must end with (`Nats-Expected-Last-Subject-Sequence`), so a row is
there once and in order, for ever: after a lost answer or a new leader, the last message of the subject says
what is there, and two recorders that publish the same slot cannot both do it. A batch is atomic: all of it or
nothing. What deduplicates by ids forgets after a window, and what has many single messages in flight can lose
some of them below the last one.
https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md

    price.quote.BTC-USD            one price per slot, of whichever recorder was first
    price.missed.BOX-A.BTC-USD     what a recorder missed
    price.repair.BOX-A.BTC-USD     its repairs.txt, sent again when that changes
    price.progress.BOX-A           how far its follower is, roughly: the other subjects decide
"""

import asyncio
import hashlib
import json
import random
import ssl
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from nats import errors
from nats.aio.client import Client

from price import times
from price.errors import SettingsError
from price.follow.jetstream import STREAM, Message, Raced, Stream, TooFewServers
from price.follow.target import Batch, Conflicts, Lost, Refused
from price.log import row
from price.log.row import Row

T = TypeVar("T")
_WEEK_SECONDS = 7 * times.DAY
_NANO = 10**9
CONFIG: Mapping[str, Any] = {
    "name": STREAM,
    "subjects": ["price.>"],
    "retention": "limits",
    "storage": "file",
    "discard": "old",
    "max_age": _WEEK_SECONDS * _NANO,
    "max_msg_size": 4096,
    "duplicate_window": 120 * _NANO,
    "allow_direct": True,
    "allow_atomic": True,
    "num_replicas": 3,
}
_MATTERS = ("retention", "storage", "discard", "allow_atomic", "num_replicas")
"""What the proof that nothing is lost or doubled depends on."""
_CONNECT_SECONDS, _CALL_SECONDS = 2.0, 25.0
_TRIES = 8
_HEADER_BYTES = 400
_PROGRESS_SECONDS = 60
_AGE_MARGIN_SECONDS = 60


class Nats:
    """One cluster; `login` is user:password, unless an address has one.

    `credentials` is the path of a file with a JWT and its key, `authority` of one with the certificates that
    are trusted instead of the system's.
    """

    name = "nats"
    most_rows = 990
    """A batch has at most 1,000 messages."""

    def __init__(
        self,
        servers: Sequence[str],
        recorder: str,
        now: Callable[[], datetime],
        *,
        login: str = "",
        credentials: str = "",
        authority: str = "",
    ) -> None:
        """Raises SettingsError for a file without certificates."""
        self._servers, self._recorder, self._now = list(servers), recorder, now
        self._token = recorder.replace(".", "_")
        self._options = _options(servers, login, credentials, authority)
        self._runner: asyncio.Runner | None = None
        self._known: Stream | None = None
        self._max_age = float(_WEEK_SECONDS)
        self._most_bytes = 0
        self._complaint = ""
        """What the server said last outside of any answer, such as that a right is missing."""
        self.where = ",".join(one.rpartition("@")[2].rpartition("//")[2] for one in servers)

    def connect(self) -> str:
        return self._run(self._connect_and_ask())

    def send(self, batch: Batch) -> None:
        self._run(self._send(batch))

    def send_repairs(self, rows: Sequence[Row]) -> None:
        oldest = self._oldest()
        for pair, found in groupby(sorted(rows, key=lambda one: one[1]), key=lambda one: one[1]):
            self._run(self._send_repairs(pair, [one for one in found if one[0] >= oldest]))

    def conflicts(self) -> Conflicts:
        return Conflicts()  # the second of two recorders' prices is nowhere

    def init(self) -> str:
        return self._run(self._init())

    def check(self) -> list[str]:
        return self._run(self._check())

    def close(self) -> None:
        known, runner = self._known, self._runner
        self._known = self._runner = None
        if runner is None:
            return
        if known is not None:
            runner.run(_closed(known.client))
        runner.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does something within a time of our own; whatever goes wrong is Lost, and the connection closed."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(asyncio.wait_for(work, _CALL_SECONDS))
        except Lost:
            self.close()
            raise
        except (TimeoutError, OSError, errors.Error, ValueError) as error:
            self.close()
            silent = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
            text = str(error).removeprefix("nats: ") or silent
            said = f" ({self._complaint})" if self._complaint and self._complaint != text else ""
            raise Lost(f"{text}{said}") from error

    async def _connect_and_ask(self) -> str:
        await self._connect()
        config = await self._stream.config()
        self._max_age = config["max_age"] / _NANO or float("inf")
        self._most_bytes = config["max_msg_size"]
        end = await self._stream.end(self._progress_subject)
        return max(end.slot, self._oldest())

    async def _connect(self) -> None:
        """Connects to one of the servers, in any order. By itself it would send late and unordered."""
        self._complaint = ""
        if self._known is not None:
            await _closed(self._known.client)
        trouble: Exception = Lost("there is no server")
        for server in random.sample(self._servers, len(self._servers)):
            client = Client()
            try:
                connecting = client.connect(server, error_cb=self._hear, **self._options)
                await asyncio.wait_for(connecting, 2 * _CONNECT_SECONDS)
            except (TimeoutError, OSError, errors.Error, ValueError) as error:
                trouble = error
                await _closed(client)
            else:
                self._known = Stream(client)
                return
        raise trouble

    async def _hear(self, error: Exception) -> None:
        self._complaint = str(error).removeprefix("nats: ")

    async def _send(self, batch: Batch) -> None:
        trouble: Exception | None = None
        for _ in range(_TRIES):
            try:
                await self._stream.publish(await self._messages(batch))
            except Raced as error:
                trouble = error
                self._stream.forget()
            else:
                return
        raise Lost(f"the stream took none of {_TRIES} tries: {trouble}")

    async def _messages(self, batch: Batch) -> list[Message]:
        """What the stream lacks of a batch; what is too old for it is left out."""
        oldest, found = self._oldest(), []
        for one in batch.rows:
            slot, pair = one[0], one[1]
            missed = one[2] == row.MISSED
            subject = f"price.missed.{self._token}.{pair}" if missed else f"price.quote.{pair}"
            if slot < oldest or slot <= (await self._stream.end(subject)).slot:
                continue
            identity = f"{self._token}/missed/{pair}@{slot}" if missed else f"{pair}@{slot}"
            every = f" every={batch.every}s" if missed else ""
            body = f"{row.text(one)} recorder={self._recorder}{every}"
            if 0 < self._most_bytes < len(body) + _HEADER_BYTES:  # a batch would only be called incomplete
                raise Refused(f"a message has at most {self._most_bytes} bytes, its headers included")
            found.append(Message(subject, body.encode(), {"Nats-Msg-Id": identity}, slot))
        if batch.cursor >= oldest and await self._is_due(batch):
            body = f"{batch.cursor} recorder={self._recorder}"
            found.append(Message(self._progress_subject, body.encode(), {}, batch.cursor))
        return found

    async def _is_due(self, batch: Batch) -> bool:
        """Whether how far it is should be stored again: now and then, since the other subjects decide."""
        known = (await self._stream.end(self._progress_subject)).slot
        return not known or times.slot_unix(batch.cursor) - times.slot_unix(known) >= _PROGRESS_SECONDS

    async def _send_repairs(self, pair: str, rows: Sequence[Row]) -> None:
        """The repairs of a pair, unless the last ones of its subject are the same."""
        if not rows:
            return
        subject = f"price.repair.{self._token}.{pair}"
        bodies = [f"{row.text(one)} recorder={self._recorder}".encode() for one in rows]
        digest = hashlib.sha256(b"\n".join(bodies)).hexdigest()[:16]
        self._stream.forget(subject)
        if (await self._stream.end(subject)).headers.get("Price-Repairs") == digest:
            return
        messages = [Message(subject, body, {}, one[0]) for body, one in zip(bodies, rows, strict=True)]
        messages[-1].headers["Price-Repairs"] = digest
        try:
            for at in range(0, len(messages), self.most_rows):
                await self._stream.publish(messages[at : at + self.most_rows])
        except Raced as error:
            text = f"another follower publishes as {self._recorder}: name one otherwise, PRICE_RECORDER"
            raise Lost(text) from error

    async def _init(self) -> str:
        await self._connect()
        config = dict(CONFIG)
        try:
            await self._stream.ask(f"STREAM.CREATE.{STREAM}", config)
        except TooFewServers:
            config["num_replicas"] = 1
            await self._stream.ask(f"STREAM.CREATE.{STREAM}", config)
        return f"the stream {STREAM} is at {self.where}, {config['num_replicas']} copies of each message"

    async def _check(self) -> list[str]:
        await self._connect()
        found = await self._stream.config()
        told = (await self._stream.ask(f"STREAM.INFO.{STREAM}")).get("cluster") or {}
        clustered = bool(told.get("name"))  # a server by itself names its leader only
        await self._stream.end(self._progress_subject)
        return [
            f"the stream's {name} is {found.get(name)}, not {CONFIG[name]}: nats stream edit {STREAM}"
            for name in _MATTERS
            if found.get(name) != CONFIG[name] and (name != "num_replicas" or clustered)
        ]

    @property
    def _stream(self) -> Stream:
        if self._known is None or self._known.client.is_closed:
            raise Lost("the connection is lost")
        return self._known

    @property
    def _progress_subject(self) -> str:
        return f"price.progress.{self._token}"

    def _oldest(self) -> str:
        """The first slot that is not too old: messages expire by arrival, older rows would stay on."""
        if self._max_age == float("inf"):
            return ""
        return times.slot_text(times.unix(self._now()) - int(self._max_age) + _AGE_MARGIN_SECONDS)


def script() -> str:
    """The stream that `init` makes, for people who make it themselves."""
    return json.dumps(CONFIG, indent=2)


async def _closed(client: Client) -> None:
    """Closes a connection, whatever state it is in."""
    with suppress(OSError, errors.Error, asyncio.TimeoutError):
        await asyncio.wait_for(client.close(), _CONNECT_SECONDS)
    await asyncio.sleep(0)  # what is closed here ends in the next turn of the loop


def _options(servers: Sequence[str], login: str, credentials: str, authority: str) -> dict[str, Any]:
    """The options of nats.connect, without the server. Raises SettingsError."""
    options: dict[str, Any] = {
        "allow_reconnect": False,
        "connect_timeout": _CONNECT_SECONDS,
        "name": "price-follow",
        "ping_interval": 10,
    }
    if any(one.startswith("tls://") for one in servers):
        try:
            options["tls"] = ssl.create_default_context(cafile=authority or None)
        except OSError as error:
            raise SettingsError([f"{authority}: there are no certificates in it: {error}"]) from error
    if login and not any("@" in one for one in servers):
        options["user"], _, options["password"] = login.partition(":")
    if credentials:
        options["user_credentials"] = credentials
    return options
