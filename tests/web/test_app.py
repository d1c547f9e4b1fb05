"""The paths of `price web`, who may ask, and what hostile questions get."""

import json
import threading
from pathlib import Path

import pytest

from price import times
from tests.web.scene import NOON, WebScene, source

PATHS = ("/", "/main.js", "/style.css", "/api/now", "/nothing", "/api/series?pair=x")
RANGE = f"pair=BTC-USD&since={times.unix(NOON)}&until={times.unix(NOON) + 60}"


@pytest.fixture
def scene(tmp_path: Path) -> WebScene:
    scene = WebScene(tmp_path, hosts=["prices.example.org"])
    scene.log(*scene.prices(NOON, ["1", "2", "- kraken:timeout", "4"]))
    return scene


def test_the_page_comes_with_its_files_and_asks_for_nothing_from_elsewhere(scene: WebScene) -> None:
    page = scene.get("/")

    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"://" not in page.body
    for name in ("main.js", "chart.js", "clock.js", "feed.js", "view.js", "style.css", "icon.svg"):
        assert scene.get(f"/{name}").status == 200


def test_what_is_there_already_is_not_sent_again(scene: WebScene) -> None:
    first = scene.get("/main.js")

    again = scene.get("/main.js", HTTP_IF_NONE_MATCH=first.headers["ETag"])

    assert (again.status, again.body) == (304, b"")
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]


def test_an_answer_is_compressed_for_those_who_take_it(scene: WebScene) -> None:
    plain = scene.get("/main.js")
    packed = scene.get("/main.js", HTTP_ACCEPT_ENCODING="gzip, br")

    assert packed.body == plain.body
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2


def test_head_has_the_headers_of_get_and_no_body(scene: WebScene) -> None:
    for path in ("/", "/main.js"):
        get, head = scene.get(path), scene.get(path, method="HEAD")
        assert (head.status, head.headers, head.body) == (200, get.headers, b"")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_the_browser_what_the_page_does_not_need(scene: WebScene, path: str) -> None:
    name, _, query = path.partition("?")
    for answer in (scene.get(name, query), scene.get(name, query, HTTP_HOST="evil.example")):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "require-trusted-types-for 'script'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8464", "127.0.0.1", "[::1]:8464", "[::1]", "localhost", "LOCALHOST:8464", "192.0.2.7:80",
     "prices.example.org", "Prices.Example.Org.:443"],
)  # fmt: skip
def test_an_address_and_a_name_that_is_listed_are_answered(scene: WebScene, host: str) -> None:
    assert scene.get("/api/now", HTTP_HOST=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8464", "localhost.evil.example", "", "127.0.0.1.evil.example",
             "prices.example.org.evil", "[::1].evil", "a" * 5000, "\r\nX: y", "\x00"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/main.js", "/api/now"])
def test_another_name_is_refused_on_every_path(scene: WebScene, host: str, path: str) -> None:
    answer = scene.get(path, HTTP_HOST=host)

    assert answer.status == 421
    assert "PRICE_WEB_HOSTS" in answer.json["fault"]
    assert len(answer.body) < 300


def test_a_page_of_another_site_gets_no_prices(scene: WebScene) -> None:
    for site in ("cross-site", "same-site"):
        assert scene.get("/api/now", HTTP_SEC_FETCH_SITE=site).status == 403
    assert scene.get("/", HTTP_SEC_FETCH_SITE="cross-site").status == 200  # a link to the page
    assert scene.get("/api/now", HTTP_SEC_FETCH_SITE="same-origin").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "x" * 500])
def test_it_only_reads(scene: WebScene, method: str) -> None:
    answer = scene.get("/api/now", method=method)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    ["/../serve.py", "/..%2fserve.py", "/static/../../cli.py", "//etc/passwd", "/vendor/../main.js", "/.",
     "/api", "/api/", "/main.js/", "/main.js\x00", "/\udcff", "/price.env", "/" + "a" * 10_000],
)  # fmt: skip
def test_nothing_is_found_beside_the_pages_own_files(scene: WebScene, path: str) -> None:
    answer = scene.get(path)

    assert answer.status == 404
    assert str(scene.folder) not in answer.body.decode()


@pytest.mark.parametrize(
    "query",
    ["", "pair=", "pair=btc", "pair=<img>", "pair=../../x", "pair=BTC-USD&since=-1", "pair=BTC-USD&since=1e9",
     "pair=BTC-USD&until=99999999999999", "pair=BTC-USD&points=x", "pair=BTC-USD&since=٣",
     "pair=BTC-USD&every=0x10", "pair=BTC-USD&x=" + "y" * 500, "pair=BTC-USD&until=253402300799"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/series", "/api/rows", "/api/rows.csv"])
def test_a_question_that_cannot_be_meant_gets_one_line(scene: WebScene, path: str, query: str) -> None:
    answer = scene.get(path, query)

    assert answer.status == 400
    assert "\n" not in answer.json["fault"]


def test_a_range_that_ends_before_it_begins_is_empty(scene: WebScene) -> None:
    query = f"pair=BTC-USD&since={times.unix(NOON) + 60}&until=5"

    assert scene.get("/api/rows", query).json == {"rows": [], "more": None}
    assert scene.get("/api/series", query).status in (200, 503)
    assert scene.get("/api/rows.csv", query).body.splitlines()[1:] == []


def test_the_status_comes_as_it_is_with_the_time_of_the_server(scene: WebScene) -> None:
    scene.status(sources={"<img onerror=x>": source("outlier")})

    answer = scene.get("/api/now").json

    assert answer["now"] == NOON.timestamp()
    assert answer["status"] == json.loads(scene.status_file.read_text())
    assert abs(answer["written"] - scene.status_file.stat().st_mtime) < 0.01


def test_a_status_that_was_replaced_is_read_again_and_else_not(scene: WebScene) -> None:
    scene.status(held=1)
    first = scene.get("/api/now").json["status"]["held"]
    scene.status(held=12)

    assert (first, scene.get("/api/now").json["status"]["held"]) == (1, 12)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"slot": NaN, "interval": 5, "pairs": {}, "sources": {}}',
             '{"slot": null, "interval": 5, "pairs": [], "sources": {}}', "[" * 100_000, "\udcff",
             '{"slot": null, "interval": 5, "pairs": {"A-B": 1}, "sources": {}}'],
)  # fmt: skip
def test_what_is_no_status_counts_as_no_recorder(scene: WebScene, text: str) -> None:
    scene.status_file.write_text(text, errors="surrogateescape")

    answer = scene.get("/api/now")

    assert (answer.status, answer.json["status"]) == (200, None)
    assert answer.json["log"]["pairs"][0]["price"] == "4"


def test_without_a_recorder_the_log_tells_the_pairs_and_their_last_prices(scene: WebScene) -> None:
    scene.add("2026-11-20T12:00:20Z X-USD 0.00000001 okx")

    log = scene.get("/api/now").json["log"]

    assert [(one["pair"], one["price"], one["slot"]) for one in log["pairs"]] == [
        ("BTC-USD", "4", "2026-11-20T12:00:15Z"),
        ("X-USD", "0.00000001", "2026-11-20T12:00:20Z"),
    ]
    assert log["every"] == 5


def test_without_a_log_the_page_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    scene = WebScene(tmp_path)

    assert "no such file" in scene.get("/api/now").json["log"]["fault"]
    answer = scene.get("/api/series", RANGE)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "prices.txt: no such file" in answer.json["fault"]


def test_an_empty_log_and_an_unknown_pair_are_said_in_one_line(scene: WebScene) -> None:
    unknown = scene.get("/api/series", RANGE.replace("BTC", "XYZ"))
    scene.log()
    empty = scene.get("/api/series", RANGE)

    assert (unknown.status, empty.status) == (503, 503)
    assert "XYZ-USD has no rows from 2026-11-20T12:00:00Z" in unknown.json["fault"]
    assert "no rows yet" in empty.json["fault"]


def test_rows_are_those_of_history_the_newest_first_and_page_by_page(scene: WebScene) -> None:
    scene.log(*scene.prices(NOON, [str(number) for number in range(1, 451)]))
    query = f"pair=BTC-USD&since={times.unix(NOON)}&until={times.unix(NOON) + 9999}"
    found: list[str] = []
    after = ""
    while after is not None:
        answer = scene.get("/api/rows", f"{query}&after={after}").json
        found += [one["price"] for one in answer["rows"]]
        after = answer["more"]

    assert found == [str(number) for number in range(450, 0, -1)]


def test_rows_that_are_hard_to_find_are_looked_for_in_parts(scene: WebScene) -> None:
    scene.log("2026-10-01T00:00:00Z X-USD 1 okx", *scene.prices(NOON, ["1"]))
    scene.tick_seconds = 0.2
    query = f"pair=X-USD&since=0&until={times.unix(NOON)}"
    parts, found, after = 0, [], ""
    while after is not None:
        answer = scene.get("/api/rows", f"{query}&after={after}").json
        found += [one["slot"] for one in answer["rows"]]
        after, parts = answer["more"], parts + 1

    assert found == ["2026-10-01T00:00:00Z"]
    assert parts > 3, parts


def test_rows_as_csv_are_those_of_history(scene: WebScene) -> None:
    answer = scene.get("/api/rows.csv", RANGE)

    assert answer.headers["Content-Disposition"] == 'attachment; filename="btc-usd-2026-11-20.csv"'
    lines = answer.body.decode().splitlines()
    assert lines[0].startswith("slot,pair,price,sources,reason,slots")
    assert lines[1].startswith('2026-11-20T12:00:00Z,BTC-USD,1,"kraken,okx"')
    assert len(lines) == 5


def test_one_stream_at_a_time_and_it_is_let_go_however_it_ends(scene: WebScene) -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/api/rows.csv",
        "QUERY_STRING": RANGE,
        "HTTP_HOST": "[::1]",
    }
    stream = scene.app(environ, lambda *_: None)

    assert scene.get("/api/rows.csv", RANGE).status == 503
    stream.close()  # type: ignore[attr-defined]
    assert scene.get("/api/rows.csv", RANGE).status == 200


def test_while_the_log_is_read_others_are_told_to_ask_again_and_the_status_comes(scene: WebScene) -> None:
    scene.status()
    entered, leave = threading.Event(), threading.Event()
    read = scene.app._answers.series

    def slow(asked: object) -> dict[str, object]:
        entered.set()
        leave.wait(20)
        return read(asked)  # type: ignore[arg-type]

    scene.app._answers.series = slow  # type: ignore[method-assign]
    answers: list[int] = []
    readers = [
        threading.Thread(target=lambda: answers.append(scene.get("/api/series", RANGE).status))
        for _ in range(6)
    ]
    readers[0].start()
    entered.wait(20)
    for reader in readers[1:]:
        reader.start()
    now = scene.get("/api/now").status
    while answers.count(503) < 3:
        readers[-1].join(0.01)
    leave.set()
    for reader in readers:
        reader.join()

    assert now == 200
    assert (answers.count(200), answers.count(503)) == (3, 3)


def test_equal_questions_share_one_answer_until_the_log_grows(scene: WebScene) -> None:
    read, count = scene.app._answers.series, []

    def counted(asked: object) -> dict[str, object]:
        count.append(asked)
        return read(asked)  # type: ignore[arg-type]

    scene.app._answers.series = counted  # type: ignore[method-assign]
    for _ in range(100):
        scene.get("/api/series", RANGE)
    scene.add("2026-11-20T12:00:20Z BTC-USD 5 kraken")
    last = scene.get("/api/series", RANGE).json

    assert len(count) == 2
    assert last["c"][-1] == "5"


def test_hostile_text_of_the_log_stays_text(scene: WebScene) -> None:
    reason = "<img/onerror=alert(1)>:\x07timeout"
    scene.add(f"2026-11-20T12:00:20Z BTC-USD - {reason}")

    answer = scene.get("/api/rows", RANGE)

    assert answer.headers["Content-Type"] == "application/json"
    assert "\x07" not in answer.body.decode()
