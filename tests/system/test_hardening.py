"""Each line of hardening of each unit, tried from inside the unit."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.process import until
from tests.system.hardening import PROBES
from tests.system.machine import Machine
from tests.system.service import CHECKOUT, Service

pytestmark = pytest.mark.realtime

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))
INSTANCE = "postgres"
"""Of a template, the one that is tried."""
OF_THE_MACHINE = {
    "PrivateIPC": "ipc", "PrivateMounts": "mnt", "PrivateNetwork": "net", "ProtectHostname": "uts",
}  # fmt: skip
"""Directives that give a namespace, to be compared with the machine's."""
SEEN_FROM_OUTSIDE = {"RemoveIPC", *OF_THE_MACHINE}
BY_CONTROL_GROUPS = {"DevicePolicy": "closed", "SocketBindDeny": "any"}
"""What systemd leaves out silently where the kernel, or a container, has no means for it."""
CLOSED_BY_A_CONTAINER = {
    "ExecPaths", "IPAddressDeny", "KeyringMode", "PrivateDevices", "ProtectClock", "ProtectControlGroups",
    "ProtectKernelModules", "ProtectKernelTunables", "RestrictRealtime",
}  # fmt: skip
"""What no program on a machine of these tests may, so that only the other lines can be seen to be missing."""
PROBE = ("/opt/price/venv/bin/python", "-B", f"{CHECKOUT}/tests/system/hardening.py")
EXIT_BY_A_32_BIT_CALL = bytes.fromhex("b801000000bb2a000000cd800f0b")
"""x86-64: eax = 1 (exit, in 32 bits), ebx = 42, int 0x80; else an illegal instruction."""


def hardening(unit: str) -> set[str]:
    """The directives below the line that says so."""
    text = (DEPLOY / unit).read_text().partition("# --- Hardening")[2].partition("[Install]")[0]
    taken_away = re.findall(r"^(\w+)=", text, re.MULTILINE)
    return {name for name in taken_away if not name.endswith("Allow")}  # what those open, Deny closes


@pytest.fixture(scope="module")
def scene(service: Service) -> Service:
    """A machine with things that are not for the units."""
    machine = service.machine
    for path in ("/root", "/home", "/srv", "/mnt", "/media", "/boot", "/etc/ssh", "/tmp", "/var/tmp"):
        machine.path(f"{path}/seen").write_text("not for units\n")
    other = machine.path("/opt/price/other_system")
    other.write_bytes(elf(EXIT_BY_A_32_BIT_CALL))
    other.chmod(0o755)
    service.systemctl("start")  # makes the folders
    machine.run("mknod", "--mode=666", "/var/log/price/device", "c", "10", "200")
    return service


@contextmanager
def starting_with(machine: Machine, unit: str, command: str) -> Iterator[None]:
    """A unit that runs, and before it a command with the same rights."""
    # one that only a person can start, since a setting is missing, is well once it was begun
    kind = "Type=exec\n" if "@." in unit else ""
    unit = unit.replace("@.", f"@{INSTANCE}.")
    with machine.changed_unit(unit, f"{kind}ExecStartPre={command}"):
        machine.run("systemctl", "stop", "price")
        machine.run("systemctl", "start", unit, seconds=60)
        yield


@pytest.fixture(scope="module", params=UNITS)
def found(request: pytest.FixtureRequest, scene: Service) -> dict[str, Any]:
    """What the probes found in a unit that runs."""
    unit, machine = request.param, scene.machine
    with starting_with(machine, unit, " ".join(PROBE)):
        machine.run("journalctl", "--sync")
        said = machine.run("journalctl", "-u", unit.replace("@.", f"@{INSTANCE}."), "-o", "cat").splitlines()
    (line, *_) = [line for line in said if line.startswith("PROBE ")]
    return {"unit": unit, **json.loads(line.removeprefix("PROBE "))}


@pytest.fixture(scope="module")
def beyond_this_machine(scene: Service) -> set[str]:
    """Lines that are without effect in a unit that has no others, either."""
    lines = [f"--property={name}={value}" for name, value in BY_CONTROL_GROUPS.items()]
    said = scene.machine.run("systemd-run", "--quiet", "--wait", "--pipe", *lines, *PROBE)
    found = json.loads(said.removeprefix("PROBE "))["found"]
    return {name for name in BY_CONTROL_GROUPS if found[name]}


def test_every_line_holds(found: dict[str, Any], beyond_this_machine: set[str]) -> None:
    open_ways = {name: way for name, way in found["found"].items() if way}

    assert {name: way for name, way in open_ways.items() if name not in beyond_this_machine} == {}


def test_every_line_is_tried(found: dict[str, Any]) -> None:
    assert hardening(found["unit"]) <= set(PROBES) | SEEN_FROM_OUTSIDE


def test_it_lives_apart_from_the_machine(found: dict[str, Any], machine: Machine) -> None:
    outside = {space: machine.run("readlink", f"/proc/1/ns/{space}").strip() for space in found["spaces"]}

    wanted = [name for name in OF_THE_MACHINE if name != "PrivateNetwork" or name in hardening(found["unit"])]
    shared = [
        name for name in wanted if outside[OF_THE_MACHINE[name]] == found["spaces"][OF_THE_MACHINE[name]]
    ]

    assert shared == []


@pytest.mark.parametrize("unit", UNITS)
def test_what_it_leaves_in_shared_memory_goes_with_it(scene: Service, unit: str) -> None:
    with starting_with(scene.machine, unit, "/usr/bin/touch /dev/shm/left"):
        scene.machine.run("systemctl", "stop", unit.replace("@.", f"@{INSTANCE}."))

    until(lambda: not scene.machine.path("/dev/shm/left").exists(), 30)


def test_the_probes_see_what_is_open(scene: Service) -> None:
    said = scene.machine.run("systemd-run", "--quiet", "--wait", "--pipe", *PROBE)
    found = json.loads(said.removeprefix("PROBE "))["found"]

    assert {name for name, way in found.items() if not way} <= CLOSED_BY_A_CONTAINER
    assert not [way for ways in found.values() for way in ways if "the probe itself" in way]


def elf(code: bytes) -> bytes:
    """The smallest program for x86-64 that runs some code."""
    address, size = 0x400000, 64 + 56
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + (2).to_bytes(2, "little") + (62).to_bytes(2, "little")
    head += (1).to_bytes(4, "little") + (address + size).to_bytes(8, "little") + (64).to_bytes(8, "little")
    head += bytes(8) + bytes(4) + b"".join(n.to_bytes(2, "little") for n in (64, 56, 1, 64, 0, 0))
    whole = (size + len(code)).to_bytes(8, "little")
    segment = (
        (1).to_bytes(4, "little") + (5).to_bytes(4, "little") + bytes(8) + address.to_bytes(8, "little") * 2
    )
    return head + segment + whole * 2 + (0x1000).to_bytes(8, "little") + code
