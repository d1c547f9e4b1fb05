"""Nothing that comes from outside makes a source raise anything but SourceError, or give an unsound price."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price.sources import SOURCES
from tests.sources.answers import answers_of, said, sent
from tests.sources.survival import survives

FILES = {name: [f"{name}/{path.name}" for path in answers_of(name)] for name in SOURCES}
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
SCALARS |= st.sampled_from(
    ["0", "1e-8", "61235.01", "1e999", "\ud800", "1760000041", 10**30, -1, "error", "EAPI:"]
)
WORDS = st.sampled_from(
    ["error", "result", "data", "code", "msg", "message", "status", "reason", "price", "prices", "time"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=4)
)
STATUSES = st.sampled_from([200, 200, 200, 204, 302, 400, 404, 418, 429, 451, 500, 503])
every_source = pytest.mark.parametrize("name", list(SOURCES))


@given(body=st.binary(), status=STATUSES)
def test_arbitrary_bytes_raise_nothing_but_source_errors(body: bytes, status: int) -> None:
    for name in SOURCES:
        survives(name, said(body, status))


@given(value=VALUES, status=STATUSES)
def test_arbitrary_json_raises_nothing_but_source_errors(value: Any, status: int) -> None:
    for name in SOURCES:
        survives(name, said(json.dumps(value), status))


@every_source
@given(choose=st.data())
def test_a_good_answer_with_a_part_replaced_raises_nothing_but_source_errors(
    name: str, choose: st.DataObject
) -> None:
    value = json.loads(sent(choose.draw(st.sampled_from(FILES[name]))).body)
    mutated = replaced(value, choose.draw(st.sampled_from(list(places(value)))), choose.draw(VALUES))

    survives(name, said(json.dumps(mutated), choose.draw(STATUSES)))


@every_source
@given(choose=st.data())
def test_a_torn_or_garbled_answer_raises_nothing_but_source_errors(name: str, choose: st.DataObject) -> None:
    body = bytearray(sent(choose.draw(st.sampled_from(FILES[name]))).body)
    for _ in range(choose.draw(st.integers(0, 3))):
        body[choose.draw(st.integers(0, len(body) - 1))] = choose.draw(st.integers(0, 255))

    survives(name, said(bytes(body)))
    survives(name, said(bytes(body[: choose.draw(st.integers(0, len(body)))])))


@every_source
@pytest.mark.parametrize("depth", [100, 800, 900, 920])
def test_deep_nesting_anywhere_in_an_answer_raises_nothing_but_source_errors(name: str, depth: int) -> None:
    for file in FILES[name]:
        value = json.loads(sent(file).body)
        for steps in places(value)[:40]:
            body = json.dumps(replaced(value, steps, "@")).encode()
            survives(name, said(body.replace(b'"@"', b"[" * depth + b"]" * depth)))


def places(value: Any) -> list[tuple[Any, ...]]:
    """The way to each value within a value, itself included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((step, *rest) for step, item in inner for rest in places(item))]


def replaced(value: Any, steps: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at a place."""
    if not steps:
        return new
    copied = value.copy()
    copied[steps[0]] = replaced(value[steps[0]], steps[1:], new)
    return copied
