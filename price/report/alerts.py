"""`price alerts`: rules replayed over the log: what they would have reported, and how often."""

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from price import times
from price.alerts.history import live_rows
from price.alerts.parse import parse
from price.alerts.rules import Change, Rule, State, judge
from price.alerts.words import message
from price.errors import PriceError
from price.log import row
from price.log.read import PriceLog
from price.model import Pair
from price.report.options import Window, file_of, finish, window
from price.report.tables import Value, write
from price.text import counted

NAMES = ("slot", "alert", "state", "pair", "value", "limit", "since", "message")
_BEFORE_SECONDS = 86_400
"""How long before the range judging begins, silently: what is on then may have begun before."""


def run(args: Namespace, environ: Mapping[str, str], now: datetime, rules: Sequence[Rule]) -> int:
    """Prints each change in the range; as text also, for each rule, how often and how long it was on.

    `rules` are those of the settings, for where no --rule is given. Raises PriceError where there are none.
    """
    asked = window(args, now)
    log = PriceLog(file_of(args, environ), args.pair, live_only=True)
    if args.rule:
        interval = next((every for every, _ in log.blocks()), 5)
        log.left.forget()  # what the replay leaves out is counted as it comes again
        rules, faults = parse(";".join(args.rule), None, interval)
        if faults:
            args.fail("\n".join(faults))
    if not rules:
        raise PriceError(
            "there is no rule to replay: set PRICE_ALERTS, or for example --rule 'any missing 5m'"
        )
    for rule in rules:
        if rule.kind == "apart":
            sys.stderr.write(f"{rule.name}: left out, since the log does not hold what each source gave\n")
    replay = Replay([rule for rule in rules if rule.kind != "apart"])
    changes = replay.changes(log, asked)
    if args.format == "text":
        for change in changes:
            sys.stdout.write(f"{times.iso(change.quote.slot)} {message(change)}\n")
        sys.stdout.writelines(f"{line}\n" for line in replay.summary())
    else:
        write(args.format, NAMES, map(_values, changes))
    return finish(log)


class Replay:
    """Judges rules over the rows of a log, as the recorder did over the same rows."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._states: dict[Pair, list[tuple[Rule, State]]] = {}
        self._begun, self._on_seconds, self._seconds = Counter[str](), Counter[str](), Counter[str]()
        """Of each rule, in the range: how often it began, the seconds that it was on, and all seconds."""

    def changes(self, log: PriceLog, asked: Window) -> Iterator[Change]:
        """The changes in the range, in order."""
        since = asked.since
        before = max((rule.reach for rule in self._rules), default=0) + _BEFORE_SECONDS
        for every, unix, quote in live_rows(log, None if since is None else since - before, asked.until):
            states = self._states.get(quote.pair)
            if states is None:
                states = [(rule, State(rule)) for rule in self._rules if rule.pair in (None, quote.pair)]
                self._states[quote.pair] = states
            shown, seconds = since is None or unix >= since, quote.slots * every
            for rule, state in states:
                change = judge(rule, state, quote, unix, every)
                if not shown:
                    continue
                self._seconds[rule.name] += seconds
                if state.on:
                    self._on_seconds[rule.name] += seconds
                if change is not None:
                    self._begun[rule.name] += change.on
                    yield change

    def summary(self) -> Iterator[str]:
        """A line for each rule, once all changes have come."""
        for rule in self._rules:
            on, total = self._on_seconds[rule.name], self._seconds[rule.name]
            begun = counted(self._begun[rule.name], "time")
            yield f"{rule.name}: {begun}, on {100 * on / total if total else 0:.1f} % of the time"


def _values(change: Change) -> tuple[Value, ...]:
    quote = change.quote
    return (
        times.iso(quote.slot),
        change.rule.name,
        "on" if change.on else "over",
        str(quote.pair),
        None if quote.price is None else row.plain(quote.price),
        change.rule.condition,
        None if change.on else times.iso(times.from_unix(change.since)),
        message(change),
    )
