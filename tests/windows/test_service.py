"""`price service` on the service manager of Wine, and what it writes to the Event Log.

Wine keeps no failure actions, sends no shutdown and restarts nobody: tests/test_service.py has what is asked.
"""

import re
import shutil
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.exchange import Market
from tests.proof import proven
from tests.windows.installed import FOLDER, SIMULATED, Installed
from tests.windows.prefix import Prefix


def test_a_service_of_three_exchanges_from_install_to_remove(service: Installed) -> None:
    with Market() as market:
        service.set({**market.environment, "PRICE_INTERVAL": "5", "PRICE_TIMEOUT": "4"})
        service.start()
        again, running = service.verb("start"), service.verb("status")
        stopped = service.verb("stop")

    twice, status = (service.verb(verb) for verb in ("stop", "status"))
    source = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\price"
    registered = service.prefix.wine("reg", "query", source)
    removed, gone = (service.verb(verb) for verb in ("remove", "status"))
    still_registered = service.prefix.wine("reg", "query", source)

    assert proven(service.file.read_text())[-1].endswith(" coinbase,kraken,bitstamp")
    assert (again.code, again.text) == (1, "price: the service price runs already: price service status\n")
    assert running.code == 0, running.text
    assert "price is running, process " in running.text
    assert "last slot on disk" in running.text
    assert stopped.text == "price is stopped\n"
    assert (twice.code, twice.text) == (1, "price: the service price does not run: price service start\n")
    assert (status.code, status.text) == (1, "price is stopped, with 0: in order\n")
    assert (removed.code, removed.text) == (
        0,
        f"price is removed; settings and log stay in {FOLDER}\n",
    )
    assert (gone.code, gone.text) == (1, "price: the service price is not installed: price service install\n")
    assert service.file.exists()
    assert r"%SystemRoot%\System32\EventCreate.exe" in registered.text
    assert re.search(r"TypesSupported\s+REG_DWORD\s+0x7", registered.text)
    assert still_registered.code != 0


def test_a_folder_whose_rights_cannot_be_set_is_named_with_what_to_type(booted: Prefix) -> None:
    code = r"""
from argparse import Namespace
from pathlib import Path
from price.errors import PriceError
from price.service.verbs import Service
try:
    Service(Namespace(name='two'), {'SystemRoot': r'C:\nothing'})._allow_service(Path(r'C:\a folder'))
except PriceError as error:
    print(error)
"""
    said = booted.python(code)

    assert said.startswith(r"C:\a folder: LocalService gets no rights on it (")
    assert said.endswith(
        r'type: icacls "C:\a folder" /grant "*S-1-5-19:(OI)(CI)M", then price service start --name two'
    )


def test_a_second_install_bad_settings_and_a_start_by_hand_are_refused(service: Installed) -> None:
    second = service.verb(rf"install --folder {FOLDER}")
    by_hand = service.verb("host")
    service.set({"PRICE_SOURCES": "nobody"})
    refused = [service.verb(verb) for verb in ("start", "reload", "restart", "install")]

    assert (second.code, "is installed already" in second.text) == (1, True)
    assert by_hand.code == 1
    assert "only the service manager starts this: price service start, or debug" in by_hand.text
    assert [ran.code for ran in refused[:3]] == [78, 78, 78]
    assert "PRICE_SOURCES=nobody: there is no source 'nobody'" in refused[0].text


def test_bad_settings_are_entries_of_the_event_log_and_end_it_in_order(service: Installed) -> None:
    service.set({"PRICE_SOURCES": "nobody", "PRICE_QUORUM": "0"})
    seen = len(service.prefix.entries)

    service.prefix.wine("sc", "start", "price")
    service.prefix.until(lambda: "STOPPED" in service.prefix.wine("sc", "query", "price").text)

    query = service.prefix.wine("sc", "query", "price").text
    first, second = service.entries(seen)
    assert first.startswith("PRICE_SOURCES=nobody: there is no source ") or "nobody" in first + second
    assert first.endswith("mend that: price service start")
    assert re.search(r"WIN32_EXIT_CODE\s*: 0 ", query)  # an error would have it restarted for ever


def test_a_log_that_is_not_ours_ends_it_with_an_error(service: Installed) -> None:
    service.file.write_text("2026 somebody's notes\n")
    seen = len(service.prefix.entries)

    started = service.verb("start")

    assert started.code == 1
    assert "price ended during its start, with " in started.text
    assert "Get-WinEvent -ProviderName price" in started.text
    assert any("it is not a price log" in text for text in service.entries(seen))
    assert service.verb("status").text.endswith("by an error\n")


def test_a_reload_takes_what_changed(service: Installed) -> None:
    service.start()
    seen = len(service.prefix.entries)

    service.set({**SIMULATED, "PRICE_PAIRS": "BTC-USD,ETH-USD"})
    ran = service.verb("reload")
    service.prefix.until(lambda: b" ETH-USD " in service.file.read_bytes())
    service.verb("stop")

    assert ran.code == 0, ran.text
    assert any("settings read again: BTC-USD,ETH-USD" in text for text in service.entries(seen))


def test_two_services_have_a_folder_each_and_record_at_the_same_time(service: Installed) -> None:
    folder = service.prefix.c / "ProgramData" / "price-two"
    shutil.rmtree(folder, ignore_errors=True)
    missing = service.verb("status --name price-two")
    installed = service.verb("install --name price-two")
    (folder / "price.env").write_text("PRICE_SOURCES=simulated\nPRICE_INTERVAL=1\n")
    try:
        service.start()
        started = service.verb("start --name price-two")
        service.prefix.until(lambda: (folder / "prices.txt").exists() and service.rows > 3)
        both = [service.verb(f"status --name {name}").code for name in ("price", "price-two")]
    finally:
        removed = service.verb("remove --name price-two")

    assert missing.text.endswith(
        "the service price-two is not installed: price service install --name price-two\n"
    )
    assert r"settings: C:\ProgramData\price-two\price.env" in installed.text
    assert installed.text.endswith("to start it now: price service start --name price-two\n")
    assert started.text == "price-two records\n"
    assert both == [0, 0]
    assert removed.code == 0, removed.text
    assert proven((folder / "prices.txt").read_text())


def test_a_restart_is_a_stop_and_a_start(service: Installed) -> None:
    service.start()
    before = service.pid

    ran = service.verb("restart")
    service.prefix.until(lambda: service.pid not in (0, before))
    service.verb("stop")

    assert ran.text == "price is stopped\nprice records\n"
    assert proven(service.file.read_text())


class Silent(BaseHTTPRequestHandler):
    """Takes a request, and never answers."""

    def do_GET(self) -> None:
        self.server.asked.set()  # type: ignore[attr-defined]
        time.sleep(20)


def test_a_stop_while_requests_hang_takes_a_second(service: Installed) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.daemon_threads = True
    server.asked = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    urls = {f"PRICE_{name}_URL": url for name in ("COINBASE", "KRAKEN", "BITSTAMP")}
    service.set({**urls, "PRICE_INTERVAL": "10", "PRICE_TIMEOUT": "9"})
    assert service.verb("start").code == 0
    assert server.asked.wait(30)  # type: ignore[attr-defined]

    took = service.prefix.python(
        "import time, win32service as api\n"
        "scm = api.OpenSCManager(None, None, api.SC_MANAGER_CONNECT)\n"
        "service = api.OpenService(scm, 'price', api.SERVICE_ALL_ACCESS)\n"
        "began = time.perf_counter()\n"
        "api.ControlService(service, api.SERVICE_CONTROL_STOP)\n"
        "while api.QueryServiceStatus(service)[1] != api.SERVICE_STOPPED: time.sleep(0.01)\n"
        "print(time.perf_counter() - began)"
    )
    server.shutdown()
    server.server_close()

    # half a second is the recorder's own wait for answers that are nearly there; Wine adds some hundredths
    assert float(took) < 1


def test_what_settings_name_without_a_folder_lies_in_the_service_s_own(service: Installed) -> None:
    service.set({**SIMULATED, "PRICE_FILE": "own.txt"})
    service.file = service.folder / "own.txt"

    service.start()
    shown = service.verb("status")
    service.verb("stop")

    assert shown.code == 0, shown.text
    assert not (service.prefix.c / "windows" / "own.txt").exists()
    assert not (service.prefix.c / "windows" / "system32" / "own.txt").exists()


def test_a_recorder_that_hangs_ends_itself_and_the_next_one_tells_how(service: Installed) -> None:
    hang = "faulthandler.dump_traceback_later(0.2, file=open('hang.txt', 'w'), exit=True)"
    code = f"import faulthandler\n{hang}\ndef stuck():\n    while True: pass\nstuck()"
    ran = service.prefix.wine(r"C:\python\python.exe", "-c", code, cwd=service.folder)
    seen = len(service.prefix.entries)

    service.start()
    service.verb("stop")

    assert ran.code == 1
    (told,) = [text for text in service.entries(seen) if text.startswith("the recorder hung")]
    assert "in stuck" in told


def test_misses_and_changes_are_entries_of_a_type_and_a_number_and_rows_on_request(
    service: Installed,
) -> None:
    seen = len(service.prefix.entries)
    service.start()
    service.verb("stop")
    without = service.entries(seen)
    reported = [line for line in service.prefix.entries[seen:] if "fixme:advapi:ReportEventW" in line]
    service.verb("remove")

    seen = len(service.prefix.entries)
    service.verb(rf"install --folder {FOLDER} --rows")
    service.start()
    service.verb("stop")
    with_rows = service.entries(seen)

    row = re.compile(r"BTC-USD [\d.]+ simulated")
    assert [text for text in without if row.match(text)] == []
    assert [text for text in with_rows if row.match(text)]
    assert any(text.startswith("stopping after") for text in without)
    assert any("missed: down" in text for text in with_rows)
    # information of logger 1, numbers 10 (started) and 11 (stopping)
    for number in ("a", "b"):
        assert [line for line in reported if f",0x0004,0x0001,0x0000000{number}," in line], reported


def test_it_starts_with_windows(service: Installed) -> None:
    service.prefix.down()
    service.prefix.up()

    service.prefix.until(lambda: service.rows > 1)

    assert "price is running" in service.verb("status").text


def test_an_early_word_of_a_shutdown_stops_it(booted: Prefix, folder: Path) -> None:
    code = r"""
import win32service
from price.clock import Signal, SystemClock
from price.service.host import Host
host = Host.__new__(Host)
host._clock, host._state, host.ssh, host.checkPoint = SystemClock(), 4, None, 0
host.SvcOtherEx(win32service.SERVICE_CONTROL_PRESHUTDOWN, 0, None)
host.SvcOtherEx(win32service.SERVICE_CONTROL_PARAMCHANGE, 0, None)
print(host._clock.wait(0), host._clock.wait(0))
for control in (win32service.SERVICE_ACCEPT_PRESHUTDOWN, win32service.SERVICE_ACCEPT_SHUTDOWN):
    print(bool(host.GetAcceptedControls() & control))
"""
    assert booted.python(code, folder).splitlines() == ["Signal.STOP Signal.RELOAD", "True", "False"]


def test_debug_records_in_the_terminal_with_the_service_s_settings(service: Installed) -> None:
    process = service.prefix.start(
        *(r"C:\python\python.exe", "-u", r"C:\src\main.py", "service", "debug"), cwd=service.prefix.c
    )
    service.prefix.until(lambda: service.rows)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert b"stopping" in said
    assert b"BTC-USD" in service.file.read_bytes()


def test_without_pywin32_the_command_says_what_to_type(booted: Prefix, folder: Path) -> None:
    code = r"""
sys.modules['win32service'] = None
from datetime import UTC, datetime
from price import cli
print(cli.main(['service', 'start'], {}, datetime.now(UTC)))
"""
    code = rf"import sys; sys.path.insert(0, r'C:\src'){code}"
    ran = booted.wine(r"C:\python\python.exe", "-c", code, cwd=folder)

    assert ran.text.endswith("1\n")
    assert "requirements-windows.txt" in ran.text


def test_install_cmd_sets_it_up_in_one(service: Installed) -> None:
    service.verb("remove")

    ran = service.prefix.wine(
        *("cmd", "/c", r"C:\src\deploy\windows\install.cmd", "--folder", FOLDER),
        PYTHON=r"C:\python\python.exe",
    )
    service.prefix.until(lambda: service.rows)

    assert ran.code == 0, ran.text
    assert ran.text.endswith("price records\n")
