"""Real prices and made-up ones: a log holds one kind for its whole life."""

from pathlib import Path

from price.errors import PriceError
from price.settings import Settings


def makes_up(settings: Settings) -> bool:
    """Whether the configured source makes its prices up."""
    return "simulated" in settings.sources


def word(*, simulated: bool) -> str:
    """What prices of a kind are called."""
    return "simulated" if simulated else "real"


def keep_apart(path: Path, simulated: bool | None, *, wanted: bool) -> None:
    """Raises PriceError where a log of one kind is to get prices of the other; None: it has none yet.

    `simulated` is what the log holds, `wanted` what it is to get.
    """
    if simulated is None or simulated is wanted:
        return
    name = "simulated.txt" if wanted else "real.txt" if path.name == "prices.txt" else "prices.txt"
    raise PriceError(
        f"PRICE_FILE={path}: it holds {word(simulated=simulated)} prices: {word(simulated=wanted)} ones need"
        f" a file of their own, for example PRICE_FILE={path.with_name(name)}"
    )
