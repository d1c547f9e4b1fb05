"""The reading wing's rows are those of price/log/line.py, whatever the text."""

import random
from calendar import isleap
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import times
from price.errors import PriceError
from price.log import line
from price.log.old import row

SOUND = (
    "2026-11-20T15:52:05Z BTC-USD 97123.45 coinbase,kraken by=peer",
    "2026-11-20T15:52:05Z BTC-USD - quorum,kraken:timeout slots=12 by=x",
    "2026-11-20T15:52:05Z BTC-USD 0.00000001 coinbase x=slots=3 y=~",
)


def is_row(text: str) -> bool:
    try:
        line.read(text)
    except ValueError:
        return False
    return True


@given(
    st.sampled_from(SOUND),
    st.lists(st.tuples(st.integers(0, 70), st.sampled_from("0159 -:.,=ZTBac#\r\té+")), max_size=3),
)
def test_a_line_is_a_row_here_if_it_is_one_there(text: str, changes: list[tuple[int, str]]) -> None:
    for place, character in changes:
        text = text[:place] + character + text[place + 1 :]
    raw = (text + "\n").encode()

    assert row.is_sound(raw) == is_row(text)


@pytest.mark.parametrize(
    "time",
    [
        "2026-02-29T15:52:05Z", "1900-02-29T15:52:05Z", "2100-02-29T15:52:05Z", "0000-02-29T15:52:05Z",
        "2026-13-20T15:52:05Z", "2026-00-20T15:52:05Z", "2026-11-31T15:52:05Z", "2026-02-30T15:52:05Z",
        "2026-11-20T24:00:00Z", "2026-11-20T15:60:05Z", "2026-11-20T15:52:60Z", "2026-11-20T15:52:75Z",
    ],
)  # fmt: skip
def test_a_row_of_a_time_that_no_clock_shows_is_no_row(time: str) -> None:
    assert not row.is_sound(f"{time} BTC-USD 100 kraken\n".encode())


def test_a_leap_day_is_a_day_in_leap_years() -> None:
    years = [year for year in range(1, 10_000) if row.is_sound(b"%04d-02-29T15:52:05Z A-B 1 x\n" % year)]

    assert years == [year for year in range(1, 10_000) if isleap(year)]
    assert is_row("2028-02-29T15:52:05Z A-B 1 x")


@given(st.lists(st.sampled_from([*SOUND, "garbage", "", SOUND[0][:30]]), max_size=6))
def test_the_sound_lines_of_many_are_those_that_are_sound_alone(texts: list[str]) -> None:
    rows = "".join(text + "\n" for text in texts).encode()

    assert row.sound(rows).decode().splitlines() == [text for text in texts if is_row(text)]


@given(st.text("# price-log 1every=05s\n", max_size=30) | st.integers(-5, 99999).map(line.header))
def test_headers_are_those_of_the_format(text: str) -> None:
    if "\n" not in text:
        assert row.every_of(text.encode()) == line.read_header(text)


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC)))  # noqa: DTZ001
def test_slots_are_the_texts_of_their_unix_times(moment: datetime) -> None:
    text = times.iso(moment).encode()

    assert row.unix_of(text) == times.unix(moment)
    assert row.slot_of(times.unix(moment)) == text


@pytest.mark.parametrize("text", [b"2026-02-30T00:00:00Z", b"2026-11-20T1x:00:00Z", b"0000-01-01T00:00:00Z"])
def test_a_slot_that_is_no_time_sends_to_verify(text: bytes) -> None:
    with pytest.raises(PriceError, match="price verify"):
        row.unix_of(text)


def test_the_calendar_has_an_end() -> None:
    with pytest.raises(PriceError, match="outside the calendar"):
        row.slot_of(10**12)


@given(st.lists(st.integers(0, 40), max_size=30).map(sorted), st.integers(-1, 41))
def test_a_slot_is_found_in_sorted_rows(numbers: list[int], wanted: int) -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    rows = [f"{times.iso(start + timedelta(seconds=number))} A-B {'1' * number} x\n" for number in numbers]
    slot = times.iso(start + timedelta(seconds=wanted)).encode()

    at = row.offset_of("".join(rows).encode(), slot)

    assert at == len("".join(text for text, number in zip(rows, numbers, strict=True) if number < wanted))


def test_a_cut_row_keeps_its_reason_and_its_extras() -> None:
    missed = b"2026-11-20T15:52:05Z BTC-USD - down slots=12 by=x\n"

    assert (
        row.cut(missed, row.unix_of(missed) + 10, 2) == b"2026-11-20T15:52:15Z BTC-USD - down slots=2 by=x\n"
    )
    assert row.cut(missed, row.unix_of(missed), 1) == b"2026-11-20T15:52:05Z BTC-USD - down by=x\n"


def test_random_prices_are_read_as_prices() -> None:
    chance = random.Random(1)
    for _ in range(500):
        text = chance.choice(("0", "7", "10", "97121")) + chance.choice(("", ".", ".5", ".50", ".05", ".0"))
        assert row.is_price(text.encode()) == is_row(f"2026-11-20T15:52:05Z A-B {text} x")
