"""What settings that are right one by one must be together."""

import os
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from price.log.files import REPAIRS, rotated_name
from price.model import Pair
from price.plan import Plan, plan
from price.settings.table import Settings
from price.smallfile import draft_of, foreign, is_none
from price.sources import SOURCES
from price.text import one_line

Fault = tuple[str, str]
"""The names of the settings that a fault depends on, with blanks between, and what is wrong."""


def together(settings: Settings, env: Path | None, named: Collection[str]) -> Iterator[Fault]:
    """What is wrong with settings that are right one by one.

    `env` is the settings file, `named` the settings that are not left to their default.
    """
    names = ",".join(settings.sources)
    if settings.timeout >= settings.interval:
        usual = f"{settings.interval} s, for example {settings.interval * 0.8:g}"
        fault = f"PRICE_TIMEOUT={settings.timeout:g}: must be less than the interval, {usual}"
        yield "PRICE_TIMEOUT PRICE_INTERVAL", fault
    if settings.simulated and len(settings.sources) > 1:
        what = "simulated may not be mixed with real sources; for example PRICE_SOURCES=simulated"
        yield "PRICE_SOURCES", f"PRICE_SOURCES={names}: {what}"
    if settings.quorum and settings.quorum > (count := len(settings.sources)):
        what = f"above the number of sources, {count}; for example {count}"
        yield "PRICE_QUORUM PRICE_SOURCES", f"PRICE_QUORUM={settings.quorum}: {what}"
    for planned in plans(settings):
        if planned.fault:
            yield "PRICE_PAIRS PRICE_SOURCES PRICE_INTERVAL", planned.fault
    for pair in settings.pairs:
        yield from _of_pair(settings, pair)
    for fault in settings.parsed_alerts()[1]:
        yield "PRICE_ALERTS PRICE_PAIRS PRICE_INTERVAL", f"PRICE_ALERTS={fault}"
    yield from _of_files(settings, env, named)


def _of_pair(settings: Settings, pair: Pair) -> Iterator[Fault]:
    asked = settings.asked_for(pair)
    if not asked:
        yield "PRICE_PAIRS PRICE_SOURCES PRICE_SYMBOLS", _unasked(settings, pair)
    elif settings.quorum and len(asked) < settings.quorum <= len(settings.sources):
        what = f"{pair} is quoted by {','.join(asked)} alone; for example {len(asked)}"
        yield "PRICE_PAIRS PRICE_SOURCES PRICE_QUORUM", f"PRICE_QUORUM={settings.quorum}: {what}"


def _unasked(settings: Settings, pair: Pair) -> str:
    """Why no configured source is asked for a pair, and what to do."""
    able = [name for name in SOURCES if settings.source(name).offers(pair) and name != "simulated"]
    names = ",".join(settings.sources)
    quoting = [name for name in settings.sources if pair.quote in SOURCES[name].currencies]
    if not quoting:
        fault = f"PRICE_PAIRS={pair}: none of {names} quotes it;"
        return fault + (f" {', '.join(able)} may: add one to PRICE_SOURCES" if able else " no source does")
    fault = f"PRICE_PAIRS={pair}: {names}: none is known to have this {pair.base};"
    fault += f" {', '.join(able)} may: add one to PRICE_SOURCES, or" if able else ""
    return f"{fault} say what it is called, for example PRICE_SYMBOLS={quoting[0]}:{pair.base}={pair.base}"


def _of_files(settings: Settings, env: Path | None, named: Collection[str]) -> Iterator[Fault]:
    """At most one fault of each file. Small ones are replaced whole: what else stands there would be lost."""
    files = {"PRICE_FILE": settings.file, "PRICE_STATE": settings.state, "PRICE_STATUS": settings.status}
    real = {name: _real(path) for name, path in files.items() if not is_none(path)}
    logs = (_real(settings.file), _real(settings.file.parent) / settings.file.name)

    def clashes(name: str, path: Path) -> Iterator[Fault]:
        if name == "PRICE_FILE" and settings.file.name == REPAIRS:
            yield name, f"{REPAIRS} is for repairs of the log"
        for other, one in real.items():
            if other < name and _same(path, one):  # of two the later by name is at fault
                yield f"{name} {other}", f"{other} is the same file"
            elif other not in (name, "PRICE_FILE") and path == draft_of(one):
                yield f"{name} {other}", f"{other} is written there before it is replaced"
        if env and _same(path, _real(env)):
            yield name, "it is the settings file"
        if name != "PRICE_FILE":
            if any(_is_beside(path, log) for log in logs):
                yield f"{name} PRICE_FILE", "the log's own files have such names"
            elif found := foreign(path, any_text=name not in named):
                yield name, f"{found}, which would be lost"

    for name, path in real.items():
        for names, words in islice(clashes(name, path), 1):
            yield names, f"{name}={one_line(str(files[name]))}: {words}; name another file"


def _real(path: Path) -> Path:
    """Where a path leads, through all links."""
    return Path(os.path.realpath(path))


def _same(one: Path, other: Path) -> bool:
    """Whether two real paths are one file: the same name, or two names of one file."""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def _is_beside(path: Path, log: Path) -> bool:
    """Whether a path is one of those that the recorder, `repair` or logrotate write for a log."""
    marks = (log.name, REPAIRS, f".{log.name}.", f".{REPAIRS}.")
    own = path.name.startswith(marks) or rotated_name(log.name).fullmatch(path.name)
    return path != log and path.parent == log.parent and bool(own)


def plans(settings: Settings) -> list[Plan]:
    """How often each configured source is asked."""
    return [
        plan(settings.source(name), settings.urls.get(name, ""), settings.pairs_of(name), settings.interval)
        for name in settings.sources
    ]
