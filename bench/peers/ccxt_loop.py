"""The library that knows every exchange, with stock handlers; its market is given, not fetched."""

import logging
import os
import time
from datetime import UTC, datetime

import ccxt
from cysystemd.journal import JournaldLogHandler

log = logging.getLogger("ccxt_loop")
log.setLevel(logging.INFO)
log.addHandler(logging.FileHandler(os.environ["FILE"]))
log.addHandler(JournaldLogHandler())  # type: ignore[no-untyped-call] # the package has no types

url = os.environ["URLS"].split()[0]
exchange = ccxt.coinbaseexchange({"enableRateLimit": False, "requests_trust_env": True})
exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], url.split("/products")[0])
market = {"id": "BTC-USD", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "type": "spot", "spot": True}
exchange.set_markets([exchange.safe_market_structure(market)])

for _ in range(int(os.environ["SLOTS"])):
    price = exchange.fetch_ticker("BTC/USD")["last"]
    log.info("%s BTC-USD %s coinbase", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), price)
    time.sleep(float(os.environ["INTERVAL"]))
