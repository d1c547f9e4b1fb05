"""A chart as a file, drawn by matplotlib: PNG or SVG."""

import contextlib
import io
import warnings
from typing import Any

from price.report.chart.series import Scene, Series

# where it may not keep its cache of fonts it prints many lines
with contextlib.redirect_stderr(io.StringIO()):
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.colors import to_rgba
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.transforms import ScaledTranslation

_DOTS = 100
"""Per inch."""
_WIDTH, _HEIGHT, _HEIGHT_OF_SEVERAL = 12, 6, 4
"""Inches: 1200 by 600 dots for one pair."""
_LINE, _MISSED, _QUIET = "#1f5fa8", "#d9534f", "#666666"
_DAY = 86_400
"""matplotlib counts its dates in days from 1970 on."""
_STYLE: Any = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 10,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "price",  # the same chart has the same bytes
    "text.parse_math": False,
    "date.converter": "concise",
    "timezone": "UTC",
}


def draw(scene: Scene, shown: list[Series], form: str) -> bytes:
    """The picture as a file's content, a panel for each pair."""
    matplotlib.rcdefaults()  # whatever style the user keeps for other work
    with matplotlib.rc_context(_STYLE):
        height = _HEIGHT if len(shown) == 1 else _HEIGHT_OF_SEVERAL * len(shown)
        figure = Figure(figsize=(_WIDTH, height), dpi=_DOTS, layout="constrained")
        for series, part in zip(shown, figure.subfigures(len(shown), squeeze=False)[:, 0], strict=True):
            _panel(scene, series, part)
        content = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # labels of extreme prices leave no room for a picture
            figure.savefig(content, format=form, metadata={"Date": None} if form == "svg" else None)
    return content.getvalue()


def _panel(scene: Scene, series: Series, part: SubFigure) -> None:
    """Titles above, the picture, the legend below."""
    axes = part.subplots()
    _frame(scene, series, axes)
    axes.set_title(f"{scene.title(series)}\n", loc="left", fontweight="bold")
    axes.set_title(f"{','.join(series.sources)}\n", loc="right", fontsize=10, color=_QUIET)
    figures = f"{series.figures}   {series.complete}"
    known = axes.annotate(
        figures, (0, 1), (0, 7), xycoords="axes fraction", textcoords="offset points", color=_QUIET
    )
    known.set_in_layout(False)  # where its prices are long they leave the picture its width
    for number, stretch in enumerate(scene.shaded(series), start=1):
        shade = axes.axvspan(
            *(edge / _DAY for edge in stretch),
            facecolor=to_rgba(_MISSED, 0.25),
            edgecolor=to_rgba(_MISSED, 0.5),
            linewidth=0.8,
        )
        shade.set_gid(f"missed-{series.pair}-{number}")
    for number, run in enumerate(scene.runs(series), start=1):
        moments, prices = zip(*(place for bar in run for place in scene.way(bar)), strict=True)
        days = [moment / _DAY for moment in moments]
        mark = "." if len(run) == 1 else ""
        (line,) = axes.plot(days, prices, color=_LINE, linewidth=1, marker=mark, clip_on=False)
        line.set_gid(f"price-{series.pair}-{number}")
    signs = [Line2D([], [], color=_LINE), Patch(color=_MISSED, alpha=0.25)]
    labels = [scene.line_label, scene.shade_label(series)]
    # under the labels of the axis: loc="outside …" came with matplotlib 3.7, and Debian 12 has 3.6
    below = axes.transAxes + ScaledTranslation(0, -24 / 72, part.dpi_scale_trans)
    axes.legend(
        signs, labels, loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below, ncols=2, frameon=False
    )


def _frame(scene: Scene, series: Series, axes: Axes) -> None:
    """The axes: every digit of a price is shown, and times are UTC."""
    axes.set_xlim(scene.start / _DAY, scene.end / _DAY)
    axes.xaxis_date()
    low, high = series.extent
    axes.set_ylim(low - (high - low) / 25, high + (high - low) / 25)
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
