"""What the words of an error answer mean, whatever the exchange."""

import json

import pytest

from price.errors import RateLimited, Refused, SourceError, Unavailable, Unreadable
from tests.sources.answers import refusal, said

AWAY = [
    "System upgrade in progress",
    "System upgrading, please come back later",
    "Under scheduled maintenance",
    "The exchange is being upgraded",
    "Service temporarily unavailable",
    "We'll be right back",
    "System maintained until 12:00",
    "Service offline",
    "Internal server error",
    "Request timed out",
]


def answers(words: str) -> list[tuple[str, str, str]]:
    """The words in the error answer of each exchange, the way that it answers errors."""
    return [
        ("coinbase", "BTC-USD", json.dumps({"message": words})),
        ("kraken", "BTC-USD", json.dumps({"error": [f"EService:{words}"]})),
        ("bitstamp", "BTC-USD", json.dumps({"status": "error", "reason": words, "code": "API0000"})),
        ("gemini", "BTC-USD", json.dumps({"result": "error", "reason": "Other", "message": words})),
        ("bitfinex", "BTC-USD", json.dumps(["error", 10000, words])),
        ("binance", "BTC-USDT", json.dumps({"code": -9999, "msg": words})),
        ("okx", "BTC-USDT", json.dumps({"code": "59999", "msg": words, "data": []})),
        ("coingecko", "BTC-USD", json.dumps({"error": words})),
    ]


def kinds(words: str, status: int = 200) -> set[type[SourceError]]:
    return {type(refusal(name, asked, said(body, status))) for name, asked, body in answers(words)}


@pytest.mark.parametrize("words", AWAY)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_words_of_maintenance_are_unavailable_at_every_exchange(words: str, status: int) -> None:
    assert kinds(words, status) == {Unavailable}


@pytest.mark.parametrize(
    "words", ["Too many requests, try again later", "Rate limit exceeded: maintenance mode"]
)
def test_words_about_a_limit_go_before_words_of_maintenance(words: str) -> None:
    assert kinds(words) == {RateLimited}


def test_other_words_are_a_refusal() -> None:
    assert kinds("We do not like you") == {Refused}


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("System upgrade in progress", Unavailable),
        ("<html><title>Scheduled Maintenance</title></html>", Unavailable),
        ("<html><h1>Temporarily unavailable</h1></html>", Unavailable),
        ("<html><h1>Welcome</h1></html>", Unreadable),
        ("", Unreadable),
    ],
)
def test_a_page_that_speaks_of_maintenance_is_unavailable(page: str, kind: type[SourceError]) -> None:
    assert type(refusal("kraken", "BTC-USD", said(page))) is kind
