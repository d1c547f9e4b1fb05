"""price/host/windows.py, called on Windows."""

from pathlib import Path

from tests.windows.prefix import PYTHON, Prefix

CTRL_C = r"""
import ctypes, subprocess, sys, time
hidden = subprocess.STARTUPINFO(dwFlags=subprocess.STARTF_USESHOWWINDOW, wShowWindow=0)
child = subprocess.Popen([sys.executable, '-u', r'C:\src\main.py', 'run'], startupinfo=hidden,
    creationflags=subprocess.CREATE_NEW_CONSOLE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
line = b''
while b'BTC-USD' not in line:
    line = child.stdout.readline()
kernel = ctypes.WinDLL('kernel32', use_last_error=True)
kernel.FreeConsole()
assert kernel.AttachConsole(child.pid), ctypes.get_last_error()
kernel.SetConsoleCtrlHandler(None, True)
assert kernel.GenerateConsoleCtrlEvent(0, 0), ctypes.get_last_error()
print(child.stdout.read().decode().splitlines()[-1], child.wait(20))
"""


def test_bytes_are_read_at_an_offset_and_written_as_they_are(booted: Prefix, folder: Path) -> None:
    (folder / "text").write_bytes(b"0123\n56789\r\n")
    code = r"""
import os
from pathlib import Path
from price import host
read = host.open_to_read('text')
print(host.read_at(read, 3, 4), host.read_at(read, 100, 9), host.read_at(read, 5, 50))
kept = host.open_kept(Path('kept'), 0o644)
print(os.write(kept, b'a\nb'), Path('kept').read_bytes())
host.set_mode(kept, 0o600)
host.sync(kept)
host.sync_folder(Path('.'))
"""
    assert booted.python(code, folder).splitlines() == [r"b'\n56' b'9\r\n' b''", r"3 b'a\nb'"]


def test_a_file_that_is_read_is_replaced_once_it_is_closed(booted: Prefix, folder: Path) -> None:
    code = r"""
from pathlib import Path
from price.smallfile import AtomicFile
file = AtomicFile(Path('state.json'), 0o600, durable=True)
print(file.write('{"version": 1, "saved": 1}'))
with open('state.json') as reader:
    print(file.write('{"version": 1, "saved": 2}'), reader.read())
print(file.write('{"version": 1, "saved": 3}\n'), Path('state.json').read_bytes())
file.remove()
print(Path('state.json').exists())
"""
    assert booted.python(code, folder).splitlines() == [
        "True",
        'False {"version": 1, "saved": 1}',
        r"""True b'{"version": 1, "saved": 3}\n'""",
        "False",
    ]


def test_a_lock_that_could_not_be_written_is_not_held(booted: Prefix, folder: Path) -> None:
    code = r"""
import os
from pathlib import Path
from price.host import windows as host
def refuse(*_): raise OSError(28, 'No space left on device')
path, write = Path('lock'), os.write
os.write = refuse
try:
    host.lock(path)
except OSError as error:
    print(error.strerror)
os.write = write
print(host.lock(path) is not None, host.lock(path))
"""
    assert booted.python(code, folder).splitlines() == ["No space left on device", "True None"]


def test_a_process_is_alive_while_it_runs_and_its_number_is_no_other_process(
    booted: Prefix, folder: Path
) -> None:
    code = r"""
import os, subprocess, sys
from datetime import UTC, datetime, timedelta
from price import host
now = datetime.now(UTC)
child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
later = now + timedelta(minutes=1)
print(host.alive(child.pid, later), host.alive(child.pid, now - timedelta(hours=1)))
child.communicate(b'\n')
print(host.alive(child.pid, later), host.alive(4_000_000_000, later), bool(host.place()))
"""
    assert booted.python(code, folder).splitlines() == ["True False", "False False True"]


def test_the_end_of_the_window_and_of_the_system_stop_it_in_order(booted: Prefix, folder: Path) -> None:
    code = r"""
import time
from price.host import windows
windows.time.sleep = lambda seconds: print('waits', seconds)
said = []
windows._on_console_events(lambda: said.append('stop'))
handle = windows._kept[0]
print([bool(handle(event)) for event in (0, 1, 2, 6)], said)
"""
    assert booted.python(code, folder).splitlines() == [
        "waits 4.0",
        "waits 4.0",
        "[False, False, True, True] ['stop', 'stop']",
    ]


def test_ctrl_c_at_its_console_stops_it_in_order(booted: Prefix, folder: Path) -> None:
    ran = booted.wine(PYTHON, "-c", CTRL_C, cwd=folder, PRICE_SOURCES="simulated", PRICE_INTERVAL="1")

    assert "stopping" in ran.text, ran.text
    assert ran.text.endswith(" 0\n")


def test_ctrl_break_stops_it_as_ctrl_c_does(booted: Prefix, folder: Path) -> None:
    code = r"""
import signal
from price import host
from price.clock import Signal, SystemClock
clock = SystemClock()
host.on_signals(lambda: clock.post(Signal.STOP), lambda: None, clock.wakeup_fd)
for number in (signal.SIGBREAK, signal.SIGINT):
    signal.raise_signal(number)
    print(clock.wait(clock.monotonic() + 5))
"""
    assert booted.python(code, folder).splitlines() == ["Signal.STOP", "Signal.STOP"]


def test_what_goes_into_a_pipe_is_utf_8_with_the_line_ends_of_linux(booted: Prefix, folder: Path) -> None:
    code = r"from price import host; host.prepare_streams(); print('\u28ff\u2502')"
    ran = booted.wine(PYTHON, "-c", rf"import sys; sys.path.insert(0, r'C:\src'); {code}")

    assert ran.raw == "⣿│\n".encode()


def test_the_monotonic_clock_moves_in_small_steps(booted: Prefix, folder: Path) -> None:
    code = r"""
from price.clock import SystemClock
clock = SystemClock()
read = [clock.monotonic() for _ in range(100_000)]
print(min(b - a for a, b in zip(read, read[1:]) if b > a) < 0.001)
"""
    assert booted.python(code, folder) == "True"
