"""What stands around a chart, in the terminal and in a file alike."""

from price import times
from price.report.chart import scale
from price.report.chart.series import Scene, Series
from price.report.gaps import completeness


def title(scene: Scene, series: Series) -> str:
    """The pair and the range."""
    return f"{series.pair}  {scale.extent(scene.start, scene.end)}"


def sources(series: Series) -> str:
    """What the prices rest on."""
    return ",".join(series.sources)


def figures(series: Series) -> str:
    """The prices of the range in four, every digit as recorded."""
    first, last = series.bars[0].open, series.bars[-1].close
    return f"first {first:f}  high {series.high:f}  low {series.low:f}  last {last:f}"


def price(scene: Scene) -> str:
    """What the line shows."""
    return "each price" if scene.single else f"each price: lowest to highest in {times.span(scene.every)}"


def missed(scene: Scene, series: Series) -> str:
    """What the shade shows."""
    if any(map(scene.shows, series.missed)):
        return "missed"
    return "missed (too short to be shaded)" if series.missed else "missed (nothing)"


def complete(series: Series) -> str:
    """How complete the range is."""
    return completeness(series.priced, series.missed_slots).rstrip()
