"""Rules and their changes in words."""

from decimal import Decimal

from price.alerts.parse import LEVELS
from price.alerts.rules import Change, Rule
from price.log.row import plain

_CENT = Decimal("0.01")
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def length(seconds: int) -> str:
    """A length of time in its two largest units: `12 min 5 s`, `1 h`, `2 d 3 h`."""
    words: list[str] = []
    for size, unit in _UNITS:
        if seconds >= size and len(words) < 2:
            words.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(words) or "0 s"


def describe(rule: Rule) -> str:
    """A rule in words, its second bound and its level included."""
    limit, until = plain(rule.limit), plain(rule.until)
    window, over = length(rule.window), f"over under {until} %"
    condition = {
        "above": f"a price above {limit}, over below {until}",
        "below": f"a price below {limit}, over above {until}",
        "moves": f"a move of {limit} % or more within {window}, {over}",
        "rises": f"a rise of {limit} % or more within {window}, {over}",
        "falls": f"a fall of {limit} % or more within {window}, {over}",
        "missing": f"no price for {window}, over at the next price",
        "apart": f"sources {limit} % or more apart, {over}",
        "complete": f"prices in under {limit} % of the slots within {window}, over from {until} % on",
    }[rule.kind]
    held = f", held for {length(rule.hold)}" if rule.hold else ""
    level = next(word for word, level in LEVELS.items() if level == rule.level)
    return f"{rule.name}: {rule.pair or 'each pair'}: {condition}{held}; logged as {level}"


def message(change: Change) -> str:
    """A change as a sentence, such as `btc-high: BTC-USD 70012.5 is above 70000`."""
    rule, pair = change.rule, change.quote.pair
    if not change.on:
        after = length(change.unix - change.since)
        return f"{rule.name} over after {after}: {pair} {_now(change)}{_peak(change)}"
    if rule.kind in ("above", "below"):
        return f"{rule.name}: {pair} {_now(change)} is {rule.kind} {plain(rule.limit)}"
    return f"{rule.name}: {pair} {_now(change)}"


def _now(change: Change) -> str:
    """What was compared."""
    rule, value = change.rule, change.value
    if rule.kind == "missing" and value is None:
        return f"has had no price for {length(int(change.past or 0))}"
    if value is None:
        return "without a price"
    if rule.kind == "apart":
        return f"sources are {_percent(value)} % apart"
    if rule.kind == "complete":
        return f"has {_percent(value)} % of its slots of {length(rule.window)}"
    if rule.kind in ("above", "below", "missing") or change.past is None or not change.on:
        return plain(value)
    verb = "rose" if value >= change.past else "fell"
    percent = _percent(abs(value - change.past) * 100 / change.past)
    return f"{plain(value)} {verb} {percent} % within {length(rule.window)}, from {plain(change.past)}"


def _peak(change: Change) -> str:
    """The farthest that the value went while the rule was on."""
    kind, low, high = change.rule.kind, change.low, change.high
    if low is None or high is None or kind == "missing":
        return ""
    if kind in ("apart", "complete"):
        return f", {'most' if kind == 'apart' else 'least'} {_percent(high if kind == 'apart' else low)} %"
    lowest, highest = f"lowest {plain(low)}", f"highest {plain(high)}"
    return {
        "above": f", {highest}",
        "rises": f", {highest}",
        "below": f", {lowest}",
        "falls": f", {lowest}",
    }.get(kind, f", {lowest}, {highest}")


def _percent(value: Decimal) -> str:
    return plain(value.quantize(_CENT)) if value < 10**9 else f"{value:.3g}"
