"""What must hold whatever an exchange answers: sound values, or a declared error that is fit to show."""

from price.errors import SourceError
from price.model import Answer, Pair, Reading
from price.sources import SOURCES
from price.sources.candles import CandleSource
from price.sources.strictjson import MAX_PRICE
from tests.sources.answers import END, START, pairs

ASKED = dict.fromkeys(SOURCES, "BTC-USD ETH-USD DOGE-USD") | dict.fromkeys(
    ("binance", "okx"), "BTC-USDT ETH-USDT DOGE-USDT"
)


def survives(name: str, answer: Answer) -> None:
    """Both readers either give sound values or raise SourceError."""
    source, asked = SOURCES[name], pairs(ASKED[name])
    for many in (asked, asked[:1]):
        try:
            found = source.read(many, answer)
        except SourceError as error:
            is_fit_to_show(error)
        else:
            is_sound(many, found)
    if not isinstance(source, CandleSource):
        return
    try:
        candles = source.read_candles(asked[0], START, END, answer)
    except SourceError as error:
        is_fit_to_show(error)
    else:
        assert [each.start for each in candles] == sorted({each.start for each in candles})


def is_fit_to_show(error: Exception) -> None:
    """One line, not long, of characters that do nothing to a terminal."""
    assert str(error).isprintable()
    assert len(str(error)) < 500


def is_sound(asked: tuple[Pair, ...], found: dict[Pair, Reading | SourceError]) -> None:
    """Each asked pair, in order, has a possible price or an error."""
    assert list(found) == list(asked)
    for tick in found.values():
        if isinstance(tick, Reading):
            assert tick.price is not None
            assert 0 < tick.price < MAX_PRICE
        else:
            is_fit_to_show(tick)
