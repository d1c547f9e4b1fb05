"""`price alerts --follow`: hands changes to a program, each at least once. It may wait for that."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from price import host, times
from price.alerts.waiting import JournalChanges, Position, StateChanges, Waiting
from price.errors import PriceError
from price.smallfile import AtomicFile
from price.text import one_line

LOOK_SECONDS = 2.0
"""From look to look: a storm of changes is one run of the program."""
RUN_SECONDS = 30
_RETRY_SECONDS = (5.0, 300.0)
_MODE = 0o600

Run = Callable[[Sequence[Waiting]], str]
"""Hands changes on; returns what went wrong, or nothing."""


class Follower:
    """Looks for changes, hands all that wait to one run of the program, and keeps how far it came.

    The position is stored after the program has succeeded: whatever ends this process at whatever moment,
    what was not handed on for certain is handed on again.
    """

    def __init__(
        self, changes: StateChanges | JournalChanges, run: Run, path: Path, say: Callable[[str], None]
    ) -> None:
        """Raises PriceError where changes cannot be read, or the position cannot be stored."""
        self._changes = changes
        self._run = run
        self._file = AtomicFile(path, _MODE, durable=True)
        self._say = say
        self._trouble = ""
        self._retry = 0.0
        self._unstored: Position | None = None
        """How far it came, where that could not be stored yet: on Windows while somebody reads the file."""
        position = self._stored()
        if position is None:
            position = changes.newest()
            say(f"{path}: begun; changes from now on are handed on")
            self._store(position)
        self._position = position

    def step(self) -> float:
        """Hands on what waits; returns the seconds to wait before the next step."""
        try:
            if self._unstored is not None:
                self._store(self._unstored)
            waiting = self._changes.after(self._position)
            if waiting:
                failure = self._run(waiting)
                if failure:
                    return self._failed(failure)
                self._store(waiting[-1].position)
                self._position = waiting[-1].position
        except PriceError as error:
            return self._failed(str(error))
        if self._trouble:
            self._say("changes are handed on again")
        self._trouble, self._retry = "", 0.0
        return LOOK_SECONDS

    def _failed(self, failure: str) -> float:
        least, most = _RETRY_SECONDS
        self._retry = min(most, max(least, 2 * self._retry))
        if failure != self._trouble:
            self._say(f"{one_line(failure)}; trying again until it succeeds, after {times.span(self._retry)}")
        self._trouble = failure
        return self._retry

    def _stored(self) -> Position | None:
        """The position of an earlier run. Raises PriceError for one that is damaged, or of another place."""
        trouble: object = "it is no position of this --from"
        try:
            position: Position = json.loads(self._file.read())
            if isinstance(position, dict) and _shape(position) == _shape(self._changes.START):
                return position
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            trouble = error
        raise PriceError(
            f"{self._file.path}: cannot be read ({trouble}); remove it to begin with new changes"
        )

    def _store(self, position: Position) -> None:
        try:
            self._unstored = None if self._file.write(json.dumps(position)) else position
        except OSError as error:
            raise PriceError(
                f"{self._file.path}: {error.strerror}; what was handed on comes again"
            ) from error


def _shape(position: Position) -> dict[str, type]:
    return {name: type(value) for name, value in position.items()}


def runner(program: str, environ: Mapping[str, str], most_seconds: float = RUN_SECONDS) -> Run:
    """What runs a program with a line a change on stdin, and the fields of the last in the environment.

    What still runs after `most_seconds` is killed together with all that it started: what a shell script
    waits for would run on, and another one would be added at each try. Raises PriceError for no program.
    """
    if not os.access(program, os.X_OK) or not Path(program).is_file():
        raise PriceError(f"--run {program}: there is no such program, or it may not be run (chmod +x)")

    def run(waiting: Sequence[Waiting]) -> str:
        lines = "".join(f"{one_line(one.fields['MESSAGE'])}\n" for one in waiting)
        last = {name: text for name, text in waiting[-1].fields.items() if name != "MESSAGE"}  # it is a line
        fields = {**environ, **last, "PRICE_CHANGES": str(len(waiting))}
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own program
                [str(Path(program).absolute())],
                stdin=subprocess.PIPE,
                text=True,
                env=fields,
                start_new_session=True,
            )
        except OSError as error:
            return f"{program}: {error.strerror}"
        with process:
            try:
                process.communicate(lines, most_seconds)
            except subprocess.TimeoutExpired:
                return f"{program}: still ran after {most_seconds} s and was killed"
            finally:  # also at Ctrl-C, which does not reach another session
                if process.poll() is None:
                    host.kill_session(process.pid)
        return f"{program}: ended with status {process.returncode}" if process.returncode else ""

    return run
