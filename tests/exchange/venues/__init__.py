"""The copies of the exchanges, by name."""

from tests.exchange.venues.base import Venue
from tests.exchange.venues.binance import Binance
from tests.exchange.venues.bitfinex import Bitfinex
from tests.exchange.venues.bitstamp import Bitstamp
from tests.exchange.venues.coinbase import Coinbase
from tests.exchange.venues.coingecko import Coingecko
from tests.exchange.venues.gemini import Gemini
from tests.exchange.venues.kraken import Kraken
from tests.exchange.venues.okx import Okx

VENUES: dict[str, Venue] = {
    venue.name: venue
    for venue in (Coinbase(), Kraken(), Bitstamp(), Gemini(), Bitfinex(), Binance(), Okx(), Coingecko())
}
