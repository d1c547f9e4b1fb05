"""The verbs of `price service`."""

import sys

assert sys.platform == "win32"

import subprocess
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import win32evtlogutil
import win32service

from price import settings
from price.clock import SystemClock
from price.errors import PriceError
from price.handlers.eventlog import MESSAGES
from price.recorder.show_status import show_status
from price.service.manager import Manager, State
from price.service.place import SETTINGS, command_line, environment, make_folder, named, unreadable
from price.service.registry import enter, folder_of, keep_folder
from price.text import print_line

_NEVER_STARTED = 1077
_RIGHTS = "*S-1-5-19:(OI)(CI)M"
"""As icacls has it: LocalService, by its number since names are translated, may change all in a folder."""


def run(args: Namespace, environ: Mapping[str, str]) -> int:
    """Does what the verb says; `host` is what the service manager calls. Raises PriceError."""
    if args.verb == "host":
        from price.service.host import run

        return run(args.name, enter(args.name, environ), rows=args.rows)
    verb: int = getattr(Service(args, environ), args.verb)()
    return verb


class Service:
    """The verbs. Each returns the exit status and raises PriceError."""

    def __init__(self, args: Namespace, environ: Mapping[str, str]) -> None:
        self._name: str = args.name
        self._args = args
        self._environ = environ
        self._manager = Manager(win32service, args.name, SystemClock())
        self._why = f"Get-WinEvent -ProviderName {args.name} -MaxEvents 5"

    def install(self) -> int:
        """Makes the folder and the service that starts with the system."""
        if found := unreadable(self._environ):
            raise PriceError(
                f"the service could not read {found}, in a user's home: install Python for all users,"
                r" and this program outside of it, for example in C:\price"
            )
        data = self._environ.get("PROGRAMDATA") or r"C:\ProgramData"
        folder = Path(self._args.folder or rf"{data}\{self._name}").absolute()
        make_folder(folder)
        settings.load(environment(folder, self._environ))
        self._manager.install(command_line(self._name, rows=self._args.rows))
        keep_folder(self._name, folder)
        win32evtlogutil.AddSourceToRegistry(self._name, MESSAGES)
        self._allow_service(folder)
        print_line(f"{self._name} is installed and starts with Windows; settings: {folder / SETTINGS}")
        print_line(f"to start it now: price service start{named(self._name)}")
        return 0

    def _allow_service(self, folder: Path) -> None:
        """Has LocalService read, write and remove what is in a folder. Raises PriceError."""
        program = self._environ.get("SystemRoot", r"C:\Windows") + r"\System32\icacls.exe"
        try:
            words = [program, str(folder), "/grant", _RIGHTS]
            done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 - Windows' own
            fault = f"icacls ended with status {done.returncode}" if done.returncode else ""
        except OSError as error:
            fault = str(error)
        if fault:
            raise PriceError(
                f"{folder}: LocalService gets no rights on it ({fault});"
                f' type: icacls "{folder}" /grant "{_RIGHTS}", then price service start{named(self._name)}'
            )

    def start(self) -> int:
        """Starts it, after a look at its settings."""
        self._check()
        self._manager.start()
        state = self._manager.wait_while("starting")
        if state.word != "running":
            raise PriceError(f"{self._name} ended during its start, with {state.code}; why: {self._why}")
        print_line(f"{self._name} records")
        return 0

    def stop(self) -> int:
        """Stops it in order."""
        self._manager.stop()
        print_line(f"{self._name} is stopped")
        return 0

    def restart(self) -> int:
        """Stops it, if it runs, and starts it."""
        self._check()
        if self._manager.state().word != "stopped":
            self.stop()
        return self.start()

    def reload(self) -> int:
        """Has it read its settings again, after a look at them."""
        self._check()
        self._manager.reload()
        print_line(f"{self._name} reads its settings again; what came of it: {self._why}")
        return 0

    def status(self) -> int:
        """Shows the service, and what its recorder shows of itself; 0 if it records."""
        state = self._manager.state()
        print_line(_shown(self._name, state))
        if state.word != "running":
            return 1
        path = settings.status_path(enter(self._name, self._environ))
        return show_status(path, False, SystemClock().now, print_line)

    def remove(self) -> int:
        """Stops and forgets it; its folder stays."""
        folder = folder_of(self._name)
        if self._manager.state().word != "stopped":
            with suppress(PriceError):  # one that cannot be stopped is forgotten when it ends
                self.stop()
        self._manager.remove()
        win32evtlogutil.RemoveSourceFromRegistry(self._name)
        print_line(f"{self._name} is removed; settings and log stay in {folder}")
        return 0

    def debug(self) -> int:
        """Records in this terminal, with the service's settings and files, until Ctrl-C."""
        environ = enter(self._name, self._environ)
        clock = SystemClock()
        clock.heed_signals()
        from price.recorder.app import App

        return App(environ, clock).run()

    def _check(self) -> None:
        settings.load(enter(self._name, self._environ))


def _shown(name: str, state: State) -> str:
    if state.word == "stopped":
        why = {0: "in order", _NEVER_STARTED: "it was not started yet"}.get(state.code, "by an error")
        return f"{name} is stopped, with {state.code}: {why}"
    return f"{name} is {state.word}, process {state.pid}"
