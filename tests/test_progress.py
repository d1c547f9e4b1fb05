"""The bar that a terminal sees."""

import io

from price.progress import Progress
from tests.backfill.repairing import at


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is_and_nothing_of_it_stays() -> None:
    terminal = Terminal()
    progress = Progress(terminal, "filled")
    progress.begin(at("10:00:00"), at("11:00:00"))

    progress.show(at("10:30:00"))
    progress.counted = 7
    progress.show(at("10:10:00"))
    progress.clear()

    first, second, cleared = terminal.getvalue().split("\r")[1:]
    assert first == "[" + "#" * 15 + "." * 15 + "] 2026-11-20T10:30:00Z 0 filled"
    assert second == first.replace(" 0 filled", " 7 filled")
    assert cleared == "\x1b[K"


def test_a_file_or_a_pipe_sees_nothing() -> None:
    stream = io.StringIO()
    progress = Progress(stream, "filled")
    progress.begin(at("10:00:00"), at("11:00:00"))

    progress.show(at("10:30:00"))
    progress.clear()

    assert stream.getvalue() == ""
