"""Asking once, without recording: the commands `once` and `check`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from price import settings, times
from price.alerts.words import describe
from price.choose import Memory, choose
from price.clock import Clock
from price.log import row
from price.model import Quote, Reading
from price.plan import Plan
from price.recorder.app import MakeWorkers, make_poller, make_workers
from price.recorder.show_status import alerts_on
from price.settings import Settings
from price.source_state import SourceState

Say = Callable[[str], None]


def once(wanted: Settings, clock: Clock, say: Say, make: MakeWorkers = make_workers) -> int:
    """Prints the rows of the slot that has just begun; 0 if every pair has a price, else 1."""
    quotes, _ = _quotes(wanted, clock, make)
    for quote in quotes:
        say(row.write(quote))
    return 1 if any(quote.missed for quote in quotes) else 0


def check(wanted: Settings, clock: Clock, say: Say, make: MakeWorkers = make_workers) -> int:
    """Prints the plan, and what each source answers now; 0 if all do, else 1."""
    say(f"every {wanted.interval} s, {wanted.timeout:g} s for the answers, into {wanted.file}")
    say("")
    _table(say, ("source", "host", "requests/min", "known limit"), map(_planned, settings.plans(wanted)))
    for plan in settings.plans(wanted):
        if plan.slot_seconds >= wanted.timeout:
            say(
                f"{plan.source}: at its pace the requests of a slot take {plan.slot_seconds:g} s to leave:"
                f" PRICE_TIMEOUT={wanted.timeout:g} cuts the last ones off"
            )
    if wanted.alert_rules:
        say("")
        on = alerts_on(wanted.status)
        for rule in wanted.alert_rules:
            now_on = "no recorder runs" if on is None else ", ".join(on.get(rule.name, ["off"]))
            say(f"{describe(rule)}; now: {now_on}")
    say("")
    return 1 if _answers(wanted, clock, say, make) else 0


def _answers(wanted: Settings, clock: Clock, say: Say, make: MakeWorkers) -> bool:
    """Prints what each source answers now, judged as the recorder would; whether anything is wrong."""
    quotes, now = _quotes(wanted, clock, make)
    rows = [_answer(wanted, quote, reading, now) for quote in quotes for reading in quote.readings]
    _table(say, ("source", "pair", "price", "age", "ms", "asked as"), rows)
    for remark in _remarks(wanted, quotes):
        say(remark)
    return any(quote.missed or any(one.why for one in quote.readings) for quote in quotes)


def _remarks(wanted: Settings, quotes: Sequence[Quote]) -> Iterator[str]:
    """What the table does not show: pairs without a price, other coins, and prices without an age."""
    for quote in quotes:
        pair, prices = quote.pair, {one.source: one.price for one in quote.readings if one.price is not None}
        if quote.missed:
            yield f"{pair}: no price would be recorded: {quote.reason}"
        if prices and 10 * (max(prices.values()) - min(prices.values())) > min(prices.values()):
            low, high = min(prices, key=prices.__getitem__), max(prices, key=prices.__getitem__)
            yield (
                f"{pair}: {low} and {high} are over 10 % apart: is it the same coin?"
                " PRICE_SYMBOLS says what a source calls it"
            )
        others = [
            name
            for name in wanted.sources
            if name not in wanted.asked_for(pair) and wanted.source(name).offers(pair)
        ]
        if others:
            yield (
                f"{pair}: only {quote.readings[0].source} is asked: whether {pair.base} is the same coin at"
                f" {', '.join(others)} is not known; if it is: PRICE_SYMBOLS={others[0]}:{pair.base}"
            )
    ageless = {one.source for quote in quotes for one in quote.readings if one.price and one.time is None}
    if ageless:
        yield (
            f"{', '.join(name for name in wanted.sources if name in ageless)}: no age comes with the price;"
            " it counts as stale once it stands still for an hour while most others move"
        )


def _quotes(wanted: Settings, clock: Clock, make: MakeWorkers) -> tuple[list[Quote], datetime]:
    """The quotes of the slot that has just begun, as a recorder without a past makes them, and when."""
    slot = times.slot_of(clock.now(), wanted.interval)
    states = {name: SourceState(wanted.source(name)) for name in wanted.sources}
    poller = make_poller(wanted, states, make(wanted, clock), clock)
    readings, now = poller.ask(slot, wanted.timeout) or {}, clock.now()
    quotes = [
        choose(slot, pair, readings.get(pair, ()), now, Memory(), wanted.rules)[0] for pair in wanted.pairs
    ]
    return quotes, now


def _planned(plan: Plan) -> tuple[str, ...]:
    limit = "none published" if plan.limit is None else str(plan.limit)
    if not plan.pairs:
        return (plan.source, plan.host, "0", f"{limit} (quotes none of the pairs)")
    return (plan.source, plan.host, f"{plan.per_minute:g}", limit)


def _answer(wanted: Settings, quote: Quote, reading: Reading, now: datetime) -> tuple[str, ...]:
    """The row of a reading: `asked as` is empty where the source calls the pair's coins as we do."""
    symbol = wanted.source(reading.source).symbol(quote.pair)
    plain = "".join(filter(str.isalnum, symbol)).upper()
    asked = "" if plain in ("".join(quote.pair), "T" + "".join(quote.pair)) else symbol
    age = "-" if reading.time is None else times.span(max(0.0, (now - reading.time).total_seconds()))
    if reading.why or reading.price is None:
        detail = reading.detail or ("see docs" if reading.price is None else "")
        if reading.price is not None:
            detail = f"{row.plain(reading.price)}, {age} old" if reading.time else row.plain(reading.price)
        asked_as = f" (asked as {asked})" if asked else ""
        return (reading.source, str(quote.pair), f"{reading.why}: {detail}{asked_as}")
    milliseconds = f"{reading.seconds * 1000:.0f}"
    return (reading.source, str(quote.pair), row.plain(reading.price), age, milliseconds, asked)


def _table(say: Say, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Prints rows under a head, in columns as wide as they need to be."""
    lines = [head, *rows]
    widths = [
        max(len(line[column]) for line in lines if column < len(line) - 1 or len(line) == len(head))
        for column in range(len(head))
    ]
    for cells in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip())
