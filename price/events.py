"""What the program logs: one record per pair and slot, one per change."""

import logging
from enum import Enum
from typing import NamedTuple

from price.log.row import plain
from price.model import Quote
from price.text import one_line

NOTICE = 25
logging.addLevelName(NOTICE, "NOTICE")
# nothing shows by which line of code or in which thread a record was made, and to find out takes a third of
# its time: https://docs.python.org/3/howto/logging.html#optimization
logging._srcfile = None  # noqa: SLF001 - documented there
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

ROOT = logging.getLogger("price")
_QUOTES = logging.getLogger("price.quote")
_SOURCES = logging.getLogger("price.source")
ALERTS = logging.getLogger("price.alert")
"""What it logs goes to each handler, whatever its level."""


class Event(Enum):
    """The kinds of event, listed in docs/record.md: each has two numbers, which are fixed for ever.

    The value is its MESSAGE_ID in the journal; `number` is that of its entries in the Windows Event Log, from
    1 to 1000, since these have a message there (price/handlers/eventlog.py).
    """

    number: int

    def __new__(cls, message_id: str, number: int) -> "Event":
        event = object.__new__(cls)
        event._value_, event.number = message_id, number
        return event

    RECORDED = "ad82288d5a4f4af9ba713cb728ef45c7", 1
    MISSED = "ae6391e2c6fd4143ab56ca1cd8ae17cc", 2
    STARTED = "daec5c97f46b4c95955eed27826b7d3a", 10
    STOPPING = "dcc64bf4f7f842ed97f259b14f418690", 11
    BAD_STATE = "233e500f745747ee977b4c4da6b5fcfc", 14
    RELOADING = "cd345aadbd5d46318e49022931784ed6", 20
    RELOADED = "4a5ebddb038d494db56d9540d2b2e002", 21
    RELOAD_REFUSED = "c4a8f13e82cd462195ac025ba6eb873f", 22
    SOURCE_LOST = "ac03ba40aa524a06bf5aa099536b0910", 30
    SOURCE_BACK = "b23579b1a35e4f158155c3cde38353fb", 31
    SOURCE_RETIRED = "1766158366da48038f244e22ad329805", 32
    LONG_REST = "15c7dcf67f3846cda223b6b90f690937", 33
    PAIR_ASIDE = "35e693562fbe41b59450d24b2b54cbbc", 34
    ROWS_HELD = "45c691b8376741f2afe7008f79e27a86", 40
    ROWS_WRITTEN = "f265407f2bd241959afe3db6ddc8a29b", 41
    FILE_BEGUN = "580dc790289b41e5a2d1ac8aa6211b98", 42
    TAIL_CUT = "e98cc3f6743e45a982b79cc9e3a01c7c", 43
    CLOCK_BEHIND = "abbe0ae42fdc4f10a80a60f594bcb272", 50
    CLOCK_WRONG = "58fbca7df4f444ad804f981c5e84016b", 51
    ENTRIES_DROPPED = "0f97c102fb5f43b794c481264cfaf232", 60
    HANDLER_FAILED = "ca8fe7456873402a91da523671d7b690", 61
    NO_SOURCE_YET = "96de479d94864771915d00fd3f990e3d", 35
    ALERT_ON = "f64a1136fa464e898cd8d87173a38639", 70
    ALERT_OVER = "171acbb2027348ba8b54e9d957b0853e", 71
    NOT_STARTED = "b106d10d6be44e27b06a955a9d7c13b0", 12
    HUNG = "f0ca527755f245e68b1ec3aeda15c1ad", 13
    RECORDER_LAUNCHED = "53b6cfae92ad44aeb5133dbd6e537bc9", 80
    RECORDER_GONE = "d4203e4654f34dda9eac4d8c9629b407", 81
    RECORDER_HUNG = "0561bb61569a49a5b4fbc88e0556eb29", 82
    ORPHAN_ENDED = "d1188cb2199147dc9df89fddc27f2e01", 83
    SUPERVISOR_ENDS = "f4c1622d0e684730be3404f3e48ecfb3", 84
    TARGET_BEGUN = "b4977e70197b4fcab0047375ee9d0633", 90
    TARGET_LOST = "c7f2d4d989c1481d9831ed5070bb8723", 91
    TARGET_BACK = "172eb9214b7048e9b4943faeb0ad4624", 92
    TARGET_AHEAD = "61aa09f502a542b5b7a36b1ba0ab2478", 93
    ROW_LEFT_OUT = "1edb71613e84440491471c4c17a968e1", 94
    RECORDERS_DIFFER = "e36796c1fc2e43169e4f6c63cb979b4d", 95


class Alert(NamedTuple):
    """A rule of PRICE_ALERTS that began, or is over; a text is empty where there is none."""

    name: str
    on: bool
    limit: str
    """The condition as typed."""
    pair: str = ""
    slot: str = ""
    value: str = ""
    """The price of the slot."""
    since: str = ""
    """Of one that is over: the slot in which it began."""

    def fields(self) -> dict[str, str]:
        """The fields by their names in lower case, without PRICE_; those that are empty are left out."""
        state = {"alert": self.name, "alert_state": "on" if self.on else "over"}
        other = {name: getattr(self, name) for name in ("limit", "pair", "slot", "value", "since")}
        return state | {name: text for name, text in other.items() if text}


class Details(NamedTuple):
    """What a record carries next to its text, in the attribute `details`."""

    event: Event
    quote: Quote | None = None
    source: str = ""
    alert: Alert | None = None


def details_of(record: logging.LogRecord) -> Details | None:
    """The note of a record; None for a record that another library made."""
    note = getattr(record, "details", None)
    return note if isinstance(note, Details) else None


def quote_of(record: logging.LogRecord) -> Quote | None:
    """The quote of a record, where it is one of a quote."""
    note = details_of(record)
    return note.quote if note else None


def log_quote(quote: Quote) -> None:
    """Logs a quote: INFO with a price, WARNING when the slot was missed."""
    if quote.price is None:
        _QUOTES.warning("%s", describe(quote), extra={"details": Details(Event.MISSED, quote)})
    else:
        _QUOTES.info("%s", describe(quote), extra={"details": Details(Event.RECORDED, quote)})


def describe(quote: Quote) -> str:
    """A quote as a sentence: `BTC-USD 97123.45 coinbase,kraken` or `BTC-USD missed: coinbase:timeout`."""
    if quote.price is not None:
        return f"{quote.pair} {plain(quote.price)} {','.join(quote.sources)}"
    several = f" ({quote.slots} slots)" if quote.slots > 1 else ""
    return f"{quote.pair} missed: {quote.reason}{several}"


def log_to(handler: logging.Handler, level: str) -> None:
    """Has one handler take all records of a level and above: of a program that is not the recorder."""
    ROOT.setLevel(level)
    ROOT.propagate = False
    ROOT.addHandler(handler)


def log_event(event: Event, level: int, text: str) -> None:
    """Logs an event of the recorder's life, its settings or its files."""
    ROOT.log(level, "%s", one_line(text), extra={"details": Details(event)})


def log_source_event(event: Event, level: int, source: str, text: str) -> None:
    """Logs a change at a source; the text begins with the source's name."""
    _SOURCES.log(level, "%s %s", source, one_line(text), extra={"details": Details(event, source=source)})


def log_alert(alert: Alert, level: int, text: str) -> None:
    """Logs the change of an alert; handlers take it whatever their level, since a beginning needs its end."""
    event = Event.ALERT_ON if alert.on else Event.ALERT_OVER
    ALERTS.log(level, "%s", one_line(text), extra={"details": Details(event, alert=alert)})
