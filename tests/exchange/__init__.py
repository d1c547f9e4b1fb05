"""Local copies of the exchanges' public APIs on loopback, with faults on demand.

    with Market(["coinbase", "kraken"]) as market:
        market["kraken"].fault = faults.hang()
        ... run something with market.environment ...
        assert market["coinbase"].count <= 12

From another process: `python -m tests.exchange PORTS`.
"""

from tests.exchange import faults
from tests.exchange.faults import Fault
from tests.exchange.market import Market
from tests.exchange.prices import Prices, Replay, Walk
from tests.exchange.server import Exchange, Seen, real_time

__all__ = ["Exchange", "Fault", "Market", "Prices", "Replay", "Seen", "Walk", "faults", "real_time"]
