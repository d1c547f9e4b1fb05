"""The ten lines of a tutorial: a new connection for each price, and the package's own handler."""

import logging
import os
import time
from datetime import UTC, datetime

import requests
from cysystemd.journal import JournaldLogHandler

log = logging.getLogger("tutorial")
log.setLevel(logging.INFO)
log.addHandler(JournaldLogHandler())  # type: ignore[no-untyped-call] # the package has no types

for _ in range(int(os.environ["SLOTS"])):
    price = "-"
    for url in os.environ["URLS"].split():
        try:
            price = requests.get(url, timeout=0.8).json()["price"]
        except requests.RequestException as error:
            log.warning("%s", error)
    row = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} BTC-USD {price} coinbase"
    with open(os.environ["FILE"], "a", encoding="utf-8") as file:  # noqa: PTH123 - as tutorials do
        file.write(row + "\n")
    log.info(row)
    time.sleep(float(os.environ["INTERVAL"]))
