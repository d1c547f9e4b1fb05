"""The service as its operator meets it: systemctl, journalctl, tail."""

import time

import pytest

from price.events import Event
from tests.process import until
from tests.system.machine import Machine
from tests.system.service import PRICES, Service, assert_no_slot_is_lost, rows_of

pytestmark = pytest.mark.realtime

OF_ALL = {"MESSAGE", "PRIORITY", "MESSAGE_ID", "SYSLOG_IDENTIFIER", "LOGGER"}
OF_QUOTES = OF_ALL | {"PRICE_PAIR", "PRICE_SLOT", "PRICE_QUOTES"}
FIELDS = {
    Event.RECORDED: OF_QUOTES | {"PRICE_VALUE", "PRICE_SOURCES"},
    Event.MISSED: OF_QUOTES | {"PRICE_REASON"},
    Event.STARTED: OF_ALL,
    Event.SOURCE_LOST: OF_ALL | {"PRICE_SOURCE"},
    Event.SOURCE_BACK: OF_ALL | {"PRICE_SOURCE"},
}
ADDED_BY_CYSYSTEMD = {"CODE_FILE", "CODE_LINE", "CODE_FUNC"}


@pytest.fixture
def running(service: Service) -> Service:
    """The service at work, with its own settings."""
    service.set()
    if service.show("ActiveState") != "active":
        service.systemctl("start")
        service.await_rows(1)
    return service


def nobody(machine: Machine, *command: str) -> str:
    return machine.run(*command, user="nobody")


def test_it_is_ready_within_a_second_of_its_start(service: Service) -> None:
    outside = service.systemctl("start")
    seconds = service.start_seconds()

    print(f"\nstarted in {seconds:.2f} s; on a machine that was busy with other things {outside:.2f} s")
    assert service.show("ActiveState") == "active"
    assert seconds < 1


def test_it_stops_within_a_second_and_restarts(running: Service) -> None:
    seconds = running.systemctl("stop")
    status = (running.show("ActiveState"), running.show("Result"), running.show("ExecMainStatus"))
    running.systemctl("start")
    first = running.pid()
    running.systemctl("restart")

    assert seconds < 1
    assert status == ("inactive", "success", "0")
    assert running.pid() != first
    running.await_rows(1)
    assert_no_slot_is_lost(running.rows())


def test_it_can_be_enabled_for_the_next_boot(running: Service) -> None:
    running.systemctl("enable")
    enabled = running.machine.attempt("systemctl", "is-enabled", "price").stdout.strip()
    running.systemctl("disable")

    assert enabled == "enabled"


def test_its_status_line_shows_price_sources_and_gaps(running: Service) -> None:
    shown = running.machine.run("systemctl", "status", "price")

    (line,) = [line for line in shown.splitlines() if "Status:" in line]
    price = running.rows()[-1].price
    assert "BTC-USD " in line
    assert price.partition(".")[0][:3] in line
    assert "3 of 3 sources agree" in line
    assert "missed today" in line


def test_any_user_can_follow_the_prices_and_see_the_status(running: Service) -> None:
    last = running.rows()[-1]

    tail = nobody(running.machine, "tail", "-n", "5", PRICES)
    status = nobody(running.machine, "price", "status")

    assert f"{last.slot:%Y-%m-%dT%H:%M:%SZ} BTC-USD {last.price}" in tail
    assert "coinbase   selected" in status


def test_nobody_else_can_read_its_settings_or_change_what_it_wrote(running: Service) -> None:
    machine = running.machine

    assert machine.attempt("cat", "/etc/price/price.env", user="nobody").returncode != 0
    assert machine.attempt("ls", "/var/lib/price", user="nobody").returncode != 0
    assert machine.attempt("sh", "-c", f"echo >>{PRICES}", user="nobody").returncode != 0


def silent_exchanges(running: Service) -> None:
    """For a slot or more nobody answers; then they are back."""
    running.machine.run("systemctl", "kill", "--signal=STOP", "exchanges")
    until(lambda: not running.rows()[-1].price, 30)
    running.machine.run("systemctl", "kill", "--signal=CONT", "exchanges")
    until(lambda: running.rows()[-1].price, 30)


def test_the_journal_holds_the_promised_fields_and_no_others(running: Service) -> None:
    silent_exchanges(running)
    until(lambda: Event.SOURCE_BACK.value in {entry["MESSAGE_ID"] for entry in running.entries()}, 60, 0.5)

    found: dict[str, set[str]] = {}
    for entry in running.entries():
        ours = {name for name in entry if not name.startswith("_")} - ADDED_BY_CYSYSTEMD
        if not entry["MESSAGE"].endswith("slots)"):  # a row for several slots has no readings
            found.setdefault(entry["MESSAGE_ID"], set()).update(ours)
        assert all(isinstance(value, str) for value in entry.values())

    assert {event: found[event.value] for event in FIELDS} == FIELDS


def test_the_journal_can_be_asked_for_a_pair(running: Service) -> None:
    said = running.machine.run("journalctl", "-u", "price", "PRICE_PAIR=BTC-USD", "-o", "cat").splitlines()

    (last, *_) = [row for row in reversed(running.rows()[:-1]) if row.price]
    assert f"BTC-USD {last.price} coinbase,kraken,bitstamp" in said
    assert all(line.startswith("BTC-USD ") for line in said)


def test_the_journal_can_be_asked_for_what_went_wrong(running: Service) -> None:
    silent_exchanges(running)

    said = running.machine.run("journalctl", "-u", "price", "-p", "warning", "-o", "cat").splitlines()

    assert "BTC-USD missed: coinbase:timeout,kraken:timeout,bitstamp:timeout" in said
    assert not [line for line in said if " missed" not in line and " lost: " not in line]


def test_the_journal_explains_each_kind_of_event(running: Service) -> None:
    explained = running.machine.run("journalctl", "-u", "price", "-x", "-n", "1", "PRICE_PAIR=BTC-USD")
    kinds = running.machine.run("journalctl", "--dump-catalog", *(event.value for event in Event))

    assert "Subject: BTC-USD was recorded for 2" in explained
    assert "Each source said: coinbase=" in explained
    assert "@" not in explained
    assert kinds.count("Defined-By: price") == len(Event)


def test_the_journal_can_be_followed_while_it_runs(running: Service) -> None:
    with running.machine.begin("journalctl", "-u", "price", "-f", "-n", "0", "-o", "cat") as following:
        assert following.stdout is not None
        lines = [following.stdout.readline() for _ in range(2)]
        following.terminate()

    assert all(line.startswith("BTC-USD ") for line in lines)


def test_a_reload_takes_new_settings_and_refuses_bad_ones(running: Service) -> None:
    pid = running.pid()
    running.set(PRICE_SOURCES="coinbase,kraken")
    seconds = running.systemctl("reload")
    until(lambda: "2 of 2 sources agree" in running.show("StatusText"), 30)
    running.set(PRICE_INTERVAL="7", PRICE_QUORUM="many")
    running.systemctl("reload")
    running.await_rows(1)

    refused = running.messages(f"MESSAGE_ID={Event.RELOAD_REFUSED.value}")[-1]
    assert seconds < 1
    assert "PRICE_INTERVAL=7" in refused
    assert "PRICE_QUORUM=many" in refused
    assert running.pid() == pid
    assert running.show("ActiveState") == "active"
    running.set()
    running.systemctl("reload")


def test_bad_settings_end_it_with_every_fault_said_and_no_second_try(running: Service) -> None:
    running.systemctl("stop")
    running.set(PRICE_PAIRS="BTC", PRICE_INTERVAL="7", PRICE_INTERVALL="5")

    failed = running.machine.attempt("systemctl", "start", "price")
    until(lambda: running.show("ActiveState") == "failed", 30)

    said = "\n".join(running.messages("_TRANSPORT=stdout", "PRIORITY=3"))
    assert failed.returncode != 0
    assert running.show("ExecMainStatus") == "78"
    assert running.show("NRestarts") == "0"
    assert "PRICE_PAIRS=BTC: " in said
    assert "PRICE_INTERVAL=7: " in said
    assert "PRICE_INTERVALL: there is no such setting; did you mean PRICE_INTERVAL?" in said


def test_a_credential_reaches_it_and_a_bad_one_is_said(running: Service) -> None:
    running.systemctl("stop")
    key = running.machine.path("/etc/price/coingecko_key")
    key.write_text("two words\n")
    key.chmod(0o600)

    running.machine.attempt("systemctl", "start", "price")
    until(lambda: running.show("ActiveState") == "failed", 30)
    key.unlink()

    assert "the credential coingecko_key cannot be used" in running.messages("_TRANSPORT=stdout")[-1]


def test_started_without_a_network_it_is_active_and_the_rows_say_why(service: Service) -> None:
    nobody_there = {f"PRICE_{name}_URL": "http://127.0.0.1:9" for name in ("COINBASE", "KRAKEN", "BITSTAMP")}
    service.set(**nobody_there)

    service.systemctl("restart")
    rows = service.await_rows(1)

    assert service.show("ActiveState") == "active"
    assert rows[-1].reason == "coinbase:unreachable,kraken:unreachable,bitstamp:unreachable"


def test_the_unit_has_no_fault_and_exposes_little(running: Service) -> None:
    machine = running.machine

    verified = machine.attempt("systemd-analyze", "verify", "price.service")
    told = machine.run("systemd-analyze", "security", "--no-pager", "price").splitlines()[-1]
    exposure = float(told.split(":", 1)[1].split()[0])

    print(f"\n{told.strip()}")
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    assert exposure <= 1.5


def test_the_month_can_be_rotated_while_it_records(running: Service) -> None:
    machine = running.machine
    machine.run(
        "sh",
        "-c",
        f"cp -p {PRICES} {PRICES}-20260920; gzip {PRICES}-20260920; cp -p {PRICES} {PRICES}-20261020",
    )
    before = running.rows()
    # as if it had been rotated last in another month; then Debian's own unit, with its defaults for all rules
    status = machine.path("/var/lib/logrotate/status")
    status.write_text(f'logrotate state -- version 2\n"{PRICES}" 2020-1-1-0:0:0\n')

    machine.run("systemctl", "start", "logrotate.service")
    rotated = machine.path(f"{PRICES}-{time.strftime('%Y%m%d', time.gmtime())}")
    until(lambda: machine.path(PRICES).exists() and len(running.rows()) >= 2, 30)

    files = sorted(path.name for path in rotated.parent.glob("prices*"))
    assert files == ["prices.txt", "prices.txt-20260920.gz", "prices.txt-20261020.gz", rotated.name]
    assert machine.path(PRICES).stat().st_mode & 0o777 == 0o644
    both = rows_of(rotated.read_text()) + running.rows()
    assert both[: len(before)] == before
    assert_no_slot_is_lost(both)


def test_readers_see_one_log_after_a_rotation(running: Service) -> None:
    machine = running.machine
    machine.run("find", "/var/log/price", "-name", "prices.txt-*", "-delete")
    before = len(running.rows())

    machine.run("logrotate", "--force", "--state", "/run/logrotate", "/etc/logrotate.d/price")
    until(lambda: machine.path(PRICES).exists() and len(running.rows()) >= 2, 30)
    verified = machine.attempt("price", "verify", user="nobody")
    history = nobody(machine, "price", "history", "--format", "json").splitlines()

    assert (verified.returncode, verified.stdout) == (0, "")
    assert len(history) >= before + 2
