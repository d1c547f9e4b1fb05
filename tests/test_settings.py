"""The settings: what each takes, what it is by default, and what is said of what it cannot be."""

import os
import re
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import settings
from price.cli import main
from price.errors import SettingsError
from price.model import Pair
from price.plan import Plan, plan
from price.settings import NAMES, ROWS, Settings, values
from price.settings.table import URLS
from price.sources import SOURCES

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
LOG = "# price-log 1 every=5s\n2026-11-20T15:52:05Z BTC-USD 1 kraken\n"
BTC, ETH = Pair("BTC", "USD"), Pair("ETH", "USD")


def _make_huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 31)


def _make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


NO_FILES: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "folder": (Path.mkdir, "it is a folder, not a file"),
    "binary": (lambda path: path.write_bytes(b"PRICE_PAIRS=\xff\xfe"), "it is not UTF-8 text"),
    "FIFO": (os.mkfifo, "it is a FIFO, not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "it is a device, not a file"),
    "circle": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    "huge": (_make_huge, "larger than 1048576"),
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(**values: str) -> Settings:
    """The settings of these variables, without their PRICE_."""
    return settings.load({f"PRICE_{name}": value for name, value in values.items()})


def faults(environ: Mapping[str, str] | None = None, **values: str) -> list[str]:
    """What is said of variables that cannot be used."""
    with pytest.raises(SettingsError) as caught:
        settings.load({**(environ or {}), **{f"PRICE_{name}": value for name, value in values.items()}})
    return caught.value.faults


def test_without_any_setting_the_defaults_hold() -> None:
    found = settings.load({})

    assert found.pairs == (BTC,)
    assert found.sources == ("coinbase", "kraken", "bitstamp")
    assert (found.quorum, found.interval, found.timeout, found.max_age) == (None, 5, 2, 60)
    assert (found.max_spread, found.max_jump) == (Decimal(1), Decimal(5))
    assert (found.file, found.state, found.status) == (
        Path("logs/prices.txt"),
        Path("logs/state.json"),
        Path("logs/status.json"),
    )
    assert (found.log_level, found.coingecko_key) == ("INFO", "")
    assert found.urls["kraken"] == "https://api.kraken.com"
    assert not any(found.network.values())


def test_env_example_names_each_setting_with_its_default() -> None:
    text = (HERE.parent / "env.example").read_text()
    named = dict(re.findall(r"^(PRICE_\w+)=(.*)$", text, re.MULTILINE))

    assert set(named) == set(ROWS)
    assert settings.load(named) == settings.load({})


def test_the_table_of_the_readme_has_each_setting_with_its_default_and_meaning() -> None:
    text = (HERE.parent / "README.md").read_text()
    table = re.findall(r"^\| `(PRICE_\w+)`( …)? \| (.*?) ?\| (.*) \|$", text, re.MULTILINE)
    url = next(iter(URLS))
    defaults = {name: row.default_text({}, {}) for name, row in ROWS.items()}
    shown = [
        (name, row.shown or (f"`{defaults[name]}`" if defaults[name] else ""), row.help)
        for name, row in ROWS.items()
        if name not in URLS or name == url
    ]

    assert sorted((name, default, meaning) for name, _, default, meaning in table) == sorted(shown)


@pytest.mark.parametrize(
    "name", [name for name in ROWS if name not in ("PRICE_FILE", "PRICE_STATE", "PRICE_STATUS")]
)
def test_every_row_of_the_table_refuses_what_it_cannot_be(name: str) -> None:
    (fault,) = faults({name: "not so"})

    assert fault.startswith(f"{name}=")


@pytest.mark.parametrize(
    ("interval", "timeout"), [("1", 0.8), ("2", 1.6), ("3", 2), ("4", 2), ("5", 2), ("3600", 2)]
)
def test_the_timeout_is_two_seconds_or_four_fifths_of_a_short_interval(interval: str, timeout: float) -> None:
    assert load(INTERVAL=interval).timeout == timeout


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("BTC-USD,ETH-USD", (BTC, ETH)),
        ("btc/usd, eth-usd", (BTC, ETH)),
        ("bitcoin,Ethereum", (BTC, ETH)),
        (" BTC-USD ", (BTC,)),
        ("usd-coin", (Pair("USDC", "USD"),)),
        ("bitcoin-cash", (Pair("BCH", "USD"),)),
    ],
)
def test_pairs_are_understood_in_several_forms(text: str, pairs: tuple[Pair, ...]) -> None:
    assert load(PAIRS=text).pairs == pairs


@pytest.mark.parametrize(
    ("name", "good", "value"),
    [
        ("SOURCES", "Kraken, OKX", ("kraken", "okx")),
        ("QUORUM", "3", 3),
        ("INTERVAL", "3600", 3600),
        ("INTERVAL", "1", 1),
        ("TIMEOUT", "4.999", 4.999),
        ("TIMEOUT", "0.05", 0.05),
        ("MAX_AGE", "1", 1),
        ("MAX_AGE", "86400", 86400),
        ("MAX_SPREAD", "0.25", Decimal("0.25")),
        ("MAX_JUMP", "1000", Decimal(1000)),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("LOG_LEVEL", "Critical", "CRITICAL"),
        ("LOG_FORMAT", "JSON", "json"),
        ("FILE", "/var/log/p.txt", Path("/var/log/p.txt")),
        ("STATE", "~/x/s.json", Path.home() / "x" / "s.json"),
        ("STATUS", "t.json", Path("t.json")),
        ("COINGECKO_KEY", "CG-x", "CG-x"),
        (
            "FOLLOW_NATS",
            "nats://a:4222, tls://b, nats://a:4222",
            ("nats://a:4222", "tls://b", "nats://a:4222"),
        ),
    ],
)
def test_each_setting_takes_its_values(name: str, good: str, value: object) -> None:
    assert getattr(load(**{name: good}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *(("PAIRS", bad) for bad in ("BTC", "BTC-USD-X", ",", "BTC-USD,", "BTC-USD,btc/usd",
        "B\u00fcC-USD", "A" * 21 + "-USD")),
        *(("SOURCES", bad) for bad in ("krakn", "kraken,kraken", ",", "kraken;okx")),
        *(("QUORUM", bad) for bad in ("0", "-1", "1.5", "x", "100", "\u0661", "9999999999")),
        *(("INTERVAL", bad) for bad in ("0", "7", "-5", "3601", "7200", "5.0", "5s", "\u0665", "86400",
        "1" * 5000)),
        *(("TIMEOUT", bad) for bad in ("0", "0.01", "-1", "x", "nan", "inf", "1e1", "3600", "\u0662", "2 s")),
        *(("MAX_AGE", bad) for bad in ("0", "0.5", "86401", "x", "1e3")),
        *(("MAX_SPREAD", bad) for bad in ("0", "-1", "1001", "1%", "nan", "1e1", "1.")),
        *(("MAX_JUMP", bad) for bad in ("0", "-1", "1001", "Infinity")),
        *(("LOG_FORMAT", bad) for bad in ("xml", "json,text", "{}")),
        *(("LOG_LEVEL", bad) for bad in ("LOUD", "10", "info!")),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_with_its_name_itself_and_a_valid_one(name: str, bad: str) -> None:
    (fault,) = faults({f"PRICE_{name}": bad})

    assert fault.startswith(f"PRICE_{name}={bad}: ")
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.kraken.com/", "https://api.kraken.com"),
        ("http://localhost:8080/kraken/", "http://localhost:8080/kraken"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://[fe80::1%25eth0]", "https://[fe80::1%25eth0]"),
    ],
)
def test_a_url_may_have_a_port_and_a_prefix(url: str, kept: str) -> None:
    assert load(KRAKEN_URL=url).urls["kraken"] == kept


@pytest.mark.parametrize(
    "url",
    ["https://*.kraken.com", "https://.kraken.com", "https://a..b", f"https://{'a' * 64}.com", "https://-", "http://[::1",
     "https://kraken.com:0", "https://kr\u00e4ken.com", "https://a b", "https:///x", "https://a%20b", "https://[::1]x",
     "https://a_b\\c", "https://api.kraken.com:99999", "api.kraken.com", "ftp://api.kraken.com", "https://",
     "https://x:y", "https://x:", "https://a.b\n", "https://a.b/c\n", "https://[v1.x]", "https://a.b/\u017f"],
)  # fmt: skip
def test_a_url_that_cannot_be_asked_is_a_bad_setting(url: str) -> None:
    with pytest.raises(ValueError, match="must be scheme://host"):
        values.url(url)


def test_every_fault_is_said_at_once() -> None:
    found = faults(
        PAIRS="BTC", SOURCES="krakn", INTERVAL="7", TIMEOUT="x", QUORUM="0", LOG_LEVEL="LOUD", FOO="1"
    )

    assert [fault.split("=")[0].split(":")[0] for fault in found] == [
        "PRICE_FOO",
        "PRICE_PAIRS",
        "PRICE_SOURCES",
        "PRICE_QUORUM",
        "PRICE_INTERVAL",
        "PRICE_TIMEOUT",
        "PRICE_LOG_LEVEL",
    ]


def test_a_fault_of_one_setting_does_not_hide_what_others_do_to_each_other() -> None:
    found = faults(LOG_LEVEL="LOUD", QUORUM="4", TIMEOUT="5")

    assert [fault.split(":")[0] for fault in found] == [
        "PRICE_LOG_LEVEL=LOUD",
        "PRICE_TIMEOUT=5",
        "PRICE_QUORUM=4",
    ]


def test_a_quorum_above_the_sources_does_not_hide_the_other_faults() -> None:
    found = faults(QUORUM="4", PAIRS="BTC-XYZ")

    assert [fault.split(":")[0] for fault in found] == ["PRICE_QUORUM=4", "PRICE_PAIRS=BTC-XYZ"]


@pytest.mark.parametrize(
    ("bad", "whose"), [("INTERVAL", "TIMEOUT"), ("SOURCES", "QUORUM"), ("PAIRS", "SOURCES")]
)
def test_what_depends_on_a_bad_value_is_not_judged_by_its_default(bad: str, whose: str) -> None:
    good = {"TIMEOUT": "30", "QUORUM": "5", "SOURCES": "okx"}[whose]

    (fault,) = faults({f"PRICE_{bad}": "?", f"PRICE_{whose}": good})

    assert fault.startswith(f"PRICE_{bad}=?")


@pytest.mark.parametrize(
    ("name", "near"),
    [("PRICE_PAIR", "PRICE_PAIRS"), ("PRICE_PERIOD", ""), ("PRICE_KRAKEN", "PRICE_KRAKEN_URL")],
)
def test_an_unknown_name_is_a_fault_that_suggests_the_nearest(name: str, near: str) -> None:
    (fault,) = faults({name: "1"})

    assert fault.startswith(f"{name}: there is no such setting; ")
    assert fault.endswith(f"did you mean {near}?" if near else "see env.example") or not near


@pytest.mark.parametrize("name", ["PATH", "PRICES", "price_pair", "XPRICE_PAIRS", "PRICE"])
def test_names_of_others_are_none_of_our_business(name: str) -> None:
    assert settings.load({name: "1"}) == settings.load({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PRICE_PORT", "tcp://10.0.0.7:8080"),
        ("PRICE_PORT_8080_TCP", "tcp://10.0.0.7:8080"),
        ("PRICE_PORT_8080_TCP_PROTO", "tcp"),
        ("PRICE_PORT_8080_TCP_PORT", "8080"),
        ("PRICE_PORT_53_UDP_ADDR", "10.0.0.7"),
        ("PRICE_SERVICE_HOST", "10.0.0.7"),
        ("PRICE_SERVICE_PORT", "8080"),
        ("PRICE_SERVICE_PORT_HTTP", "8080"),
        ("PRICE_WEB_PORT", "udp://10.0.0.7:53"),
        ("PRICE_WEB_SERVICE_HOST", "10.0.0.7"),
    ],
)
def test_what_kubernetes_sets_for_a_service_of_this_name_is_no_setting(
    tmp_path: Path, name: str, value: str
) -> None:
    assert settings.load({name: value}) == settings.load({})

    (tmp_path / ".env").write_text(f"{name}={value}\n")
    assert faults()[0].startswith(f"{name}: there is no such setting")


def test_a_port_of_our_own_is_no_variable_of_kubernetes() -> None:
    assert faults({"PRICE_PORT": "8080"})[0].startswith("PRICE_PORT: there is no such setting")


@pytest.mark.parametrize("name", ["price_pairs", "Price_Pairs", "PRICE_pairs"])
def test_a_setting_in_the_wrong_case_is_a_fault_with_the_right_spelling(tmp_path: Path, name: str) -> None:
    expected = [f"{name}: names of settings are in upper case: PRICE_PAIRS"]

    assert faults({name: "ETH-USD"}) == expected

    (tmp_path / ".env").write_text(f"{name}=ETH-USD\n")
    assert faults() == expected


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"TIMEOUT": "5"}, "PRICE_TIMEOUT=5: must be less than the interval, 5 s, for example 4"),
        ({"TIMEOUT": "5.1"}, "PRICE_TIMEOUT=5.1: must be less than the interval, 5 s, for example 4"),
        ({"QUORUM": "4"}, "PRICE_QUORUM=4: above the number of sources, 3; for example 3"),
        ({"SOURCES": "krakn"}, "PRICE_SOURCES=krakn: there is no source 'krakn'; did you mean kraken? (of "),
        (
            {"SOURCES": "simulated,kraken"},
            "PRICE_SOURCES=simulated,kraken: simulated may not be mixed with real sources; for example ",
        ),
        (
            {"PAIRS": "BTC-CHF", "SOURCES": "coinbase"},
            "PRICE_PAIRS=BTC-CHF: none of coinbase quotes it; kraken, coingecko may: add one to ",
        ),
        (
            {"PAIRS": "BTC-XYZ"},
            "PRICE_PAIRS=BTC-XYZ: none of coinbase,kraken,bitstamp quotes it; no source does",
        ),
        (
            {"PAIRS": "BTC-CHF", "QUORUM": "2", "SOURCES": "coinbase,kraken"},
            "PRICE_QUORUM=2: BTC-CHF is quoted by kraken alone; for example 1",
        ),
        (
            {"SOURCES": "coinbase", "PAIRS": ",".join(f"COIN{number}-USD" for number in range(51))},
            "coinbase: 612 requests a minute for 51 pairs, above its known limit of 600: fewer PRICE_PAIRS",
        ),
    ],
)
def test_what_settings_cannot_be_together_is_said_with_a_way_out(wanted: dict[str, str], said: str) -> None:
    (fault,) = faults(None, **wanted)

    assert fault.startswith(said)


def test_simulated_alone_quotes_any_pair() -> None:
    assert load(SOURCES="simulated", PAIRS="FOO-USD").sources == ("simulated",)


@pytest.mark.parametrize("way", ["same", "dots", "link", "linked folder", "hard link"])
@pytest.mark.parametrize(
    ("one", "other"), [("FILE", "STATUS"), ("FILE", "STATE"), ("STATE", "STATUS"), ("ENV", "STATE")]
)
def test_two_settings_may_not_name_one_file(tmp_path: Path, way: str, one: str, other: str) -> None:
    first, second = tmp_path / "x", tmp_path / "y"
    first.touch()
    if way == "same":
        second = first
    elif way == "dots":
        second = tmp_path / "nowhere" / ".." / "x"
    elif way == "link":
        second.symlink_to(first)
    elif way == "linked folder":
        second.symlink_to(tmp_path)
        second /= "x"
    else:
        second.hardlink_to(first)

    (fault,) = faults({f"PRICE_{one}": str(first), f"PRICE_{other}": str(second)})

    assert fault.startswith(f"PRICE_{max(one, other) if one != 'ENV' else other}=")
    assert "the same file" in fault or "the settings file" in fault


@pytest.mark.parametrize("name", ["STATUS", "STATE"])
def test_a_small_file_that_names_a_log_with_rows_is_one_fault(tmp_path: Path, name: str) -> None:
    log = tmp_path / "prices.txt"
    log.write_text("# price-log 1 every=5s\n2026-11-20T15:52:05Z BTC-USD 100 kraken\n")

    (fault,) = faults({"PRICE_FILE": str(log), f"PRICE_{name}": str(log)})

    assert "PRICE_FILE is the same file" in fault


@pytest.mark.parametrize(
    "name",
    [
        ".prices.txt.lock", "prices.txt.cut", "repairs.txt", ".repairs.txt.lock", ".repairs.txt.new",
        "prices.txt-20261120", "prices.txt.1", "prices.txt.2.gz", "prices-20261120.txt", "prices.1.txt.xz",
    ],
)  # fmt: skip
@pytest.mark.parametrize("setting", ["STATE", "STATUS"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_written_beside_the_log_is_no_place_for_a_small_file(
    tmp_path: Path, name: str, setting: str, linked: bool
) -> None:
    if linked:
        (tmp_path / "prices.txt").symlink_to(tmp_path / "data" / "real.txt")

    (fault,) = faults({"PRICE_FILE": f"{tmp_path}/prices.txt", f"PRICE_{setting}": f"{tmp_path}/{name}"})

    assert (
        fault == f"PRICE_{setting}={tmp_path}/{name}: the log's own files have such names; name another file"
    )


def test_the_place_of_repairs_or_of_a_draft_is_no_place_for_another_file(tmp_path: Path) -> None:
    assert "is for repairs of the log" in faults(FILE=str(tmp_path / "repairs.txt"))[0]
    assert "PRICE_STATUS is written there" in faults(STATE="a/.b.json.new", STATUS="a/b.json")[0]


FOREIGN: Mapping[str, tuple[Callable[[Path], object], str]] = {
    **{kind: NO_FILES[kind] for kind in ("folder", "FIFO", "device", "circle")},
    "socket": (_make_socket, "it is a socket"),
    "text": (lambda path: path.write_text("my thesis\n"), "it is another program's file"),
    "JSON": (
        lambda path: path.write_text('{"version": "2.0.0", "tasks": []}'),
        "it is another program's file",
    ),
    "log": (lambda path: path.write_text(LOG), "it is another program's file"),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("setting", ["STATE", "STATUS"])
@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.timeout(10)
def test_a_small_file_may_not_take_the_place_of_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, setting: str, linked: bool
) -> None:
    make, words = FOREIGN[kind]
    make(Path("mine"))  # a socket's path is short
    Path("link").symlink_to("mine")
    named = "link" if linked else "mine"

    (fault,) = faults({f"PRICE_{setting}": named})

    words = "it is a link in a circle" if kind == "circle" else words
    assert fault.startswith(f"PRICE_{setting}={named}: {words}")
    assert fault.endswith(", which would be lost; name another file")


@pytest.mark.parametrize(
    "content", ["", "\0" * 4096, '{"version": 1, "saved": "2026', '{"version": "9.9", "pid": 7}']
)
def test_a_file_of_ours_may_stand_there_also_a_damaged_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "mine").write_text(content)

    assert load(STATE="mine").state == Path("mine")
    assert load(STATUS="mine").status == Path("mine")


def test_no_small_file_is_wanted_where_dev_null_is_named() -> None:
    Path("link").symlink_to("/dev/null")

    assert load(STATE="/dev/null", STATUS="link").state == Path("/dev/null")


@pytest.mark.parametrize(
    ("source", "interval", "most"),
    [("coinbase", 5, 50), ("coinbase", 1, 10), ("kraken", 1, 100), ("gemini", 5, 10)],
)
def test_a_plan_at_the_known_limit_is_taken_and_one_above_is_refused(
    source: str, interval: int, most: int
) -> None:
    def of(count: int) -> Plan:
        pairs = [Pair(f"COIN{number}", "USD") for number in range(count)]
        return plan(SOURCES[source], SOURCES[source].url, pairs, interval)

    assert of(most).fault == ""
    if source == "coinbase":
        assert of(most).per_minute == of(most).limit
        assert f"{60 // interval * (most + 1)} requests a minute" in of(most + 1).fault


def test_a_source_with_a_gap_is_planned_by_whole_slots() -> None:
    found = [plan(SOURCES["bitfinex"], "https://x", [BTC], interval).per_minute for interval in (1, 2, 5, 60)]

    assert found == [20, 15, 12, 1]
    assert plan(SOURCES["coingecko"], "https://x", [BTC], 5).per_minute == 1


def test_a_source_that_is_asked_for_nothing_plans_nothing() -> None:
    assert plan(SOURCES["coinbase"], "https://x", [], 5).per_minute == 0


def test_the_plan_tells_how_long_the_requests_of_a_slot_take_to_leave() -> None:
    pairs = [Pair(f"COIN{number}", "USD") for number in range(35)]

    assert plan(SOURCES["coinbase"], "https://x", pairs, 5).slot_seconds == 2.0


def test_a_file_named_env_is_read_where_it_is_there(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PRICE_PAIRS=ETH-USD\n# a remark\n\nexport PRICE_INTERVAL='10'\nOTHER=1\n")

    found = settings.load({})

    assert (found.pairs, found.interval) == ((ETH,), 10)


def test_another_file_may_be_named_and_the_usual_one_is_then_not_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PRICE_PAIRS=BTC\n")
    (tmp_path / "other").write_text('PRICE_QUORUM="2"\n')

    assert load(ENV=str(tmp_path / "other")).quorum == 2


def test_a_named_file_that_is_not_there_is_a_fault() -> None:
    assert faults(ENV="nowhere") == ["PRICE_ENV=nowhere: there is no such file; see env.example"]


def test_the_environment_comes_before_the_file_and_an_empty_value_hides_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PRICE_QUORUM=2\nPRICE_INTERVAL=10\nPRICE_PAIRS=ETH-USD\n")

    found = load(QUORUM="3", INTERVAL="")

    assert (found.quorum, found.interval, found.pairs) == (3, 5, (ETH,))


def test_an_empty_value_in_the_file_is_the_default(tmp_path: Path) -> None:
    empty = settings.load({})
    (tmp_path / ".env").write_text("PRICE_INTERVAL=\nPRICE_QUORUM=''\n")

    assert settings.load({}) == settings.load({"PRICE_ENV": ""}) == empty


@pytest.mark.parametrize("line", ["PRICE_QUORUM", "export PRICE_QUORUM", "price_quorum"])
def test_a_setting_without_an_equals_sign_is_a_fault(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"# mine\n{line}\nLESSOPEN\n")

    assert faults()[0] == ".env:2: PRICE_QUORUM: a value is missing; a line is NAME=value"


def test_faults_of_the_file_are_said_with_its_lines(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PRICE_PAIRZ=1\n'x\nPRICE_QUORUM=0\n")

    found = faults()

    assert found[0] == '.env:2: not understood; a line is NAME=value or NAME="value"'
    assert found[1] == "PRICE_PAIRZ: there is no such setting; did you mean PRICE_PAIRS?"
    assert found[2].startswith("PRICE_QUORUM=0: ")


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.timeout(10)
def test_a_file_that_cannot_be_read_is_a_fault_and_nobody_waits_for_it(tmp_path: Path, kind: str) -> None:
    make, words = NO_FILES[kind]
    make(tmp_path / ".env")

    (fault,) = faults()

    assert fault.startswith(".env: cannot be read: ")
    assert words in fault
    assert settings.status_path({}) == Path("logs/status.json")


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.timeout(20)
def test_reading_commands_name_such_a_file_and_go_on_without_it(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make, words = NO_FILES[kind]
    make(tmp_path / ".env")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "prices.txt").write_text(LOG)

    status = main(["history"], {}, NOW)

    said = capsys.readouterr()
    assert (status, said.out) == (0, "2026-11-20T15:52:05Z BTC-USD 1 kraken\n")
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_no_file_is_read_where_dev_null_is_named(tmp_path: Path) -> None:
    default = settings.load({})
    (tmp_path / ".env").write_text("PRICE_PAIRS=?\n")
    (tmp_path / "none").symlink_to("/dev/null")

    assert load(ENV="/dev/null") == load(ENV=str(tmp_path / "none")) == default


def test_a_tilde_is_the_home_folder_for_the_settings_file_and_for_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # what the system's own rule for `~` looks at
    (tmp_path / "mine.env").write_text("PRICE_FILE=~/mine.txt\n")
    (tmp_path / "mine.txt").write_text(LOG)

    assert load(ENV="~/mine.env").file == tmp_path / "mine.txt"
    for arguments, environ in [
        (["history"], {"PRICE_ENV": "~/mine.env"}),
        (["history"], {"PRICE_FILE": "~/mine.txt"}),
        (["history"], {"PRICE_FILE": f" {tmp_path}/mine.txt "}),
        (["history", "--file=~/mine.txt"], {}),
    ]:
        assert main(arguments, environ, NOW) == 0
        assert capsys.readouterr().out == "2026-11-20T15:52:05Z BTC-USD 1 kraken\n"


@pytest.mark.parametrize("name", ["FILE", "STATE", "STATUS"])
@pytest.mark.parametrize(
    "text", ["$HOME/x.txt", "${HOME}/x.txt", "logs/$(date).txt", "x/", "~/", "~nosuchuser/x"]
)
def test_what_only_a_shell_makes_a_file_name_of_makes_no_folder_of_that_name(name: str, text: str) -> None:
    (fault,) = faults({f"PRICE_{name}": text})

    assert fault.startswith(f"PRICE_{name}={text}: ")
    assert fault.endswith("for example /var/log/price/prices.txt")


def test_systemd_names_the_folders_of_the_files() -> None:
    found = settings.load(
        {
            "LOGS_DIRECTORY": "/var/log/price:/b",
            "STATE_DIRECTORY": "/var/lib/price",
            "RUNTIME_DIRECTORY": "/run/price",
        }
    )

    assert [str(path) for path in (found.file, found.state, found.status)] == [
        "/var/log/price/prices.txt",
        "/var/lib/price/state.json",
        "/run/price/status.json",
    ]


def test_the_status_is_found_whatever_else_is_wrong() -> None:
    environ = {"PRICE_PAIRS": "?", "PRICE_ENV": "nowhere", "RUNTIME_DIRECTORY": "/run/price"}

    assert settings.status_path(environ) == Path("/run/price/status.json")


def test_where_the_log_is_and_what_is_too_far_apart_are_known_from_the_file_whatever_else_is_in_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "price.env"
    file.write_text("PRICE_FILE=/srv/log.txt\nPRICE_MAX_SPREAD=0.5\nPRICE_QUORUM=many\nnot understood\n")

    assert settings.log_path({"PRICE_ENV": str(file)}) == Path("/srv/log.txt")
    assert settings.value_of({"PRICE_ENV": str(file)}, "PRICE_MAX_SPREAD") == Decimal("0.5")
    assert settings.log_path({"PRICE_ENV": "/nowhere", "LOGS_DIRECTORY": "/var/log/x"}) == Path(
        "/var/log/x/prices.txt"
    )
    assert settings.value_of({"PRICE_MAX_SPREAD": "wide"}, "PRICE_MAX_SPREAD", lenient=True) == 1


def test_the_key_may_be_a_credential(tmp_path: Path) -> None:
    (tmp_path / "coingecko_key").write_text("CG-secret\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert settings.load(environ).coingecko_key == "CG-secret"
    assert settings.load({**environ, "PRICE_COINGECKO_KEY": "CG-other"}).coingecko_key == "CG-other"


@pytest.mark.parametrize("content", ["-", "-\n", "", None])
def test_an_absent_or_empty_credential_is_no_key(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "coingecko_key").write_text(content)

    assert settings.load({"CREDENTIALS_DIRECTORY": str(tmp_path)}).coingecko_key == ""


@pytest.mark.parametrize("content", [b"two words", b"\xff", b"a\nb", "kl\u00fc".encode()])
def test_a_credential_that_is_no_key_is_a_fault(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "coingecko_key").write_bytes(content)

    (fault,) = faults({"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert fault.startswith("the credential coingecko_key cannot be used")


@pytest.mark.parametrize("key", ["CG-my secret", "CG-my\u00e9secret", "CG-my\tsecret"])
def test_a_key_is_never_shown(key: str) -> None:
    (fault,) = faults(COINGECKO_KEY=key)

    assert fault.startswith("PRICE_COINGECKO_KEY=…: ")
    assert "secret" not in fault


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@api.kraken.com", "https://…@api.kraken.com"),
        ("https://me:se/cr?e#t@secret@api.kraken.com/x", "https://…@api.kraken.com/x"),
        ("me:secret@api.kraken.com", "…@api.kraken.com"),
        ("https://api.kraken.com/x?key=secret", "https://api.kraken.com/x?…"),
        ("https://api.kraken.com#secret", "https://api.kraken.com#…"),
    ],
)
def test_a_password_in_a_url_is_refused_without_being_shown(url: str, shown: str) -> None:
    (fault,) = faults(KRAKEN_URL=url)

    assert fault.startswith(f"PRICE_KRAKEN_URL={shown}: must be scheme://host")


def test_a_good_key_is_not_shown_with_the_settings() -> None:
    assert "CG-secret" not in repr(load(COINGECKO_KEY="CG-secret"))


def test_proxies_are_found_in_either_case_and_in_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("no_proxy=localhost\n")

    found = settings.load({"https_proxy": "http://p:1", "SSL_CERT_FILE": "/c.pem"}).network

    assert (found["HTTPS_PROXY"], found["NO_PROXY"], found["SSL_CERT_FILE"]) == (
        "http://p:1",
        "localhost",
        "/c.pem",
    )


@given(
    st.dictionaries(st.sampled_from([name for name in NAMES if name != "PRICE_ENV"]), st.text(max_size=30))
)
def test_any_values_are_settings_or_faults_of_one_line_each(values: dict[str, str]) -> None:
    try:
        settings.load(values)
    except SettingsError as error:
        lines = error.faults
    else:
        lines = []

    assert all(one.isprintable() for one in lines)


@pytest.mark.parametrize("odd", ["\u2028", "\u202e", "\u200b", "\xa0", "\t", "\x7f", "\udcff"])
def test_an_address_with_what_cannot_be_seen_is_refused(odd: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        values.servers(f"nats://a{odd}b")
