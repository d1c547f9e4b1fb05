"""What settings that are right one by one must be together."""

from collections.abc import Iterator
from pathlib import Path

from price.model import Pair
from price.plan import Plan, plan
from price.settings.model import Settings
from price.sources import SOURCES
from price.text import one_line


def together(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong with settings that are right one by one, and the settings that it depends on."""
    if settings.timeout >= settings.interval:
        yield (
            ("PRICE_TIMEOUT", "PRICE_INTERVAL"),
            (
                f"PRICE_TIMEOUT={settings.timeout:g}: must be less than the interval, {settings.interval} s,"
                f" for example {settings.interval * 0.8:g}"
            ),
        )
    if "simulated" in settings.sources and len(settings.sources) > 1:
        yield (
            ("PRICE_SOURCES",),
            (
                f"PRICE_SOURCES={','.join(settings.sources)}: simulated may not be mixed with real sources;"
                " for example PRICE_SOURCES=simulated"
            ),
        )
    if settings.quorum and settings.quorum > len(settings.sources):
        yield (
            ("PRICE_QUORUM", "PRICE_SOURCES"),
            (
                f"PRICE_QUORUM={settings.quorum}: above the number of sources, {len(settings.sources)};"
                f" for example {len(settings.sources)}"
            ),
        )
    for planned in plans(settings):
        if planned.fault:
            yield ("PRICE_PAIRS", "PRICE_SOURCES", "PRICE_INTERVAL"), planned.fault
    for pair in settings.pairs:
        yield from _of_pair(settings, pair)
    yield from _of_files(settings)


def _of_pair(settings: Settings, pair: Pair) -> Iterator[tuple[tuple[str, ...], str]]:
    asked = [name for name in settings.sources if SOURCES[name].offers(pair)]
    able = [name for name, source in SOURCES.items() if source.offers(pair) and name != "simulated"]
    if not asked:
        yield (
            ("PRICE_PAIRS", "PRICE_SOURCES"),
            (
                f"PRICE_PAIRS={pair}: none of {','.join(settings.sources)} quotes it;"
                + (f" {', '.join(able)} may: add one to PRICE_SOURCES" if able else " no source does")
            ),
        )
    elif settings.quorum and len(asked) < settings.quorum <= len(settings.sources):
        yield (
            ("PRICE_PAIRS", "PRICE_SOURCES", "PRICE_QUORUM"),
            (
                f"PRICE_QUORUM={settings.quorum}: {pair} is quoted by {','.join(asked)} alone;"
                f" for example {len(asked)}"
            ),
        )


def _of_files(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """The small files are replaced whole: one that is the log would be its end."""
    seen: dict[Path, str] = {}
    files = {"PRICE_FILE": settings.file, "PRICE_STATE": settings.state, "PRICE_STATUS": settings.status}
    for name, path in files.items():
        other = seen.setdefault(path.absolute(), name)
        if other != name:
            yield (name, other), f"{name}={one_line(str(path))}: {other} is the same file; name another one"


def plans(settings: Settings) -> list[Plan]:
    """How often each configured source is asked."""
    return [
        plan(SOURCES[name], settings.urls.get(name, ""), settings.pairs_of(name), settings.interval)
        for name in settings.sources
    ]
