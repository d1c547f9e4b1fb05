"""The sources by name: a new one stands here, see docs/adding-a-source.md."""

from price.sources.base import Source
from price.sources.binance import Binance
from price.sources.bitfinex import Bitfinex
from price.sources.bitstamp import Bitstamp
from price.sources.candles import CandleSource
from price.sources.coinbase import Coinbase
from price.sources.coingecko import CoinGecko
from price.sources.gemini import Gemini
from price.sources.kraken import Kraken
from price.sources.okx import Okx
from price.sources.simulated import Simulated

__all__ = ["CANDLE_SOURCES", "SOURCES", "Source"]
_KINDS = (Coinbase, Kraken, Bitstamp, Gemini, Bitfinex, Binance, Okx, CoinGecko, Simulated)
SOURCES: dict[str, Source] = {kind.name: kind() for kind in _KINDS}
CANDLE_SOURCES = {name: source for name, source in SOURCES.items() if isinstance(source, CandleSource)}
"""Those that have one-minute candles."""
