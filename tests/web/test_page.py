"""The page in a real browser: every state that it can be in, and what people do with it."""

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from price import times
from tests.needs import has
from tests.web.live import Live, picture
from tests.web.scene import source

if TYPE_CHECKING:
    from playwright.sync_api import Page
if has("playwright"):
    from playwright.sync_api import expect

    expect.set_options(timeout=20_000)

pytestmark = pytest.mark.realtime

Open = Callable[..., "Page"]
HOUR = 3600
CANVAS = ".chart canvas"


def shows(page: "Page", place: str, text: str) -> None:
    expect(page.locator(place)).to_contain_text(text)


def recorded(live: Live, visit: Open, state: str = "recording", **words: Any) -> "Page":
    """The page over ten minutes of a recorder that goes on, once it shows its state and the chart."""
    live.history(600)
    live.record()
    page = visit(**words)
    shows(page, "#state-word", state)
    shows(page, "#caption", "of")
    return page


def shows_an_old_price(page: "Page", title: str = "⚠ ") -> None:
    expect(page.locator("#price")).to_have_class("price old")
    expect(page).to_have_title(re.compile(re.escape(title)))


def test_a_recorder_that_records(live: Live, visit: Open) -> None:
    live.history(
        2 * HOUR, lambda ago: "- kraken:timeout,okx:timeout" if 900 < ago < 1300 else f"59{100 + ago % 13}.4"
    )
    live.record()

    page = visit()

    shows(page, "#state-word", "recording")
    shows(page, "#digits", "59\u202f116.2")
    shows(page, "#basis", "median of kraken, okx")
    shows(page, "#complete", "99.7 % complete: 1\u202f000 of 1\u202f003 slots, 3 missed")
    shows(page, "#caption", "399 of")
    shows(page, "#missed", "399 slots (6.7 min): kraken timed out; okx timed out")
    expect(page.locator("#sources li")).to_have_count(2)
    expect(page.locator(CANVAS)).to_be_visible()
    expect(page).to_have_title("59116.2 BTC-USD")
    picture(page, "recording")


def test_the_price_goes_on_with_the_log_in_each_tab(live: Live, visit: Open) -> None:
    pages = [recorded(live, visit), visit()]
    shows(pages[0], "#digits", "59\u202f116.2")

    live.now_at["BTC-USD"] = "59117.30000000000001"

    for page in pages:
        shows(page, "#digits", "59\u202f117.30000000000001")
        shows(page, "#caption", "last 59\u202f117.30000000000001")


def test_a_missed_slot_is_there_with_its_reason(live: Live, visit: Open) -> None:
    page = recorded(live, visit)

    live.reason = "quorum,kraken:timeout,okx:outlier"

    shows(page, "#missed", "too few sources; kraken timed out; okx was an outlier")
    shows(page, "#digits", "59\u202f116.2")
    shows(page, "#basis", "s old")
    picture(page, "missed-slot")


def test_what_each_source_does_has_a_mark_and_a_word(live: Live, visit: Open) -> None:
    until = times.iso(live.now() + timedelta(seconds=300))
    live.known = {
        "sources": {
            "coinbase": source(),
            "kraken": source("outlier", offset_bp=301.91, reach="11110111"),
            "bitstamp": source("timeout", offset_bp=None, age_seconds=None, reach="11111100"),
            "gemini": source("resting", until=until, offset_bp=-12.5),
            "okx": source("retired", until=until, offset_bp=None, age_seconds=None, reach="00000000"),
        }
    }
    page = recorded(live, visit)

    for text in (
        "● selected",
        "▲ outlier",
        "+301.91 bp",
        "■ timeout",
        "‖ resting, again in",
        "\u221212.50 bp",
        "✕ retired",
    ):
        shows(page, "#sources", text)
    expect(page.locator("#sources .dots").nth(2)).to_have_attribute(
        "aria-label", "usable in 6 of the last 8 slots"
    )
    page.locator("#sources summary").first.click()
    shows(page, "#sources", "100 requests, 1 failed")
    picture(page, "sources")


@pytest.mark.parametrize(
    ("known", "state", "words"),
    [
        ({"held": 12}, "rows held back", "12 are held in memory. Type: journalctl -u price"),
        ({"waiting": "the clock is 2 h before the last row"}, "waiting", "writes no rows: the clock is 2 h"),
    ],
)
def test_a_recorder_that_writes_no_rows_says_why(
    live: Live, visit: Open, known: dict[str, Any], state: str, words: str
) -> None:
    live.known = known

    page = recorded(live, visit, state)

    shows(page, "#banner-text", words)
    picture(page, state.replace(" ", "-"))


def test_a_recorder_that_hangs_and_goes_on(live: Live, visit: Open) -> None:
    page = recorded(live, visit)

    live.freeze()

    shows(page, "#state-word", "late")
    shows(page, "#state-word", "recorder silent")
    shows(page, "#banner-text", "Type: journalctl -u price -n 20")
    shows_an_old_price(page)
    picture(page, "recorder-silent")
    live.record()
    shows(page, "#state-word", "recording")
    expect(page.locator("#price")).to_have_class("price")


def test_no_recorder(live: Live, visit: Open) -> None:
    live.history(600, lambda ago: f"{59_000 + ago}")
    live.add(live.prices_row(live.now() + timedelta(seconds=1), "ETH-USD", "3000.5"))
    page = visit()

    shows(page, "#state-word", "no recorder")
    shows(page, "#banner-text", "sudo systemctl start price")
    shows(page, "#digits", "59\u202f001")
    expect(page.locator("#price")).to_have_class("price old")
    expect(page.locator(CANVAS)).to_be_visible()
    shows(page, "#pairs", "ETH-USD")
    picture(page, "no-recorder")


def test_a_recorder_that_is_stopped_and_started_while_one_looks(live: Live, visit: Open) -> None:
    page = recorded(live, visit)

    live.freeze()
    live.status_file.unlink()

    shows(page, "#state-word", "no recorder")
    live.record()
    shows(page, "#state-word", "recording")


def test_a_status_that_is_looked_for_while_it_is_replaced_is_no_stop(live: Live, visit: Open) -> None:
    page = recorded(live, visit)
    page.evaluate(
        "window.words = new Set(); const word = document.getElementById('state-word');"
        "new MutationObserver(() => words.add(word.textContent))"
        ".observe(word, { subtree: true, childList: true, characterData: true })"
    )

    answer = live.app._standing.status
    gone = iter([True])
    live.app._standing.status = lambda: None if next(gone, False) else answer()  # type: ignore[method-assign]
    shows(page, "#digits", "59\u202f116.2")
    live.now_at["BTC-USD"] = "2"
    expect(page.locator("#digits")).to_have_text("2")

    assert "no recorder" not in page.evaluate("[...words]")


def test_a_page_that_is_cut_off_and_comes_back(live: Live, visit: Open) -> None:
    page = recorded(live, visit, broken=True)

    page.context.set_offline(True)

    shows(page, "#state-word", "page cut off")
    shows(page, "#banner-text", "No answer from the server; asking again")
    shows_an_old_price(page)
    page.context.set_offline(False)
    shows(page, "#state-word", "recording")
    # only the log says missed: it had prices all the time
    expect(page.locator("#missed")).to_contain_text("Nothing in the last 24 hours")
    shows(page, "#caption", "0 of")


def test_a_server_that_is_started_again_is_found_by_itself(live: Live, visit: Open) -> None:
    page = recorded(live, visit, broken=True)
    port = int(live.url.rsplit(":", 1)[1].strip("/"))

    live.stop_serving()
    shows(page, "#state-word", "page cut off")
    picture(page, "page-cut-off")
    live.serve(port)

    shows(page, "#state-word", "recording")


def test_a_laptop_that_slept_says_how_old_the_price_is_and_asks(live: Live, visit: Open) -> None:
    page = recorded(live, visit, broken=True)

    page.route("**/api/*", lambda route: route.abort())
    page.evaluate("Date.now = ((now) => () => now() + 8 * 3600 * 1000)(Date.now.bind(Date))")

    shows(page, "#basis", "8 h old")
    shows_an_old_price(page, "⚠ 8 h old")
    live.skip(hours=8)
    page.unroute("**/api/*")
    shows(page, "#state-word", "recording")
    shows(page, "#missed", "the recorder was late")


def test_a_log_that_is_rotated_while_one_looks(live: Live, visit: Open) -> None:
    page = recorded(live, visit)

    live.file.rename(live.folder / "prices.txt.1")
    live.file.write_text("# price-log 1 every=1s\n")
    live.now_at["BTC-USD"] = "3"

    expect(page.locator("#digits")).to_have_text("3")
    shows(page, "#caption", "last 3;")
    shows(page, "#missed", "Nothing")


def test_an_empty_log_and_one_that_is_not_there(live: Live, visit: Open) -> None:
    page = visit()
    shows(page, ".chart", "no such file")
    shows(page, "#state-word", "no recorder")
    picture(page, "no-log")

    live.log()
    shows(page, ".chart", "no rows yet")
    live.record()
    shows(page, "#digits", "59\u202f116.2")
    expect(page.locator(CANVAS)).to_be_visible()


def test_a_log_that_cannot_be_read_costs_the_chart_alone(live: Live, visit: Open) -> None:
    live.record()
    page = visit(broken=True)
    shows(page, "#digits", "59\u202f116.2")

    live.freeze()
    live.file.write_text("something else\n")
    live.status()

    shows(page, ".chart", "not a price log")
    picture(page, "log-unreadable")


def test_a_pair_of_which_there_are_no_rows(live: Live, visit: Open) -> None:
    live.history(60)
    live.status(pairs={"XYZ-USD": {"price": None, "slot": None, "sources": [], "recorded": 0, "missed": 0}})
    page = visit(broken=True)

    shows(page, ".chart", "XYZ-USD has no rows from")
    shows(page, "#digits", "\u2013")
    shows(page, "#basis", "no price recorded yet")


def test_three_hundred_pairs(live: Live, visit: Open) -> None:
    live.now_at = {f"C{number:03}-USD": f"{number + 1}.25" for number in range(300)}
    live.log()
    live.record()
    page = visit("#C007-USD")

    expect(page.locator("#pairs tr")).to_have_count(300)
    shows(page, "#pair-name", "C007-USD")
    expect(page.locator("#tabs button")).to_have_count(7)
    picture(page, "300-pairs")
    page.locator("#filter").fill("c29")
    expect(page.locator("#pairs tr")).to_have_count(10)
    page.locator("#pairs button").last.click()
    shows(page, "#pair-name", "C299-USD")
    shows(page, "#digits", "300.25")
    assert page.url.endswith("#C299-USD")


def test_a_price_whose_slot_is_not_known_never_looks_fresh(live: Live, visit: Open) -> None:
    live.history(60)
    live.known = {
        "pairs": {"BTC-USD": {"price": "5", "slot": None, "sources": [], "recorded": 0, "missed": 0}}
    }
    live.record()
    page = visit()

    shows(page, "#basis", "of unknown age")
    shows_an_old_price(page, "⚠ of unknown age: 5")


def test_alerts_that_are_on_and_those_that_were(live: Live, visit: Open) -> None:
    live.history(60)
    since = times.iso(live.now() - timedelta(minutes=3))
    change = {
        "number": 7, "alert": "far-apart", "alert_state": "over", "limit": "any apart 2%", "pair": "BTC-USD",
        "slot": since, "since": times.iso(live.now() - timedelta(minutes=9)), "value": "59116.2", "level": 25,
    }  # fmt: skip
    live.known = {
        "alerts": {"on": [{"name": "btc-high", "pair": "BTC-USD", "since": since}], "changes": [change]}
    }
    live.record()
    page = visit()

    shows(page, "#alerts", "▲ btc-high BTC-USD since")
    shows(page, "#alerts", "far-apart BTC-USD over any apart 2%, at 59\u202f116.2")
    shows(page, "#alerts", "after 6 min")
    picture(page, "alerts")


def test_rows_page_by_page_and_the_same_as_csv(live: Live, visit: Open) -> None:
    live.history(450, lambda ago: "- late" if ago == 7 else str(ago))
    live.status(
        live.now() - timedelta(seconds=1), pairs={"BTC-USD": {"price": "1", "slot": None, "sources": []}}
    )
    page = visit()
    shows(page, "#caption", "of")

    page.locator("#rows-show").click()

    expect(page.locator("#rows-body tr")).to_have_count(200)
    shows(page, "#rows-body tr:nth-child(7)", "the recorder was late")
    picture(page, "rows")
    page.locator("#rows-more").click()
    expect(page.locator("#rows-body tr")).to_have_count(400)
    page.locator("#rows-more").click()
    expect(page.locator("#rows-body tr")).to_have_count(450)
    expect(page.locator("#rows-more")).to_be_hidden()
    with page.expect_download() as download:
        page.locator("#rows-csv").click()
    assert len(download.value.path().read_text().splitlines()) == 451


def test_hostile_text_stays_text(live: Live, visit: Open) -> None:
    evil = "<img/src=x/onerror=alert(1)>"
    live.history(60)
    live.known = {
        "waiting": f"{evil}\u202e\x07",
        "sources": {evil: source(evil)},
        "alerts": {"on": [{"name": evil, "pair": evil, "since": evil}], "changes": []},
    }
    live.record()
    page = visit()

    shows(page, "#sources", evil)
    shows(page, "#alerts", evil)
    shows(page, "#banner-text", evil)
    assert page.locator("img").count() == 0


@pytest.mark.parametrize(
    "price", ["12345678901234567890.12345678", "0.00000001", "1", "100000000000000000000000"]
)
def test_every_digit_is_shown(live: Live, visit: Open, price: str) -> None:
    live.history(300, lambda ago: price)
    live.now_at = {"BTC-USD": price}
    live.record()
    page = visit()

    expect(page.locator("#digits")).to_have_text(grouped(price))
    shows(page, "#caption", f"high {grouped(price)}")
    shows(page, "#pairs", grouped(price))
    page.locator(".chart").focus()
    page.keyboard.press("Home")
    shows(page, "#cursor", grouped(price))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    picture(page, f"price-{len(price)}")


def grouped(price: str) -> str:
    whole, point, rest = price.partition(".")
    return f"{int(whole):,}".replace(",", "\u202f") + point + rest


def test_the_keyboard_does_what_the_mouse_does(live: Live, visit: Open) -> None:
    live.history(2 * HOUR, lambda ago: str(ago))
    live.status(
        live.now() - timedelta(seconds=1), pairs={"BTC-USD": {"price": "1", "slot": None, "sources": []}}
    )
    page = visit()
    page.locator("#ranges button", has_text="1h").press("Enter")
    shows(page, "#caption", "1h:")

    page.locator(".chart").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    shows(page, "#cursor", "close")
    page.keyboard.press("+")
    shows(page, "#caption", "range:")
    page.keyboard.press("Escape")
    shows(page, "#caption", "1h:")
    page.locator("#forms button", has_text="candles").press("Space")
    shows(page, "#caption", "1h:")
    picture(page, "candles")


def test_dragging_zooms_and_a_double_click_goes_back(live: Live, visit: Open) -> None:
    live.history(2 * HOUR)
    live.record()
    page = visit()
    shows(page, "#caption", "1d:")
    box = page.locator(".u-over").bounding_box()
    assert box

    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60, steps=5)
    page.mouse.up()

    shows(page, "#caption", "range:")
    page.locator(".u-over").dblclick()
    shows(page, "#caption", "1d:")


def test_repairs_that_arrive_while_one_looks(live: Live, visit: Open) -> None:
    slots: dict[int, datetime] = {}

    def price(ago: int) -> str:
        slots[ago] = times.from_unix(times.unix(live.now()) - ago)
        return "- down" if 100 < ago <= 200 else str(ago)

    live.history(600, price)
    live.record()
    page = visit()
    shows(page, "#caption", "100 of")

    first = live.file.read_text().splitlines()
    gone = [line.split()[0] for line in first if line.endswith("- down")]
    live.log(*(f"{slot} BTC-USD 5 okx by=candle" for slot in gone), name="repairs.txt")

    expect(page.locator("#caption")).to_contain_text("; 0 of")
    shows(page, "#caption", "repaired in")
    page.locator(".chart").focus()
    page.keyboard.press("End")
    for _ in range(200):
        if "by=candle" in page.locator("#cursor").inner_text():
            break
        page.keyboard.press("ArrowLeft")
    shows(page, "#cursor", "repaired by=candle")


def test_an_interval_that_changes_in_the_log(live: Live, visit: Open) -> None:
    live.history(600)
    live.change_interval(2)
    live.record()
    page = visit()

    shows(page, "#caption", "last 59\u202f116.2")
    shows(page, "#state-word", "recording")


def test_local_time_tells_the_two_hours_of_a_night_apart(live: Live, visit: Open) -> None:
    night = times.parse_iso("2026-10-25T00:00:00Z")
    live.every = 1800
    live.log(
        *(
            live.prices_row(night + timedelta(minutes=30 * number), "BTC-USD", str(number + 1))
            for number in range(5)
        )
    )
    page = visit(timezone_id="Europe/Berlin")
    shows(page, "#caption", "of")

    page.locator("#zone").click()
    page.locator(".chart").focus()
    seen = []
    page.keyboard.press("Home")
    for _ in range(5):
        seen.append(page.locator("#cursor").inner_text().partition(": ")[0])
        page.keyboard.press("ArrowRight")

    assert seen == [
        "2026-10-25 02:00:00 +02:00", "2026-10-25 02:30:00 +02:00", "2026-10-25 02:00:00 +01:00",
        "2026-10-25 02:30:00 +01:00", "2026-10-25 03:00:00 +01:00",
    ]  # fmt: skip
    expect(page.locator("#zone")).to_have_text("Europe/Berlin")
    picture(page, "local-time")


def test_a_browser_whose_clock_is_wrong_shows_the_servers_time(live: Live, visit: Open) -> None:
    page = recorded(live, visit, before=lambda page: page.clock.install(time=datetime(2031, 1, 1)))  # noqa: DTZ001

    shows(page, "#caption", "; 0 of")
    shows(page, "#banner-age", times.iso(live.now())[:10])


def test_a_choice_is_remembered_and_a_theme_overrides_the_systems(live: Live, visit: Open) -> None:
    live.history(600)
    page = visit()
    page.locator("#theme").click()
    page.locator("#ranges button", has_text="6h").click()
    shows(page, "#caption", "6h:")

    page.reload()

    shows(page, "#theme", "Theme: dark")
    shows(page, "#caption", "6h:")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(14, 17, 20)"


def test_a_long_range_shows_how_far_it_is_and_another_cancels_it(live: Live, visit: Open) -> None:
    live.every = 3600
    live.history(40 * 24 * HOUR, lambda ago: str(ago))
    page = visit(broken=True)
    shows(page, "#caption", "1d:")
    live.tick_seconds = 1.0
    original = live.app._answers.series

    def slow(asked: Any) -> Any:
        if asked.until - asked.since > 20 * 24 * HOUR:
            page_waits.wait(0.2)
        return original(asked)

    page_waits = threading.Event()
    live.app._answers.series = slow  # type: ignore[method-assign]

    page.locator("#ranges button", has_text="30d").click()
    shows(page, "#caption", "reading 30d,")
    expect(page.locator(".chart")).to_have_class("chart reading")
    picture(page, "reading")
    page.locator("#ranges button", has_text="1h").click()
    shows(page, "#caption", "1h:")
    page.locator("#ranges button", has_text="30d").click()
    shows(page, "#caption", "30d:")


def test_without_the_library_the_place_of_the_chart_says_what_to_type(live: Live, visit: Open) -> None:
    live.history(600)
    live.record()
    del live.app._files["vendor/uPlot.iife.min.js"]
    page = visit(broken=True)

    shows(page, ".chart", "make web")
    shows(page, "#digits", "59\u202f116.2")
    picture(page, "no-library")


def test_below_a_path_of_a_proxy_everything_is_found(live: Live, visit: Open) -> None:
    live.history(600)
    live.record()
    app = live._server.application

    def proxy(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        assert path.startswith("/prices/"), path
        return app({**environ, "PATH_INFO": path.removeprefix("/prices")}, start_response)

    live._server.application = proxy
    page = visit("prices/")

    shows(page, "#digits", "59\u202f116.2")
    expect(page.locator(CANVAS)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("state", ["recording", "silent"])
def test_nothing_keeps_anybody_from_using_it(
    live: Live, visit: Open, theme: str, width: int, state: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    live.history(600, lambda ago: "- late" if ago == 9 else str(ago))
    live.known = {
        "sources": {"kraken": source("outlier"), "okx": source("timeout"), "gemini": source("resting")},
        "alerts": {
            "on": [{"name": "high", "pair": "BTC-USD", "since": times.iso(live.now())}],
            "changes": [],
        },
    }
    live.now_at["ETH-USD"] = "3000"
    live.record()
    page = visit(
        bypass_csp=True, color_scheme=theme, viewport={"width": width, "height": 844}, has_touch=width < 500
    )
    shows(page, "#caption", "of")
    page.locator("#rows-show").click()
    shows(page, "#rows-body", "late")
    if state == "silent":
        live.freeze()
        shows(page, "#state-word", "recorder silent")

    found = Axe().run(page)

    assert [f"{one['id']}: {one['nodes'][0]['html']}" for one in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_jumps_while_it_loads(live: Live, visit: Open, width: int) -> None:
    live.history(600)
    live.now_at["ETH-USD"] = "3000"
    live.record()
    script = """
    window.shift = 0;
    new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shift += one.value; })
        .observe({ type: "layout-shift", buffered: true });
    """
    page = visit(before=lambda page: page.add_init_script(script), viewport={"width": width, "height": 844})
    shows(page, "#caption", "of")
    shows(page, "#missed", "Nothing")
    shows(page, "#state-word", "recording")

    assert page.evaluate("window.shift") < 0.02


def test_it_prints_without_what_can_only_be_pressed(live: Live, visit: Open) -> None:
    page = recorded(live, visit, color_scheme="dark")

    page.emulate_media(media="print")

    expect(page.locator("#theme")).to_be_hidden()
    expect(page.locator("#digits")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_week_leaves_nothing_behind(live: Live, visit: Open) -> None:
    live.every = 600
    live.history(24 * HOUR, lambda ago: str(ago))
    live.status(live.now() - timedelta(seconds=600))
    page = visit(before=lambda page: page.clock.install(), broken=True)  # asked faster than it can answer
    shows(page, "#caption", "of")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def figures() -> dict[str, float]:
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in metrics}

    def slots(count: int) -> None:
        for _ in range(count):
            live.skip(seconds=600)
            live.slot()
            page.clock.fast_forward(600_000)
        newest = times.unix(live.now()) // 600 * 600
        expect(page.locator("#banner-age")).to_contain_text(times.iso(times.from_unix(newest))[11:19])

    slots(100)
    before = figures()
    slots(7 * 144)
    after = figures()

    assert after["Nodes"] <= before["Nodes"] + 50
    # those of requests that are under way come and go; one a slot would be a thousand
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 50
    assert after["JSHeapUsedSize"] < 10_000_000
    print({name: (before[name], after[name]) for name in ("Nodes", "JSEventListeners", "JSHeapUsedSize")})
