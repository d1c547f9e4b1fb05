"""Slots, and times as text."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import times
from price.errors import PriceError

NOW = datetime(2026, 11, 20, 15, 52, 7, 250_000, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1902, 1, 1), datetime(2190, 1, 1), timezones=ZONES)  # noqa: DTZ001
INTERVALS = st.sampled_from([1, 2, 5, 7, 60, 3600])
SECONDS = st.integers(-2_000_000_000, 7_000_000_000)


@given(SECONDS)
def test_unix_seconds_survive_the_way_there_and_back(seconds: int) -> None:
    assert times.unix(times.from_unix(seconds)) == seconds


@given(MOMENTS)
def test_unix_time_counts_whole_seconds_downwards(moment: datetime) -> None:
    assert times.from_unix(times.unix(moment)) <= moment < times.from_unix(times.unix(moment) + 1)


@pytest.mark.parametrize("seconds", [10**12, -(10**12)])
def test_what_no_calendar_holds_is_a_bad_value(seconds: int) -> None:
    with pytest.raises(ValueError, match="outside the calendar"):
        times.from_unix(seconds)


@given(MOMENTS, INTERVALS)
def test_a_moment_lies_in_its_slot_and_before_the_next(moment: datetime, interval: int) -> None:
    slot, following = times.slot_of(moment, interval), times.next_slot(moment, interval)

    assert slot <= moment < following
    assert following - slot == timedelta(seconds=interval)
    assert times.unix(slot) % interval == 0


@given(SECONDS, INTERVALS)
def test_the_slot_after_a_slot_is_never_itself(seconds: int, interval: int) -> None:
    slot = times.from_unix(seconds // interval * interval)

    assert times.slot_of(slot, interval) == slot
    assert times.next_slot(slot, interval) == slot + timedelta(seconds=interval)


@given(SECONDS, st.integers(-50, 1000), INTERVALS)
def test_slots_between_counts_the_first_and_not_the_last(seconds: int, count: int, interval: int) -> None:
    first = times.from_unix(seconds // interval * interval)
    after = first + timedelta(seconds=count * interval)

    assert times.slots_between(first, after, interval) == max(0, count)


@given(MOMENTS)
def test_a_moment_as_written_is_read_back_without_its_fraction(moment: datetime) -> None:
    text = times.iso(moment)

    assert len(text) == 20
    assert times.parse_iso(text) == moment.astimezone(UTC).replace(microsecond=0)


@given(MOMENTS)
def test_any_offset_and_fraction_is_read(moment: datetime) -> None:
    assert times.parse_iso(moment.isoformat()) == moment
    assert times.parse_iso(moment.isoformat(sep=" ")) == moment


@given(MOMENTS, st.text("0123456789", min_size=1, max_size=12))
def test_fractions_of_any_length_are_cut_at_the_microsecond(moment: datetime, digits: str) -> None:
    text = times.iso(moment).replace("Z", f".{digits}Z")

    assert times.parse_iso(text).microsecond == int(digits[:6].ljust(6, "0"))


@given(st.text(max_size=30))
def test_any_other_text_is_a_bad_value_and_nothing_worse(text: str) -> None:
    for parse in (times.parse_iso, times.parse_length, lambda text: times.parse_when(text, NOW)):
        with contextlib.suppress(ValueError):
            assert parse(text) is not None


@pytest.mark.parametrize(
    "text", ["", "2026-11-20", "2026-11-20T15:52", "2026-02-30T00:00:00Z", "2026-11-20T25:00:00Z", "now"]
)
def test_only_a_whole_time_is_an_iso_time_of_the_log(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an ISO 8601 time|out of range|must be in"):
        times.parse_iso(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (4, "4 s"),
        (0.25, "0.2 s"),
        (119, "119 s"),
        (120, "2 min"),
        (9000, "2.5 h"),
        (259200, "3 days"),
    ],
)
def test_a_span_is_said_in_its_largest_unit(seconds: float, text: str) -> None:
    assert times.span(seconds) == text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", "2026-11-20T15:52:07.25Z"),
        ("Today", "2026-11-20T00:00:00Z"),
        ("yesterday", "2026-11-19T00:00:00Z"),
        ("90s", "2026-11-20T15:50:37.25Z"),
        ("15m", "2026-11-20T15:37:07.25Z"),
        ("2h ago", "2026-11-20T13:52:07.25Z"),
        ("7d", "2026-11-13T15:52:07.25Z"),
        ("0s", "2026-11-20T15:52:07.25Z"),
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("2026-11-20T15:52", "2026-11-20T15:52:00Z"),
        ("2026-11-20 15:52:05", "2026-11-20T15:52:05Z"),
        ("2026-11-20t15:52:05z", "2026-11-20T15:52:05Z"),
        ("2026-11-20T15:52:05.5+01:00", "2026-11-20T14:52:05.5Z"),
        ("20261120T155205Z", "2026-11-20T15:52:05Z"),
        (" today ", "2026-11-20T00:00:00Z"),
    ],
)
def test_times_are_what_people_mean(text: str, moment: str) -> None:
    assert times.parse_when(text, NOW) == times.parse_iso(moment)


@given(ZONES)
def test_days_begin_at_midnight_utc_wherever_now_is_told(zone: timezone) -> None:
    assert times.parse_when("today", NOW.astimezone(zone)) == times.parse_iso("2026-11-20T00:00:00Z")


@given(st.integers(0, 9999), st.sampled_from("smhd"))
def test_a_length_ago_is_that_much_before_now(count: int, unit: str) -> None:
    length = timedelta(seconds=count * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit])

    assert times.parse_when(f"{count}{unit}", NOW) == NOW - length
    assert times.parse_length(f"{count}{unit}") == length.total_seconds()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is no time"),
        ("soon", "is no time"),
        ("15", "is no time"),
        ("-15m", "is no time"),
        ("1.5h", "is no time"),
        ("1w", "is no time"),
        ("2026-02-30", "is no time"),
        ("9999999999d", "is no time"),
        ("999999999d", "outside the calendar"),
        ("0001-01-01T00:00+05:00", "outside the calendar"),
    ],
)
def test_what_is_no_time_is_said_with_what_is_one(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        times.parse_when(text, NOW)


@pytest.mark.parametrize("text", ["", "m", "5", "5 m", "-5m", "1w", "٣m", "9999999999s"])
def test_what_is_no_length_is_a_bad_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a length|too long"):
        times.parse_length(text)


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC)))  # noqa: DTZ001
def test_slots_are_the_texts_of_their_unix_times(moment: datetime) -> None:
    text = times.iso(moment)

    assert times.slot_unix(text) == times.unix(moment)
    assert times.slot_text(times.unix(moment)) == text


@given(SECONDS, INTERVALS)
def test_the_slots_of_many_rows_are_read_as_each_is(first: int, interval: int) -> None:
    unix = range(first, first + 300 * interval, interval)

    assert [*times.slots_unix(map(times.slot_text, unix))] == [*unix]


@pytest.mark.parametrize("text", ["2026-02-30T00:00:00Z", "2026-11-20T1x:00:00Z", "0000-01-01T00:00:00Z"])
def test_a_slot_that_is_no_time_sends_to_verify(text: str) -> None:
    with pytest.raises(PriceError, match="price verify"):
        times.slot_unix(text)


def test_the_calendar_has_an_end() -> None:
    with pytest.raises(PriceError, match="outside the calendar"):
        times.slot_text(10**12)
