"""Who keeps time: how late each slot is asked, and who drifts."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from statistics import median, quantiles

from bench import tables
from bench.stand import Stand, peer, recorder

FLOOR_OFFSET_SECONDS = 0.5
"""The floor has a grid of its own, so that the two do not ask at the same moment."""
TOGETHER = (("price", "C, libcurl"), ("Session", "tutorial script", "curl, jq, logger"))
ONE_SOURCE = ("ccxt", "collectd")
"""What asks no second source, that could hang."""
COMMANDS: Mapping[str, Sequence[str]] = {
    "price": recorder(),
    "C, libcurl": peer("floor"),
    "Session": peer("session.py"),
    "tutorial script": peer("tutorial.py"),
    "curl, jq, logger": peer("loop.sh"),
    "ccxt": peer("ccxt_loop.py"),
}
ON_A_GRID = {"price": 0.0, "C, libcurl": FLOOR_OFFSET_SECONDS}


def tell(stand: Stand, slots: int) -> None:
    """Prints the table, from the times at which the servers were asked."""
    rows = []
    for beside, hanging in (("alone", False), ("beside a source that hangs", True)):
        for names in TOGETHER if hanging else (*TOGETHER, ONE_SOURCE):
            for name, moments in _asked(stand, names, slots, hanging).items():
                rows.append(
                    (name, beside, len(moments), *_lateness_ms(name, moments), _drift_ms(name, moments))
                )
    tables.show(
        "Keeping time, a tick a second",
        ("way", "", "ticks", "late ms, median", "late ms, p99", "drift ms a tick"),
        rows,
        "Late: when the server was asked, past the slot; who sleeps between ticks has no slots.",
    )


def _asked(stand: Stand, names: Sequence[str], slots: int, hanging: bool) -> dict[str, list[float]]:
    """When each way asked its good source, all of `names` at once."""
    good = {name: f"coinbase-{number}" for number, name in enumerate(names)}
    bad = {name: f"kraken-{number}" for number, name in enumerate(names)}
    exchanges = [f"{name}=coinbase" for name in good.values()] + [
        f"{name}=kraken:hangs" for name in bad.values()
    ]
    with stand.serving(*exchanges), ThreadPoolExecutor() as pool:
        for name in names:
            sources = (good[name], bad[name]) if hanging else (good[name],)
            environ = stand.peer(*sources, slots=slots, interval=1, OFFSET=str(FLOOR_OFFSET_SECONDS))
            environ |= stand.recorder(*sources, PRICE_INTERVAL="1", PRICE_TIMEOUT="0.8")
            command = COMMANDS.get(name) or stand.collectd(good[name], interval=1)
            pool.submit(stand.cost, command, environ, seconds=slots + 1)
    asked = stand.asked()
    return {name: asked[good[name]] for name in names}


def _lateness_ms(name: str, moments: Sequence[float]) -> tuple[object, object]:
    if name not in ON_A_GRID:
        return "", ""
    late = [(moment - ON_A_GRID[name]) % 1 * 1000 for moment in moments[1:]]
    return median(late), quantiles(late, n=100)[98]


def _drift_ms(name: str, moments: Sequence[float]) -> float:
    """How much longer than a second a tick takes; on a grid, slots that were skipped are no drift."""
    steps = [after - before for before, after in pairwise(moments[1:])]
    meant = [max(1, round(step)) if name in ON_A_GRID else 1 for step in steps]
    return (sum(steps) - sum(meant)) / len(steps) * 1000
