"""A chart in the terminal, drawn by plotext."""

from collections.abc import Iterator

import plotext

from price.reader import legend, scale
from price.reader.series import Scene, Series

SMALLEST, LARGEST = (40, 12), (400, 200)
"""Columns and lines."""
_AROUND = 6
"""Lines of a panel below its title and around what is inside of its frame."""
_PLAIN = str.maketrans("─│┌┐└┘┤├┬┴┼░▞", "-|++++||+++:*")


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
        self.scene, self.series, self.screen, self.height = scene, series, screen, height
        self.prices = scale.Prices(series.low, series.high)
        self.title = self._title()
        self.rows = height - len(self.title) - _AROUND
        self.ticks = self.prices.ticks(max(2, self.rows // 3))
        self.columns = screen.columns - max(len(text) for _, text in self.ticks) - 2
        self.points = 2 * self.columns - 1
        """A column is two points wide."""

    def lines(self) -> list[str]:
        """Title, figures, the picture, the legend."""
        shaded = self._shaded()
        above = [self._fit(line) for line in (*self.title, legend.figures(self.series))]
        return [*above, *self._picture(shaded), *map(self._fit, self._legend(shaded))]

    def _fit(self, line: str) -> str:
        width = self.screen.columns
        return line if len(line) <= width else line[: width - 3] + "..."

    def _title(self) -> list[str]:
        """In one line where there is room, else the sources in a second one."""
        title, sources = legend.title(self.scene, self.series), legend.sources(self.series)
        both = f"{title}  {sources}"
        return [both] if len(both) <= self.screen.columns else [title, sources]

    def _legend(self, shaded: list[int]) -> Iterator[str]:
        missed = legend.missed(any_missed=bool(self.series.missed), any_shaded=bool(shaded))
        yield f"{'⠿' if self.screen.unicode else '*'} {legend.price(self.scene)}   ░ {missed}"
        yield legend.complete(self.series)

    def _shaded(self) -> list[int]:
        """The columns of which at least half was missed."""
        span = self.scene.end - self.scene.start
        missed = [0] * self.columns
        for stretch in self.series.missed:
            begin, end = (
                (moment - self.scene.start) * self.columns for moment in (stretch.start, stretch.end)
            )
            for column in range(begin // span, min(self.columns, -(-end // span))):
                missed[column] += min(end, (column + 1) * span) - max(begin, column * span)
        return [column for column, share in enumerate(missed) if 2 * share >= span]

    def _picture(self, shaded: list[int]) -> list[str]:
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
            (2 * column + 0.5, line / (self.rows - 1)) for column in shaded for line in range(self.rows)
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
