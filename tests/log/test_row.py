"""Rows as readers find them: by the same grammar, many at a time."""

from calendar import isleap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import times
from price.log import row

SOUND = (
    "2026-11-20T15:52:05Z BTC-USD 97123.45 coinbase,kraken by=peer",
    "2026-11-20T15:52:05Z BTC-USD - quorum,kraken:timeout slots=12 by=x",
    "2026-11-20T15:52:05Z BTC-USD 0.00000001 coinbase x=slots=3 y=~",
)


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


@pytest.mark.parametrize("basis", ["a:b:c", "a:b,c:d:e", "a,,b", ",a", "a:", "a,b:c:"])
def test_a_reason_has_one_why_for_each_source(basis: str) -> None:
    text = f"2026-11-20T15:52:05Z BTC-USD - {basis}"

    assert not is_row(text)
    assert row.find(f"{text}\n") == []


@pytest.mark.parametrize(
    "time",
    [
        "2026-02-29T15:52:05Z", "1900-02-29T15:52:05Z", "2100-02-29T15:52:05Z", "0000-02-29T15:52:05Z",
        "2026-13-20T15:52:05Z", "2026-00-20T15:52:05Z", "2026-11-31T15:52:05Z", "2026-02-30T15:52:05Z",
        "2026-11-20T24:00:00Z", "2026-11-20T15:60:05Z", "2026-11-20T15:52:60Z", "2026-11-20T15:52:75Z",
    ],
)  # fmt: skip
def test_a_row_of_a_time_that_no_clock_shows_is_no_row(time: str) -> None:
    assert row.find(f"{time} BTC-USD 100 kraken\n") == []


def test_a_leap_day_is_a_day_in_leap_years() -> None:
    years = [year for year in range(1, 10_000) if row.find(f"{year:04d}-02-29T15:52:05Z A-B 1 x\n")]

    assert years == [year for year in range(1, 10_000) if isleap(year)]


def test_a_cut_row_keeps_its_reason_and_its_extras() -> None:
    missed = row.read("2026-11-20T15:52:05Z BTC-USD - down slots=12 by=x")
    start = times.slot_unix(missed[0])

    assert row.text(row.cut(missed, start + 10, 2)) == "2026-11-20T15:52:15Z BTC-USD - down slots=2 by=x"
    assert row.text(row.cut(missed, start, 1)) == "2026-11-20T15:52:05Z BTC-USD - down by=x"
