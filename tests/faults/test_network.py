"""Exchanges and networks that misbehave, all at once: each slot gets its row, with the honest reason."""

import gzip
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from price.sources.strictjson import MAX_VALUES
from price.transport import MAX_BODY_BYTES
from tests.exchange import Fault, Market, faults
from tests.exchange.venues import VENUES
from tests.faults.conftest import needs
from tests.faults.network import (
    BACK_SLOTS,
    BRIEF_SECONDS,
    NAMES,
    PATIENCE_SECONDS,
    Elsewhere,
    Resolver,
    asking,
    reasons,
)
from tests.faults.place import Place
from tests.faults.test_program import _begin, _finish
from tests.process import until
from tests.transport.asking import FOUND, PRICE, serving
from tests.transport.test_proxies import Proxy

pytestmark = pytest.mark.realtime

CERTIFICATES = {
    "not valid for '127.0.0.1'": "wrong_host",
    "certificate has expired": "expired",
    "certificate is not yet valid": "not_yet_valid",
    "unable to get local issuer certificate": "untrusted",
    "self-signed certificate": "self_signed",
}
UNTIMED = ("stale_without_times", "timeless")
"""What is wrong with these at one exchange is how another always answers."""
UNUSABLE = [name for name in faults.EVERY if FOUND[name] != PRICE and name not in UNTIMED]
BROKEN: dict[str, tuple[Callable[[], Fault], str]] = {
    **{name: (faults.EVERY[name], FOUND[name]) for name in UNUSABLE},
    **{
        f"certificate: {words}": (partial(faults.tls, kind), "unreachable")
        for words, kind in CERTIFICATES.items()
    },
    "silent handshake": (partial(faults.tls, "silent"), "timeout"),
}
"""What goes wrong, and the word for it; see tests/exchange/faults.py."""


def told(said: list[str], words: str) -> list[int]:
    """How often words were said of each exchange."""
    return [sum(f"{name} {words}" in line for line in said) for name in NAMES]


@pytest.mark.parametrize("silent", [False, True])
def test_whatever_all_exchanges_do_each_slot_has_its_row_and_each_loss_is_said_once(
    place: Place, tmp_path: Path, silent: bool
) -> None:
    broken = {name: ways for name, ways in BROKEN.items() if ("timeout" in ways[1]) is silent}
    seconds = BRIEF_SECONDS if silent else PATIENCE_SECONDS
    with asking(place, ca=tmp_path / "ca.pem", timeout_seconds=seconds) as scene:
        before = scene.needs()
        for name, (fault, words) in broken.items():
            scene.market.fail(fault())
            first, second = scene.slots(2)
            said = scene.heard()
            assert first.price is None, name
            assert set(reasons(first)) <= set(words.split(" or ")), f"{name}: {first.reason}"
            assert set(reasons(second)) <= {*words.split(" or "), "resting"}, f"{name}: {second.reason}"
            assert told(said, "lost: ") == [1, 1, 1], f"{name}: {said}"
            if name.startswith("certificate"):
                assert name.partition(": ")[2] in said[0]
            scene.market.recover()
            scene.until_all_answer()
            said = scene.heard()
            assert told(said, "back after ") == [1, 1, 1], f"{name}: {said}"
        assert scene.needs()[:2] == before[:2]
        assert scene.recorder.stop() == 0
    assert "Traceback" not in place.said
    place.rows()


def test_one_exchange_that_is_well_gives_the_price_whatever_the_others_do(place: Place) -> None:
    names = ("coinbase", "kraken", "bitstamp", "gemini", "bitfinex")
    place.settings["QUORUM"] = "1"
    with asking(place, names=names, timeout_seconds=BRIEF_SECONDS) as scene:
        for fault in (faults.drip_body, faults.hang, faults.gzip_bomb, faults.reset):
            scene.market.fail(fault())
            scene.market["bitfinex"].fault = None
            assert [row.sources for row in scene.slots(2)] == [("bitfinex",)] * 2
        assert scene.recorder.stop() == 0


# Memory.

EXCHANGES = list(VENUES)


def bomb(values: str, letter: str) -> Fault:
    """As much as is read: as many values as an answer may hold, and a letter that makes all others wide."""
    count = MAX_VALUES // sum(map(values.count, ",:{["))
    text = f'["{letter}",{values * (count - 2)}0]'.encode()
    return faults.status(200, gzip.compress(text.ljust(MAX_BODY_BYTES), 1), {"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    ("names", "pairs", "most_kib"),
    # at worst all are unpacked while the first is read: 9 MB each beside 40, and 50 for the one
    [(NAMES, "BTC-USD", 120_000), (EXCHANGES, "BTC-USD,ETH-USD,BTC-USDT,ETH-USDT", 160_000)],
    ids=["three exchanges", "all exchanges"],
)
def test_bombs_of_all_exchanges_at_once_need_bounded_memory(
    place: Place, names: Sequence[str], pairs: str, most_kib: int
) -> None:
    place.settings["PAIRS"] = pairs
    with asking(place, names=names) as scene:
        bombs = [bomb(values, letter) for values in ("1.1,", '{"":0},') for letter in ("a", "\U0001f4a3")]
        for fault in (*bombs, faults.gzip_bomb(), faults.huge()):
            scene.market.fail(fault)
            scene.slots(1)
            scene.market.recover()
            scene.slots(1)  # else it would rest
        assert {one.fault for one in scene.market["kraken"].requests} >= {"200", "gzip_bomb", "huge"}
        assert scene.needs().peak_kib < most_kib, scene.needs()
        assert scene.recorder.stop() == 0


# Networks that fail under connections that are open.


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """A network of its own for a recorder, not yet made."""
    needs("root", "ip", "nft", "tc")
    there = Elsewhere()
    try:
        yield there
    finally:
        there.remove()


DROP = "nft add chain inet price in { type filter hook input priority 0; policy drop; }"
HOLES = {
    "answers vanish": (["timeout", "timeout"], [DROP]),
    "all vanishes": (["timeout", "timeout"], ["tc qdisc add dev CABLE root blackhole"]),
    "the cable is out": (["timeout", "unreachable"], ["ip link set CABLE down"]),
}
"""The words of its first two slots, and how it is made."""
MEND = ("nft delete table inet price", "tc qdisc replace dev CABLE root pfifo", "ip link set CABLE up")


@pytest.mark.parametrize("hole", HOLES)
def test_connections_that_die_unseen_cost_no_slot_and_all_are_back_soon_after(
    place: Place, elsewhere: Elsewhere, hole: str
) -> None:
    elsewhere.make("v4")
    words, commands = HOLES[hole]

    def do(*commands: str) -> None:
        for command in commands:
            elsewhere.do(*command.replace("CABLE", elsewhere.cable).split(" "))

    host = f"{elsewhere.v4}.1"
    with asking(place, *elsewhere.wrapper, host=host, timeout_seconds=BRIEF_SECONDS) as scene:
        before = scene.needs()
        for lasting, back in ((2, 1), (12, BACK_SLOTS)):
            do("nft add table inet price", *commands)
            rows = scene.slots(lasting)
            assert [reasons(row) for row in rows[:2]] == [[word] * 3 for word in words]
            assert {*reasons(rows[-1])} <= {words[1], "resting"}
            do(*MEND)
            until(elsewhere.carries)
            assert scene.until_all_answer() <= back
            said = scene.heard()
            assert told(said, "lost: ") == told(said, "back after ") == [1, 1, 1]
        assert scene.needs()[:2] == before[:2]
        assert scene.recorder.stop() == 0


# Names and addresses.


def test_a_network_with_ipv6_alone_is_enough(place: Place, elsewhere: Elsewhere) -> None:
    elsewhere.make("v6")
    elsewhere.write("hosts", "".join(f"{elsewhere.v6}1 {name}.test\n" for name in NAMES))
    with asking(place, *elsewhere.wrapper, host=f"{elsewhere.v6}1", named=True) as scene:
        assert [row.sources for row in scene.slots(2)] == [NAMES] * 2
        assert scene.recorder.stop() == 0


@pytest.mark.parametrize("dead", ["ipv4", "ipv6"])
def test_of_a_name_s_two_addresses_one_may_be_dead(place: Place, elsewhere: Elsewhere, dead: str) -> None:
    elsewhere.make("v4", "v6")
    both = (f"{elsewhere.v4}.1", f"{elsewhere.v6}1")
    elsewhere.write("hosts", "".join(f"{address} {name}.test\n" for address in both for name in NAMES))
    elsewhere.do("nft", "add", "table", "inet", "price")
    elsewhere.do(*DROP.replace("drop", "accept").split(" "))
    elsewhere.do(*f"nft add rule inet price in meta nfproto {dead} meta l4proto tcp drop".split(" "))
    with asking(place, *elsewhere.wrapper, host="::", named=True) as scene:
        assert [row.sources for row in [*place.rows(), *scene.slots(2)]] == [NAMES] * 3
        assert scene.recorder.stop() == 0


def test_a_resolver_that_falls_silent_costs_answers_and_its_return_brings_them_back(
    place: Place, elsewhere: Elsewhere
) -> None:
    elsewhere.make("v4")
    elsewhere.write("resolv.conf", f"nameserver {elsewhere.v4}.1\noptions timeout:2 attempts:1\n")
    host = f"{elsewhere.v4}.1"
    brief = BRIEF_SECONDS / 2  # well before the resolver gives up by itself
    with (
        Resolver(host) as resolver,
        asking(place, *elsewhere.wrapper, host=host, named=True, timeout_seconds=brief) as scene,
    ):
        assert reasons(place.rows()[0]) == ["timeout"] * 3
        honest = {"timeout", "busy", "resting", "late"}  # the last on a machine that is busy itself
        assert all(set(reasons(row)) <= honest for row in scene.slots(3))
        resolver.speaks = True
        assert scene.until_all_answer() <= BACK_SLOTS
        said = scene.heard()
        assert told(said, "lost: timeout") == [1, 1, 1]
        assert scene.recorder.stop() == 0


# A proxy.


class Mortal(Proxy):
    """A proxy to any port of this machine, which may die with all that it carries."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(_Straight(), port)
        self._carried: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._carried.append(connection)
        return connection, address

    def handle_error(self, *_: object) -> None:
        """What it carried died with it."""

    def die(self) -> None:
        for connection in self._carried:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Straight(dict[str, int]):
    def __missing__(self, target: str) -> int:
        return int(target.rpartition(":")[2])


def test_a_proxy_that_dies_makes_all_unreachable_until_it_is_back(place: Place, tmp_path: Path) -> None:
    with ExitStack() as running:
        proxy = Mortal()
        at_work = running.enter_context(ExitStack())
        at_work.enter_context(serving(proxy))
        scene = running.enter_context(asking(place, ca=tmp_path / "ca.pem", HTTPS_PROXY=proxy.url))
        before = scene.needs()
        assert proxy.asked
        at_work.close()
        proxy.die()
        assert [reasons(row) for row in scene.slots(2)] == [["unreachable"] * 3] * 2
        said = scene.heard()
        assert told(said, "lost: unreachable (the proxy failed: ") == [1, 1, 1]
        again = Mortal(proxy.server_address[1])
        running.enter_context(serving(again))
        assert scene.until_all_answer() == 1
        assert scene.needs()[:2] == before[:2]
        assert scene.recorder.stop() == 0
        again.die()


# A stop.


def test_a_stop_takes_less_than_a_second_while_every_exchange_hangs_in_its_own_way(
    place: Place, tmp_path: Path
) -> None:
    hanging = {
        "coinbase": faults.hang(),
        "kraken": faults.drip_head(),
        "bitstamp": faults.drip_body(),
        "gemini": faults.endless_body(),
        "bitfinex": faults.endless_continue(),
        "coingecko": faults.tls("silent"),
    }
    place.settings |= {"INTERVAL": "2", "TIMEOUT": "1.9"}
    with Market(hanging, ca=tmp_path / "ca.pem") as market:
        for name, fault in hanging.items():
            market[name].fault = fault
        process = _begin(place, **market.environment)
        until(lambda: all(exchange.connections for exchange in market))
        began = time.monotonic()
        status, said = _finish(process, signal.SIGTERM)
        assert time.monotonic() - began < 1
    assert status == 0
    assert "Traceback" not in said
