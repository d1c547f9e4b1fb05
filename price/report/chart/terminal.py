"""A chart in the terminal, drawn by plotext."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import plotext

from price.report.chart.series import STEPS, Scene, Series, date_and_clock

SMALLEST, LARGEST = (40, 12), (400, 200)
"""Columns and lines of a screen."""
_SIGNS = "⣿░─"
_SIZE = re.compile("[1-9][0-9]{0,3}")
_FRAME = 3
"""Lines of a picture around what is inside of its frame: two edges, and the labels of times."""
_PRICE_COLUMNS = 12
"""Columns for the prices next to most pictures; the longest take twice as many."""
_PLAIN = str.maketrans("─│┌┐└┘┤├┬┴┼░", "-|++++||+++:")
_DAY, _YEARLY = 86_400, 28 * 86_400


class Screen(NamedTuple):
    """What a chart is drawn for: so many columns and lines, with colours or not, in Unicode or in ASCII."""

    columns: int
    lines: int
    coloured: bool
    unicode: bool


def screen(environ: Mapping[str, str]) -> Screen:
    """What stdout is: of the size in $COLUMNS and $LINES, else of the terminal's, else 80 by 24."""
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        size = os.terminal_size((80, 24))
    named = environ.get("COLUMNS", ""), environ.get("LINES", "")
    columns, lines = (
        min(max(int(text) if _SIZE.fullmatch(text) else number, least), most)
        for text, number, least, most in zip(named, size, SMALLEST, LARGEST, strict=True)
    )
    plain = not sys.stdout.isatty() or environ.get("NO_COLOR") or environ.get("TERM") == "dumb"
    encoding = sys.stdout.encoding or "utf-8"
    unicode = _SIGNS.encode(encoding, "ignore").decode(encoding) == _SIGNS
    return Screen(columns, lines, coloured=not plain, unicode=unicode)


def draw(scene: Scene, shown: list[Series], screen: Screen) -> Iterator[str]:
    """The lines of the chart, panel by panel: together one less than the screen has, where there is room."""
    height = max(SMALLEST[1] - 1, (screen.lines - 1) // len(shown))
    for series in shown:
        for line in _panel(scene, series, screen, height):
            yield line if screen.unicode else line.translate(_PLAIN)


def _panel(scene: Scene, series: Series, screen: Screen, height: int) -> list[str]:
    """Title, figures, the picture, the legend."""
    title, sources = scene.title(series), ",".join(series.sources)
    in_one = f"{title}  {sources}"
    above = [*([in_one] if len(in_one) <= screen.columns else [title, sources]), series.figures]
    mark = "⠿" if screen.unicode else "*"
    below = [f"{mark} {scene.line_label}   ░ {scene.shade_label(series)}", series.complete]
    picture = _picture(scene, series, screen, height - len(above) - len(below))
    return [*(_fit(line, screen) for line in above), *picture, *(_fit(line, screen) for line in below)]


def _fit(line: str, screen: Screen) -> str:
    return line if len(line) <= screen.columns else line[: screen.columns - 3] + "..."


def _picture(scene: Scene, series: Series, screen: Screen, height: int) -> list[str]:
    low, high = series.extent
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plot_size(screen.columns, height)
    plotext.xlim(scene.start, scene.end)
    plotext.ylim(low, high)
    plotext.yfrequency(max(2, (height - _FRAME) // 3))
    marks = _marks(scene.start, scene.end, screen.columns - _PRICE_COLUMNS)
    plotext.xticks(list(marks), [_label(mark, marks.step) for mark in marks])
    for start, end in scene.shaded(series):
        # up to its last slot: a column that it hardly touches belongs to the price that follows
        edges = start, max(start, end - scene.every)
        plotext.rectangle(edges, (low, high), marker="░", color="red", fill=True)
    marker = "braille" if screen.unicode else "*"
    for run in scene.runs(series):
        moments, prices = zip(*(place for bar in run for place in scene.way(bar)), strict=True)
        plotext.plot(moments, prices, marker=marker, color="blue+")
    drawn: str = plotext.build()
    return (drawn if screen.coloured else plotext.uncolorize(drawn)).rstrip("\n").split("\n")


def _marks(start: int, end: int, columns: int) -> range:
    """Round moments of a range, in Unix seconds, far enough apart for all their labels.

    plotext's own labels of times are in the zone of the machine. It leaves out a label that touches another,
    and it pushes one at an edge inwards by up to half its width.
    """
    for step in STEPS:
        marks = range(-(-start // step) * step, end + 1, step)
        room = 2 * len(_label(start, step)) + 1
        if room * (end - start) <= step * columns:
            break
    return marks or range(start, start + step, step)


def _label(moment: int, step: int) -> str:
    """A time of day; month and day at a midnight; the year too where the steps are months."""
    date, clock = date_and_clock(moment)
    if step >= _YEARLY:
        return date
    return date[5:] if clock == "00:00" or step >= _DAY else clock
