"""JetStream on plain NATS: the last message of a subject, and atomic batches that expect it.

nats-py has neither for batches, and its own publishing in JetStream keeps a place for an answer that never
comes. An answer that is not there is a TimeoutError here: what happened is then asked of the stream.
https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
"""

import json
import uuid
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nats.aio.client import Client
from nats.js.errors import NotFoundError

from price.follow.target import Lost, Refused
from price.log import row

STREAM = "PRICE"
_OTHERS_WERE_FIRST = {10071, 10164, 10158, 10201}
"""Wrong last sequence (or one that is in flight); an id that is known, or in flight."""
_TOO_BIG = 10054
_INCOMPLETE = 10176
"""A part of a batch was not stored: the server has no other answer for a full disk."""
_NOT_CLUSTERED, _TOO_FEW_PEERS = 10074, 10005
_ANSWER_SECONDS = 5.0
INIT_HINT = "type, with the right to make it: price follow nats --init (--print: see what it does)"


class Message(NamedTuple):
    """What is published: `slot` is the one that its body begins with."""

    subject: str
    body: bytes
    headers: dict[str, str]
    slot: str


class End(NamedTuple):
    """The last message of a subject."""

    sequence: int = 0
    slot: str = ""
    headers: Mapping[str, str] = {}


class Raced(Exception):
    """A subject does not end as expected: somebody else published, or what was thought lost arrived."""


class TooFewServers(Lost):
    """There are not enough servers for so many copies."""


class Stream:
    """The stream, through one connection."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._ends: dict[str, End] = {}

    def forget(self, subject: str = "") -> None:
        """Asks again for the last messages of all subjects, or of one."""
        if subject:
            self._ends.pop(subject, None)
        else:
            self._ends.clear()

    async def ask(self, subject: str, content: object = None) -> dict[str, Any]:
        """An answer of JetStream's API. Raises NotFoundError for what is not there, else Lost."""
        body = b"" if content is None else json.dumps(content).encode()
        answer = await self.client.request(f"$JS.API.{subject}", body, timeout=_ANSWER_SECONDS)
        found: dict[str, Any] = json.loads(answer.data)
        if error := found.get("error"):
            if error.get("code") == 404:
                raise NotFoundError(code=404, description=error.get("description"))
            raise _refusal(error)
        return found

    async def config(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = (await self.ask(f"STREAM.INFO.{STREAM}"))["config"]
        except NotFoundError as error:
            raise Lost(f"there is no stream {STREAM}; {INIT_HINT}") from error
        if not found.get("allow_atomic"):
            raise Lost(
                f"the stream {STREAM} takes no atomic batches: nats stream edit {STREAM} --allow-batch"
            )
        return found

    async def end(self, subject: str) -> End:
        """The last message of a subject, as its leader knows it: a replica may be behind."""
        if subject not in self._ends:
            try:
                asked = {"last_by_subj": subject}
                found = (await self.ask(f"STREAM.MSG.GET.{STREAM}", asked))["message"]
            except NotFoundError:
                self._ends[subject] = End()
            else:
                slot = b64decode(found.get("data", ""))[: row.SLOT_LENGTH].decode("latin-1")
                headers = _headers(b64decode(found.get("hdrs", "")).decode("latin-1"))
                self._ends[subject] = End(found["seq"], slot, headers)
        return self._ends[subject]

    async def publish(self, messages: Sequence[Message]) -> None:
        """All messages or none. Raises Raced, Refused, Lost."""
        if not messages:
            return
        # The first message of a subject says what it must end with; those behind it follow.
        # The server checks all of it when the last message commits the batch, and stores nothing if one
        # expectation is wrong. So neither two publishers nor an answer that was lost can double a row.
        batch, seen = uuid.uuid4().hex, set[str]()
        for number, one in enumerate(messages, 1):
            headers = dict(one.headers)
            if one.subject not in seen:
                sequence = (await self.end(one.subject)).sequence
                headers["Nats-Expected-Last-Subject-Sequence"] = str(sequence)
                seen.add(one.subject)
            if len(messages) > 1:
                headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number < len(messages):
                await self.client.publish(one.subject, one.body, headers=headers)
                continue
            if len(messages) > 1:
                headers["Nats-Batch-Commit"] = "1"
            answer = await self.client.request(
                one.subject, one.body, timeout=_ANSWER_SECONDS, headers=headers
            )
        last = _sequence(answer.data) - len(messages)
        for number, one in enumerate(messages, 1):
            self._ends[one.subject] = End(last + number, one.slot, one.headers)


def _refusal(error: Mapping[str, Any]) -> Exception:
    """What an error of JetStream means for us."""
    code, text = error.get("err_code", 0), str(error.get("description", "refused"))
    if code in _OTHERS_WERE_FIRST:
        return Raced(text)
    if code == _TOO_BIG:
        return Refused(text)
    if code == _INCOMPLETE:
        text += ": the server could not store all of it, its own log says why; a full disk does this"
    kind = TooFewServers if code in (_NOT_CLUSTERED, _TOO_FEW_PEERS) else Lost
    return kind(f"{text} ({code})")


def _sequence(answer: bytes) -> int:
    """The stream's sequence of the last message that was stored. Raises as _refusal says."""
    found = json.loads(answer or b"{}")
    if error := found.get("error"):
        raise _refusal(error)
    if "seq" not in found:
        raise Lost("the stream has no leader now")
    if found.get("duplicate"):
        raise Raced("a message of this id is there")
    return int(found["seq"])


def _headers(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.split("\r\n")[1:])
    return {name: value.strip() for name, colon, value in pairs if colon}
