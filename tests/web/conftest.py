"""One browser for the tests of the page, and a page that fails a test where anything in it goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from price.web.app import STATIC
from tests.needs import give_up, needs
from tests.web.live import Live, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"
Open = Callable[..., "Page"]


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium, driven by playwright."""
    needs("chromium", "sudo apt-get install --no-install-recommends chromium fonts-dejavu-core")
    needs("playwright", ".venv/bin/python -m pip install -r requirements-browser.txt")
    if not (STATIC / "vendor").exists():
        give_up("needs what the chart is drawn with: make web")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield found
        found.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A log that grows, and a server over it."""
    with Live(tmp_path) as live:
        yield live


@pytest.fixture
def visit(browser: "Browser", live: Live) -> Iterator[Open]:
    """Opens the page in a context of its own; what went wrong in it fails the test, when that is over."""
    with ExitStack() as undo:
        seen: list[list[str]] = []

        def opened(path: str = "", *, broken: bool = False, before: Any = None, **context: Any) -> "Page":
            mine = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **context})
            undo.callback(mine.close)
            page = mine.new_page()
            page.set_default_timeout(20_000)
            seen.append(watch(page, live.url, broken=broken))
            if before:
                before(page)
            page.goto(live.url + path)
            return page

        yield opened
        assert [one for faults in seen for one in faults] == []
