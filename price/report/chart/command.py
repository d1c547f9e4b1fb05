"""`price chart`: a range as a picture, in the terminal or as a file."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from price import times
from price.errors import PriceError
from price.log.read import PriceLog
from price.optional import needed_by
from price.report.chart.series import Scene, Series, period
from price.report.latest import last_rows
from price.report.options import Window, add_last, add_range, finish, opened, window
from price.text import counted

MOST_PAIRS = 12


Drawer = Callable[[Scene, list[Series]], object]
"""What turns a scene into a picture."""


def _into_file(path: Path) -> tuple[Drawer, int]:
    """Draws a .png or .svg; how many periods it has room for."""
    from price.report.chart import picture

    form = path.suffix[1:].lower()
    return (lambda scene, shown: path.write_bytes(picture.draw(scene, shown, form))), 600  # two dots wide


def _onto_terminal(environ: Mapping[str, str]) -> tuple[Drawer, int]:
    """Draws onto stdout; how many periods it has room for."""
    from price.report.chart import terminal

    screen = terminal.screen(environ)

    def draw(scene: Scene, shown: list[Series]) -> None:
        for line in terminal.draw(scene, shown, screen):
            sys.stdout.write(f"{line}\n")

    return draw, 2 * screen.columns


def run_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    add_range(parser)
    add_last(parser)
    into = "into a .svg or .png, not the terminal"
    parser.add_argument("--output", type=_picture, metavar="FILE", help=into)


def _picture(text: str) -> str:
    if not text.lower().endswith((".svg", ".png")):
        raise ArgumentTypeError(f"{text!r} ends neither in .svg nor in .png")
    return text


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Draws the range: each pair with prices in a panel of its own."""
    asked = window(args, now)
    with needed_by("chart"):
        draw, parts = _into_file(Path(args.output)) if args.output else _onto_terminal(environ)
    log = opened(args, environ)
    scene = _scene(log, asked, args.last, parts)
    status = finish(log, unseen=False)
    draw(scene, _with_prices(scene, log.path))
    return status


def _scene(log: PriceLog, asked: Window, last: int | None, parts: int) -> Scene:
    """The range that is asked for, or a day where no option names it."""
    first, end = log.first(), log.last()
    if first is None or end is None:
        return Scene([], 1)
    end = end + 1 if asked.until is None else min(asked.until, end + 1)
    since = asked.since
    if last:
        since = min((times.slot_unix(one[0]) for one in last_rows(log, asked, last)), default=0)
    elif since is None:
        since = end - times.DAY
    every, _ = next(log.blocks(since, asked.until), (1, []))
    log.left.forget()
    return Scene(log.blocks(since, asked.until), period(end - max(first, since), parts, every))


def _with_prices(scene: Scene, path: str) -> list[Series]:
    """The pairs to show. Raises PriceError where there is none, or too many; reports which have no price."""
    shown = [series for series in scene.series if series.bars]
    bare = [series for series in scene.series if not series.bars]
    if not scene.series:
        raise PriceError(f"{path}: no rows in this range: price history --last 1 shows where the log ends")
    if len(shown) > MOST_PAIRS:
        raise PriceError(
            f"{len(shown)} pairs have prices in this range: name at most {MOST_PAIRS} with --pair"
        )
    without = [
        f"{series.pair}: no price in this range, {counted(series.missed_slots, 'slot')} missed"
        for series in bare
    ]
    if not shown:
        raise PriceError(f"{'; '.join(without)}: price gaps has the reasons")
    if without:
        sys.stderr.write("".join(f"{line}\n" for line in without))
    return shown
