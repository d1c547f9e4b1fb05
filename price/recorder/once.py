"""Asking once, without recording: the commands `once` and `check`."""

from collections.abc import Callable, Iterable
from datetime import datetime

from price import settings, times
from price.alerts.words import describe
from price.choose import Memory, choose
from price.log import line
from price.model import Pair, Quote, Reading
from price.plan import Plan
from price.recorder.app import make_poller, make_workers
from price.recorder.clock import Clock
from price.recorder.show_status import alerts_on
from price.recorder.source_state import SourceState
from price.settings import Settings
from price.sources import SOURCES

Say = Callable[[str], None]


def once(wanted: Settings, clock: Clock, say: Say) -> int:
    """Says the rows of the slot that has just begun; 0 if every pair has a price, else 1."""
    slot = times.slot_of(clock.now(), wanted.interval)
    readings = _ask(wanted, clock, slot)
    now, rules = clock.now(), wanted.rules
    quotes: list[Quote] = []
    for pair in wanted.pairs:
        quote, _ = choose(slot, pair, readings[pair], now, Memory(), rules)
        quotes.append(quote)
        say(line.write(quote))
    return 1 if any(quote.missed for quote in quotes) else 0


def check(wanted: Settings, clock: Clock, say: Say) -> int:
    """Says the plan, and what each source answers now; 0 if all do, else 1."""
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
    readings = _ask(wanted, clock, times.slot_of(clock.now(), wanted.interval))
    now = clock.now()
    rows = [_heard(pair, reading, now) for pair in wanted.pairs for reading in readings[pair]]
    _table(say, ("source", "pair", "price", "age", "ms"), rows)
    return 1 if any(reading.why for said in readings.values() for reading in said) else 0


def _ask(wanted: Settings, clock: Clock, slot: datetime) -> dict[Pair, list[Reading]]:
    states = {name: SourceState(SOURCES[name]) for name in wanted.sources}
    poller = make_poller(wanted, states, make_workers(wanted, clock), clock)
    return poller.ask(slot, wanted.timeout) or {}


def _planned(plan: Plan) -> tuple[str, ...]:
    limit = "none published" if plan.limit is None else str(plan.limit)
    if not plan.pairs:
        return (plan.source, plan.host, "0", f"{limit} (quotes none of the pairs)")
    return (plan.source, plan.host, f"{plan.per_minute:g}", limit)


def _heard(pair: Pair, reading: Reading, now: datetime) -> tuple[str, ...]:
    if reading.why or reading.price is None:
        return (reading.source, str(pair), f"{reading.why}: {reading.detail or 'see docs'}")
    age = "-" if reading.time is None else times.span(max(0.0, (now - reading.time).total_seconds()))
    return (reading.source, str(pair), line.plain(reading.price), age, f"{reading.seconds * 1000:.0f}")


def _table(say: Say, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Says rows under a head, in columns as wide as they need to be."""
    lines = [head, *rows]
    widths = [
        max(len(line[column]) for line in lines if column < len(line) - 1 or len(line) == len(head))
        for column in range(len(head))
    ]
    for cells in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip())
