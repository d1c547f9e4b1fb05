"""Charts: what the terminal shows, what a file holds, and what is said where there is nothing to draw."""

import contextlib
import os
import pty
import random
import re
import struct
import subprocess
import sys
import termios
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price import times
from price.errors import PriceError
from price.optional import missing
from price.report.chart.series import period
from tests.report.asking import HEADER, answer, lines, write
from tests.report.randomlog import PAIRS, RandomLog

MAIN = Path(__file__).parents[2] / "main.py"
ENVIRON = {"PATH": os.environ["PATH"], "TERM": "xterm"}
SVG = "{http://www.w3.org/2000/svg}"
START = 1_795_190_400  # 2026-11-20T16:00:00Z


def row(seconds: int, price: str, pair: str = "BTC-USD", basis: str = "coinbase,kraken") -> str:
    return f"{iso(START + seconds)} {pair} {price} {basis}"


def iso(unix: int) -> str:
    return times.iso(times.from_unix(unix))


def rows(prices: Sequence[str], first: int = 0, pair: str = "BTC-USD") -> list[str]:
    return [row(first + 5 * number, price, pair) for number, price in enumerate(prices)]


def down(first: int, slots: int, pair: str = "BTC-USD") -> str:
    return row(first, "-", pair, f"down slots={slots}")


@pytest.fixture
def log(tmp_path: Path) -> str:
    """Nine minutes: prices from 1 to 3.75, three minutes without a recorder, prices again."""
    rising = [str(Decimal(number) / 4) for number in range(4, 16)] * 3
    return write(tmp_path, *rows(rising), down(180, 36), *rows(rising, 360))


def chart(log: str, *words: str, **environ: str) -> list[str]:
    status, text = answer("chart", "--file", log, *words, environ=environ)
    assert status == 0
    return text.splitlines()


def inside(shown: list[str]) -> list[str]:
    """What is within the frame, line by line."""
    return [re.split("[│┤]", line, maxsplit=1)[1][:-1] for line in shown if line[-1:] == "│"]


def test_the_terminal_shows_pair_range_sources_and_prices_as_recorded(log: str) -> None:
    shown = chart(log)

    assert shown[0] == "BTC-USD  2026-11-20 16:00 to 16:09 UTC  coinbase,kraken"
    assert shown[1] == "first 1  high 3.75  low 1  last 3.75"
    assert shown[-3].split() == ["16:00", "16:02", "16:04", "16:06", "16:08"]
    assert shown[-2].endswith("░ missed")
    assert shown[-1] == lines("gaps", "--file", log)[-1]


def test_a_missed_stretch_is_shaded_where_it_was_and_no_line_crosses_it(log: str) -> None:
    picture = inside(chart(log))

    width = len(picture[0])
    (edges,) = {(line.index("░"), line.rindex("░") + 1) for line in picture[1:-1]}
    assert all(abs(edge - width * part / 3) <= 1 for part, edge in enumerate(edges, start=1))
    assert {line[edges[0] + 1 : edges[1] - 1] for line in picture} == {"░" * (edges[1] - edges[0] - 2)}
    assert any("⠀" < sign <= "⣿" for line in picture for sign in line[edges[1] :])


@pytest.mark.parametrize(
    ("slots", "legend", "complete"),
    [(1, "missed (too short to be shaded)", "99.9305 %"), (5, "missed", "99.6527 %")],
)
def test_a_stretch_narrower_than_a_column_shades_one_unless_it_is_but_a_slot(
    tmp_path: Path, slots: int, legend: str, complete: str
) -> None:
    minutes = [row(60 * number, "1") for number in range(1440)]
    minutes[400 : 400 + slots] = [row(60 * 400, "-", basis=f"late slots={slots}")]
    log = write(tmp_path, *minutes, header="# price-log 1 every=60s\n")

    shown = chart(log)

    picture = inside(shown)
    columns = {line.index("░") for line in picture if "░" in line}
    assert all(abs(column - 400 * len(picture[0]) // 1440) <= 1 for column in columns)
    assert (len(columns), max(line.count("░") for line in picture)) == ((1, 1) if slots > 1 else (0, 0))
    assert shown[-2].endswith(f"░ {legend}")
    assert shown[-1].startswith(f"{complete} complete: ")


@pytest.mark.parametrize(("columns", "height"), [(40, 12), (80, 24), (132, 43), (400, 200)])
def test_a_chart_fits_the_terminal_and_leaves_a_line_for_the_prompt(
    log: str, columns: int, height: int
) -> None:
    shown = chart(log, COLUMNS=str(columns), LINES=str(height))

    assert len(shown) == height - 1
    assert max(map(len, shown)) == columns


@pytest.mark.parametrize("size", ["", "0", "-5", "x", "99999", "²"])
def test_a_size_that_is_none_is_80_by_24(log: str, size: str) -> None:
    assert chart(log, COLUMNS=size, LINES=size) == chart(log)


def test_each_pair_has_a_panel_in_the_order_of_the_log(tmp_path: Path) -> None:
    pairs = ("ETH-USD", "BTC-USD")
    log = write(
        tmp_path,
        *(down(0, 2, "ETH-USD"), row(0, "2"), row(5, "3")),
        *(row(10, "0.00000812", "ETH-USD", "bitstamp"), row(10, "4")),
    )

    shown = chart(log)

    titles = [line for line in shown if " UTC  " in line]
    assert [title.split(" ")[0] for title in titles] == [*pairs]
    assert [title.split(" ")[-1] for title in titles] == ["bitstamp", "coinbase,kraken"]
    assert len(shown) <= 23
    assert [line.split(" ")[0] for line in chart(log, "--pair", "btc/usd") if " UTC  " in line] == ["BTC-USD"]


def test_the_last_day_is_shown_where_nobody_names_another_range(tmp_path: Path) -> None:
    log = write(
        tmp_path, *(row(hour * 3600, "1") for hour in range(50)), header="# price-log 1 every=3600s\n"
    )

    assert "2026-11-21 18:00 to 2026-11-22 18:00 UTC" in chart(log)[0]
    assert "2026-11-20 16:00 to 2026-11-21 12:00 UTC" in chart(log, "--until", "2026-11-21T12:00")[0]
    assert "2026-11-20 16:00 to 2026-11-22 18:00 UTC" in chart(log, "--since", "2020-01-01")[0]
    assert "2026-11-22 15:00 to 18:00 UTC" in chart(log, "--last", "3")[0]
    assert "2026-11-20 17:00 to 19:00 UTC" in chart(log, "--until", "2026-11-20T19:00", "--last", "2")[0]


def test_repairs_are_shown_unless_they_are_left_out(tmp_path: Path, log: str) -> None:
    write(tmp_path, row(200, "9.5", basis="kraken by=journal"), name="repairs.txt")

    assert "high 9.5" in chart(log)[1]
    assert "high 3.75" in chart(log, "--live-only")[1]


def test_a_hole_in_the_log_is_shaded_and_not_bridged_by_a_line(tmp_path: Path) -> None:
    early, late = rows(["1", "2"] * 30), rows(["1", "2"] * 30, 600)
    log = write(tmp_path, *early, HEADER.rstrip(), *late)

    picture = inside(chart(log))

    middle = len(picture[0]) // 2
    assert {line[middle - 8 : middle + 8] for line in picture} == {"░" * 16}


def command(*words: str) -> list[str]:
    return [sys.executable, str(MAIN), "chart", *words]


def process(*words: str, stdout: int, **environ: str) -> tuple[int, str]:
    """The command as a process of its own: its exit status and what it said on stderr."""
    known = ENVIRON | environ
    done = subprocess.run(
        command(*words), stdout=stdout, stderr=subprocess.PIPE, text=True, env=known, check=False
    )
    return done.returncode, done.stderr


def on_a_terminal(log: str, size: tuple[int, int], **environ: str) -> list[str]:
    """What a terminal of so many columns and lines gets."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, size[::-1])
    with subprocess.Popen(command("--file", log), stdout=slave, env=ENVIRON | environ):
        os.close(slave)
        text = b""
        with contextlib.suppress(OSError):  # Linux's way of saying that the other side is gone
            while read := os.read(master, 1 << 16):
                text += read
    os.close(master)
    return text.decode().splitlines()


def test_a_terminal_gets_colours_unless_it_wants_none(log: str) -> None:
    size = (60, 16)
    coloured, plain = on_a_terminal(log, size), on_a_terminal(log, size, NO_COLOR="1")

    assert [re.sub("\x1b\\[[0-9;]*m", "", line) for line in coloured] == plain
    assert coloured != plain
    assert plain == chart(log, COLUMNS="60", LINES="16")


def test_an_output_that_cannot_hold_the_signs_gets_plain_ones(log: str, tmp_path: Path) -> None:
    with (tmp_path / "shown").open("w+") as shown:
        assert process("--file", log, stdout=shown.fileno(), PYTHONIOENCODING="ascii") == (0, "")
        text = (tmp_path / "shown").read_text("ascii")

    assert ":::::::" in text
    assert text.count("*") > 40


def test_a_missing_library_is_named_before_anything_is_read(tmp_path: Path) -> None:
    for words, library in (((), "plotext"), (("--output", "a.png"), "matplotlib")):
        python, *others = command("--file", str(tmp_path / "none"), *words)
        done = subprocess.run([python, "-S", *others], capture_output=True, text=True, check=False)

        said = f"price: chart needs {library}, which is missing; type: "
        brings = f"{sys.executable} -m pip install -r {MAIN.parent / 'requirements-chart.txt'}\n"
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(said)
        assert done.stderr.endswith(brings)


def test_whoever_may_not_install_is_told_how_to() -> None:
    python = "/opt/price/venv/bin/python"

    assert f"type: {python} -m pip" in missing("chart", "plotext", python, writable=True)
    assert f"type: sudo {python} -m pip" in missing("chart", "plotext", python, writable=False)


def test_a_bare_range_is_said_in_one_line(tmp_path: Path, log: str) -> None:
    missed = write(tmp_path, down(0, 7), name="missed.txt")
    header = write(tmp_path, name="header.txt")

    with pytest.raises(PriceError, match=r"^BTC-USD: no price in this range, 7 slots missed: price gaps has"):
        answer("chart", "--file", missed)
    with pytest.raises(PriceError, match="no rows in this range"):
        answer("chart", "--file", header)
    with pytest.raises(PriceError, match="no rows in this range"):
        answer("chart", "--file", log, "--pair", "ETH-USD")
    with pytest.raises(PriceError, match="no rows in this range"):
        answer("chart", "--file", log, "--since", "2026-11-20T16:30", "--until", "2026-11-20T17:00")


def test_a_pair_without_a_price_is_named_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path, row(0, "1"), down(0, 2, "ETH-USD"), row(5, "1"))

    shown = chart(log)

    assert len([line for line in shown if " UTC  " in line]) == 1
    assert capsys.readouterr().err == "ETH-USD: no price in this range, 2 slots missed\n"


def test_too_many_pairs_are_refused(tmp_path: Path) -> None:
    log = write(tmp_path, *(row(0, "1", f"C{number}-USD") for number in range(13)))

    with pytest.raises(PriceError, match=r"^13 pairs have prices in this range: name at most 12 with --pair"):
        answer("chart", "--file", log)


def test_what_is_no_row_gets_no_panel_and_no_say_on_the_terminal(tmp_path: Path) -> None:
    odd = f"{row(5, '1')[:20]} \x1b[2J 1 $x^$"
    log = write(tmp_path, row(0, "1"), odd, row(5, "2", basis="\x1b[2J"), row(10, "3"))

    shown = "\n".join(chart(log))

    assert "\x1b" not in shown
    assert shown.count(" UTC  ") == 1


@given(seed=st.integers(0, 1 << 60))
@settings(max_examples=15, deadline=None)
def test_a_chart_counts_the_slots_and_names_the_prices_that_gaps_and_candles_do(seed: int) -> None:
    with TemporaryDirectory() as folder:
        made = RandomLog(random.Random(seed), 120)
        path = made.write(Path(folder))
        made.write_repairs(Path(folder))
        for pair in map(str, PAIRS):
            words = ("--file", path, "--pair", pair, "--since", "2000-01-01")
            (candle,) = lines("candles", *words, "--every", "36500d") or [""]
            if candle:
                first, high, low, last = candle.split(" ")[2:6]
                shown = chart(path, *words[2:], COLUMNS="200")
                (figures,) = (line for line in shown if line.startswith("first "))
                assert figures == f"first {first}  high {high}  low {low}  last {last}"
                assert shown[-1] == lines("gaps", *words)[-1]


# Files.


def drawn(log: str, *words: str, form: str = "svg") -> Path:
    path = Path(log).with_name(f"chart.{form}")
    assert answer("chart", "--file", log, "--output", str(path), *words) == (0, "")
    return path


def groups(svg: Path) -> dict[str, ET.Element]:
    """The parts of a picture that have a name."""
    return {group.get("id", ""): group for group in ET.parse(svg).iter(f"{SVG}g")}


def points(group: ET.Element) -> list[tuple[float, float]]:
    path = group.find(f".//{SVG}path")
    assert path is not None
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", path.get("d", ""))]
    return [*zip(numbers[::2], numbers[1::2], strict=True)]


def test_a_svg_says_as_text_what_it_shows(log: str) -> None:
    texts = ["".join(text.itertext()).strip() for text in ET.parse(drawn(log)).iter(f"{SVG}text")]

    assert "BTC-USD  2026-11-20 16:00 to 16:09 UTC" in texts
    assert "coinbase,kraken" in texts
    assert f"first 1  high 3.75  low 1  last 3.75   {lines('gaps', '--file', log)[-1]}" in texts
    assert {"1.0", "3.5", "each price", "missed", "16:00", "2026-Nov-20", "16:08"} <= {*texts}


def test_a_svg_has_prices_and_missed_stretches_in_their_places(tmp_path: Path) -> None:
    log = write(tmp_path, *rows(["1", "2", "5", "3"]), down(20, 3), *rows(["4"], 35), down(40, 2))

    shown = groups(drawn(log))

    first = points(shown["price-BTC-USD-1"])
    assert len(first) == 4
    slot, unit = first[1][0] - first[0][0], first[0][1] - first[1][1]
    assert [round((x - first[0][0]) / slot, 3) for x, _ in first] == [0, 1, 2, 3]
    assert [round((first[0][1] - y) / unit, 3) for _, y in first] == [0, 1, 4, 2]
    spans = [
        sorted({round((x - first[0][0]) / slot, 3) for x, _ in points(shown[f"missed-BTC-USD-{number}"])})
        for number in (1, 2)
    ]
    assert spans == [[4, 7], [8, 10]]
    assert "price-BTC-USD-2" in shown
    assert "missed-BTC-USD-3" not in shown


def test_the_same_chart_is_the_same_file(log: str) -> None:
    assert drawn(log).read_bytes() == drawn(log).read_bytes()


@pytest.mark.parametrize(("pairs", "height"), [(1, 600), (2, 800)])
def test_a_png_has_the_size_of_its_panels(tmp_path: Path, pairs: int, height: int) -> None:
    log = write(tmp_path, *(row(0, "1", f"C{number}-USD") for number in range(pairs)))

    head = drawn(log, form="png").read_bytes()[:24]

    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:]) == (1200, height)


def test_a_picture_is_drawn_in_silence_where_no_cache_may_be_kept(log: str) -> None:
    path = Path(log).with_name("quiet.svg")

    assert process("--file", log, "--output", str(path), stdout=2, HOME="/dev/null") == (0, "")
    assert path.read_bytes() == drawn(log).read_bytes()


@pytest.mark.parametrize("name", ["chart.gif", "chart", "png"])
def test_other_forms_of_files_are_a_wrong_command_line(name: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        answer("chart", "--output", name)


# What both draw by.


@given(st.integers(0, 600_000_000), st.integers(1, 600_000_000), st.sampled_from((40, 60, 80, 132, 400)))
@settings(max_examples=30, deadline=None)
def test_no_label_of_a_time_is_left_out_at_any_range_and_width(first: int, length: int, columns: int) -> None:
    with TemporaryDirectory() as folder:
        log = write(Path(folder), *(f"{iso(5 * (first + n * length))} A-B 1 x" for n in range(2)))

        shown = chart(log, "--since", "1970-01-01", COLUMNS=str(columns))

    ticks, labels = shown[-4], shown[-3].split()
    assert 0 < ticks.count("┬") == len(labels)


def test_labels_of_times_are_utc_wherever_the_machine_stands(log: str, tmp_path: Path) -> None:
    with (tmp_path / "shown").open("w+") as shown:
        assert process("--file", log, stdout=shown.fileno(), TZ="Asia/Kathmandu") == (0, "")
        assert (
            process("--file", log, "--output", str(tmp_path / "a.svg"), stdout=2, TZ="Asia/Kathmandu")[0] == 0
        )

    assert (tmp_path / "shown").read_text().splitlines() == chart(log)
    assert (tmp_path / "a.svg").read_bytes() == drawn(log).read_bytes()


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("0.0000000812", "0.0000000815"),
        ("100000000000000000000", "100000000000000000001"),
        ("0.1", "1" + 23 * "0"),
    ],
)
def test_extreme_prices_are_labelled_as_plain_decimals(tmp_path: Path, low: str, high: str) -> None:
    log = write(tmp_path, *rows([low, high] * 5))

    texts = ["".join(text.itertext()) for text in ET.parse(drawn(log)).iter(f"{SVG}text")]

    assert not [text for text in [*chart(log), *texts] if re.search(r"\de[-+]?\d", text)]
    assert f"low {low} " in chart(log, COLUMNS="200")[1]


@pytest.mark.parametrize(
    ("seconds", "interval", "every"),
    [(600, 5, 5), (3600, 5, 5), (86_400, 5, 120), (31_536_000, 5, 43_200), (600, 45, 45), (1, 5, 5)],
)
def test_a_period_is_as_long_as_600_of_them_allow(seconds: int, interval: int, every: int) -> None:
    assert period(seconds, 600, interval) == every
