"""Alerts on a machine: in its journal, over kills, restarts and reloads, and handed on by their follower."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from price.events import Event
from tests.process import until
from tests.system import installation
from tests.system.machine import Machine
from tests.system.service import Service

pytestmark = pytest.mark.realtime

GONE = "gone: any missing 2s as error"
CHANGES = "PRICE_ALERT=gone"
UNITS = [f"/usr/local/lib/systemd/system/{unit}.service" for unit in ("price-alert", "price-metrics")]
DELIVERED = "/var/lib/private/price-alert/delivered"
PROGRAM = f"""#!/bin/sh
cat >>{DELIVERED.replace("/private", "")}
echo "$PRICE_CHANGES" >>{DELIVERED.replace("/private", "")}.runs
if [ -e /etc/price/deadly ]; then kill -9 $PPID; fi
"""


@pytest.fixture(scope="module")
def running(service: Service) -> Service:
    """A recorder with a rule about missing prices, at work."""
    service.set(PRICE_ALERTS=GONE)
    service.systemctl("start")
    service.await_rows(2)
    return service


def changes(service: Service, *match: str) -> list[tuple[str, str]]:
    """The name and the state of each change that the journal holds."""
    return [
        (entry["PRICE_ALERT"], entry["PRICE_ALERT_STATE"])
        for entry in service.entries(*(match or ("LOGGER=price.alert",)))
    ]


def exchanges(service: Service, signal: str) -> None:
    service.machine.run("systemctl", "kill", f"--signal={signal}", "exchanges")


@contextmanager
def gone(service: Service) -> Iterator[None]:
    """Has all exchanges be silent until the alert is on; afterwards until it is over."""
    before = len(changes(service, CHANGES))
    exchanges(service, "STOP")
    until(lambda: len(changes(service, CHANGES)) > before, 60, 0.5)
    yield
    before = len(changes(service, CHANGES))
    exchanges(service, "CONT")
    until(lambda: len(changes(service, CHANGES)) > before, 60, 0.5)


def test_the_units_are_right(machine: Machine) -> None:
    assert machine.run("systemd-analyze", "verify", *UNITS) == ""


def test_the_journal_can_be_asked_for_an_alert_for_errors_and_for_an_explanation(running: Service) -> None:
    machine = running.machine
    # from the last entry on, not from when journalctl is ready: the alert may be sooner
    last = machine.run("journalctl", "-n", "1", "-o", "cat", "--show-cursor")
    cursor = last.rpartition("-- cursor: ")[2].strip()
    follow = ("-f", "-n", "all", "-o", "cat", f"--after-cursor={cursor}")
    with machine.begin("journalctl", "-u", "price", CHANGES, *follow) as following:
        with gone(running):
            errors = machine.run("journalctl", "-u", "price", "-p", "err", "-o", "cat")
            status = machine.run("price", "status")
        assert following.stdout is not None
        followed = [following.stdout.readline() for _ in range(2)]
        following.terminate()

    assert followed[0].startswith("gone: BTC-USD has had no price for ")
    assert followed[1].startswith("gone over after ")
    assert errors.splitlines()[-1] == followed[0].rstrip("\n")
    assert "alerts that are on\ngone  " in status
    (on,) = running.entries(CHANGES, f"MESSAGE_ID={Event.ALERT_ON.value}")[-1:]
    assert (on["PRICE_LIMIT"], on["PRICE_PAIR"], on["PRIORITY"]) == ("missing 2s", "BTC-USD", "3")
    for state, subject in (("on", "The alert gone began"), ("over", "The alert gone is over")):
        explained = machine.run(
            "journalctl", "-u", "price", "-x", "-n", "1", CHANGES, f"PRICE_ALERT_STATE={state}"
        )
        assert f"Subject: {subject}" in explained
        assert "@" not in explained


def test_a_restart_while_on_says_nothing_more(running: Service) -> None:
    with gone(running):
        before = changes(running)
        running.systemctl("restart")
        running.await_rows(3)
        assert changes(running) == before


def test_what_began_and_what_ended_while_away_is_said_at_the_start(running: Service) -> None:
    before = len(changes(running))
    running.systemctl("stop")
    exchanges(running, "STOP")
    running.systemctl("start")
    until(lambda: changes(running)[before:] == [("gone", "on")], 60, 0.5)
    running.systemctl("stop")
    exchanges(running, "CONT")
    running.systemctl("start")

    until(lambda: changes(running)[before:] == [("gone", "on"), ("gone", "over")], 60, 0.5)


def test_a_kill_between_record_and_state_repeats_one_change(running: Service) -> None:
    before = len(changes(running))
    state = running.machine.path("/var/lib/price/state.json")
    state.unlink(missing_ok=True)
    state.mkdir()  # so that the record is made and the state is not
    exchanges(running, "STOP")
    until(lambda: len(changes(running)) > before, 60, 0.5)
    running.signal("KILL", running.pid())
    state.rmdir()
    running.await_rows(3, 60)
    exchanges(running, "CONT")
    until(lambda: changes(running)[-1] == ("gone", "over"), 60, 0.5)

    assert changes(running)[before:] == [("gone", "on"), ("gone", "on"), ("gone", "over")]


def test_a_reload_ends_a_rule_that_was_changed(running: Service) -> None:
    running.set(PRICE_ALERTS=f"{GONE}; up: BTC-USD above 1")
    running.systemctl("reload")
    until(lambda: ("up", "on") in changes(running), 60, 0.5)

    running.set(PRICE_ALERTS=f"{GONE}; up: BTC-USD above 2")
    running.systemctl("reload")

    until(lambda: changes(running).count(("up", "on")) == 2, 60, 0.5)
    assert "up ended: the rule was changed" in running.messages("PRICE_ALERT=up")


@pytest.fixture(scope="module")
def follower(running: Service) -> Service:
    """A follower that was started before the next change."""
    machine = running.machine
    program = machine.path("/etc/price/on-alert")
    program.write_text(PROGRAM)
    program.chmod(0o755)
    machine.run("systemctl", "start", "price-alert")
    until(lambda: machine.path("/var/lib/private/price-alert/alerts-position.json").exists(), 30)
    return running


def delivered(service: Service) -> list[str]:
    path = service.machine.path(DELIVERED)
    return path.read_text().splitlines() if path.exists() else []


def test_each_change_is_handed_on_and_at_least_once_where_the_follower_is_killed(follower: Service) -> None:
    machine = follower.machine
    with gone(follower):
        until(lambda: any("gone: BTC-USD has had" in line for line in delivered(follower)), 30)
    until(lambda: any("gone over" in line for line in delivered(follower)), 30)
    once = len(delivered(follower))

    machine.path("/etc/price/deadly").touch()  # killed once it handed on, before that is stored
    with gone(follower):
        until(lambda: len(delivered(follower)) >= once + 2, 60)
    machine.path("/etc/price/deadly").unlink()
    machine.run("systemctl", "kill", "--signal=KILL", "price-alert")
    with gone(follower):
        machine.run("systemctl", "kill", "--signal=KILL", "price-alert")

    wanted = set(follower.messages(CHANGES)[-6:])
    until(lambda: wanted <= set(delivered(follower)), 60)
    assert once == 2


def test_a_storm_is_a_handful_of_runs(follower: Service) -> None:
    runs = follower.machine.path(f"{DELIVERED}.runs")
    before = len(runs.read_text().split()) if runs.exists() else 0
    rules = "; ".join(f"r{number}: BTC-USD above 1" for number in range(500))
    follower.set(PRICE_ALERTS=f"{GONE}; {rules}")
    follower.systemctl("reload")
    until(lambda: len([one for one in changes(follower) if one[0][0] == "r"]) >= 500, 60, 0.5)
    follower.set(PRICE_ALERTS=GONE)
    follower.systemctl("reload")

    until(lambda: len({line for line in delivered(follower) if line.startswith("r")}) == 1000, 60, 0.5)
    assert len(runs.read_text().split()) - before <= 6


def test_a_cursor_that_was_vacuumed_away_loses_nothing(follower: Service) -> None:
    machine = follower.machine
    machine.run("systemctl", "stop", "price-alert")
    with gone(follower):
        machine.run("journalctl", "--rotate", "--vacuum-size=1K")
    wanted = {message for message in follower.messages(CHANGES) if message not in delivered(follower)}

    machine.run("systemctl", "start", "price-alert")

    until(lambda: wanted <= set(delivered(follower)), 60)
    assert wanted


def test_metrics_are_served_on_this_machine(running: Service) -> None:
    machine = running.machine
    installation.add(machine, "metrics")
    machine.run("systemctl", "start", "price-metrics")
    script = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:17280/metrics').read().decode())"

    def scraped() -> str:
        return machine.attempt("/usr/bin/python3", "-c", script).stdout

    until(lambda: "price_recorder_up 1.0" in scraped(), 30, 0.5)
    assert 'price_value{pair="BTC-USD"} ' in scraped()
    security = machine.run("systemd-analyze", "security", "--json=short", "price-metrics")
    assert json.loads(security)
