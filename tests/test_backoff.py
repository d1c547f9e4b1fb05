"""How long a source is left alone after what."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price.backoff import Backoff, TokenBucket
from price.errors import (
    Forbidden,
    NoSuchName,
    RateLimited,
    Refused,
    SourceError,
    Timeout,
    Unavailable,
    Unreachable,
    Unreadable,
)

ERRORS = [RateLimited, Forbidden, NoSuchName, Refused, Timeout, Unavailable, Unreachable, Unreadable]


def after(*failures: tuple[SourceError, float], asked_for: float | None = None, jitter: float = 1) -> Backoff:
    """The backoff after failures at these moments."""
    found = Backoff()
    for error, now in failures:
        found = found.after(error, now, asked_for, jitter)
    return found


def rests_of(
    error: SourceError, count: int, asked_for: float | None = None, jitter: float = 1
) -> list[float]:
    """The rests after the same failure several times, each just when the rest before is over."""
    rests, now, found = Backoff(), 1000.0, []
    for _ in range(count):
        rests = rests.after(error, now, asked_for, jitter)
        found.append(rests.until - now)
        now = rests.until
    return found


@pytest.mark.parametrize("error", [RateLimited("429"), Forbidden("403")])
def test_a_refusal_costs_a_minute_doubling_to_five(error: SourceError) -> None:
    assert rests_of(error, 4) == [60, 120, 240, 300]


def test_a_limit_never_retires_a_source() -> None:
    assert rests_of(RateLimited("429"), 20)[-1] == 300


@pytest.mark.parametrize("error", [RateLimited("429"), Forbidden("403"), Unavailable("503")])
@pytest.mark.parametrize("asked_for", [17.5, 3600])
def test_a_rest_that_the_source_asks_for_is_kept_exactly(error: SourceError, asked_for: float) -> None:
    assert rests_of(error, 3, asked_for, jitter=0.8) == [asked_for] * 3
    assert not after((error, 0), asked_for=asked_for).long


@pytest.mark.parametrize("kind", [Timeout, Unreachable, Unavailable, Unreadable, Refused])
def test_three_failures_in_a_row_begin_rests_that_double_to_a_minute(kind: type[SourceError]) -> None:
    assert rests_of(kind("x"), 9) == [0, 0, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("jitter", [0.8, 1.2])
def test_the_rests_after_failures_are_uneven_by_a_fifth(jitter: float) -> None:
    assert rests_of(Timeout("x"), 9, jitter=jitter)[2:] == pytest.approx(
        [jitter * rest for rest in (2, 4, 8, 16, 32, 60, 60)]
    )


@pytest.mark.parametrize("error", [Forbidden("403"), NoSuchName("gone")])
def test_ten_minutes_without_a_good_answer_retire(error: SourceError) -> None:
    retired = [after((error, 0), (Timeout("x"), 300), (error, now)).retired for now in (599.9, 600, 4200)]

    assert retired == [False, True, True]


def test_a_retired_source_is_asked_hourly_whatever_else_it_fails_with() -> None:
    rests = after((Forbidden("403"), 0), (Forbidden("403"), 600))

    for now, error in ((4200, Timeout("x")), (7800, Unavailable("x")), (11400, RateLimited("x"))):
        rests = rests.after(error, now, 5, 1)
        assert rests.until == now + 3600


def test_a_later_failure_never_shortens_a_rest() -> None:
    rests = after((RateLimited("429"), 1000), asked_for=300)

    assert rests.after(RateLimited("429"), 1001, 10, 1).until == 1300


@pytest.mark.parametrize("error", [RateLimited("429"), Forbidden("403"), Unavailable("503")])
@pytest.mark.parametrize("asked_for", [3600.1, 604800, 1e30, float("inf")])
def test_a_rest_of_over_an_hour_is_an_hour(error: SourceError, asked_for: float) -> None:
    rests = after((error, 0), (error, 100), asked_for=asked_for)

    assert (rests.until, rests.long) == (3700, True)


@pytest.mark.parametrize("rest", [604800.0, float("inf")])
def test_a_longer_rest_that_an_older_version_saved_ends_after_an_hour(rest: float) -> None:
    saved = {"rest_seconds": rest, "refusals": 1, "failures": 0, "trouble_seconds": None, "retired": False}

    assert Backoff.restored(saved, 1000, elapsed=600).until == 1000 + 3000


def test_a_token_bucket_lets_a_burst_go_and_then_so_many_a_second() -> None:
    bucket, now, moments = TokenBucket(3, 2), 100.0, list[float]()

    for _ in range(5):
        now = bucket.due(now)
        bucket.spend(now)
        moments.append(now)

    assert moments == [100, 100, 100, 100.5, 101]
    assert TokenBucket(0, 0).due(7) == 7


@given(
    st.lists(st.tuples(st.sampled_from(ERRORS), st.floats(0, 400), st.none() | st.floats(0, 3600))),
    st.floats(0, 10000),
)
def test_what_is_saved_comes_back_as_it_was_less_the_time_between(
    failures: list[tuple[type[SourceError], float, float | None]], elapsed: float
) -> None:
    rests, now = Backoff(), 5000.0
    for kind, wait, asked_for in failures:
        now += wait
        rests = rests.after(kind("x"), now, asked_for, 1)

    found = Backoff.restored(json.loads(json.dumps(rests.saved(now))), now + elapsed, elapsed)

    assert (found.refusals, found.failures, found.retired) == (rests.refusals, rests.failures, rests.retired)
    assert max(found.until, now + elapsed) == pytest.approx(max(rests.until, now + elapsed), abs=0.01)
    assert found.trouble_since == (rests.trouble_since and pytest.approx(rests.trouble_since, abs=0.01))
