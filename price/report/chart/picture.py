"""A chart as a file, drawn by matplotlib: PNG or SVG."""

import contextlib
import io
import warnings
from typing import Any

from price.report.chart import legend, scale
from price.report.chart.series import Bar, Scene, Series

# where it may not keep its cache of fonts it says so at length
with contextlib.redirect_stderr(io.StringIO()):
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.transforms import ScaledTranslation

_DOTS = 100
"""Per inch."""
_WIDTH, _HEIGHT, _HEIGHT_OF_SEVERAL = 12, 6, 4
"""Inches: 1200 by 600 dots for one pair."""
_BELOW = 38
"""Points from the axis down to the legend: two lines of labels lie between."""
_LINE, _MISSED, _QUIET = "#1f5fa8", "#d9534f", "#666666"
_STYLE: Any = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 10,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "price",  # the same chart gives the same bytes
    "text.parse_math": False,
}


def draw(scene: Scene, shown: list[Series], form: str) -> bytes:
    """The picture as a file's content, a panel for each pair."""
    matplotlib.rcdefaults()  # whatever style the user keeps for other work
    with matplotlib.rc_context(_STYLE):
        height = _HEIGHT if len(shown) == 1 else _HEIGHT_OF_SEVERAL * len(shown)
        figure = Figure(figsize=(_WIDTH, height), dpi=_DOTS, layout="constrained")
        for series, axes in zip(shown, figure.subplots(len(shown), squeeze=False)[:, 0], strict=True):
            _Panel(scene, series, axes).draw()
        content = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # labels of extreme prices leave no room for a picture
            figure.savefig(content, format=form, metadata={"Date": None} if form == "svg" else None)
    return content.getvalue()


class _Panel:
    def __init__(self, scene: Scene, series: Series, axes: Axes) -> None:
        self.scene, self.series, self.axes = scene, series, axes
        self.prices = scale.Prices(series.low, series.high)

    def draw(self) -> None:
        self._frame()
        self._titles()
        for number, stretch in enumerate(filter(self.scene.shows, self.series.missed), start=1):
            edges = stretch.start - self.scene.start, stretch.end - self.scene.start
            shade = self.axes.axvspan(
                *edges, facecolor=(_MISSED, 0.25), edgecolor=(_MISSED, 0.5), linewidth=0.8
            )
            shade.set_gid(f"missed-{self.series.pair}-{number}")
        for number, run in enumerate(self.scene.runs(self.series), start=1):
            self._run(number, run)
        self._legend()

    def _frame(self) -> None:
        axes, scene = self.axes, self.scene
        axes.set_xlim(0, scene.end - scene.start)
        axes.set_ylim(-0.04, 1.04)
        places, texts = zip(*self.prices.ticks(8), strict=True)
        axes.set_yticks(places, texts)
        marks = scale.moments(scene.start, scene.end, 12)
        axes.set_xticks([mark - scene.start for mark in marks], _labels(marks))
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)

    def _titles(self) -> None:
        self.axes.set_title(f"{legend.title(self.scene, self.series)}\n", loc="left", fontweight="bold")
        self.axes.set_title(f"{legend.sources(self.series)}\n", loc="right", fontsize=10, color=_QUIET)
        above = ScaledTranslation(0, 7 / 72, self.axes.figure.dpi_scale_trans)
        figures = f"{legend.figures(self.series)}   {legend.complete(self.series)}"
        self.axes.text(0, 1, figures, transform=self.axes.transAxes + above, color=_QUIET)

    def _run(self, number: int, run: list[Bar]) -> None:
        """A line that touches all prices of each period."""
        way = [place for bar in run for place in self.scene.way(bar, self.prices)]
        mark = "." if len(run) == 1 else ""
        (line,) = self.axes.plot(*zip(*way, strict=True), color=_LINE, linewidth=1, marker=mark)
        line.set_gid(f"price-{self.series.pair}-{number}")

    def _legend(self) -> None:
        below = ScaledTranslation(0, -_BELOW / 72, self.axes.figure.dpi_scale_trans)
        self.axes.legend(
            [Line2D([], [], color=_LINE), Patch(color=_MISSED, alpha=0.25)],
            [legend.price(self.scene), legend.missed(self.scene, self.series)],
            loc="upper left",
            bbox_to_anchor=(0, 0),
            bbox_transform=self.axes.transAxes + below,
            ncols=2,
            frameon=False,
            borderaxespad=0,
        )


def _labels(marks: list[int]) -> list[str]:
    """Times, with the date below the first and below each midnight; dates alone where all are midnights."""
    if all(scale.clock(mark) == "00:00" for mark in marks):
        return [scale.day(mark) for mark in marks]
    return [
        f"{scale.clock(mark)}\n{scale.day(mark)}"
        if number == 0 or scale.clock(mark) == "00:00"
        else scale.clock(mark)
        for number, mark in enumerate(marks)
    ]
