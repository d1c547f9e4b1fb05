"""How strictly an answer is read."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price.errors import Unreadable
from price.sources.strictjson import MAX_PRICE, MAX_VALUES, MAX_WIDE_BYTES, read_json, read_price, shown


def test_fractions_are_decimals_and_whole_numbers_stay_whole() -> None:
    found = read_json(b'{"a": 61235.10, "b": 1e-08, "c": 12, "d": ["\\u00e9", null, true]}')

    assert found == {"a": Decimal("61235.10"), "b": Decimal("1e-8"), "c": 12, "d": ["é", None, True]}
    assert str(found["a"]) == "61235.10"
    assert type(found["c"]) is int


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"<html></html>", b"{", b'{"a":1', b'{"a":1}x', b"{'a':1}", b"[1,]", b"NaN", b"[Infinity]",
        b"-Infinity", b'{"a":1,"a":1}', b'[{"b":{"a":1,"a":2}}]', b"\xef\xbb\xbf1", b'"\xff"',
        b'"\xed\xa0\x80"', "1".encode("utf-16"), b"01", b"1.", b"+1", b"0x10", b"1" * 401, b"0." + b"1" * 400,
        b"1e9999999999999999999", b"[" * 100_000, b'{"a":' * 100_000, b'"a\nb"', b"// 1\n1",
    ],
)  # fmt: skip
def test_what_is_not_strictly_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        read_json(body)

    assert str(caught.value).isprintable()


def test_json_of_too_many_values_is_not_even_read() -> None:
    assert len(read_json(b"[" + b"1," * (MAX_VALUES - 2) + b"1]")) == MAX_VALUES - 1
    with pytest.raises(Unreadable, match="over 100000 values"):
        read_json(b"[" + b"1," * MAX_VALUES + b"1]")


def test_long_json_that_is_not_ascii_is_not_even_read() -> None:
    assert read_json('"é"'.encode() + b" " * (MAX_WIDE_BYTES - 4)) == "é"
    with pytest.raises(Unreadable, match="not ASCII"):
        read_json('"é"'.encode() + b" " * MAX_WIDE_BYTES)


@given(st.binary())
def test_any_bytes_are_a_value_or_unreadable(body: bytes) -> None:
    try:
        read_json(body)
    except Unreadable as error:
        assert len(str(error)) < 500  # noqa: PT017 - the story is about both ways it may go


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0.00000812", "0.00000812"), ("1e-8", "0.00000001"), ("1E-8", "0.00000001"),
        ("97123.40000", "97123.40000"),
        ("1234.5678901234567890123456789012345", "1234.5678901234567890123456789012345"), ("9.5e+3", "9500"),
        ("0.1" + "2" * 49, "0.1" + "2" * 49), ("5" + "0" * 23, "5" + "0" * 23), ("007", "7"), ("12.", "12"),
        (".5", "0.5"), (61235, "61235"), (Decimal("61235.10"), "61235.10"), (Decimal("4E-7"), "0.0000004"),
        ("1.5" + "0" * 200, "1.5" + "0" * 200),
    ],
)  # fmt: skip
def test_a_price_keeps_every_digit(raw: object, text: str) -> None:
    assert f"{read_price(raw):f}" == text


@pytest.mark.parametrize(
    "raw",
    [
        None, True, False, [], {}, ["1"], 1.5, b"1", "", " ", " 1", "1 ", "1\n", "abc", "NaN", "nan", "sNaN",
        "Infinity", "-inf", "-1", "+1", "1,000", "1_000", "0x10", "1.2.3", "1e", "e5", "1e5000", ".",
        "\u0663", "\uff11", 0, -1, "0", "0.00000000", "0e5", Decimal(0), Decimal("-1"), Decimal("-0"),
        Decimal("NaN"), Decimal("Infinity"), 10**24, "1e24", "1" + "0" * 24, Decimal("1e400"),
        Decimal("1e999999"), "1" * 51 + "e-40", "0." + "1" * 51, "1.5" + "0" * 400, "1e-101", "1e-999",
        Decimal("1e-999999"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_price_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"not a price|not above 0|too many digits"):
        read_price(raw)


@given(st.integers(1, 10**50 - 1), st.integers(-60, 40))
def test_any_fifty_digits_survive_json_as_text_and_as_number(digits: int, exponent: int) -> None:
    exact = Decimal(f"{digits}e{exponent}")

    for body in (f'"{exact:f}"', f"{exact:f}", f'"{digits}e{exponent}"', f"{digits}e{exponent}"):
        if exact < MAX_PRICE:
            assert read_price(read_json(body.encode())) == exact
        else:
            with pytest.raises(ValueError, match="not above 0 and below"):
                read_price(read_json(body.encode()))


@given(st.text() | st.integers() | st.decimals() | st.none() | st.lists(st.text()))
def test_whatever_is_read_as_a_price_is_within_the_bounds(raw: object) -> None:
    try:
        price = read_price(raw)
    except ValueError as error:
        assert str(error).isascii()  # noqa: PT017 - the story is about both ways it may go
    else:
        assert 0 < price < MAX_PRICE


def test_a_value_is_shown_by_what_it_says_or_by_its_kind() -> None:
    assert [shown(raw) for raw in ("1,5", 12, True, None, [1], {"a": 1}, 1.5)] == [
        "'1,5'", "'12'", "'True'", "null", "a list", "an object", "float",
    ]  # fmt: skip
