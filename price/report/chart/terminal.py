"""A chart in the terminal, drawn by plotext."""

from collections.abc import Iterator

import plotext

from price.report.chart import legend, scale
from price.report.chart.series import Scene, Series

SMALLEST, LARGEST = (40, 12), (400, 200)
"""Columns and lines."""
_AROUND = 6
"""Lines of a panel below its title and around what is inside of its frame."""
_PLAIN = str.maketrans("─│┌┐└┘┤├┬┴┼░", "-|++++||+++:")


class Screen:
    """What a chart is drawn for: so many columns and lines, with colours or not, in Unicode or in ASCII."""

    def __init__(self, columns: int, lines: int, *, coloured: bool, unicode: bool) -> None:
        self.columns = min(max(columns, SMALLEST[0]), LARGEST[0])
        self.lines = min(max(lines, SMALLEST[1]), LARGEST[1])
        self.coloured = coloured
        self.unicode = unicode


def draw(scene: Scene, shown: list[Series], screen: Screen) -> Iterator[str]:
    """The lines of the chart, panel by panel: together one less than the screen has, where there is room."""
    height = max(SMALLEST[1] - 1, (screen.lines - 1) // len(shown))
    for series in shown:
        for line in _Panel(scene, series, screen, height).lines():
            yield line if screen.unicode else line.translate(_PLAIN)


class _Panel:
    def __init__(self, scene: Scene, series: Series, screen: Screen, height: int) -> None:
        self.scene, self.series, self.screen = scene, series, screen
        self.prices = scale.Prices(series.low, series.high)
        self.title = self._title()
        self.rows = height - len(self.title) - _AROUND
        self.ticks = self.prices.ticks(max(2, self.rows // 3))
        self.columns = screen.columns - max(len(text) for _, text in self.ticks) - 2
        self.points = 2 * self.columns - 1
        """A column is two points wide."""

    def lines(self) -> list[str]:
        """Title, figures, the picture, the legend."""
        above = [*self.title, legend.figures(self.series)]
        mark = "⠿" if self.screen.unicode else "*"
        signs = f"{mark} {legend.price(self.scene)}   ░ {legend.missed(self.scene, self.series)}"
        below = [signs, legend.complete(self.series)]
        return [*map(self._fit, above), *self._picture(), *map(self._fit, below)]

    def _fit(self, line: str) -> str:
        width = self.screen.columns
        return line if len(line) <= width else line[: width - 3] + "..."

    def _title(self) -> list[str]:
        """In one line where there is room, else the sources in a second one."""
        title, sources = legend.title(self.scene, self.series), legend.sources(self.series)
        both = f"{title}  {sources}"
        return [both] if len(both) <= self.screen.columns else [title, sources]

    def _shaded(self) -> list[int]:
        """The columns that were missed, to the nearest edge; one at least for each stretch."""
        found: set[int] = set()
        for stretch in filter(self.scene.shows, self.series.missed):
            first, end = (self._edge(moment) for moment in (stretch.start, stretch.end))
            middle = (stretch.start + stretch.end) // 2 - self.scene.start
            found.update(range(first, end) or [middle * self.columns // (self.scene.end - self.scene.start)])
        return sorted(found)

    def _edge(self, moment: int) -> int:
        """The edge of a column that is next to a moment."""
        return round((moment - self.scene.start) * self.columns / (self.scene.end - self.scene.start))

    def _picture(self) -> list[str]:
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.limit_size(False, False)
        plotext.plot_size(self.screen.columns, self.rows + 3)
        plotext.xlim(0, self.points)
        plotext.ylim(0, 1)
        plotext.yticks(*map(list, zip(*self.ticks, strict=True)))
        marks = self._marks()
        plotext.xticks(
            [self._at(mark - self.scene.start) for mark in marks], [_label(mark) for mark in marks]
        )
        places = [
            (2 * column + 0.5, line / (self.rows - 1))
            for column in self._shaded()
            for line in range(self.rows)
        ]
        if places:
            plotext.scatter(*map(list, zip(*places, strict=True)), marker="░", color="red")
        for run in self.scene.runs(self.series):
            places = [(self._at(x), y) for bar in run for x, y in self.scene.way(bar, self.prices)]
            marker = "braille" if self.screen.unicode else "*"
            plotext.plot(*map(list, zip(*places, strict=True)), marker=marker, color="blue+")
        drawn: str = plotext.build()
        return (drawn if self.screen.coloured else plotext.uncolorize(drawn)).rstrip("\n").split("\n")

    def _marks(self) -> list[int]:
        """As many moments as have room for their labels; dates need more."""
        found = scale.moments(self.scene.start, self.scene.end, self.columns // 9)
        if all(scale.clock(mark) == "00:00" for mark in found):
            return scale.moments(self.scene.start, self.scene.end, self.columns // 13)
        return found

    def _at(self, seconds: float) -> float:
        """Where a moment stands, in points."""
        return seconds / (self.scene.end - self.scene.start) * self.points


def _label(moment: int) -> str:
    return scale.day(moment) if scale.clock(moment) == "00:00" else scale.clock(moment)
