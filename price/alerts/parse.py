"""The text of PRICE_ALERTS as rules, or every fault in it, each with a rule that would do."""

import logging
import re
from collections.abc import Collection
from decimal import Context, Decimal
from itertools import count

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
_DAY = 86400
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
    "missing": (re.compile(r"(?P<window>\S+)"), "missing 5m"),
    "apart": (re.compile(r"(?P<limit>\S+?)\s*%"), "apart 1%"),
    "complete": (re.compile(r"below\s+" + _PERCENT_IN.pattern, re.IGNORECASE), "complete below 95% in 1h"),
}
"""What may follow each kind's word, and a condition that would do."""
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
    for part in re.split(r"[;\n]", text):
        if typed := " ".join(part.split()):
            reader = _Reader(pairs, interval, rules)
            rule = reader.rule(typed)
            if reader.wrong:
                faults.append(f"{one_line(typed[:200])}: {'; '.join(reader.wrong)}; for example {rule.text}")
            rules[rule.name] = rule
    return tuple(rules.values()) if not faults else (), tuple(faults)


class _Reader:
    """Reads one rule; collects what is wrong with it and puts that right, which makes the example."""

    def __init__(self, pairs: Collection[Pair] | None, interval: int, taken: Collection[str]) -> None:
        self.wrong: list[str] = []
        self._pairs = pairs
        self._interval = interval
        self._taken = taken

    def rule(self, typed: str) -> Rule:
        """The rule of a text; of the nearest text that is right where something is wrong with it."""
        parts = self._parts(typed)
        kind, who = parts["kind"], self._who(parts["who"])
        limit = self._limit(kind, parts["limit"])
        until = self._until(kind, limit, parts["until"])
        window = self._span(parts["window"], "in" if kind != "missing" else kind)
        hold = self._hold(kind, parts["hold"])
        level = self._level(parts["level"])
        condition = _condition(kind, limit, until, window)
        name = self._name(parts["name"], f"{who} {condition}{hold and f' for {hold}'}")
        if self.wrong:
            typed = f"{name}: {who} {condition}{hold and f' for {hold}'} as {level}"
        number = Decimal(limit or 0)
        return Rule(
            name=name,
            pair=None if who == "any" else typed_pair(who),
            kind=kind,
            limit=number,
            until=Decimal(until) if until else _until(kind, number),
            window=times.parse_length(window) if window else 0,
            hold=times.parse_length(hold) if hold else 0,
            level=LEVELS[level],
            condition=condition if self.wrong else parts["condition"],
            text=typed,
        )

    def _parts(self, typed: str) -> dict[str, str]:
        """The parts by name, each empty where it is absent."""
        parts = _PARTS.fullmatch(typed)
        kind = parts["kind"].lower() if parts else ""
        if parts is None or kind not in _FORMS:
            what = f"`PAIR CONDITION [for SPAN] [as LEVEL]`, the condition with one of {', '.join(_FORMS)}"
            self.wrong.append(f"a rule is {what}")
            return self._parts(f"{self._first_pair()} above 70000")
        form, example = _FORMS[kind]
        rest = parts["rest"] or ""
        condition = form.fullmatch(rest)
        if condition is None:
            self.wrong.append(f"{kind} stands as in `{example}`")
            return self._parts(f"{parts['who']} {example}")
        found = dict.fromkeys(("limit", "until", "window"), "")
        found |= {name: text or "" for name, text in (parts.groupdict() | condition.groupdict()).items()}
        return found | {"kind": kind, "condition": f"{parts['kind']} {rest}"}

    def _first_pair(self) -> str:
        return str(next(iter(self._pairs or ()), "BTC-USD"))

    def _who(self, text: str) -> str:
        if text.lower() == "any":
            return "any"
        try:
            if self._pairs is None or typed_pair(text) in self._pairs:
                return text
            self.wrong.append(f"{text[:40]} is not in PRICE_PAIRS")
        except ValueError:
            self.wrong.append(f"{text[:40]} is no pair such as {self._first_pair()}, nor `any`")
        return self._first_pair()

    def _limit(self, kind: str, text: str) -> str:
        if kind == "missing":
            return ""
        if kind in ("above", "below"):
            if _NUMBER.fullmatch(text) and Decimal(text) > 0:
                return text
            self.wrong.append(f"{text[:40]} is no price such as 70000")
            return "70000"
        below = _BELOW.get(kind, 1001)
        if _PERCENTAGE.fullmatch(text) and 0 < Decimal(text) < below:
            return text
        self.wrong.append(f"{text[:40]}% is no percentage above 0 and below {below}")
        return "95" if kind == "complete" else "5"

    def _until(self, kind: str, limit: str, text: str) -> str:
        if not text:
            return ""
        if not _NUMBER.fullmatch(text) or Decimal(text) == 0:
            self.wrong.append(f"{text[:40]} behind until is no price")
        elif (Decimal(text) > Decimal(limit)) if kind == "above" else (Decimal(text) < Decimal(limit)):
            side = "not be above" if kind == "above" else "not be below"
            self.wrong.append(f"until {text[:40]} must {side} {limit[:40]}, or it would end as it begins")
        else:
            return text
        return plain(_until(kind, Decimal(limit)))

    def _span(self, text: str, word: str) -> str:
        """A length of time from an interval to a day, put right where it is none."""
        if not text:
            return ""
        try:
            seconds = times.parse_length(text.lower())
        except ValueError:
            self.wrong.append(f"{text[:40]} behind {word} is no length of time such as 90s, 5m, 2h or 1d")
            return "1h"
        if self._interval <= seconds <= _DAY:
            return text.lower()
        self.wrong.append(f"{word} {text[:40]} must be from one interval, {self._interval}s, to 1d")
        return "1d" if seconds > _DAY else f"{self._interval}s"

    def _hold(self, kind: str, text: str) -> str:
        if text and kind == "missing":
            self.wrong.append("missing has its own length of time and takes no `for`")
            return ""
        return self._span(text, "for")

    def _level(self, text: str) -> str:
        if text and text.lower() not in LEVELS:
            self.wrong.append(f"there is no level {text[:40]}, only {', '.join(LEVELS)}")
            return "warning"
        return text.lower() or "warning"

    def _name(self, text: str, otherwise: str) -> str:
        name = text or _NOT_NAME.sub("-", otherwise.lower()).strip("-")[:40].strip("-")
        if not _NAME.fullmatch(name):
            self.wrong.append(f"the name {text[:60]} must be a-z, 0-9 and -, up to 40 characters")
            name = _NOT_NAME.sub("-", name.lower()).strip("-")[:40].strip("-") or "alert"
        if name in self._taken:
            self.wrong.append(f"a rule before it has the name {name} too")
            name = next(new for number in count(2) if (new := f"{name[:36]}-{number}") not in self._taken)
        return name


def _until(kind: str, limit: Decimal) -> Decimal:
    """The bound at which a rule is over where `until` names none."""
    if kind in ("above", "below"):
        return _EXACT.multiply(limit, Decimal("0.995" if kind == "above" else "1.005"))
    return (100 + limit) / 2 if kind == "complete" else limit / 2


def _condition(kind: str, limit: str, until: str, window: str) -> str:
    if kind in ("above", "below"):
        return f"{kind} {limit}" + (f" until {until}" if until else "")
    if kind == "complete":
        return f"complete below {limit}% in {window}"
    return {"missing": f"missing {window}", "apart": f"apart {limit}%"}.get(
        kind, f"{kind} {limit}% in {window}"
    )
