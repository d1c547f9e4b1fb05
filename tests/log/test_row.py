"""Rows as text and back: one line at a time, and many of them as readers find them."""

import contextlib
from calendar import isleap
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import times
from price.log import row
from price.log.row import header_line, plain, read_header, write
from price.model import Pair, Quote
from price.sources.strictjson import MAX_PRICE
from tests.proof import ROW

SLOT = datetime(2026, 11, 20, 15, 52, 5, tzinfo=UTC)
BTC = Pair("BTC", "USD")
GOOD = "2026-11-20T15:52:05Z BTC-USD 97123.45 coinbase,kraken"
MISSED = "2026-11-20T15:52:05Z BTC-USD - coinbase:timeout,kraken:rate-limited"
SOUND = (
    "2026-11-20T15:52:05Z BTC-USD 97123.45 coinbase,kraken by=peer",
    "2026-11-20T15:52:05Z BTC-USD - quorum,kraken:timeout slots=12 by=x",
    "2026-11-20T15:52:05Z BTC-USD 0.00000001 coinbase x=slots=3 y=~",
)


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        (Quote(SLOT, BTC, Decimal("97123.45"), ("coinbase", "kraken")), GOOD),
        (Quote(SLOT, BTC, reason="coinbase:timeout,kraken:rate-limited"), MISSED),
        (Quote(SLOT, BTC, reason="down", slots=211), "2026-11-20T15:52:05Z BTC-USD - down slots=211"),
        (Quote(SLOT, BTC, Decimal(5), ("kraken",), by="candle"), f"{GOOD[:28]} 5 kraken by=candle"),
        (
            Quote(SLOT, BTC, reason="down", slots=3, extras="why=x:y=z a_b-c=1"),
            f"{GOOD[:28]} - down slots=3 why=x:y=z a_b-c=1",
        ),
    ],
)
def test_a_quote_stands_as_a_row(quote: Quote, text: str) -> None:
    assert write(quote) == text
    assert row.quote_of(row.read(text)) == quote
    with pytest.raises(ValueError, match=r"column 4|not key=value|slots="):
        row.quote_of(row.read(f"{text}\n"))


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ("0.00000812", "0.00000812"), ("1e-8", "0.00000001"), ("97123.40000", "97123.4"), ("97123.00",
        "97123"),
        ("100", "100"), ("1E+5", "100000"), ("1.50e3", "1500"), ("1230000e-4", "123"), ("1e-100",
        f"0.{'0' * 99}1"),
        ("12345678901234567890.123456789012345", "12345678901234567890.123456789012345"),
        ("9" * 24 + "." + "9" * 26, "9" * 24 + "." + "9" * 26),
    ],
)  # fmt: skip
def test_a_price_keeps_every_digit_and_nothing_else(price: str, text: str) -> None:
    assert plain(Decimal(price)) == text


@pytest.mark.parametrize("price", ["0", "0.00", "-1", "NaN", "Infinity", "-0"])
def test_what_is_no_price_is_never_written(price: str) -> None:
    with pytest.raises(ValueError, match="column 3 is not a price"):
        write(Quote(SLOT, BTC, Decimal(price), ("kraken",)))


@pytest.mark.parametrize(
    "quote",
    [
        Quote(SLOT, BTC), Quote(SLOT, BTC, Decimal(1)), Quote(SLOT, BTC, reason="two words"),
        Quote(SLOT, BTC, reason="a\nb"), Quote(SLOT, BTC, reason="Down"), Quote(SLOT, BTC, Decimal(1),
        ("a,", "b")),
        Quote(SLOT, BTC, Decimal(1), ("a:b",)), Quote(SLOT, Pair("BTC\n", "USD"), reason="down"),
        Quote(SLOT, Pair("", "USD"), reason="down"), Quote(SLOT, Pair("btc", "usd"), reason="down"),
        Quote(SLOT, BTC, reason="down", slots=0), Quote(SLOT, BTC, reason="down", slots=-3),
        Quote(SLOT, BTC, Decimal(1), ("a",), slots=2), Quote(SLOT, BTC, Decimal(1), ("a",), by="a b"),
    ],
)  # fmt: skip
def test_what_no_row_can_hold_is_never_written(quote: Quote) -> None:
    with pytest.raises(ValueError, match=r"column|slots=|key=value"):
        write(quote)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "x", "2026-11-20T15:52:05Z", "2026-11-20T15:52:05Z BTC-USD 1", f" {GOOD}", f"{GOOD} ",
        f"{GOOD}\r", GOOD.replace(" ", "  "), GOOD.replace(" ", "\t"), GOOD.replace("Z", "+00:00"),
        GOOD.replace("Z", ""), GOOD.replace("T", " "), GOOD.replace("05Z", "05.5Z"), GOOD.replace("11-20",
        "13-20"),
        GOOD.replace("15:52:05", "25:52:05"), GOOD.replace("15:52:05", "15:52:60"), GOOD.replace("2026",
        "0000"),
        GOOD.replace("BTC-USD", "BTCUSD"), GOOD.replace("BTC-USD", "btc-usd"), GOOD.replace("BTC-USD",
        "BTC-USD-X"),
        GOOD.replace("97123.45", "97,123.45"), GOOD.replace("97123.45", "97123.450"),
        GOOD.replace("97123.45", "97123."),
        GOOD.replace("97123.45", ".5"), GOOD.replace("97123.45", "0"), GOOD.replace("97123.45", "097"),
        GOOD.replace("97123.45", "1e5"), GOOD.replace("97123.45", "-5"), GOOD.replace("97123.45", "+5"),
        GOOD.replace("97123.45", "0.0"), GOOD.replace("97123.45", "nan"), GOOD.replace("97123.45", "\u0665"),
        GOOD.replace("97123.45", "--"), GOOD.replace("coinbase", "Coinbase"), GOOD.replace("coinbase,", ",,"),
        GOOD.replace("kraken", "kraken:timeout"), GOOD.replace("kraken", ""), f"{MISSED},", f"{MISSED}:x",
        f"{GOOD} slots=2", f"{MISSED} slots=0", f"{MISSED} slots=-1", f"{MISSED} slots=",
        f"{MISSED} slots=02",
        f"{MISSED} slots=1e3", f"{MISSED} slots", f"{MISSED} slots=6 slots=3",
        f"{MISSED} =2", f"{MISSED} slots=99999999999",
        f"{MISSED} a=b  c=d",
        "# price-log 1 every=5s", GOOD.replace("2026", "\u0662\u0660\u0662\u0666"), f"{GOOD} by=\u00e9",
        *(f"{GOOD[:28]} - {reason}" for reason in ("a:b:c", "a:b,c:d:e", "a,,b", ",a", "a:", "a,b:c:")),
        *(GOOD.replace("2026-11-20", day) for day in ("2026-02-29", "1900-02-29", "0000-02-29")),
        *(GOOD.replace("11-20", day) for day in ("00-20", "11-31", "02-30", "11-00", "04-31")),
        *(GOOD.replace("15:52:05", time) for time in ("24:00:00", "15:60:05", "15:52:75")),
    ],
)  # fmt: skip
def test_a_malformed_row_is_refused_and_not_found_among_others(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        row.quote_of(row.read(text))
    assert row.find(f"{text}\n") == []


def is_row(text: str) -> bool:
    try:
        row.read(text)
    except ValueError:
        return False
    return True


@given(
    st.sampled_from(SOUND),
    st.lists(st.tuples(st.integers(0, 70), st.sampled_from("0159 -:.,=ZTBac#\r\té+")), max_size=3),
)
def test_many_lines_hold_the_rows_that_each_of_them_is(text: str, changes: list[tuple[int, str]]) -> None:
    for place, character in changes:
        text = text[:place] + character + text[place + 1 :]

    found = row.find(f"{SOUND[0]}\n{text}\n{SOUND[1]}\n")

    wanted = [SOUND[0], *([text] if is_row(text) else []), SOUND[1]]
    assert [row.text(one) for one in found] == wanted


def test_a_leap_day_is_a_day_in_leap_years() -> None:
    years = [year for year in range(1, 10_000) if row.find(f"{year:04d}-02-29T15:52:05Z A-B 1 x\n")]

    assert years == [year for year in range(1, 10_000) if isleap(year)]


def test_a_cut_row_keeps_its_reason_and_its_extras() -> None:
    missed = row.read("2026-11-20T15:52:05Z BTC-USD - down slots=12 by=x")
    start = times.slot_unix(missed[0])

    assert row.text(row.cut(missed, start + 10, 2)) == "2026-11-20T15:52:15Z BTC-USD - down slots=2 by=x"
    assert row.text(row.cut(missed, start, 1)) == "2026-11-20T15:52:05Z BTC-USD - down by=x"


@pytest.mark.parametrize("interval", [1, 5, 60, 3600])
def test_a_header_tells_the_interval(interval: int) -> None:
    assert header_line(interval) == f"# price-log 1 every={interval}s"
    assert read_header(header_line(interval)) == (interval, False)
    assert read_header(header_line(interval, simulated=True)) == (interval, True)
    assert read_header(f"{header_line(interval)} of=later") == (interval, False)


@pytest.mark.parametrize(
    "text",
    ["", "#", "# a remark", "# price-log 1 every=0s", "# price-log 1 every=05s", "# price-log 2 every=5s",
     "# price-log 1 every=5s ", "# price-log 1 every=12345s", "# price-log 1 every=\u0665s", GOOD],
)  # fmt: skip
def test_any_other_line_is_no_header(text: str) -> None:
    assert read_header(text) is None


CODES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12).filter(lambda word: word != "-")
SLOTS = st.integers(0, times.unix(datetime(9999, 12, 31, tzinfo=UTC))).map(times.from_unix)
PRICES = st.builds(
    lambda digits, exponent: Decimal(f"{digits}e{exponent}"), st.integers(1, 10**50), st.integers(-100, 0)
).filter(lambda price: price < MAX_PRICE)
PRICED = st.builds(
    lambda **known: Quote(**known),  # else what is not named here were made up as well
    slot=SLOTS,
    pair=st.builds(Pair, CODES, CODES),
    price=PRICES,
    sources=st.lists(WORDS, min_size=1, max_size=8).map(tuple),
    by=st.sampled_from(["", "journal", "candle", "peer"]),
)
WHYS = st.builds("{}:{}".format, WORDS, WORDS)
NOT_PRICED = st.builds(
    lambda **known: Quote(**known),  # else what is not named here were made up as well
    slot=SLOTS,
    pair=st.builds(Pair, CODES, CODES),
    reason=st.one_of(WORDS, st.lists(WHYS, min_size=1).map(",".join)),
    slots=st.integers(1, 10**10 - 1),
)


@given(PRICED | NOT_PRICED)
def test_what_is_written_is_read_as_it_was(quote: Quote) -> None:
    text = write(quote)

    assert row.quote_of(row.read(text)) == quote
    assert text.isascii()
    assert text.isprintable()


@given(PRICES)
def test_a_price_as_text_is_a_plain_decimal_of_the_same_value(price: Decimal) -> None:
    text = plain(price)

    assert Decimal(text) == price
    assert ROW.fullmatch(f"2026-11-20T15:52:05Z BTC-USD {text} kraken")


@given(st.text(max_size=60) | st.builds("2026-11-20T15:52:05Z BTC-USD {} {}".format, st.text(), st.text()))
def test_any_text_is_a_row_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        quote = row.quote_of(row.read(text))

        assert row.quote_of(row.read(write(quote))).price == quote.price
