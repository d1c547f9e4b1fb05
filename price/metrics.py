"""`price metrics`: what status.json says, for those who scrape. A process of its own.

The recorder may take no port and must wait for nobody. Families are made at each scrape, so that what is not
known any more is absent: a price that is old, or the price of a recorder that is down.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from price import times
from price.counters import ANSWER_BOUNDS, REASONS, SLOT_BOUNDS, SYNC_BOUNDS
from price.errors import PriceError
from price.recorder.show_status import FAULTS, is_old, read_status

_FRESH_SECONDS = 60
_Samples = Iterable[tuple[Sequence[str], float]]


class StatusCollector(Collector):
    """The metrics of a recorder's status.json, read again at each scrape."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """All families; `price_recorder_up 0` alone where the file is not there or makes no sense."""
        families: list[Metric] = []
        up = False
        try:
            status, now = read_status(self._path), self._now()
            up = not is_old(status, now)
            families = [*_recorder(status), *_prices(status, now, up), *_sources(status, up)]
            if "since_start" in status:  # a recorder of an older version has none
                families += _since_start(status["since_start"])
        except FAULTS:
            up, families = False, []
        yield _gauge("price_recorder_up", "1 while the last slot on disk is at most 3 intervals old.", up)
        yield from families


def print_once(path: Path, now: Callable[[], datetime], say: Callable[[str], None]) -> int:
    """Prints the metrics in the text format."""
    for line in generate_latest(_registry(path, now)).decode("utf-8").splitlines():
        say(line)
    return 0


def serve(path: Path, now: Callable[[], datetime], listen: str, say: Callable[[str], None]) -> int:
    """Answers scrapes at ADDRESS:PORT until it is stopped. Raises PriceError where it cannot listen."""
    address, _, port = listen.rpartition(":")
    host = address.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise PriceError(f"--listen {listen}: must be ADDRESS:PORT, for example 127.0.0.1:17280")
    try:
        start_http_server(int(port), host, _registry(path, now))
    except OSError as error:
        raise PriceError(f"--listen {listen}: {error.strerror}; does something else listen there?") from error
    say(f"metrics of {path} at http://{listen}/metrics")
    # its thread answers; versions before 0.19, such as Debian 12's, do not return it
    threading.Event().wait()
    return 0


def _registry(path: Path, now: Callable[[], datetime]) -> CollectorRegistry:
    """One without the default collectors: they measure this process, not the recorder."""
    registry = CollectorRegistry()
    registry.register(StatusCollector(path, now))
    return registry


def _recorder(status: Mapping[str, Any]) -> Iterator[Metric]:
    started = times.unix(times.parse_iso(status["started"]))
    yield _gauge("price_build_info", "The recorder's version.", ["version"], [([status["version"]], 1)])
    yield _gauge("price_start_time_seconds", "When the recorder started, as Unix time.", started)
    yield _gauge("price_interval_seconds", "Seconds from slot to slot.", status["interval"])
    yield _gauge("price_rows_held", "Rows that the disk has not taken.", status["held"])
    if status["slot"]:
        slot = times.unix(times.parse_iso(status["slot"]))
        yield _gauge("price_last_slot_timestamp_seconds", "The last slot on stable storage.", slot)
    alerts = [([one["name"], one["pair"]], 1) for one in status.get("alerts", {"on": ()})["on"]]
    yield _gauge("price_alert_active", "1 for each alert that is on.", ["alert", "pair"], alerts)


def _prices(status: Mapping[str, Any], now: datetime, up: bool) -> Iterator[Metric]:
    fresh = max(_FRESH_SECONDS, 3 * status["interval"])
    values, slots, counts = [], [], []
    for pair, known in status["pairs"].items():
        if known["slot"] is None:
            continue
        slot = times.parse_iso(known["slot"])
        slots.append(([pair], times.unix(slot)))
        if up and (now - slot).total_seconds() <= fresh:
            values.append(([pair], float(known["price"])))
            counts.append(([pair], len(known["sources"])))
    exact = "as a float: every digit is in the log. Absent once it is old"
    yield _gauge("price_value", f"The last price in the pair's quote currency, {exact}.", ["pair"], values)
    yield _gauge("price_value_timestamp_seconds", "The slot of the last price.", ["pair"], slots)
    yield _gauge("price_value_sources", "How many sources the last price rests on.", ["pair"], counts)


def _sources(status: Mapping[str, Any], up: bool) -> Iterator[Metric]:
    known = status["sources"].items() if up else ()
    usable = [([name], one["reach"].endswith("1")) for name, one in known]
    apart = [([name], one["offset_bp"] / 10_000) for name, one in known if one["offset_bp"] is not None]
    asked = [([name], one["requests"]) for name, one in status["sources"].items()]
    help_apart = "Distance from the recorded price, of the pair where it is greatest: 0.01 is 1 %."
    yield _gauge("price_source_up", "1 where it gave a usable price in the last slot.", ["source"], usable)
    yield _gauge("price_source_offset_ratio", help_apart, ["source"], apart)
    yield _counter("price_source_requests", "Requests sent.", ["source"], asked)


def _since_start(since: Mapping[str, Any]) -> Iterator[Metric]:
    total = [([pair], slots[0]) for pair, slots in since["slots"].items()]
    missed = [([pair], slots[1]) for pair, slots in since["slots"].items()]
    reasons = [([reason], since["missed"].get(reason, 0)) for reason in REASONS]
    failures = [
        ([name, why], count) for name, whys in since["failures"].items() for why, count in whys.items()
    ]
    dropped, reloaded = since["dropped"], since["reloaded"]
    yield _counter("price_slots", "Slots accounted for.", ["pair"], total)
    yield _counter("price_slots_missed", "Slots without a price.", ["pair"], missed)
    yield _counter("price_missed_reasons", "Slots without a price, of all pairs.", ["reason"], reasons)
    yield _counter("price_source_failures", "Slots without its price, by why.", ["source", "why"], failures)
    yield _counter("price_journal_dropped", "Journal entries dropped.", [], [([], dropped)])
    yield _gauge("price_config_last_reload_successful", "0 after a refused reload.", reloaded)
    help_answer = "How long its good answers took."
    yield _histogram("price_source_answer_seconds", help_answer, since["answer"], ANSWER_BOUNDS)
    help_slot = "From a slot's instant to its rows on stable storage."
    yield _histogram("price_slot_seconds", help_slot, {"": since["slot"]}, SLOT_BOUNDS)
    yield _histogram("price_sync_seconds", "A write and its fdatasync.", {"": since["sync"]}, SYNC_BOUNDS)


def _gauge(name: str, help_text: str, labels: Sequence[str] | float, samples: _Samples = ()) -> Metric:
    """A gauge with labels and samples, or with one value."""
    if not isinstance(labels, Sequence):
        return GaugeMetricFamily(name, help_text, value=float(labels))
    return _filled(GaugeMetricFamily(name, help_text, labels=labels), samples)


def _counter(name: str, help_text: str, labels: Sequence[str], samples: _Samples) -> Metric:
    return _filled(CounterMetricFamily(name, help_text, labels=labels), samples)


def _filled(family: Any, samples: _Samples) -> Metric:
    """A family with its samples. Raises one of FAULTS for a label that is no text."""
    known = {tuple(value.encode() for value in values): float(number) for values, number in samples}
    for labels, number in known.items():
        family.add_metric([label.decode() for label in labels], number)
    filled: Metric = family
    return filled


def _histogram(
    name: str, help_text: str, counts: Mapping[str, Sequence[int]], bounds: Sequence[float]
) -> Metric:
    """A histogram of each source, or one without a label; counts end with the sum in microseconds."""
    family = HistogramMetricFamily(name, help_text, labels=[] if "" in counts else ["source"])
    for source, known in counts.items():
        source.encode()  # a lone surrogate would end the scrape
        *each, micros = known
        seen, buckets = 0, []
        for bound, count in zip([*map(str, bounds), "+Inf"], each, strict=True):
            seen += count
            buckets.append((bound, float(seen)))
        family.add_metric([source] if source else [], buckets, micros / 1_000_000)
    return family
