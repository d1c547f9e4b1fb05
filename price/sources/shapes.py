"""JSON values taken apart: of the expected kind, at a place, or rows about the pairs that were asked for."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from price.model import Pair
from price.sources.strictjson import shown

T = TypeVar("T")


def expect(value: Any, kind: type[T]) -> T:
    """The value, if it is of the kind. Raises TypeError."""
    if not isinstance(value, kind):
        raise TypeError(f"{shown(value)} where a {kind.__name__} belongs")
    return value


def at(value: Any, *path: str | int) -> object:
    """What stands at a path of names and places in a JSON value; None where the path leads nowhere."""
    for step in path:
        try:
            value = value[step] if type(value) in (list, dict) else None  # a text has places, too
        except (LookupError, TypeError):
            return None
    return value


def rows_of(
    rows: object, name: str | int, pairs: Sequence[Pair], symbol: Callable[[Pair], str]
) -> Iterator[tuple[Pair, object]]:
    """Those rows of a list that are about the asked pairs: the ones that have a pair's symbol at `name`."""
    wanted = {symbol(pair): pair for pair in pairs}
    for row in expect(rows, list):
        named = at(row, name)
        if isinstance(named, str) and named in wanted:
            yield wanted[named], row
