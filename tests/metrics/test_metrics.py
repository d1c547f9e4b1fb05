"""What is scraped: the table of metrics, what is absent when it is not known, and hostile files."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from price import times
from price.errors import PriceError
from price.metrics import StatusCollector, print_once, serve
from tests.scene import Scene

SOURCES = ("coinbase", "kraken", "bitstamp", "gemini", "bitfinex", "binance", "okx", "coingecko")
NOW = times.parse_iso("2026-11-20T16:00:07Z")


class Scraped:
    """The samples of a status.json at a time."""

    def __init__(self, path: Path, late: float = 0) -> None:
        registry = CollectorRegistry()
        registry.register(StatusCollector(path, lambda: NOW + timedelta(seconds=late)))
        self.samples = {
            (one.name, *one.labels.values()): one.value
            for family in registry.collect()
            for one in family.samples
        }

    def __getitem__(self, key: str | tuple[str, ...]) -> float | None:
        return self.samples.get((key,) if isinstance(key, str) else key)


def status(pairs: int = 1) -> dict[str, Any]:
    """A status.json of a recorder whose last slot is 16:00:05."""
    names = ["BTC-USD", *(f"C{number}-USD" for number in range(1, pairs))]
    known = {"price": "97123.45", "slot": "2026-11-20T16:00:05Z", "sources": ["kraken", "okx"]}
    source = {"reach": "11111101", "offset_bp": -12.5, "requests": 1000, "failures": 3}
    return {
        "version": "1.2.3",
        "pid": 1,
        "started": "2026-11-20T15:00:00Z",
        "interval": 5,
        "slot": "2026-11-20T16:00:05Z",
        "held": 0,
        "pairs": dict.fromkeys(names, known),
        "sources": dict.fromkeys(SOURCES, source),
        "alerts": {"on": [{"name": "high", "pair": "BTC-USD", "since": "…"}], "changes": []},
        "since_start": {
            "slots": {name: [720, 13] for name in names},
            "missed": {"down": 11, "sources": 2},
            "failures": {name: {"timeout": 3, "resting": 1} for name in SOURCES},
            "answer": {name: [1, 2, 3, 0, 0, 0, 1, 4_500_000] for name in SOURCES},
            "slot": [0, 700, 20, 0, 0, 0, 0, 180_000_000],
            "sync": [0, 719, 0, 0, 1, 0, 0, 0, 0, 1_500_000],
            "dropped": 4,
            "reloaded": False,
        },
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], Path]:
    def written(value: Any) -> Path:
        path = tmp_path / "status.json"
        path.write_text(json.dumps(value))
        return path

    return written


def test_each_metric_of_the_table_is_there(write: Callable[[Any], Path]) -> None:
    found = Scraped(write(status()))

    assert found["price_recorder_up"] == 1
    assert found["price_build_info", "1.2.3"] == 1
    assert found["price_start_time_seconds"] == times.unix(times.parse_iso("2026-11-20T15:00:00Z"))
    assert found["price_interval_seconds"] == 5
    assert found["price_last_slot_timestamp_seconds"] == times.unix(NOW) - 2
    assert found["price_rows_held"] == 0
    assert found["price_value", "BTC-USD"] == 97123.45
    assert found["price_value_timestamp_seconds", "BTC-USD"] == times.unix(NOW) - 2
    assert found["price_value_sources", "BTC-USD"] == 2
    assert found["price_slots_total", "BTC-USD"] == 720
    assert found["price_slots_missed_total", "BTC-USD"] == 13
    reasons = {
        key[1]: value for key, value in found.samples.items() if key[0] == "price_missed_reasons_total"
    }
    assert reasons == {"down": 11, "late": 0, "quorum": 0, "disagree": 0, "unconfirmed": 0, "sources": 2}
    assert found["price_source_up", "kraken"] == 1
    assert found["price_source_requests_total", "kraken"] == 1000
    assert found["price_source_failures_total", "kraken", "timeout"] == 3
    assert found["price_source_answer_seconds_bucket", "kraken", "0.25"] == 6
    assert found["price_source_answer_seconds_bucket", "kraken", "+Inf"] == 7
    assert found["price_source_answer_seconds_sum", "kraken"] == 4.5
    assert found["price_source_offset_ratio", "kraken"] == -0.00125
    assert found["price_slot_seconds_bucket", "0.25"] == 700
    assert found["price_slot_seconds_count"] == 720
    assert found["price_sync_seconds_bucket", "0.005"] == 719
    assert found["price_journal_dropped_total"] == 4
    assert found["price_config_last_reload_successful"] == 0
    assert found["price_alert_active", "high", "BTC-USD"] == 1


def test_a_price_that_is_old_is_absent_and_its_slot_stays(write: Callable[[Any], Path]) -> None:
    old = status()
    old["pairs"]["BTC-USD"] = {**old["pairs"]["BTC-USD"], "slot": "2026-11-20T15:59:05Z"}
    path = write(old)

    fresh, stale = Scraped(path, -2), Scraped(path)

    assert fresh["price_value", "BTC-USD"] == 97123.45
    assert stale["price_recorder_up"] == 1
    assert stale["price_value", "BTC-USD"] is None
    assert stale["price_value_sources", "BTC-USD"] is None
    assert stale["price_value_timestamp_seconds", "BTC-USD"] is not None


def test_of_a_recorder_that_is_down_only_what_stays_true_is_there(write: Callable[[Any], Path]) -> None:
    path = write(status())

    up, down = Scraped(path, 13), Scraped(path, 14)

    assert (up["price_recorder_up"], up["price_value", "BTC-USD"]) == (1, 97123.45)
    assert (down["price_recorder_up"], down["price_value", "BTC-USD"]) == (0, None)
    assert down["price_source_up", "kraken"] is None
    assert down["price_slots_total", "BTC-USD"] == 720  # a counter that vanished would come back as a rise


def test_a_recorder_that_waits_for_its_first_slot_has_no_prices_and_is_up(
    write: Callable[[Any], Path],
) -> None:
    new = status() | {"slot": None, "started": "2026-11-20T16:00:00Z"}
    new["pairs"] = {"BTC-USD": {"price": None, "slot": None, "sources": []}}

    found = Scraped(write(new))

    assert found["price_recorder_up"] == 1
    assert found["price_last_slot_timestamp_seconds"] is None
    assert found["price_value_timestamp_seconds", "BTC-USD"] is None


def test_an_older_recorder_has_no_counters_yet(write: Callable[[Any], Path]) -> None:
    old = status()
    del old["since_start"], old["alerts"]

    found = Scraped(write(old))

    assert (found["price_recorder_up"], found["price_value", "BTC-USD"]) == (1, 97123.45)
    assert found["price_slots_total", "BTC-USD"] is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '"x"',
        "[" * 100_000,
        json.dumps(status())[:-40],
        json.dumps({"version": 99, "recorders": []}),
        json.dumps(status() | {"interval": "5"}),
        json.dumps(status() | {"interval": None}),
        json.dumps(status() | {"slot": "yesterday"}),
        json.dumps(status() | {"pairs": [1]}),
        json.dumps(status() | {"pairs": {"BTC-USD": {"price": "much", "slot": "2026-11-20T16:00:05Z"}}}),
        json.dumps(status() | {"since_start": {"slots": {}}}),
        json.dumps(status() | {"since_start": status()["since_start"] | {"slot": [1]}}),
        json.dumps(status() | {"sources": {"kraken": {}}}),
        json.dumps(status() | {"alerts": 5}),
        '{"version": 1e999999}',
        "\ud800",
        "\0" * 1000,
        " " * (17 << 20),
    ],
)
def test_a_hostile_status_is_a_recorder_that_is_down(tmp_path: Path, text: str) -> None:
    path = tmp_path / "status.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    assert Scraped(path).samples == {("price_recorder_up",): 0}


def test_without_a_status_a_recorder_is_down(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    assert Scraped(tmp_path / "none").samples == {("price_recorder_up",): 0}
    assert Scraped(tmp_path / "folder").samples == {("price_recorder_up",): 0}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([*status(), "BTC-USD", "kraken", "slots", "failures", "answer"]), JSON)
def test_whatever_stands_in_a_status_a_scrape_has_an_answer(tmp_path: Path, name: str, value: Any) -> None:
    def replaced(known: Any) -> Any:
        if isinstance(known, dict):
            return {key: value if key == name else replaced(one) for key, one in known.items()}
        return known

    path = tmp_path / "status.json"
    path.write_text(json.dumps(replaced(status())))
    lines: list[str] = []

    print_once(path, lambda: NOW, lines.append)

    assert any(line.startswith("price_recorder_up ") for line in lines)


def test_three_hundred_pairs_of_eight_sources_take_a_moment(write: Callable[[Any], Path]) -> None:
    path = write(status(300))
    lines: list[str] = []

    began = time.process_time()
    print_once(path, lambda: NOW, lines.append)

    assert time.process_time() - began < 0.3
    assert len([line for line in lines if not line.startswith("#")]) > 1500


@pytest.mark.parametrize(
    "listen", ["17280", "localhost", ":17280", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:70000"]
)
def test_a_place_to_listen_that_is_none_is_named_with_one_that_is(tmp_path: Path, listen: str) -> None:
    with pytest.raises(PriceError, match=r"must be ADDRESS:PORT, for example 127\.0\.0\.1:17280"):
        serve(tmp_path / "status.json", lambda: NOW, listen, print)


def test_the_recorder_counts_what_is_scraped(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken,bitstamp")
    scene.net.bitstamp.hangs()
    found: list[dict[str, Any]] = []
    scene.clock.at(3.5, lambda: scene.net.kraken.says("200"))
    scene.reload_at(9, INTERVAL="7")
    scene.clock.at(24, lambda: found.append(scene.json("status.json")["since_start"]))

    scene.run(until=25)

    (since,) = found
    assert since["slots"] == {"BTC-USD": [5, 4]}
    assert since["missed"] == {"quorum": 4}
    assert since["failures"]["bitstamp"] == {"timeout": 1, "busy": 4}
    assert since["answer"]["coinbase"] == [0, 5, 0, 0, 0, 0, 0, 500_000]
    assert sum(since["slot"][:-1]) == sum(since["sync"][:-1]) == 5
    assert (since["dropped"], since["reloaded"]) == (0, False)
