"""What nobody may see of a request."""

import time
from pathlib import Path

import pytest

from price.model import Request
from price.transport import Transport, trust
from tests.exchange import Exchange, Market, faults
from tests.exchange.wire import MIRROR, Ask, Reply
from tests.transport.asking import PRICE, Client, answering, sending


@pytest.mark.parametrize("name", ["status_403", "garbage", "html", "hang_up", "redirect_loop", "truncated"])
def test_the_key_is_in_no_error_text(name: str, tmp_path: Path) -> None:
    with Market(["coingecko"]) as market:
        market["coingecko"].fault = faults.EVERY[name]()

        error = Client(market["coingecko"].url, "coingecko", PRICE_COINGECKO_KEY="CG-secret").error()

    seen: BaseException | None = error
    while seen:
        assert "CG-secret" not in repr(seen)
        seen = seen.__cause__


@pytest.mark.parametrize("before", [0, 64])
@pytest.mark.parametrize("status", [200, 302, 401, 500])
def test_a_server_that_says_the_key_does_not_have_it_told(status: int, before: int) -> None:
    def echo(ask: Ask, _reply: Reply) -> Reply:
        key = "x" * before + ask.headers["x-cg-demo-api-key"]
        return Reply(status, (("Location", f"http://{key}/"), ("Content-Encoding", "")), key.encode())

    with Market(["coingecko"]) as market:
        market["coingecko"].fault = answering(echo)

        error = Client(market["coingecko"].url, "coingecko", PRICE_COINGECKO_KEY="CG-secretive").error()

    assert "***" in str(error)
    assert "CG-sec" not in str(error)


def test_a_server_that_says_the_key_where_http_belongs_does_not_have_it_told() -> None:
    with Market(["coingecko"]) as market:
        for line in (b"CG-secretive\r\n\r\n", b"x" * 18 + b"CG-secretive\r\n\r\n"):
            market["coingecko"].fault = sending(line)

            error = Client(market["coingecko"].url, "coingecko", PRICE_COINGECKO_KEY="CG-secretive").error()

            assert "***" in str(error)
            assert "CG-sec" not in str(error)


def test_a_key_too_short_to_be_one_spoils_no_answer(plain: Exchange) -> None:
    client = Client(plain.url)
    client.transport = Transport(plain.url, {"x-key": "price"}, trust({}), {}, time.monotonic)

    assert client.word() == PRICE


def test_a_header_goes_with_every_request_of_its_source(plain: Exchange) -> None:
    client = Client(plain.url)
    client.transport = Transport(plain.url, {"x-key": "k"}, trust({}), {}, time.monotonic)
    plain.fault = faults.redirect(MIRROR + "{path}")

    client.price()

    assert [seen.headers["x-key"] for seen in plain.requests[-2:]] == ["k", "k"]


def test_what_stands_before_the_api_s_own_path_is_kept(plain: Exchange) -> None:
    answer = Client(f"{plain.url}{MIRROR}/").get()

    assert answer.status == 200
    assert plain.requests[-1].path == f"{MIRROR}/products/BTC-USD/ticker"
    assert Request("/x", ()).path == "/x"
