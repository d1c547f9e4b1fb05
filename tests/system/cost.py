"""Runs on the machine: what a quote costs in the journal, and beside the stock handler.

`python -m tests.system.cost ours N` sends the entries of N slots, `… by_hand N` the same fields without
cysystemd; `… cpu` prints microseconds of CPU, ours and the stock handler's.
"""

import logging
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median

from cysystemd.journal import JournaldLogHandler, send

from price import events
from price.events import Details, Event
from price.handlers import journal
from price.handlers.console import Console
from price.handlers.fields import fields as fields_of
from price.model import Pair, Quote, Reading
from tests.exchange import Walk

PAIR = Pair("BTC", "USD")
SOURCES = ("coinbase", "kraken", "bitstamp")
PRICES = Walk()
FIRST = datetime(2026, 11, 20, tzinfo=UTC)
BURSTS, BURST = 60, 200


def quotes(count: int) -> Iterator[Quote]:
    """The quotes of one pair and three sources, slot after slot; no price comes twice, the dearest case."""
    for number in range(count):
        yield _quote(PAIR, FIRST + timedelta(seconds=5 * number))


def slot(number: int) -> list[Quote]:
    """The quotes of as many pairs as a burst has, in one slot."""
    moment = FIRST + timedelta(seconds=5 * number)
    return [_quote(Pair(f"C{pair}", "USD"), moment) for pair in range(BURST)]


def _quote(pair: Pair, moment: datetime) -> Quote:
    readings = tuple(Reading(name, PRICES(name, pair, moment)) for name in SOURCES)
    price = median(reading.price for reading in readings if reading.price is not None)
    return Quote(moment, pair, price, SOURCES, readings=readings)


def handler() -> journal.Journal:
    """The handler as the recorder makes it, but with patience: on a busy machine nothing may be dropped."""
    journal.PATIENCE_SECONDS = 10
    return journal.Journal(journal.SOCKET, send, time.monotonic, Console())


def ours(count: int) -> None:
    """Sends entries through our handler."""
    sending = handler()
    for quote in quotes(count):
        sending.emit(_our_record(quote))
        sending.flush()


def by_hand(count: int) -> None:
    """Sends the same fields in journald's own protocol: what they cost at least."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.connect(str(journal.SOCKET))
        for quote in quotes(count):
            fields = fields_of(_our_record(quote))
            sending.send("".join(f"{name}={value}\n" for name, value in fields.items()).encode())


def cpu() -> None:
    """Prints the CPU of one quote in our handler and in the stock one, in turn, the best bursts of each."""
    # the stock handler needs what the recorder leaves out of its records
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = True
    our, stock = handler(), JournaldLogHandler(identifier="price")  # type: ignore[no-untyped-call]
    our_times, stock_times = [], []
    for burst in map(slot, range(BURSTS)):
        our_times.append(_burst(our.emit, [_our_record(one) for one in burst]))
        our.flush()
        stock_times.append(_burst(stock.emit, [_stock_record(one) for one in burst]))
    print(min(our_times), min(stock_times))


def _our_record(quote: Quote) -> logging.LogRecord:
    return _record("%s", (events.describe(quote),), {"details": Details(Event.RECORDED, quote)})


def _stock_record(quote: Quote) -> logging.LogRecord:
    """The same told as one would with the stock handler: what it does not make itself as extras."""
    told = {name: value for name, value in fields_of(_our_record(quote)).items() if "PRICE_" in name}
    return _record("%s %s %s", (quote.pair, quote.price, told["PRICE_SOURCES"]), told)


def _record(text: str, args: tuple[object, ...], extra: Mapping[str, object]) -> logging.LogRecord:
    make = logging.getLogger("price.quote").makeRecord
    return make("price.quote", logging.INFO, __file__, 1, text, args, None, func="emit", extra=extra)


def _burst(emit: Callable[[logging.LogRecord], None], records: list[logging.LogRecord]) -> float:
    time.sleep(0.03)  # journald reads what the burst before left
    began = time.process_time()
    for one in records:
        emit(one)
    return (time.process_time() - began) / len(records) * 1_000_000


if __name__ == "__main__":
    if sys.argv[1] == "cpu":
        cpu()
    else:
        {"ours": ours, "by_hand": by_hand}[sys.argv[1]](int(sys.argv[2]))
