"""`price supervise --service NAME`: a Windows service and one by NSSM, killed, hung, stopped in order."""

import os
import signal

from tests.proof import proven
from tests.windows import nssm as by_nssm
from tests.windows.installed import Installed
from tests.windows.nssm import NAME, plain
from tests.windows.prefix import MAIN, NSSM, Prefix
from tests.windows.recording import Recording
from tests.windows.supervised import Supervised


def test_a_service_is_started_and_started_again_when_it_is_killed_or_hangs(
    service: Installed, supervised: Supervised
) -> None:
    supervised.quick(5, "--service", "price")
    service.prefix.until(lambda: service.rows > 1)
    killed = service.pid

    os.kill(killed, signal.SIGKILL)
    service.prefix.until(lambda: service.pid not in (0, killed) and service.rows > 3)
    hung = service.pid
    before = service.rows
    os.kill(hung, signal.SIGSTOP)
    service.prefix.until(lambda: service.pid not in (0, hung) and service.rows > before + 1)
    status = supervised.stop()
    stopped = service.verb("stop")

    assert status == 0, supervised.said
    assert supervised.said.count("service price started") == 3
    assert "service price has no process any more; it is started again in " in supervised.said
    assert "service price hangs: no status for " in supervised.said
    assert stopped.code == 0, stopped.text
    assert any(" - down" in row for row in proven(service.file.read_text()))


def test_a_service_that_was_stopped_in_order_is_left_alone(
    service: Installed, supervised: Supervised
) -> None:
    supervised.start(MAIN, "supervise", "--service", "price")
    service.prefix.until(lambda: service.rows > 1)
    service.verb("stop")

    service.verb("status")  # which takes longer than the supervisor's next look
    stopped = service.pid
    service.start()
    status = supervised.stop()

    assert stopped == 0
    assert status == 0, supervised.said
    assert supervised.said.count("service price started") == 1
    assert "has no process any more" not in supervised.said
    assert service.pid, "the service outlives its supervisor"


def test_one_by_nssm_that_hangs_is_ended_and_nssm_starts_it_again(
    booted: Prefix, nssm: Recording, supervised: Supervised
) -> None:
    supervised.quick(5, "--service", NAME)
    nssm.until_rows(2)
    hung = by_nssm.pid(booted)

    os.kill(hung, signal.SIGSTOP)
    booted.until(lambda: by_nssm.pid(booted) not in (0, hung))
    nssm.until_rows(nssm.rows + 2)
    status = supervised.stop()
    stopped = booted.wine(NSSM, "stop", NAME)

    assert status == 0, supervised.said
    assert f"service {NAME} started" in supervised.said
    assert f"service {NAME} hangs: no status for " in supervised.said
    assert "STOP" in plain(stopped.raw)
    assert any(" - down" in row for row in proven(nssm.file.read_text()))
