"""The one place that catches every exception: what guards the recorder from whatever it calls."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def safely(action: Callable[..., T], *args: object) -> tuple[T | None, Exception | None]:
    """What an action returns, or the exception that it ended in."""
    try:
        return action(*args), None
    except Exception as error:
        return None, error
