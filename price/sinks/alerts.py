"""Which rules of PRICE_ALERTS began and which are over: one record per change, after the slot's rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from price import times
from price.alerts.rules import Change, Rule, State, judge
from price.alerts.words import message
from price.events import NOTICE, Alert, log_alert
from price.log.row import plain
from price.model import Pair, Quote
from price.settings import Settings

if TYPE_CHECKING:
    from price.alerts.history import Seen

KEPT = 100
"""Changes that state.json holds for a follower that has no journal; status.json shows the last ten."""
_SHOWN = 10
_MOST_ROWS = 200_000
"""What is read of the log's end takes no more than a second: a day of eleven pairs, an hour of 270."""
_LONGEST_SECONDS = 86400
"""How far back the highest and lowest price of what is on are looked for."""

History = Callable[[int], Iterable["Seen"]]
"""The live rows of the log within so many seconds before its end."""


class AlertsSink:
    """Judges each rule for each of its pairs, slot by slot, and remembers what is on.

    At the start, what was on is restored, and the end of the log fills windows and running holds without
    any record; then the first slot shows what began or ended meanwhile.
    """

    def __init__(self, history: History, priced: Callable[[], Mapping[Pair, Quote]]) -> None:
        self._history = history
        self._priced = priced
        self._rules: dict[str, Rule] = {}
        self._states: dict[tuple[str, Pair], State] = {}
        self._of_pair: dict[Pair, list[tuple[Rule, State]]] = {}
        self._interval = 0
        self._started = False
        self.changes: list[dict[str, Any]] = []
        """The last changes, the newest last."""
        self._count = 0
        self.changed = False
        """Whether anything changed since it was last saved."""

    def configure(self, settings: Settings) -> None:
        """Judges these rules from now on; one of the same name and text goes on as it is."""
        old, states = self._rules, self._states
        self._rules = {rule.name: rule for rule in settings.alert_rules}
        self._interval = settings.interval
        for name, rule in old.items():
            if name not in self._rules or self._rules[name].text != rule.text:
                self._end(name, rule.condition, [state.since for state in _on(states, name)])
        self._states, new = {}, []
        for rule in self._rules.values():
            same = rule.name in old and old[rule.name].text == rule.text
            for pair in [rule.pair] if rule.pair else settings.pairs:
                known = states.get((rule.name, pair)) if same else None
                self._states[rule.name, pair] = known or State(rule)
                new += [] if known else [(rule, pair)]
        for (name, pair), state in states.items():
            same = name in self._rules and self._rules[name].text == old[name].text
            if state.on and same and pair not in settings.pairs:
                self._end(name, old[name].condition, [state.since], f"{pair} is not recorded any more")
        self._of_pair = {}
        for (name, pair), state in self._states.items():
            self._of_pair.setdefault(pair, []).append((self._rules[name], state))
        if self._started:
            self._fill(new)

    def begin(self) -> None:
        """Reads the end of the log, after `restore`. Raises what reading it raises."""
        self._started = True
        self._fill([(self._rules[name], pair) for name, pair in self._states])

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:  # noqa: ARG002 - quotes know theirs
        """Logs what the quotes change."""
        if not self._of_pair:
            return
        changes: list[Change] = []
        slots: dict[datetime, int] = {}
        for quote in quotes:
            unix = slots.get(quote.slot) or slots.setdefault(quote.slot, times.unix(quote.slot))
            for rule, state in self._of_pair.get(quote.pair, ()):
                change = judge(rule, state, quote, unix, self._interval)
                if change is not None:
                    changes.append(change)
        for change in changes:
            self._record(_alert(change), change.rule.level if change.on else NOTICE, message(change))

    def idle(self) -> None:
        """Nothing changes between slots."""

    def close(self) -> None:
        """Nothing is open."""

    def view(self) -> dict[str, Any]:
        """For status.json: what is on, and the last ten changes."""
        on = [
            {"name": name, "pair": str(pair), "since": times.iso(times.from_unix(state.since))}
            for (name, pair), state in self._states.items()
            if state.on
        ]
        return {"on": on, "changes": self.changes[-_SHOWN:]}

    def saved(self) -> dict[str, Any]:
        """What must survive a restart, as JSON values."""
        on = [
            {
                "name": name,
                "text": self._rules[name].text,
                "pair": str(pair),
                "since": times.iso(times.from_unix(state.since)),
                "low": None if state.low is None else plain(state.low),
                "high": None if state.high is None else plain(state.high),
            }
            for (name, pair), state in self._states.items()
            if state.on
        ]
        return {"on": on, "changes": self.changes, "count": self._count}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Goes on as saved; a rule that was on and is another one by now has ended."""
        self.changes, self._count = list(saved["changes"])[-KEPT:], int(saved["count"])
        ended: dict[str, list[int]] = {}
        for one in saved["on"]:
            since = times.unix(times.parse_iso(one["since"]))
            base, _, quote = str(one["pair"]).partition("-")
            state = self._states.get((one["name"], Pair(base, quote)))
            if state is None or self._rules[one["name"]].text != one["text"]:
                ended.setdefault(str(one["name"]), []).append(since)
                continue
            state.on, state.since = True, since
            state.low, state.high = (Decimal(one[key]) if one.get(key) else None for key in ("low", "high"))
        for name, sinces in ended.items():
            self._end(name, "", sinces)

    def _fill(self, new: Sequence[tuple[Rule, Pair]]) -> None:
        """Has new states learn from the log's end what the next slot must be compared with."""
        priced, reach = self._priced(), 0
        of_pair: dict[Pair, list[tuple[Rule, State]]] = {}
        for rule, pair in new:
            state = self._states[rule.name, pair]
            of_pair.setdefault(pair, []).append((rule, state))
            reach = max(reach, rule.reach)
            if pair in priced:
                state.priced = times.unix(priced[pair].slot)
                lasted = state.priced - state.since if state.on else 0
                reach = max(reach, min(lasted, _LONGEST_SECONDS))  # for the highest price of it
        reach = min(reach, _MOST_ROWS * self._interval // max(1, len(self._of_pair)))
        for interval, unix, quote in self._history(reach) if reach else ():
            for rule, state in of_pair.get(quote.pair, ()):
                judge(rule, state, quote, unix, interval, live=False)

    def _end(
        self, name: str, condition: str, sinces: Sequence[int], why: str = "the rule was changed"
    ) -> None:
        if sinces:
            alert = Alert(name, on=False, limit=condition, since=times.iso(times.from_unix(min(sinces))))
            self._record(alert, NOTICE, f"{name} ended: {why}")

    def _record(self, alert: Alert, level: int, text: str) -> None:
        log_alert(alert, level, text)
        self._count += 1
        known = {"number": self._count, **alert.fields(), "level": level, "message": text}
        self.changes = [*self.changes[1 - KEPT :], known]
        self.changed = True


def _on(states: Mapping[tuple[str, Pair], State], name: str) -> list[State]:
    return [state for (its, _), state in states.items() if its == name and state.on]


def _alert(change: Change) -> Alert:
    quote = change.quote
    return Alert(
        change.rule.name,
        on=change.on,
        limit=change.rule.condition,
        pair=str(quote.pair),
        slot=times.iso(quote.slot),
        value="" if quote.price is None else plain(quote.price),
        since="" if change.on else times.iso(times.from_unix(change.since)),
    )
