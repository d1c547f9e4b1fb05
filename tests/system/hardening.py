"""Runs inside a unit, as ExecStartPre=: tries what each line of hardening takes away; prints what it found.

One line of JSON: for each directive, nothing where it holds, else what was possible all the same. Standard
library only, since it has the unit's own rights.
"""

import contextlib
import ctypes
import errno
import json
import mmap
import os
import re
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

WRITABLE = ("/var/log/price", "/var/lib/price", "/run/price", "/tmp", "/var/tmp", "/dev/shm")
SCRIPT = b"#!/bin/sh\nexit 0\n"
OWN_DEVICES = {"full", "null", "ptmx", "random", "tty", "urandom", "zero"}
LIBC = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "x86_64": {"keyctl": 250, "pkey_alloc": 330, "syslog": 103, "init_module": 175, "execveat": 322},
    "aarch64": {"keyctl": 219, "pkey_alloc": 289, "syslog": 116, "init_module": 105, "execveat": 281},
}.get(os.uname().machine, {})
"""Numbers of calls that the C library has no function for."""
PROBES: dict[str, Callable[[], Iterator[str]]] = {}


def probe(*names: str) -> Callable[[Callable[[], Iterator[str]]], Callable[[], Iterator[str]]]:
    """Has a function speak for a directive; it yields what ought not to be possible and is."""

    def add(function: Callable[[], Iterator[str]]) -> Callable[[], Iterator[str]]:
        PROBES.update(dict.fromkeys(names, function))
        return function

    return add


def possible(what: str, attempt: Callable[..., object], *arguments: object) -> Iterator[str]:
    """The words for something that is possible; nothing where the system refuses."""
    with contextlib.suppress(OSError, ValueError):
        attempt(*arguments)
        yield what


def call(name: str, *arguments: int) -> None:
    """A call to the kernel by the C library, or by its number. Raises OSError."""
    ctypes.set_errno(0)
    done = (
        LIBC.syscall(CALLS[name], *arguments)
        if name in CALLS
        else getattr(LIBC, name)(*map(ctypes.c_long, arguments))
    )
    if done < 0:
        raise OSError(ctypes.get_errno(), name)


def own(field: str) -> str:
    """A line of the kernel's own record of this process."""
    return str(re.findall(rf"^{field}:\s*(.*)$", Path("/proc/self/status").read_text(), re.MULTILINE)[0])


def is_writable(path: str) -> bool:
    return not os.statvfs(path).f_flag & os.ST_RDONLY


def spawn(path: str | Path) -> int:
    """Starts a program and waits for its end. Raises OSError where it cannot be started."""
    return os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(path, [str(path)], {}), 0)[1])


@probe("NoNewPrivileges")
def no_new_privileges() -> Iterator[str]:
    if own("NoNewPrivs") != "1":
        yield "programs may gain rights"


@probe("CapabilityBoundingSet", "AmbientCapabilities")
def capabilities() -> Iterator[str]:
    yield from (name for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(own(name), 16))


@probe("SecureBits")
def secure_bits() -> Iterator[str]:
    if not LIBC.prctl(27, 0, 0, 0, 0) & 2:  # PR_GET_SECUREBITS, SECBIT_NOROOT_LOCKED
        yield "root may be what root is"


@probe("RestrictSUIDSGID")
def set_user_id() -> Iterator[str]:
    path = Path("/tmp/suid")
    path.touch()
    yield from possible("chmod u+s", lambda: path.chmod(0o4755))
    yield from possible("mkdir g+s", lambda: Path("/tmp/sgid").mkdir(0o2755))


@probe("PrivateUsers")
def other_users() -> Iterator[str]:
    if Path("/proc/self/uid_map").read_text().split()[2] == "4294967295":
        yield "all users are there"
    with contextlib.suppress(PermissionError):  # a unit that cannot even see it
        if Path("/etc/price/price.env").stat().st_gid not in (os.getgid(), 65534):
            yield "the groups of others are known"


@probe("ProtectSystem", "ReadOnlyPaths")
def system_files() -> Iterator[str]:
    system = ("/", "/etc", "/etc/price", "/opt/price", "/var", "/var/log", "/home", "/run", "/run/lock")
    for folder in (*system, "/usr/bin", "/usr/lib", "/usr/local", "/usr/sbin", "/usr/share"):
        if is_writable(folder):
            yield folder


@probe("ProtectHome")
def homes() -> Iterator[str]:
    for folder in ("/root", "/home"):
        yield from possible(folder, os.stat, f"{folder}/seen")


@probe("InaccessiblePaths")
def others_files() -> Iterator[str]:
    for path in ("/srv/seen", "/mnt/seen", "/media/seen", "/boot/seen", "/etc/ssh/seen", "/etc/shadow"):
        yield from possible(path, Path(path).read_bytes)


@probe("PrivateTmp")
def others_drafts() -> Iterator[str]:
    yield from (path for path in ("/tmp/seen", "/var/tmp/seen") if Path(path).exists())


@probe("NoExecPaths")
def programs_of_its_own() -> Iterator[str]:
    for folder in filter(is_there, WRITABLE):
        path = Path(folder, "program")
        path.write_bytes(SCRIPT)
        path.chmod(0o755)
        for way in (spawn, in_a_child):
            yield from possible(f"{path} by {way.__name__}", way, path)
        path.write_bytes(Path("/bin/true").read_bytes())
        yield from possible(f"{path}, compiled", spawn, path)
        yield from possible(f"{path} by the loader", by_the_loader, path)
        path.unlink()
    yield from possible("memory", from_memory)
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4]
        writable = os.access(point, os.W_OK) and is_writable(point)
        if writable and not os.statvfs(point).f_flag & os.ST_NOEXEC:
            yield point


def is_there(folder: str) -> bool:
    return os.access(folder, os.W_OK) and is_writable(folder)


def in_a_child(path: Path) -> None:
    """Fork and exec. Raises OSError where it cannot be started."""
    if (child := os.fork()) == 0:
        try:
            os.execv(path, [str(path)])
        finally:
            os._exit(99)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 99:
        raise PermissionError(path)


def by_the_loader(path: Path) -> None:
    """As an argument of the loader, which only reads it. Raises OSError where that fails."""
    (loader, *_) = [one for name in ("/lib64", "/lib") for one in sorted(Path(name).glob("ld-linux*.so*"))]
    child = os.posix_spawn(loader, [str(loader), str(path)], {}, file_actions=[(os.POSIX_SPAWN_CLOSE, 2)])
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise PermissionError(path)


def from_memory() -> None:
    """A program that never was a file. Raises OSError where it cannot be started."""
    file = os.memfd_create("program", 0)
    os.write(file, Path("/bin/true").read_bytes())
    in_a_child(Path(f"/proc/self/fd/{file}"))


@probe("ExecPaths")
def programs_of_the_system() -> Iterator[str]:
    for path in ("/bin/true", "/usr/bin/true", sys.executable):
        try:
            child = os.posix_spawn(path, [path, "--version"], {}, file_actions=[(os.POSIX_SPAWN_CLOSE, 1)])
        except OSError as error:
            yield f"{path}: {error}"
        else:
            os.waitpid(child, 0)


@probe("PrivateDevices")
def devices() -> Iterator[str]:
    for path in Path("/dev").iterdir():
        kind = path.lstat().st_mode
        if path.name not in OWN_DEVICES and (stat.S_ISBLK(kind) or stat.S_ISCHR(kind)):
            yield str(path)


@probe("DevicePolicy")
def devices_passed_in() -> Iterator[str]:
    yield from possible("/var/log/price/device", lambda: os.open("/var/log/price/device", os.O_RDONLY))


@probe("ProtectProc")
def others_processes() -> Iterator[str]:
    yield from (path.name for path in Path("/proc").glob("[0-9]*") if path.stat().st_uid != os.getuid())


@probe("ProcSubset")
def the_machine() -> Iterator[str]:
    yield from (name for name in ("meminfo", "net", "sys", "cpuinfo") if Path("/proc", name).exists())


@probe("KeyringMode")
def keyrings() -> Iterator[str]:
    yield from possible("keyctl", lambda: call("keyctl", 0, -3, 1))


@probe("ProtectHostname")
def the_name() -> Iterator[str]:
    yield from possible("sethostname", lambda: socket.sethostname(socket.gethostname()))


@probe("ProtectClock")
def the_clock() -> Iterator[str]:
    yield from possible("clock_settime", lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()))


@probe("ProtectKernelTunables")
def tunables() -> Iterator[str]:
    yield from (path for path in ("/sys", "/proc/sys") if Path(path).exists() and is_writable(path))


@probe("ProtectKernelModules")
def modules() -> Iterator[str]:
    yield from possible("init_module", lambda: call("init_module", 0, 0, 0))
    yield from possible("/usr/lib/modules", lambda: list(Path("/usr/lib/modules").iterdir()))


@probe("ProtectKernelLogs")
def kernel_log() -> Iterator[str]:
    yield from possible("syslog", lambda: call("syslog", 3, 0, 0))
    yield from (path for path in ("/dev/kmsg", "/proc/kmsg") if Path(path).exists())


@probe("ProtectControlGroups")
def control_groups() -> Iterator[str]:
    yield from (path for path in map(str, Path("/sys/fs").glob("cgroup*")) if is_writable(path))


@probe("RestrictAddressFamilies")
def address_families() -> Iterator[str]:
    for family in (socket.AF_NETLINK, socket.AF_PACKET, socket.AF_VSOCK, socket.AF_ALG, socket.AF_BLUETOOTH):
        yield from possible(f"{family!r}", socket.socket, family, socket.SOCK_RAW)
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()


@probe("SocketBindDeny")
def ports() -> Iterator[str]:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            # a unit without a network has no such sockets at all
            with contextlib.suppress(OSError), socket.socket(family, kind) as server:
                yield from possible(f"{family.name} {kind.name}", server.bind, (address, 8464))


@probe("IPAddressDeny")
def other_machines() -> Iterator[str]:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        yield from possible("192.0.2.1", sender.sendto, b"", ("192.0.2.1", 9))


@probe("RestrictNamespaces")
def namespaces() -> Iterator[str]:
    for name, flag in (("user", 0x10000000), ("net", 0x40000000), ("mount", 0x20000), ("cgroup", 0x2000000)):
        yield from possible(name, call, "unshare", flag)


@probe("RestrictRealtime")
def realtime() -> Iterator[str]:
    for policy in (os.SCHED_FIFO, os.SCHED_RR):
        yield from possible("a processor for itself", os.sched_setscheduler, 0, policy, os.sched_param(1))


@probe("LockPersonality")
def personality() -> Iterator[str]:
    yield from possible("personality", lambda: call("personality", 0x0008))


@probe("MemoryDenyWriteExecute")
def memory() -> Iterator[str]:
    both = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    yield from possible("mmap", lambda: mmap.mmap(-1, 4096, prot=both))
    part = mmap.mmap(-1, 4096)
    place = ctypes.addressof(ctypes.c_char.from_buffer(part))
    yield from possible("mprotect", lambda: call("mprotect", place, 4096, 5))


@probe("SystemCallArchitectures")
def other_systems_calls() -> Iterator[str]:
    """A program of the test's that ends by the call of a 32-bit system, with status 42."""
    path = Path("/opt/price/other_system")
    if path.exists() and spawn(path) == 42:
        yield "a call of a 32-bit system"


@probe("SystemCallFilter", "SystemCallErrorNumber")
def calls() -> Iterator[str]:
    tries: dict[str, Callable[[], object]] = {
        "@privileged: chroot": lambda: os.chroot("/"),
        "@privileged: setuid": lambda: os.setgroups([]),
        "@resources: setpriority": lambda: os.setpriority(os.PRIO_PROCESS, 0, 19),
        "@resources: sched_setaffinity": lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
        "@keyring: keyctl": lambda: call("keyctl", 0, -3, 1),
        "@memlock: mlockall": lambda: call("mlockall", 1),
        "@pkey: pkey_alloc": lambda: call("pkey_alloc", 0, 0),
        "@ipc: shmget": lambda: call("shmget", 0, 4096, 0o1600),
        "@timer: setitimer": lambda: signal.setitimer(signal.ITIMER_REAL, 100),
        "@debug: ptrace": lambda: call("ptrace", 0, 0, 0, 0),
        "@mount: mount": lambda: call("mount", 0, 0, 0, 0, 0),
        "memfd_create": lambda: os.memfd_create("x"),
    }
    for name, attempt in tries.items():
        try:
            attempt()
        except OSError as error:
            if error.errno != errno.EPERM:
                yield f"{name}: {error}"
        else:
            yield name


def main() -> None:
    """Prints what each probe found, and this process's namespaces, for the test to compare."""
    found: dict[str, list[str]] = {}
    for name, function in PROBES.items():
        try:
            found[name] = list(function())
        except Exception as error:  # noqa: BLE001 - a probe that breaks says nothing of its line
            found[name] = [f"the probe itself: {error!r}"]
    spaces = {name: str(Path(f"/proc/self/ns/{name}").readlink()) for name in ("ipc", "mnt", "net", "uts")}
    print("PROBE " + json.dumps({"found": found, "spaces": spaces}), flush=True)


if __name__ == "__main__":
    main()
