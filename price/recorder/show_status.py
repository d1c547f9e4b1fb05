"""The running recorder at a glance: the command `status`, from what it shows in status.json."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from price import host, times
from price.errors import PriceError
from price.smallfile import SCHEMA, is_none, read_small
from price.text import MALFORMED, counted

_INTERVALS_ALIVE = 3
FAULTS = (OSError, *MALFORMED)
"""What may be raised by reading a file that anybody may have written."""
_MOST_BYTES = 16 * 1024 * 1024
_SOURCE_HEAD = (
    f"{'source':<10} {'state':<12} {'reach':<8} {'offset':>9} {'age':>8} {'ms':>5} {'asked':>7} {'failed':>7}"
)


def read_status(path: Path) -> Any:
    """What a status.json holds. Raises one of FAULTS, as taking it apart may.

    One without a schema is of a version before there were schemas.
    """
    status = json.loads(read_small(path, _MOST_BYTES))
    if (schema := status.get("schema", SCHEMA)) != SCHEMA:
        raise ValueError(f"its schema is {schema!r}, and this version of price knows {SCHEMA}")
    return status


def is_old(status: Any, now: datetime) -> bool:
    """Whether the last slot on disk is too old for a recorder that is at work. Raises one of FAULTS."""
    age = _age(status["slot"] or status["started"], now)
    return bool(age > _INTERVALS_ALIVE * status["interval"])


def is_gone(status: Any) -> bool:
    """Whether the recorder has ended, as far as can be known here. Raises one of FAULTS.

    Its process number means something only on its machine and in its namespace: not in another container.
    """
    return not _is_alive(status) and bool(status.get("place") == host.place())


def _is_alive(status: Any) -> bool:
    return host.alive(status["pid"], times.parse_iso(status["started"]))


def show_status(path: Path, as_json: bool, now: Callable[[], datetime], say: Callable[[str], None]) -> int:
    """Prints how the recorder is; 0 if it records, 1 if it waits, is gone or its last slot is too old.

    Raises PriceError where there is no status to read.
    """
    try:
        if is_none(path):
            raise PriceError(f"no status is kept: PRICE_STATUS={path}; name a file for it and reload")
        status = read_status(path)
        moment = now()  # after the reading: nothing in it is younger
        lines, whole, old = _lines(status, moment), json.dumps(status), is_old(status, moment)
        gone = is_gone(status) or (old and not _is_alive(status))
        trouble = _trouble(status, gone=gone, old=old)
    except FileNotFoundError:
        raise PriceError(
            f"no recorder runs here: {path} is not there; start one, or set PRICE_STATUS"
        ) from None
    except FAULTS as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else error
        raise PriceError(f"{path}: cannot be read as a status ({why}); is PRICE_STATUS right?") from error
    for shown in [whole] if as_json else [*lines, *trouble]:
        say(shown)
    return 1 if gone or old or status.get("waiting") else 0


def _trouble(status: dict[str, Any], *, gone: bool, old: bool) -> list[str]:
    """Why the recorder does not record, in a line."""
    if gone:
        return ["no recorder runs here any more: this is what the last one left behind when it was killed"]
    if status.get("waiting"):
        return [f"no row is written: {status['waiting']}"]
    if old:
        return [
            f"its last slot is older than {_INTERVALS_ALIVE} intervals: it, or its disk, is stopped or stuck"
        ]
    return []


def _lines(status: dict[str, Any], now: datetime) -> list[str]:
    slot = status["slot"]
    held = f", {counted(status['held'], 'row')} held back" if status["held"] else ""
    age = _age(slot, now)
    ago = f"{times.span(age)} ago" if age >= 0 else f"{times.span(-age)} ahead of the clock"
    lines = [
        f"price {status['version']}, process {status['pid']}, since {status['started']}",
        f"last slot on disk: {f'{slot}, {ago}' if slot else 'none yet'}{held}",
        *_clock(status.get("clock_ahead_seconds")),
        "",
        f"{'pair':<12} {'last price':>18} {'age':>8} {'recorded':>9} {'missed':>7}  today, UTC",
    ]
    for pair, known in status["pairs"].items():
        shown = times.span(max(0.0, _age(known["slot"], now))) if known["slot"] else "-"
        lines.append(
            f"{pair:<12} {known['price'] or '-':>18} {shown:>8} {known['recorded']:>9} {known['missed']:>7}"
        )
    lines += ["", _SOURCE_HEAD]
    for name, known in status["sources"].items():
        offset = "-" if known["offset_bp"] is None else f"{known['offset_bp']:+.2f} bp"
        shown = "-" if known["age_seconds"] is None else times.span(max(0.0, known["age_seconds"]))
        until = f"  until {known['until']}" if known.get("until") else ""
        lines.append(
            f"{name:<10} {known['state']:<12} {known['reach']:<8} {offset:>9} {shown:>8}"
            f" {known['milliseconds']:>5} {known['requests']:>7} {known['failures']:>7}{until}"
        )
    return lines + _alerts(status, now)


def _clock(ahead: float | None) -> list[str]:
    """How far the clock is off, where it is."""
    if ahead is None:
        return []
    way = "ahead of" if ahead > 0 else "behind"
    return [
        f"the clock is {times.span(abs(ahead))} {way} the servers of most sources: rows are in wrong slots"
    ]


def _alerts(status: dict[str, Any], now: datetime) -> list[str]:
    alerts = status.get("alerts", {"on": [], "changes": []})
    on = [
        f"{one['name']:<40} {one['pair']:<12} for {times.span(max(0.0, _age(one['since'], now)))}"
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
        if is_gone(status):
            return None
        found: dict[str, list[str]] = {}
        for one in status["alerts"]["on"]:
            found.setdefault(one["name"], []).append(f"{one['pair']} since {one['since']}")
    except FAULTS:
        return None
    return found


def _age(slot: str | None, now: datetime) -> float:
    return (now - times.parse_iso(slot)).total_seconds() if slot else 0.0
