"""A throwaway machine, booted by systemd-nspawn: this one's /usr, and nothing else that happens to be here.

It lives in namespaces of its own and ends with the thread that booted it, so that nothing is left of it
whatever happens to the tests.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from tests.process import until

# an empty folder, a name, the folder of a machine to copy or nothing, control groups to enter
_BOOT = """
set -e
folder=$1 name=$2 like=$3
shift 3
for group in "$@"; do
    echo 0 >"$group/cgroup.procs"
done
mount -t tmpfs -o mode=755 tmpfs "$folder"
cd "$folder"
if [ -n "$like" ]; then
    cp -a "$like/root" "$like/local" .
else
    mkdir -p local/bin local/sbin root/dev root/etc/logrotate.d root/etc/ssh root/home root/media root/mnt \\
        root/boot root/opt root/proc root/root root/run root/srv root/sys root/usr \\
        root/var/cache root/var/lib/logrotate
    install -d -m 1777 root/tmp root/var/tmp
    install -d -m 2755 -g systemd-journal root/var/log/journal
    ln -s /run root/var/run
    # of /etc only what programs of /usr need: other packages, users, units and pip's settings stay outside
    for file in alternatives ca-certificates.conf dbus-1 debian_version group gshadow hosts ld.so.cache \\
        ld.so.conf ld.so.conf.d localtime login.defs logrotate.conf nsswitch.conf os-release pam.d passwd \\
        pki protocols security services shadow ssl python3*; do
        for found in /etc/$file; do
            [ ! -e "$found" ] || cp -a "$found" root/etc
        done
    done
    for file in passwd group shadow gshadow; do
        sed -i /^price:/d root/etc/$file
    done
fi
for folder in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$folder" ]; then
        cp -a "/$folder" root
    elif [ -d "/$folder" ]; then
        mkdir -p "root/$folder"
        mount --bind "/$folder" "root/$folder"
    fi
done
mkdir upper work
mount -t overlay -o lowerdir=/usr,upperdir=upper,workdir=work overlay root/usr
mount --bind local root/usr/local
# an empty id would mean a first boot, which enables every unit that is installed here
tr -d - </proc/sys/kernel/random/uuid >root/etc/machine-id
# what systemd-nspawn notes down goes with it, and it looks up processes by the numbers that they have here
mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs /run/systemd/nspawn
mount -t proc proc /proc
exec systemd-nspawn --quiet -D root --machine="$name" --boot --register=no --keep-unit --private-network \\
    --resolv-conf=off --timezone=off --console=pipe systemd.unit=multi-user.target
"""
_TOOLS = ("systemd-nspawn", "nsenter", "unshare", "setpriv", "mount", "dbus-daemon", "logrotate", "make")
_ENVIRONMENT = (
    "HOME=/root",
    "LANG=C.UTF-8",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
)

BOOT_SECONDS = 90
"""On a busy machine; 3 s are usual."""


class CannotBoot(Exception):
    """Why there can be no machine here."""


class Machine:
    """A running machine. Files in it are reached by `path`, programs run in it by `run`."""

    def __init__(self, like: Path | None = None) -> None:
        missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
        if missing:
            raise CannotBoot(f"not installed here: {', '.join(missing)} (.ci/run installs it)")
        self._leader = 0
        self._nspawn = 0
        self._folder = Path(mkdtemp(prefix="price-", dir="/var/tmp"))
        self._console = self._folder.with_suffix(".console")
        self._groups = _make_groups(self._folder.name)
        name = "price-" + self._folder.name.encode().hex()[-12:]
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
        with self._console.open("wb") as console:
            self._holder = subprocess.Popen(
                [
                    *command,
                    "sh",
                    "-c",
                    _BOOT,
                    "boot",
                    str(self._folder),
                    name,
                    str(like or ""),
                    *self._groups,
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        try:
            self._boot()
        except BaseException:
            self.close()
            raise

    def path(self, path: str) -> Path:
        """A path of the machine as a path of ours."""
        return Path(f"/proc/{self._leader}/root{path}")

    def run(self, *command: str, user: str = "", cwd: str = "/", seconds: float = 30) -> str:
        """Runs a program in the machine and gives what it prints; AssertionError where it fails."""
        done = self.attempt(*command, user=user, cwd=cwd, seconds=seconds)
        assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def attempt(
        self, *command: str, user: str = "", cwd: str = "/", seconds: float = 30
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a program in the machine, whatever comes of it."""
        return subprocess.run(
            self._entering(command, user, cwd),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def begin(self, *command: str) -> "subprocess.Popen[str]":
        """Starts a program in the machine, to be read while it runs."""
        return subprocess.Popen(
            self._entering(command, "", "/"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    @contextmanager
    def changed_unit(self, unit: str, text: str) -> Iterator[None]:
        """A unit with a drop-in; it is to be started anew for what the text says."""
        path = self.path(f"/run/systemd/system/{unit}.d/test.conf")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[Service]\n{text}\n")
        self.run("systemctl", "daemon-reload")
        yield
        path.unlink()
        self.run("systemctl", "daemon-reload")

    def save(self, folder: Path) -> None:
        """Copies its files to an empty folder, for machines that begin like it."""
        here = f"/proc/{self._nspawn}/root{self._folder}"
        parts = [f"{here}/root", f"{here}/local"]
        subprocess.run(["cp", "-a", "--one-file-system", *parts, folder], check=True)
        passing = [
            path
            for name in ("var/log/journal", "tmp", "var/tmp")
            for path in (folder / "root" / name).iterdir()
        ]
        subprocess.run(["rm", "-rf", *passing], check=True)

    def close(self) -> None:
        """Ends the machine. Its files are gone with it."""
        if self._nspawn:
            os.kill(
                self._nspawn, signal.SIGKILL
            )  # the first of its namespace: the kernel ends all others, too
        else:
            self._holder.kill()
        self._holder.wait()
        self._console.unlink(missing_ok=True)
        until(self._is_gone, 5)

    def _is_gone(self) -> bool:
        """Removes what is left as soon as nothing lives in it; whether that is done."""
        folders = [folder for group in self._groups for folder, _, _ in os.walk(group, topdown=False)]
        for folder in (*folders, str(self._folder)):
            with suppress(OSError):
                Path(folder).rmdir()
        return not any(map(os.path.exists, (*self._groups, str(self._folder))))

    def _entering(self, command: tuple[str, ...], user: str, cwd: str) -> list[str]:
        as_user = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
        where = ["env", "-i", "-C", cwd, *_ENVIRONMENT]
        return ["nsenter", f"--target={self._leader}", "--all", *where, *as_user, *command]

    def _boot(self) -> None:
        """Waits until the machine is up."""
        try:
            until(self._has_first_process, BOOT_SECONDS)
            until(self._is_up, BOOT_SECONDS)
        except AssertionError:
            said = self._console.read_text(errors="replace").strip()[-2000:]
            raise CannotBoot(f"systemd-nspawn boots no machine here: {said or 'it says nothing'}") from None

    def _has_first_process(self) -> bool:
        """Finds systemd-nspawn below the process that we started, and the machine's first below that."""
        assert self._holder.poll() is None
        self._nspawn = _child(self._holder.pid, "systemd-nspawn")
        self._leader = _child(self._nspawn, "systemd")
        return self._leader != 0

    def _is_up(self) -> bool:
        assert self._holder.poll() is None
        return self.attempt("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")


def _child(parent: int, name: str) -> int:
    """A child of a process by its name, of which the kernel keeps 15 letters; 0 if there is none."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            start, _, rest = status.read_text().rpartition(")")
            if start.endswith(f"({name[:15]}") and int(rest.split()[1]) == parent:
                return int(status.parent.name)
    return 0


def _make_groups(name: str) -> list[str]:
    """Control groups for one machine: machines in the same would hold each other's processes."""
    groups = []
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "name=systemd"):
            continue  # systemd keeps its processes in these two
        for mount in mounts:
            kind, _, options = mount[mount.index("-") + 1 :][:3]
            if kind == ("cgroup" if controllers else "cgroup2") and controllers in options:
                base = Path(mount[4] + path if Path(mount[4] + path).exists() else mount[4])
                with suppress(OSError):
                    (base / name).mkdir()
                    groups.append(str(base / name))
                break
    return groups
