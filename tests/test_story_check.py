"""Stories of `check`: what it says of settings that are right one by one."""

from datetime import timedelta
from pathlib import Path

import pytest

from price import settings
from price.errors import SettingsError
from price.recorder.once import check
from tests.fakes import START, FakeClock, FakeNet


class Checked:
    """A check before the fake exchanges: what it said, and its exit status."""

    def __init__(self, tmp_path: Path, **wanted: str) -> None:
        self.clock = FakeClock(START)
        self.net = FakeNet(self.clock)
        self.wanted = {"LOGS_DIRECTORY": str(tmp_path)}
        self.wanted |= {f"PRICE_{name}": value for name, value in wanted.items()}

    def __call__(self) -> tuple[int, list[str]]:
        lines: list[str] = []
        status = check(settings.load(self.wanted), self.clock, lines.append, self.net.workers)
        return status, lines


def test_a_feed_that_the_recorder_would_call_stale_is_no_good(tmp_path: Path) -> None:
    checked = Checked(tmp_path, SOURCES="coinbase")
    checked.net.coinbase.says("100", aged=timedelta(days=20000).total_seconds())

    status, lines = checked()

    assert status == 1
    assert [line for line in lines if line.startswith("coinbase  BTC-USD  stale: 100, ")]
    assert "BTC-USD: no price would be recorded: coinbase:stale" in lines


def test_an_outlier_is_shown_as_one(tmp_path: Path) -> None:
    checked = Checked(tmp_path, SOURCES="coinbase,kraken,bitstamp")
    checked.net.bitstamp.says("105")

    status, lines = checked()

    assert status == 1
    assert "bitstamp  BTC-USD  outlier: 105" in lines


@pytest.mark.parametrize(("price", "apart"), [("110", False), ("110.01", True)])
def test_two_sources_that_are_over_ten_percent_apart_may_mean_two_coins(
    tmp_path: Path, price: str, apart: bool
) -> None:
    checked = Checked(tmp_path, SOURCES="coinbase,kraken")
    checked.net.kraken.says(price)

    _, lines = checked()

    remark = (
        "BTC-USD: coinbase and kraken are over 10 % apart: is it the same coin?"
        " PRICE_SYMBOLS says what a source calls it"
    )
    assert [line for line in lines if "apart" in line] == [remark] * apart


def test_the_symbol_is_shown_where_a_source_calls_a_coin_otherwise(tmp_path: Path) -> None:
    checked = Checked(tmp_path, PAIRS="LUNA-USD,ETH-USD", SOURCES="kraken,bitfinex")

    status, lines = checked()

    assert status == 0
    assert [line.split()[5:] for line in lines if "LUNA-USD" in line] == [["LUNA2USD"], ["tLUNA2:USD"]]
    assert [line.split()[5:] for line in lines if "ETH-USD" in line] == [[], []]


def test_sources_whose_prices_have_no_age_are_named(tmp_path: Path) -> None:
    checked = Checked(tmp_path, SOURCES="coinbase,kraken")
    checked.net.coinbase.says("100", aged=1)

    status, lines = checked()

    assert status == 0
    assert lines[-1].startswith("kraken: no age comes with the price; it counts as stale once")


def test_a_coin_that_nobody_has_heard_of_is_asked_of_one_source(tmp_path: Path) -> None:
    checked = Checked(tmp_path, PAIRS="FOO-USD", SOURCES="coinbase,kraken,bitstamp,coingecko")

    status, lines = checked()

    assert status == 0
    assert [line.split()[0] for line in lines if line.split()[1:2] == ["FOO-USD"]] == ["coinbase"]
    assert (
        "FOO-USD: only coinbase is asked: whether FOO is the same coin at kraken, bitstamp is not known;"
        " if it is: PRICE_SYMBOLS=kraken:FOO" in lines
    )


def test_who_knows_that_it_is_the_same_coin_can_say_so(tmp_path: Path) -> None:
    checked = Checked(
        tmp_path, PAIRS="FOO-USD", SOURCES="coinbase,kraken,bitstamp", SYMBOLS="coinbase:FOO, kraken:foo=foo2"
    )

    status, lines = checked()

    rows = [line.split() for line in lines if line.split()[1:2] == ["FOO-USD"]]
    assert status == 0
    assert [(row[0], *row[5:]) for row in rows] == [("coinbase",), ("kraken", "FOO2USD")]
    assert checked.net.kraken.asked[0].path == "/0/public/Ticker?pair=FOO2USD"


def test_a_pair_whose_coin_no_source_is_known_to_have_is_refused_with_what_to_do(tmp_path: Path) -> None:
    checked = Checked(tmp_path, PAIRS="LUNA-USD", SOURCES="coinbase,bitstamp")

    with pytest.raises(SettingsError) as caught:
        checked()

    assert caught.value.faults == [
        (
            "PRICE_PAIRS=LUNA-USD: coinbase,bitstamp: none is known to have this LUNA; kraken, bitfinex, okx,"
            " coingecko may: add one to PRICE_SOURCES, or say what it is called, for example"
            " PRICE_SYMBOLS=coinbase:LUNA=LUNA"
        )
    ]


@pytest.mark.parametrize(
    "value", ["kraken", "kraken:", ":LUNA", "kraken:LUNA=", "kraken:LUNA=A/B", "nobody:LUNA=A", "simulated:A"]
)
def test_what_is_no_symbol_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match="PRICE_SYMBOLS="):
        Checked(tmp_path, SYMBOLS=value)()
