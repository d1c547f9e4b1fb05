"""Redirects: which are followed."""

from pathlib import Path

import pytest

from tests.exchange import Exchange, Fault, Market, faults
from tests.exchange.wire import MIRROR, Ask, Reply
from tests.transport.asking import PRICE, Client, answering


def hops(count: int) -> Fault:
    """An answer after so many redirects, to the same host."""

    def change(ask: Ask, reply: Reply) -> Reply:
        if ask.path.startswith(MIRROR):
            return reply
        done, target = 0, ask.target
        if target.startswith("/hop"):
            done, target = int(target[4]), target[5:]
        done += 1
        location = f"{MIRROR}{target}" if done == count else f"/hop{done}{target}"
        return Reply(302, (("Location", location),), b"moved")

    return answering(change)


@pytest.mark.parametrize(("count", "word"), [(1, PRICE), (2, PRICE), (3, "unreadable"), (9, "unreadable")])
def test_two_redirects_are_followed_and_no_more(
    count: int, word: str, exchange: Exchange, client: Client
) -> None:
    exchange.fault = hops(count)
    before = exchange.count

    assert client.word() == word
    assert exchange.count == before + min(count, 2) + 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_followed(code: int, plain: Exchange) -> None:
    plain.fault = faults.redirect(MIRROR + "{path}#part", code)

    assert Client(plain.url).word() == PRICE


def test_a_redirect_without_a_path_leads_to_the_root_of_its_server(plain: Exchange) -> None:
    plain.fault = faults.redirect(f"{plain.url}?asked=again")

    assert Client(plain.url).word() == "unreadable"  # it leads there again and again
    assert plain.requests[-1].path == "/?asked=again"
    assert plain.requests[-1].headers["host"] == plain.url.removeprefix("http://")


def test_no_redirect_leads_to_another_server(exchanges: dict[str, Exchange], ca: Path) -> None:
    plain, secure = exchanges["http"], exchanges["https"]
    key = "CG-secret"
    with Market(["coingecko"]) as market:
        gecko = market["coingecko"]
        for target in (
            plain.url,
            secure.url,
            f"http://localhost:{plain.port}",
            f"http://localhost:{gecko.port}",
            f"//127.0.0.1:{plain.port}",
            f"http://127.0.0.1:{gecko.port}@127.0.0.1:{plain.port}",
        ):
            gecko.fault = faults.redirect(target + "{path}")
            before = [one.count for one in (plain, secure, gecko)]

            error = Client(gecko.url, "coingecko", SSL_CERT_FILE=str(ca), PRICE_COINGECKO_KEY=key).error()

            assert error.why == "unreadable"
            assert key not in repr(error)
            assert [one.count for one in (plain, secure, gecko)] == [*before[:2], before[2] + 1]
            assert gecko.requests[-1].headers["x-cg-demo-api-key"] == key


def test_a_redirect_from_https_to_http_is_not_followed(secure: Exchange, ca: Path) -> None:
    client = Client(secure.url, SSL_CERT_FILE=str(ca))
    secure.fault = faults.redirect(secure.url.replace("https:", "http:") + "{path}")
    before = secure.count

    assert client.word() == "unreadable"
    assert secure.count == before + 1


@pytest.mark.parametrize(
    "location",
    ["http://[", "http://127.0.0.1:99999/", "http://127.0.0.1:x/", "//", "https://", "ftp://127.0.0.1/",
     "file:///etc/passwd", "mailto:x@example.com", "http:///products", "?\x01", "/a b", "/\xff",
     "http://\xff/", "", "http://" + "a" * 9000 + "/"],
)  # fmt: skip
def test_a_redirect_to_nowhere_is_unreadable(location: str, plain: Exchange) -> None:
    plain.fault = faults.redirect(location)

    assert Client(plain.url).word() in ("unreadable", "refused")
