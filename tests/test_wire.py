"""What an answer asks for, and how it is shown."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price.wire import excerpt, retry_after_seconds

NOW = datetime(2026, 11, 20, 15, 52, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("30", 30),
        ("259200", 259200),
        ("604800", 604800),
        ("9" * 30, 1e30),
        ("9" * 5000, float("inf")),
    ],
)
def test_seconds_to_retry_after_are_read_however_many(header: str, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def test_a_date_to_retry_after_is_counted_from_now() -> None:
    later = format_datetime(NOW + timedelta(minutes=2), usegmt=True)
    earlier = format_datetime(NOW - timedelta(minutes=2), usegmt=True)
    much_later = format_datetime(NOW + timedelta(days=8), usegmt=True)

    assert retry_after_seconds(later, NOW) == 120
    assert retry_after_seconds(earlier, NOW) == 0
    assert retry_after_seconds(much_later, NOW) == 8 * 86400


@pytest.mark.parametrize(
    "header",
    [
        "", " ", "soon", "-5", "1.5", "1e3", "٣٠", "Fri, 20 Nov 2026", "Fri, 20 Nov 2026 15:54:05 -0000",
        "Fri, 20 Nov 2026 15:54:05 +99999999999999999999", "Fri, 20 Nov 99999999999999999999 15:54:05 GMT",
        "Fri, 99 Nov 2026 15:54:05 GMT",
    ],
)  # fmt: skip
def test_a_retry_after_that_makes_no_sense_says_nothing(header: str) -> None:
    assert retry_after_seconds(header, NOW) is None


@given(st.text() | st.from_regex(r"\A\w{3}, \d{1,3} \w{3} \d{1,12} \d\d:\d\d:\d\d [+-]?\w{1,8}\Z"))
def test_no_retry_after_raises_anything(header: str) -> None:
    seconds = retry_after_seconds(header, NOW)

    assert seconds is None or seconds >= 0


def test_an_excerpt_is_short_printable_ascii_on_one_line() -> None:
    assert excerpt("a\nb\x1b[31mü") == r"'a\nb\x1b[31m\xfc'"
    assert len(excerpt(b"\xff" * 1000)) < 600
    assert excerpt("x" * 1000) == "'" + "x" * 80 + "'"
