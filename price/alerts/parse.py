"""The text of PRICE_ALERTS as rules, or every fault in it, each with a rule that would do."""

import logging
import re
from collections.abc import Collection
from decimal import Context, Decimal

from price import times
from price.alerts.rules import Rule
from price.coins import typed_pair
from price.events import NOTICE
from price.log.row import plain
from price.model import Pair
from price.text import one_line

LEVELS = {
    "notice": NOTICE,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
_PARTS = re.compile(
    r"(?:(?P<name>[^\s:]*)\s*:\s*)?(?P<who>\S+)\s+(?P<kind>[a-z]+)(?:\s+(?P<rest>.*?))??"
    r"(?:\s+for\s+(?P<hold>\S+))?(?:\s+as\s+(?P<level>\S+))?",
    re.IGNORECASE | re.DOTALL,
)
_PERCENT_IN = re.compile(r"(?P<limit>\S+?)\s*%\s+in\s+(?P<window>\S+)", re.IGNORECASE)
_PRICE = re.compile(r"(?P<limit>\S+)(?:\s+until\s+(?P<until>\S+))?", re.IGNORECASE)
_FORMS = {
    "above": (_PRICE, "above 70000"),
    "below": (_PRICE, "below 60000"),
    "moves": (_PERCENT_IN, "moves 5% in 1h"),
    "rises": (_PERCENT_IN, "rises 5% in 1h"),
    "falls": (_PERCENT_IN, "falls 5% in 1h"),
    "missing": (re.compile(r"(?P<window>\S+)"), "missing 1h"),
    "apart": (re.compile(r"(?P<limit>\S+?)\s*%"), "apart 1%"),
    "complete": (re.compile(r"below\s+" + _PERCENT_IN.pattern, re.IGNORECASE), "complete below 95% in 1h"),
}
"""What may follow each kind's word, and a condition that would do with any interval."""
_NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_NOT_NAME = re.compile(r"[^a-z0-9]+")
_NUMBER = re.compile(r"\d{1,24}(?:\.\d{1,50})?", re.ASCII)
_PERCENTAGE = re.compile(r"\d{1,4}(?:\.\d{1,9})?", re.ASCII)
_BELOW = {"falls": 100, "complete": 101}
"""The percentage that a kind's must be below; 1001 elsewhere."""
_EXACT = Context(prec=100)


def parse(
    text: str, pairs: Collection[Pair] | None, interval: int
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules of a text, parted by `;` or line breaks, and what is wrong with those that are none.

    `pairs` are the configured ones, None where any will do; `interval` is in seconds.
    """
    rules: dict[str, Rule] = {}
    faults: list[str] = []
    for number, part in enumerate(re.split(r"[;\n]", text), 1):
        if typed := " ".join(part.split()):
            reader = _Reader(pairs, interval, rules)
            rule = reader.rule(typed)
            if rule is not None:
                rules[rule.name] = rule
            if reader.wrong:
                example = f"rule-{number}: {reader.first_pair()} {reader.example}"
                faults.append(f"{one_line(typed[:200])}: {'; '.join(reader.wrong)}; for example {example}")
    return tuple(rules.values()) if not faults else (), tuple(faults)


class _Reader:
    """Reads one rule, and collects all that is wrong with it; the rule is of use only where nothing is."""

    def __init__(self, pairs: Collection[Pair] | None, interval: int, taken: Collection[str]) -> None:
        self.wrong: list[str] = []
        self.example = "above 70000"
        self._pairs = pairs
        self._interval = interval
        self._taken = taken

    def rule(self, typed: str) -> Rule | None:
        """The rule of a text; None where it is not even seen what kind of rule it is to be."""
        parts = _PARTS.fullmatch(typed)
        kind = parts["kind"].lower() if parts else ""
        if parts is None or kind not in _FORMS:
            what = f"`PAIR CONDITION [for SPAN] [as LEVEL]`, the condition with one of {', '.join(_FORMS)}"
            self.wrong.append(f"a rule is {what}")
            return None
        form, self.example = _FORMS[kind]
        rest, hold = parts["rest"] or "", parts["hold"]
        found = form.fullmatch(rest)
        if found is None:
            self.wrong.append(f"{kind} stands as in `{self.example}`")
        named = found.groupdict() if found else {}
        limit = self._limit(kind, named.get("limit"))
        condition = f"{parts['kind']} {rest}"
        return Rule(
            name=self._name(parts["name"], f"{parts['who']} {condition}{f' for {hold}' if hold else ''}"),
            pair=self._pair(parts["who"]),
            kind=kind,
            limit=limit,
            until=self._until(kind, limit, named.get("until")),
            window=self._span(named.get("window"), "in" if kind != "missing" else kind),
            hold=self._hold(kind, hold),
            level=self._level(parts["level"] or "warning"),
            condition=condition,
            text=typed,
        )

    def first_pair(self) -> str:
        """A pair that a rule may be of."""
        return str(next(iter(self._pairs or ()), "BTC-USD"))

    def _pair(self, text: str) -> Pair | None:
        if text.lower() == "any":
            return None
        try:
            pair = typed_pair(text)
        except ValueError:
            self.wrong.append(f"{text[:40]} is no pair such as {self.first_pair()}, nor `any`")
            return None
        if self._pairs is not None and pair not in self._pairs:
            self.wrong.append(f"{text[:40]} is not in PRICE_PAIRS")
        return pair

    def _limit(self, kind: str, text: str | None) -> Decimal:
        """A price above 0, or a percentage; 0 where there is none."""
        below = _BELOW.get(kind, 1001)
        if text is None:
            pass
        elif kind in ("above", "below"):
            if _NUMBER.fullmatch(text) and Decimal(text) > 0:
                return Decimal(text)
            self.wrong.append(f"{text[:40]} is no price such as 70000")
        elif _PERCENTAGE.fullmatch(text) and 0 < Decimal(text) < below:
            return Decimal(text)
        else:
            self.wrong.append(f"{text[:40]}% is no percentage above 0 and below {below}")
        return Decimal(0)

    def _until(self, kind: str, limit: Decimal, text: str | None) -> Decimal:
        """The bound at which a rule is over: by default half a percent, or half of the percentage, away."""
        if text is None:
            if kind in ("above", "below"):
                return _EXACT.multiply(limit, Decimal("0.995" if kind == "above" else "1.005"))
            return (100 + limit) / 2 if kind == "complete" else limit / 2
        until = Decimal(text) if _NUMBER.fullmatch(text) else Decimal(0)
        if not until:
            self.wrong.append(f"{text[:40]} behind until is no price")
        elif limit and (until > limit if kind == "above" else until < limit):
            self.wrong.append(
                f"until {text[:40]} must not be {kind} {plain(limit)}, or it would end as it begins"
            )
        return until

    def _span(self, text: str | None, word: str) -> int:
        """The seconds of a length of time from an interval to a day; 0 where there is none."""
        if text is None:
            return 0
        try:
            seconds = times.parse_length(text.lower())
        except ValueError:
            self.wrong.append(f"{text[:40]} behind {word} is no length of time such as 90s, 5m, 2h or 1d")
            return 0
        if not self._interval <= seconds <= times.DAY:
            self.wrong.append(f"{word} {text[:40]} must be from one interval, {self._interval}s, to 1d")
        return seconds

    def _hold(self, kind: str, text: str | None) -> int:
        if text is not None and kind == "missing":
            self.wrong.append("missing has its own length of time and takes no `for`")
            return 0
        return self._span(text, "for")

    def _level(self, text: str) -> int:
        if text.lower() not in LEVELS:
            self.wrong.append(f"there is no level {text[:40]}, only {', '.join(LEVELS)}")
        return LEVELS.get(text.lower(), logging.WARNING)

    def _name(self, text: str | None, otherwise: str) -> str:
        name = text or _NOT_NAME.sub("-", otherwise.lower()).strip("-")[:40].strip("-")
        if not _NAME.fullmatch(name):
            self.wrong.append(f"the name {name[:60]} must be a-z, 0-9 and -, up to 40 characters")
        if name in self._taken:
            self.wrong.append(f"a rule before it has the name {name} too")
        return name
