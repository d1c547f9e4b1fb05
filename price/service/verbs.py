"""The verbs of `price service`."""

import sys

assert sys.platform == "win32"

import os
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

import win32service

from price import host, settings
from price.clock import Signal, SystemClock
from price.errors import PriceError
from price.recorder.show_status import show_status
from price.service import parameters, registry
from price.service.manager import Manager, State
from price.service.place import (
    SETTINGS,
    Place,
    absolute,
    command_line,
    default_folder,
    named,
    programs,
    unreadable,
)
from price.text import print_line

_NEVER_STARTED = 1077
_EVENTS = "Get-WinEvent -ProviderName {name} -MaxEvents 5"


def run(args: Namespace, environ: Mapping[str, str]) -> int:
    """Does what the verb says; `host` is what the service manager calls. Raises PriceError."""
    if args.verb == "host":
        from price.service.host import run

        return run(_place(args), environ, rows=args.rows)
    service = Service(Manager(win32service, args.name, SystemClock()), args, environ)
    verb: int = getattr(service, args.verb)()
    return verb


def _place(args: Namespace) -> Place:
    return Place(args.name, parameters.folder_of(args.name))


class Service:
    """The verbs. Each returns the exit status and raises PriceError."""

    def __init__(self, manager: Manager, args: Namespace, environ: Mapping[str, str]) -> None:
        self._manager = manager
        self._args = args
        self._environ = environ

    def install(self) -> int:
        """Makes the folder and the service that starts with the system."""
        name = self._args.name
        folder = self._args.folder
        place = Place(name, absolute(folder) if folder else default_folder(name, self._environ))
        if found := unreadable(self._environ, *programs()):
            raise PriceError(
                f"the service could not read {found}, in a user's home: install Python for all users,"
                r" and this program outside of it, for example in C:\price"
            )
        place.make()
        settings.load(place.environment(self._environ))
        unknown = self._manager.install(command_line(name, rows=self._args.rows))
        parameters.keep_folder(name, place.folder)
        registry.add_source(name)
        registry.allow_service(place.folder)
        print_line(f"{name} is installed and starts with Windows; settings: {place.folder / SETTINGS}")
        for what in unknown:
            print_line(f"this Windows has no way {what}")
        print_line(f"to start it now: price service start{named(name)}")
        return 0

    def start(self) -> int:
        """Starts it, after a look at its settings."""
        self._check()
        state = self._manager.start()
        if state.word != "running":
            raise PriceError(f"{self._args.name} ended during its start, with {state.code}; why: {self._why}")
        print_line(f"{self._args.name} records")
        return 0

    def stop(self) -> int:
        """Stops it in order."""
        self._manager.stop()
        print_line(f"{self._args.name} is stopped")
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
        print_line(f"{self._args.name} reads its settings again; what came of it: {self._why}")
        return 0

    def status(self) -> int:
        """Shows the service, and what its recorder shows of itself; 0 if it records."""
        state = self._manager.state()
        print_line(_shown(self._args.name, state))
        if state.word != "running":
            return 1
        return show_status(settings.status_path(self._entered()), False, SystemClock().now, print_line)

    def remove(self) -> int:
        """Stops and forgets it; its folder stays."""
        place = _place(self._args)
        if self._manager.state().word != "stopped":
            with suppress(PriceError):  # one that cannot be stopped is forgotten when it ends
                self.stop()
        self._manager.remove()
        with suppress(FileNotFoundError):
            registry.remove_source(self._args.name)
        print_line(f"{self._args.name} is removed; settings and log stay in {place.folder}")
        return 0

    def debug(self) -> int:
        """Records in this terminal, with the service's settings and files, until Ctrl-C."""
        environ = self._entered()
        clock = SystemClock()
        host.on_signals(partial(clock.post, Signal.STOP), partial(clock.post, Signal.RELOAD), clock.wakeup)
        from price.recorder.app import App

        return App(environ, clock).run()

    def _check(self) -> None:
        settings.load(self._entered())

    def _entered(self) -> Mapping[str, str]:
        """The environment of the service, in its folder: what settings name without one lies there."""
        place = _place(self._args)
        os.chdir(place.folder)
        return place.environment(self._environ)

    @property
    def _why(self) -> str:
        return _EVENTS.format(name=self._args.name)


def _shown(name: str, state: State) -> str:
    if state.word == "stopped":
        why = {0: "in order", _NEVER_STARTED: "it was not started yet"}.get(state.code, "by an error")
        return f"{name} is stopped, with {state.code}: {why}"
    return f"{name} is {state.word}, process {state.pid}"
