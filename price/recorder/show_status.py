"""The running recorder at a show_status: the command `status`, from what it shows in status.json."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from price import host, times
from price.errors import PriceError
from price.text import MALFORMED

_INTERVALS_ALIVE = 3
FAULTS = (OSError, *MALFORMED)
"""What may be raised by reading a file that anybody may have written."""
_MOST_BYTES = 16 * 1024 * 1024
_SOURCE_HEAD = (
    f"{'source':<10} {'state':<12} {'reach':<8} {'offset':>9} {'age':>8} {'ms':>5} {'asked':>7} {'failed':>7}"
)


def read_status(path: Path) -> Any:
    """What a status.json holds. Raises one of FAULTS, as does whoever looks into it."""
    with path.open("rb") as file:
        text = file.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise ValueError("it is far larger than a status")
    return json.loads(text)


def is_old(status: Any, now: datetime) -> bool:
    """Whether the last slot on disk is too old for a recorder that is at work. Raises one of FAULTS."""
    age = _age(status["slot"] or status["started"], now)
    return bool(age > _INTERVALS_ALIVE * status["interval"])


def show_status(path: Path, as_json: bool, now: datetime, say: Callable[[str], None]) -> int:
    """Says how the recorder is; 0 if it is at work, 1 if it is gone or its last slot is too old.

    Raises PriceError where there is no status to read.
    """
    try:
        status = read_status(path)
        lines, whole = _lines(status, now), json.dumps(status)
        old, gone = is_old(status, now), not host.alive(status["pid"])
    except FileNotFoundError:
        raise PriceError(
            f"no recorder runs here: {path} is not there; start one, or set PRICE_STATUS"
        ) from None
    except FAULTS as error:
        raise PriceError(f"{path}: cannot be read as a status ({error}); is PRICE_STATUS right?") from error
    for shown in [whole] if as_json else lines:
        say(shown)
    if gone and not as_json:
        say("no recorder runs here any more: this is what the last one left behind when it was killed")
    elif old and not as_json:
        say(f"its last slot is older than {_INTERVALS_ALIVE} intervals: it, or its disk, is stopped or stuck")
    return 1 if gone or old else 0


def _lines(status: dict[str, Any], now: datetime) -> list[str]:
    slot = status["slot"]
    held = f", {status['held']} rows held back" if status["held"] else ""
    last = f"{slot}, {times.span(_age(slot, now))} ago" if slot else "none yet"
    lines = [
        f"price {status['version']}, process {status['pid']}, since {status['started']}",
        f"last slot on disk: {last}{held}",
        "",
        f"{'pair':<12} {'last price':>18} {'age':>8} {'recorded':>9} {'missed':>7}  today, UTC",
    ]
    for pair, known in status["pairs"].items():
        age = times.span(_age(known["slot"], now)) if known["slot"] else "-"
        lines.append(
            f"{pair:<12} {known['price'] or '-':>18} {age:>8} {known['recorded']:>9} {known['missed']:>7}"
        )
    lines += ["", _SOURCE_HEAD]
    for name, known in status["sources"].items():
        offset = "-" if known["offset_bp"] is None else f"{known['offset_bp']:+.2f} bp"
        age = "-" if known["age_seconds"] is None else times.span(known["age_seconds"])
        lines.append(
            f"{name:<10} {known['state']:<12} {known['reach']:<8} {offset:>9} {age:>8}"
            f" {known['milliseconds']:>5} {known['requests']:>7} {known['failures']:>7}"
        )
    return lines + _alerts(status, now)


def _alerts(status: dict[str, Any], now: datetime) -> list[str]:
    alerts = status.get("alerts", {"on": [], "changes": []})
    on = [
        f"{one['name']:<40} {one['pair']:<12} for {times.span(_age(one['since'], now))}"
        for one in alerts["on"]
    ]
    changes = [f"{one.get('slot', '-'):<20} {one['message']}" for one in alerts["changes"]]
    return [
        *(["", "alerts that are on", *on] if on else []),
        *(["", "alerts, last changes", *changes] if changes else []),
    ]


def alerts_on(path: Path) -> dict[str, list[str]] | None:
    """The alerts that are on, by name, as `BTC-USD since …`; None where no recorder runs."""
    try:
        status = read_status(path)
        if not host.alive(status["pid"]):
            return None
        found: dict[str, list[str]] = {}
        for one in status["alerts"]["on"]:
            found.setdefault(one["name"], []).append(f"{one['pair']} since {one['since']}")
    except FAULTS:
        return None
    return found


def _age(slot: str | None, now: datetime) -> float:
    return (now - times.parse_iso(slot)).total_seconds() if slot else 0.0
