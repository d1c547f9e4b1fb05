"""What a careful programmer writes first: kept-alive sessions, stock handlers, one source after the other."""

import logging
import os
import time
from datetime import UTC, datetime
from statistics import median

import requests
from cysystemd.journal import JournaldLogHandler

PRICES = {
    "products": lambda answer: answer["price"],
    "0": lambda answer: answer["result"]["XXBTZUSD"]["c"][0],
    "api": lambda answer: answer["last"],
}
"""Where the price stands in an exchange's answer, by how the path begins."""

log = logging.getLogger("session")
log.setLevel(logging.INFO)
log.addHandler(logging.FileHandler(os.environ["FILE"]))
log.addHandler(JournaldLogHandler())  # type: ignore[no-untyped-call] # the package has no types
sessions = {url: requests.Session() for url in os.environ["URLS"].split()}

for _ in range(int(os.environ["SLOTS"])):
    prices = []
    for url, session in sessions.items():
        try:
            answer = session.get(url, timeout=0.8).json()
        except requests.RequestException as error:
            log.warning("%s", error)
        else:
            prices.append(float(PRICES[url.split("/")[3]](answer)))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    log.info("%s BTC-USD %s %s", now, median(prices), len(prices), extra={"pair": "BTC-USD"})
    time.sleep(float(os.environ["INTERVAL"]))
