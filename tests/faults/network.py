"""A stepped recorder and the exchanges that it asks: real sockets, slots on demand."""

import os
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, Self

from price.model import Quote
from tests.exchange import Market
from tests.faults.conftest import attempt
from tests.faults.place import Place

NAMES = ("coinbase", "kraken", "bitstamp")
PATIENCE_SECONDS = 2.5
"""For answers that come: a busy machine may stand still for a second. Less than fakes._ANSWER_SECONDS."""
BRIEF_SECONDS = 1
"""For answers that do not: each costs the test so much."""
BACK_SLOTS = 8
"""No rest after failures is longer than 72 s."""
_BELL = 2
"""Sockets by which the recorder wakes itself."""


class Needs(NamedTuple):
    """What a process takes of its machine."""

    threads: int
    files: int
    """Open descriptors but for connections."""
    connections: int
    kib: int
    """Memory now."""
    peak_kib: int


class Asking:
    """A recorder at work, and the exchanges that it asks; their clock is its own."""

    def __init__(self, place: Place, names: Sequence[str], ca: Path | None, host: str) -> None:
        self.place = place
        self.now = place.next_now()
        self.market = Market(names, clock=lambda: self.now, ca=ca, host=host)
        self._names = tuple(names)
        self._heard = 0

    def begin(self, *wrapper: str, named: bool, **more: str) -> None:
        """Has it record its first slot."""
        urls = {
            f"PRICE_{one.name.upper()}_URL": f"http://{one.name}.test:{one.port}"
            for one in self.market
            if named
        }
        self.recorder = self.place.start(*wrapper, **{**self.market.environment, **urls, **more})

    def slots(self, count: int = 1) -> list[Quote]:
        """The rows of so many slots to come."""
        for _ in range(count):
            self.now += timedelta(seconds=int(self.place.settings["INTERVAL"]))
            self.recorder.slot()
        return self.place.rows()[-count:]

    def until_all_answer(self, most: int = BACK_SLOTS) -> int:
        """How many slots it takes until all sources give prices again."""
        for count in range(1, most + 1):
            if self.slots()[0].sources == self._names:
                return count
        raise AssertionError(f"not all sources are back after {most} slots:\n{self.place.said[-2000:]}")

    def needs(self) -> Needs:
        """What it takes now."""
        return needs_of(self.recorder.process.pid)

    def heard(self) -> list[str]:
        """What it has said since it was last heard, without quotes and times."""
        lines = [line.split(" ", 1)[1] for line in self.place.said.splitlines()]
        new, self._heard = lines[self._heard :], len(lines)
        return new


class Elsewhere:
    """A network namespace, joined to this one by a cable: ours is the end with 1, its own the one with 2."""

    def __init__(self) -> None:
        number = os.getpid()  # each process that runs tests needs one at a time
        self.name = f"price-{number}"
        self.v4 = f"198.{18 + number // 256 % 2}.{number % 256}"  # kept free for tests of networks: RFC 2544
        self.v6 = f"fd00:{number % 65536:x}::"
        self.wrapper = ("ip", "netns", "exec", self.name)
        """What has a command run there."""
        self._ours, self.cable = f"price{number}a", f"price{number}b"
        self._etc = Path("/etc/netns") / self.name

    def make(self, *kinds: str) -> None:
        """Makes it, with addresses of these kinds: `v4`, `v6`."""
        attempt("ip", "netns", "add", self.name)
        attempt("ip", "link", "add", self._ours, "type", "veth", "peer", "name", self.cable)
        attempt("ip", "link", "set", self.cable, "netns", self.name)
        self.do("ip", "link", "set", "lo", "up")
        for end, run, cable in (("1", attempt, self._ours), ("2", self.do, self.cable)):
            if "v4" in kinds:
                run("ip", "address", "add", f"{self.v4}.{end}/24", "dev", cable)
            if "v6" in kinds:
                run("ip", "address", "add", f"{self.v6}{end}/64", "dev", cable, "nodad")
            run("ip", "link", "set", cable, "up")
        self._etc.mkdir(parents=True)
        self.write("nsswitch.conf", "hosts: files dns\n")

    def do(self, *command: str) -> str:
        """What a command says that is run there."""
        return attempt(*self.wrapper, *command)

    def carries(self) -> bool:
        """Whether the cable does: it may be up for a while before the kernel uses it."""
        ends = (attempt("ip", "link", "show", self._ours), self.do("ip", "link", "show", self.cable))
        return all("state UP" in end for end in ends)

    def write(self, name: str, text: str) -> None:
        """Has a file of /etc be another one there."""
        (self._etc / name).write_text(text)

    def remove(self) -> None:
        """Leaves nothing of it behind."""
        subprocess.run(["ip", "link", "delete", self._ours], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "netns", "delete", self.name], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self._etc, ignore_errors=True)


class Resolver:
    """A name server that says nothing, or that all names are at its own address."""

    def __init__(self, address: str) -> None:
        self.speaks = False
        self._address = address

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self._address, 53))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", (self._address, 53))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while (received := self._socket.recvfrom(512))[0]:
            if self.speaks:
                self._socket.sendto(self._answer(received[0]), received[1])

    def _answer(self, query: bytes) -> bytes:
        """One address for a question about IPv4 addresses, none for others."""
        asked = query[12 : query.index(b"\0", 12) + 5]
        found = asked.endswith(b"\0\1\0\1")
        head = query[:2] + struct.pack("!5H", 0x8180, 1, found, 0, 0)
        address = b"\xc0\x0c\0\1\0\1" + struct.pack("!IH", 60, 4) + socket.inet_aton(self._address)
        return head + asked + (address if found else b"")


def needs_of(pid: int) -> Needs:
    """What a process takes now."""
    proc = Path(f"/proc/{pid}")
    said = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    kib = [int(said[name].split()[0]) for name in ("VmRSS", "VmHWM")]
    opened: list[str] = []
    for descriptor in (proc / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            opened.append(descriptor.readlink().name)
    connections = sum(name.startswith("socket:") for name in opened) - _BELL
    return Needs(int(said["Threads"]), len(opened) - connections, connections, *kib)


def reasons(row: Quote) -> list[str]:
    """The words for the sources of a missed row, without their names."""
    return [one.partition(":")[2] or one for one in row.reason.split(",")]


@contextmanager
def asking(
    place: Place,
    *wrapper: str,
    names: Sequence[str] = NAMES,
    ca: Path | None = None,
    host: str = "127.0.0.1",
    named: bool = False,
    timeout_seconds: float = PATIENCE_SECONDS,
    **more: str,
) -> Iterator[Asking]:
    """A recorder that has recorded its first slot. `wrapper` stands before its command.

    `named` has it ask for the names `coinbase.test` and so on.
    """
    place.settings["TIMEOUT"] = str(timeout_seconds)
    scene = Asking(place, names, ca, host)
    with scene.market:
        scene.begin(*wrapper, named=named, **more)
        yield scene
