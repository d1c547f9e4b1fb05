"""What is special to Coinbase."""

from datetime import UTC, datetime

import pytest

from price.errors import Refused
from tests.sources.answers import refusal, said, sent, tick


@pytest.mark.parametrize("fraction", ["", ".1", ".123", ".12345678", ".123456789"])
def test_times_with_any_number_of_fraction_digits_are_read(fraction: str) -> None:
    found = tick("coinbase", "BTC-USD", said(f'{{"price":"1","time":"2026-05-04T10:11:12{fraction}Z"}}'))

    micro = int(fraction[1:7].ljust(6, "0"))
    assert found.time == datetime(2026, 5, 4, 10, 11, 12, micro, UTC)


def test_only_its_own_word_for_it_makes_a_pair_unknown() -> None:
    assert type(refusal("coinbase", "BTC-USD", said('{"message":"Route not found"}', 404))) is Refused
    assert type(refusal("coinbase", "BTC-USD", sent("coinbase/unknown.json", 400))) is Refused
