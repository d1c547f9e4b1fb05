"""The same stories for each source."""

import json
import re
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from price import errors, times
from price.errors import (
    Forbidden,
    RateLimited,
    Refused,
    SourceError,
    Unavailable,
    Unreadable,
)
from price.model import Answer, Reading
from price.sources import CANDLE_SOURCES, SOURCES
from tests.sources.answers import END, HERE, START, pair, pairs, paths, read, refusal, said, sent


class Story(NamedTuple):
    """What stands in a source's price.json: the first price is written nowhere else in it."""

    prices: dict[str, str]
    time: datetime | None
    """That of the first price."""
    absent: str = ""
    """A pair that is not in it."""


def _expected(name: str) -> dict[str, Any]:
    """What a source's answers mean: expected.json beside them."""
    expected: dict[str, Any] = json.loads((HERE / name / "expected.json").read_text("utf-8"))
    return expected


def _story(name: str) -> Story:
    known = _expected(name)
    time = known["time"] and datetime.fromisoformat(known["time"])
    return Story(known["prices"], time, known["absent"])


NAMES = list(SOURCES)
STORIES = {name: _story(name) for name in NAMES}
BATCHES = [name for name in NAMES if STORIES[name].absent]
COMPLAINTS = [
    (f"{name}/{file}", status, getattr(errors, kind))
    for name in NAMES
    for file, status, kind in _expected(name)["errors"]
]
every_source = pytest.mark.parametrize("name", NAMES)
real_sources = pytest.mark.parametrize("name", [name for name in NAMES if name != "simulated"])


def _asked(name: str) -> str:
    return " ".join(STORIES[name].prices)


def _price(name: str, instead: bytes) -> Answer:
    """The source's price.json with another value in place of its first price."""
    body = sent(f"{name}/price.json").body
    price = next(iter(STORIES[name].prices.values())).encode()
    written = b'"%b"' % price if b'"%b"' % price in body else price
    assert body.count(written) == 1
    return said(body.replace(written, instead))


def test_the_readme_and_env_example_list_the_sources_in_their_order() -> None:
    above = HERE.parents[1]
    _, _, table = (above / "README.md").read_text("utf-8").partition("\n## Sources\n")
    listed = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", table.partition("\n## ")[0], re.MULTILINE)

    assert [name for name, _ in listed] == list(SOURCES)
    assert all(source.name == name for name, source in SOURCES.items())
    lists = {name: frozenset(quotes.split()) for name, quotes in listed if quotes.isupper()}
    assert lists == {name: source.currencies for name, source in SOURCES.items() if name in lists}
    env = (above / "env.example").read_text("utf-8")
    assert f"\n# Of {' '.join(SOURCES).replace(' simulated', '')}; or simulated, alone\n" in env


@every_source
def test_a_source_offers_the_pairs_of_its_story_and_asks_for_each_of_them_once(name: str) -> None:
    asked = pairs(_asked(name))

    requests = SOURCES[name].requests(asked)

    assert all(map(SOURCES[name].offers, asked))
    assert [each for request in requests for each in request.pairs] == list(asked)
    assert all(request.path.isascii() and " " not in request.path for request in requests)


@every_source
def test_a_source_asks_for_what_the_exchange_understands(name: str) -> None:
    known = _expected(name)

    for asked, wanted in known["asked"]:
        assert paths(name, asked) == wanted
    if name in CANDLE_SOURCES:
        first = pair(_asked(name).split()[0])
        assert CANDLE_SOURCES[name].candles_request(first, START, END).path == known["candles_asked"]


@pytest.mark.parametrize("name", [name for name in NAMES if STORIES[name].time])
@pytest.mark.parametrize(
    "time", ["", "null", '"soon"', "true", "[]", "{}", "999999999999999999", '"-5"', "1e99"]
)
def test_a_price_without_its_promised_time_is_unreadable(name: str, time: str) -> None:
    field = f'"{_expected(name)["time_name"]}":'
    body = sent(f"{name}/price.json").body.decode()
    instead = f"{field}{time}" if time else '"other":1'
    timeless = re.sub(rf'{field} ?("[^"]*"|[0-9]+)', instead, body)

    found = read(name, _asked(name), said(timeless))

    assert timeless != body
    assert {type(tick) for tick in found.values()} == {Unreadable}


@every_source
def test_prices_are_read_with_every_digit_and_the_time_of_the_exchange(name: str) -> None:
    prices, time, _ = STORIES[name]

    found = read(name, _asked(name), sent(f"{name}/price.json"))

    ticks = [tick for tick in found.values() if isinstance(tick, Reading)]
    assert dict(zip(found, [str(tick.price) for tick in ticks], strict=True)) == prices
    assert ticks[0].time == time
    assert all((tick.time is None) == (time is None) for tick in ticks)


@pytest.mark.parametrize("name", BATCHES)
def test_a_pair_that_is_missing_from_an_answer_is_refused_and_the_others_are_not(name: str) -> None:
    story = STORIES[name]

    found = read(name, f"{story.absent} {_asked(name)}", sent(f"{name}/price.json"))

    missing = found.pop(story.absent)
    assert type(missing) is Refused
    assert str(missing) == "missing from the answer"
    assert all(isinstance(tick, Reading) for tick in found.values())


@every_source
@pytest.mark.parametrize("text", ["0.00000812", "1e-8", "9.50e3", "1234.5678901234567890123456789012345"])
def test_small_long_and_exponential_prices_are_kept_as_they_are(name: str, text: str) -> None:
    for written in (text, f'"{text}"'):
        tick = read(name, _asked(name), _price(name, written.encode()))[next(iter(STORIES[name].prices))]

        assert isinstance(tick, Reading)
        assert tick.price is not None
        assert tick.price.as_tuple() == Decimal(text).as_tuple()


@every_source
@pytest.mark.parametrize(
    "wrong",
    [
        b"true", b"[1]", b"{}", b'""', b'"NaN"', b'"-61235.01"', b"-1", b'"1,000"', b'"1_000"', b'" 1"',
        b'"\\u0661"', b'"Infinity"', b"1e24", b"1e400", b'"1e999"', b"1" * 51 + b"e-20",
        b'"0.%b"' % (b"1" * 51),
        b"0", b"0.00", b'"0.00000000"', b"0e5",  # a dead listing
    ],
)  # fmt: skip
def test_a_price_of_the_wrong_type_or_size_is_unreadable_and_costs_nothing_else(
    name: str, wrong: bytes
) -> None:
    found = read(name, _asked(name), _price(name, wrong))

    first, *others = found.values()
    assert isinstance(first, Unreadable)
    assert all(isinstance(tick, Reading) for tick in others)


@every_source
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Just a moment...</html>", b"null", b"12", b'"text"', b"NaN", b"[NaN]", b'{"a":1,"a":2}',
     b"\xff", b"1e9999999999999999999", b"[" * 100_000, b'{"error":[],"result":'],
)  # fmt: skip
def test_a_body_that_is_not_what_it_should_be_is_unreadable(name: str, body: bytes) -> None:
    assert type(refusal(name, _asked(name), said(body))) is Unreadable


@every_source
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Unreadable), (302, Unreadable), (400, Refused), (401, Forbidden), (403, Forbidden),
        (410, Forbidden), (451, Forbidden), (418, RateLimited), (429, RateLimited), (500, Unavailable),
        (502, Unavailable), (503, Unavailable), (520, Unavailable),
    ],
)  # fmt: skip
def test_a_page_of_html_means_what_its_status_means(name: str, status: int, kind: type[SourceError]) -> None:
    page = said("<!DOCTYPE html><html><body>error code: 1015</body></html>", status)

    assert type(refusal(name, _asked(name), page)) is kind


@real_sources
@pytest.mark.parametrize("status", [200, 400, 403, 404, 429, 500])
def test_a_body_about_the_rate_limit_is_believed_whatever_the_status(name: str, status: int) -> None:
    asked = _asked(name) if name != "bitstamp" else "BTC-USD ETH-USD XRP-EUR"

    assert type(refusal(name, asked, sent(f"{name}/limited.json", status))) is RateLimited


@pytest.mark.parametrize(("file", "status", "kind"), COMPLAINTS)
def test_an_error_body_means_what_it_says(file: str, status: int, kind: type[SourceError]) -> None:
    name = file.partition("/")[0]
    first = _asked(name).split()[0]

    assert type(refusal(name, first, sent(file, status))) is kind


@every_source
def test_a_good_price_under_a_bad_status_is_not_taken(name: str) -> None:
    for status, kind in ((302, Unreadable), (404, Refused), (429, RateLimited), (500, Unavailable)):
        found = refusal(name, _asked(name), sent(f"{name}/price.json", status))

        assert isinstance(found, kind)


@pytest.mark.parametrize("name", CANDLE_SOURCES)
def test_candles_come_in_order_each_once_within_the_range_asked_for(name: str) -> None:
    first = pair(_asked(name).split()[0])

    candles = CANDLE_SOURCES[name].read_candles(first, START, END, sent(f"{name}/candles.json"))

    assert [(times.iso(times.from_unix(start))[11:19], *prices) for start, *prices in candles] == [
        ("08:54:00", 61200, 61240, 61190, 61210),
        ("08:55:00", 61210, 61225, 61205, Decimal("61220.5")),
        ("08:56:00", Decimal("61220.5"), 61245, 61215, 61230),
    ]


@pytest.mark.parametrize("name", [name for name in CANDLE_SOURCES if name != "simulated"])
@pytest.mark.parametrize("file", ["limited.json", "unknown.json", "away.json", "price.json"])
def test_an_answer_without_candles_is_an_error_not_an_empty_list(name: str, file: str) -> None:
    first = pair(_asked(name).split()[0])

    with pytest.raises(SourceError):
        CANDLE_SOURCES[name].read_candles(first, START, END, sent(f"{name}/{file}", 200))


@pytest.mark.parametrize("name", CANDLE_SOURCES)
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"null", b"[[]]", b'["12345678"]', b"[null]", b'{"prices":0}']
)
def test_candles_of_another_shape_are_unreadable(name: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        CANDLE_SOURCES[name].read_candles(pair(_asked(name).split()[0]), START, END, said(body))


MINUTE = [1760000040, "61190", "61240", "61200", "61210"]
"""A candle of Coinbase: its time, low, high, open and close."""


@pytest.mark.parametrize(
    "other", [["61190", "61240", "61200", "61211"], ["61190", "61250", "61200", "61210"]]
)
def test_a_minute_that_stands_twice_differently_is_unreadable(other: list[str]) -> None:
    body = json.dumps([MINUTE, [MINUTE[0], *other]])

    with pytest.raises(Unreadable, match="2025-10-09T08:54:00Z stands twice in the answer, differently"):
        CANDLE_SOURCES["coinbase"].read_candles(pair("BTC-USD"), START, END, said(body))


@pytest.mark.parametrize(
    "prices",
    [
        ["61240", "61190", "61200", "61210"],
        ["61201", "61240", "61200", "61210"],
        ["61190", "61209", "61200", "61210"],
        ["61190", "61205", "61210", "61200"],
        ["61205", "61240", "61210", "61200"],
    ],
)
def test_a_candle_that_opens_or_closes_outside_its_own_range_is_unreadable(prices: list[str]) -> None:
    body = json.dumps([[MINUTE[0], *prices]])

    with pytest.raises(Unreadable, match="08:54:00Z opens or closes outside its low and high"):
        CANDLE_SOURCES["coinbase"].read_candles(pair("BTC-USD"), START, END, said(body))
