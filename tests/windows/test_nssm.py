"""The recorder under NSSM, by the lines of docs/windows.md."""

import os
import signal

from tests.proof import proven
from tests.windows.nssm import NAME, pid, plain
from tests.windows.prefix import NSSM, Prefix
from tests.windows.recording import Recording


def test_it_is_restarted_after_a_kill_and_stopped_in_order(booted: Prefix, nssm: Recording) -> None:
    booted.wine(NSSM, "start", NAME)
    nssm.until_rows(3)

    killed = pid(booted)
    os.kill(killed, signal.SIGKILL)
    before = nssm.rows
    nssm.until_rows(before + 3)
    back = pid(booted)
    stopped = booted.wine(NSSM, "stop", NAME)

    assert back not in (0, killed)
    assert "STOP" in plain(stopped.raw)
    assert "stopping after the slot" in (nssm.folder / "recorder.log").read_text()
    assert proven(nssm.file.read_text())
    assert not (nssm.folder / "status.json").exists()


def test_bad_settings_are_no_reason_to_start_it_again(booted: Prefix, nssm: Recording) -> None:
    (nssm.folder / "price.env").write_text("PRICE_SOURCES=nobody\n")

    booted.wine(NSSM, "start", NAME)
    booted.until(lambda: "STOPPED" in plain(booted.wine(NSSM, "status", NAME).raw))

    said = (nssm.folder / "recorder.log").read_text()
    assert said.count("there is no source 'nobody'") == 1


def test_the_supervisor_can_be_started_in_place_of_the_recorder(booted: Prefix, nssm: Recording) -> None:
    supervise = r"-u C:\src\main.py supervise"
    booted.wine(NSSM, "set", NAME, "AppParameters", supervise)
    booted.wine(NSSM, "start", NAME)
    nssm.until_rows(2)

    killed = pid(booted)
    os.kill(killed, signal.SIGKILL)
    booted.until(lambda: pid(booted) not in (0, killed))
    nssm.until_rows(nssm.rows + 2)
    booted.wine(NSSM, "stop", NAME)

    booted.until(lambda: not pid(booted))
    said = (nssm.folder / "recorder.log").read_text()
    assert "it is started again in 1 s" in said
    assert "supervisor stops" in said
    assert "stopping after the slot" in said
    assert any(" - down" in row for row in proven(nssm.file.read_text()))
