"""`price web` as a process: where it listens, who may crowd it, and how it ends."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from price.errors import PriceError
from price.settings import value_of
from price.web.serve import open_sockets
from tests.process import free_port, until
from tests.web.scene import NOON, WebScene

pytestmark = pytest.mark.realtime
MAIN = Path(__file__).parents[2] / "main.py"


@contextmanager
def served(folder: Path, *words: str, port: int = 0, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    """A server over a log in a folder."""
    ours = {
        "PRICE_FILE": str(folder / "prices.txt"), "PRICE_STATUS": str(folder / "status.json"),
        "PRICE_WEB_LISTEN": f"127.0.0.1:{port}", "PYTHONUNBUFFERED": "1", **environ,
    }  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRICE_")}
    command = [sys.executable, str(MAIN), "web", *words]
    with subprocess.Popen(
        command, env=kept | ours, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def answers(port: int) -> bool:
    with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/api/now", timeout=5) as answer:
        return bool(json.load(answer)["now"])
    return False


def await_answers(port: int) -> None:
    until(lambda: answers(port), 30)


@pytest.fixture
def scene(tmp_path: Path) -> WebScene:
    scene = WebScene(tmp_path)
    scene.log(*scene.prices(NOON, ["1", "2"]))
    scene.status()
    return scene


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 0), ("SIGTERM", 0)])
def test_it_says_where_and_ends_in_order(scene: WebScene, name: str, status: int) -> None:
    port = free_port()
    with served(scene.folder, port=port) as process:
        assert process.stdout
        assert process.stdout.readline() == f"http://127.0.0.1:{port}/\n"
        await_answers(port)

        process.send_signal(getattr(signal, name))

        said = process.communicate(timeout=20)
    assert (process.returncode, said) == (status, ("", ""))


def test_a_port_that_somebody_has_is_told_with_how_to_find_out_who(scene: WebScene) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with served(scene.folder, port=port) as process:
            said = process.communicate(timeout=20)[1]

    assert process.returncode == 1
    assert f"PRICE_WEB_LISTEN=127.0.0.1:{port}: Address already in use" in said
    assert f"ss -ltnp 'sport = :{port}'" in said


def test_listening_for_others_is_warned_of_once(scene: WebScene) -> None:
    port = free_port()
    with served(scene.folder, PRICE_WEB_LISTEN=f"0.0.0.0:{port}") as process:
        await_answers(port)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=20)[0].splitlines()

    assert said[0] == f"http://0.0.0.0:{port}/"
    assert "has no login" in said[1]
    assert len(said) == 2


def test_it_ends_when_nobody_has_asked_for_long(scene: WebScene) -> None:
    port = free_port()
    with served(scene.folder, "--idle", "2", port=port) as process:
        for _ in range(6):
            await_answers(port)
            time.sleep(0.5)
        asked_for_longer_than_that = process.poll() is None

        assert process.wait(30) == 0
    assert asked_for_longer_than_that


def test_it_takes_all_sockets_that_it_is_handed(scene: WebScene) -> None:
    with closing(socket.socket()) as one, closing(socket.socket()) as other:
        for given in (one, other):
            given.bind(("127.0.0.1", 0))
            given.listen()
        command = (
            f"exec 3<&{one.fileno()} 4<&{other.fileno()};"
            f" LISTEN_FDS=2 LISTEN_PID=$$ exec {sys.executable} {MAIN} web --file {scene.file}"
        )
        with subprocess.Popen(
            ["bash", "-c", command], pass_fds=(one.fileno(), other.fileno()), cwd=scene.folder
        ) as process:
            await_answers(one.getsockname()[1])
            assert answers(other.getsockname()[1])
            process.terminate()


def resident_megabytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def test_a_crowd_of_a_thousand_slow_clients_holds_up_nobody_and_no_memory(scene: WebScene) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    port = free_port()
    with served(scene.folder, port=port) as process:
        await_answers(port)
        before = resident_megabytes(process.pid)
        crowd = []
        for number in range(1000):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            crowd.append(one)
            if number % 100 == 99:
                time.sleep(0.05)
        for one in crowd:
            with suppress(OSError):
                one.send(b"GET /api/now HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 1000)
        time.sleep(1)
        with_a_crowd = resident_megabytes(process.pid)
        for one in crowd[300:]:  # the others stay, half asked
            one.close()

        until(lambda: answers(port), 40)

        assert with_a_crowd - before < 30
        for one in crowd[:300]:
            one.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", b"431"),
        (b"POST /api/now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"GET /" + b"a" * 30_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
    ],
)
def test_what_is_no_proper_request_gets_a_clear_answer(
    scene: WebScene, request_: bytes, status: bytes
) -> None:
    port = free_port()
    with served(scene.folder, port=port):
        await_answers(port)
        with closing(socket.create_connection(("127.0.0.1", port), 10)) as one:
            one.sendall(request_)
            answer = one.recv(4096)

        assert answer.split(b" ", 2)[1] == status
        assert answers(port)


def test_ten_thousand_requests_leave_memory_as_it_was(scene: WebScene) -> None:
    port = free_port()
    with served(scene.folder, port=port) as process:
        await_answers(port)
        ask(port, 1000)
        before = resident_megabytes(process.pid)
        ask(port, 10_000)

        assert resident_megabytes(process.pid) - before < 2


def ask(port: int, times_: int) -> None:
    """Asks on one kept connection."""
    wanted = b"GET /api/now HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", port), 20)) as one, one.makefile("rb") as answer:
        for _ in range(times_):
            one.sendall(wanted)
            length = 0
            while (line := answer.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert answer.read(length)


@pytest.mark.parametrize("text", ["", "8464", "localhost:8464", "127.0.0.1:0", "127.0.0.1:70000", "::1:x"])
def test_an_address_that_cannot_be_is_a_bad_setting(text: str) -> None:
    if text:
        with pytest.raises(PriceError, match="must be ADDRESS:PORT"):
            value_of({"PRICE_WEB_LISTEN": text}, "PRICE_WEB_LISTEN")
    else:
        assert value_of({"PRICE_WEB_LISTEN": text}, "PRICE_WEB_LISTEN")[0] == ("127.0.0.1", 8464)


def test_another_program_on_the_second_address_is_told() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]

        with pytest.raises(PriceError, match=f"PRICE_WEB_LISTEN=::1:{port}: Address already in use"):
            open_sockets([("127.0.0.1", free_port()), ("::1", port)])
