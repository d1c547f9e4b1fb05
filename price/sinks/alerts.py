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
Watched = tuple[Rule, State]
"""A rule, and what is known of it for a pair."""


class AlertsSink:
    """Judges each rule for each of its pairs, slot by slot, and remembers what is on.

    At the start, what was on is restored, and the end of the log fills windows and running holds without
    any record; then the first slot shows what began or ended meanwhile.
    """

    def __init__(self, history: History, priced: Callable[[], Mapping[Pair, Quote]]) -> None:
        self._history = history
        self._priced = priced
        self._watched: dict[tuple[str, Pair], Watched] = {}
        """By the rule's name and the pair."""
        self._of_pair: dict[Pair, list[Watched]] = {}
        """The same, by the pair alone."""
        self._interval = 0
        self._started = False
        self.changes: list[dict[str, Any]] = []
        """The last changes, the newest last."""
        self._count = 0
        self.changed = False
        """Whether anything changed since it was last saved."""

    def configure(self, settings: Settings) -> None:
        """Judges these rules from now on; one of the same name and text goes on as it is."""
        old, texts = self._watched, {rule.name: rule.text for rule in settings.alert_rules}
        self._watched, self._interval, new = {}, settings.interval, []
        for rule in settings.alert_rules:
            for pair in [rule.pair] if rule.pair else settings.pairs:
                known = old.get((rule.name, pair))
                if known is None or known[0].text != rule.text:
                    known = (rule, State(rule))
                    new.append((pair, known))
                self._watched[rule.name, pair] = known
        ended: dict[tuple[Rule, str], list[int]] = {}
        for (name, pair), (rule, state) in old.items():
            same = texts.get(name) == rule.text
            if state.on and not (same and (name, pair) in self._watched):
                why = f"{pair} is not recorded any more" if same else "the rule was changed"
                ended.setdefault((rule, why), []).append(state.since)
        for (rule, why), sinces in ended.items():
            self._end(rule.name, rule.condition, sinces, why)
        self._of_pair = _by_pair((pair, known) for (_, pair), known in self._watched.items())
        if self._started:
            self._fill(new)

    def begin(self) -> None:
        """Reads the end of the log, after `restore`. Raises what reading it raises."""
        self._started = True
        self._fill([(pair, known) for (_, pair), known in self._watched.items()])

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
            for (name, pair), (_, state) in self._watched.items()
            if state.on
        ]
        return {"on": on, "changes": self.changes[-_SHOWN:]}

    def saved(self) -> dict[str, Any]:
        """What must survive a restart, as JSON values."""
        on = [
            {
                "name": name,
                "text": rule.text,
                "pair": str(pair),
                "since": times.iso(times.from_unix(state.since)),
                "low": None if state.low is None else plain(state.low),
                "high": None if state.high is None else plain(state.high),
            }
            for (name, pair), (rule, state) in self._watched.items()
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
            known = self._watched.get((one["name"], Pair(base, quote)))
            if known is None or known[0].text != one["text"]:
                ended.setdefault(str(one["name"]), []).append(since)
                continue
            state = known[1]
            state.on, state.since = True, since
            state.low, state.high = (Decimal(one[key]) if one.get(key) else None for key in ("low", "high"))
        for name, sinces in ended.items():
            self._end(name, "", sinces, "the rule was changed")

    def _fill(self, new: Sequence[tuple[Pair, Watched]]) -> None:
        """Has new states learn from the log's end what the next slot must be compared with."""
        priced, reach = self._priced(), 0
        for pair, (rule, state) in new:
            reach = max(reach, rule.reach)
            if pair in priced:
                state.priced = times.unix(priced[pair].slot)
                lasted = state.priced - state.since if state.on else 0
                reach = max(reach, min(lasted, _LONGEST_SECONDS))  # for the highest price of it
        reach = min(reach, _MOST_ROWS * self._interval // max(1, len(self._of_pair)))
        of_pair = _by_pair(new)
        for interval, unix, quote in self._history(reach) if reach else ():
            for rule, state in of_pair.get(quote.pair, ()):
                judge(rule, state, quote, unix, interval, live=False)

    def _end(self, name: str, condition: str, sinces: Sequence[int], why: str) -> None:
        alert = Alert(name, on=False, limit=condition, since=times.iso(times.from_unix(min(sinces))))
        self._record(alert, NOTICE, f"{name} ended: {why}")

    def _record(self, alert: Alert, level: int, text: str) -> None:
        log_alert(alert, level, text)
        self._count += 1
        known = {"number": self._count, **alert.fields(), "level": level, "message": text}
        self.changes = [*self.changes[1 - KEPT :], known]
        self.changed = True


def _by_pair(watched: Iterable[tuple[Pair, Watched]]) -> dict[Pair, list[Watched]]:
    found: dict[Pair, list[Watched]] = {}
    for pair, known in watched:
        found.setdefault(pair, []).append(known)
    return found


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
