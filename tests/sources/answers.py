"""The trimmed answers in this folder, and what is asked to get them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from price import times
from price.errors import SourceError
from price.model import Answer, Pair, Reading
from price.sources import SOURCES

HERE = Path(__file__).parent
MOMENT = datetime(2025, 10, 9, 8, 54, tzinfo=UTC)
START, END = times.unix(MOMENT), times.unix(MOMENT) + 180
"""The range that each candles.json is an answer for, and reaches beyond."""


def answers_of(source: str) -> list[Path]:
    """The JSON answers of a source: all that lies in its folder but what they mean."""
    return [path for path in sorted((HERE / source).glob("*.json")) if path.name != "expected.json"]


def pair(text: str) -> Pair:
    """BTC-USD as a value."""
    base, _, quote = text.partition("-")
    return Pair(base, quote)


def pairs(text: str) -> tuple[Pair, ...]:
    """Several of them, with blanks between."""
    return tuple(map(pair, text.split()))


def sent(name: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer in a file of this folder, such as kraken/price.json."""
    return Answer(status, headers or {}, (HERE / name).read_bytes())


def said(text: str | bytes, status: int = 200) -> Answer:
    """An answer with this body."""
    return Answer(status, {}, text.encode() if isinstance(text, str) else text)


def read(source: str, asked: str, answer: Answer) -> dict[str, Reading | SourceError]:
    """What a source reads in an answer, by the pairs' names."""
    found = SOURCES[source].read(pairs(asked), answer)
    return {str(each): tick for each, tick in found.items()}


def tick(source: str, asked: str, answer: Answer) -> Reading:
    """The price that a source reads for the only pair asked."""
    found = read(source, asked, answer)[asked]
    assert isinstance(found, Reading), found
    return found


def refusal(source: str, asked: str, answer: Answer) -> SourceError:
    """The error that an answer is, as a whole or for the only pair asked."""
    try:
        found = read(source, asked, answer)[asked.split()[0]]
    except SourceError as error:
        return error
    assert isinstance(found, SourceError), found
    return found


def paths(source: str, asked: str) -> list[str]:
    """The paths that a source asks in one slot."""
    return [request.path for request in SOURCES[source].requests(pairs(asked))]
