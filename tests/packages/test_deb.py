"""The Debian packages as files."""

import re
from pathlib import Path

import pytest

from price import __version__
from price.optional import DEBIAN_PACKAGES
from tests.needs import needs
from tests.packages.building import ROOT, run

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]


def files(package: Path) -> list[str]:
    """The paths of a package."""
    return [line.split()[5].removeprefix(".") for line in run("dpkg-deb", "-c", package).splitlines()]


def test_lintian_has_nothing_to_say(debs: dict[str, Path]) -> None:
    needs("lintian", "apt-get install lintian")

    assert run("lintian", "--fail-on", "warning", "--allow-root", *debs.values()) == ""


def test_each_has_the_compiled_part_of_every_python_for_its_machine(debs: dict[str, Path]) -> None:
    for name, machine in (("amd64", "x86_64"), ("arm64", "aarch64")):
        compiled = [path for path in files(debs[name]) if path.endswith(".so")]
        journal = re.findall(r"_journal\.cpython-(\d+)-(\w+)-", " ".join(compiled))

        assert sorted(journal) == [(f"3{minor}", machine) for minor in (11, 12, 13, 14)]
        assert not [path for path in compiled if machine not in path]


def test_the_units_and_the_rest_of_the_service_are_in_it(debs: dict[str, Path]) -> None:
    found = set(files(debs["amd64"]))
    units = {
        path.name for path in (ROOT / "deploy").iterdir() if path.suffix in (".service", ".socket", ".timer")
    }

    assert {f"/lib/systemd/system/{name}" for name in units} <= found
    assert {
        "/usr/bin/price",
        "/usr/lib/price/main.py",
        "/usr/lib/price/price/web/static/vendor/uPlot.iife.min.js",
        "/usr/lib/systemd/catalog/price.catalog",
        "/usr/lib/sysusers.d/price.conf",
        "/usr/share/bash-completion/completions/price",
        "/usr/share/man/man1/price.1.gz",
        "/usr/share/zsh/vendor-completions/_price",
        "/usr/share/doc/price/running.md",
        "/etc/logrotate.d/price",
    } <= found
    assert [path for path in found if path.startswith(("/opt", "/usr/local"))] == []


def test_what_it_suggests_is_what_its_messages_name(debs: dict[str, Path]) -> None:
    suggested = run("dpkg-deb", "-f", debs["amd64"], "Suggests").strip().split(", ")

    assert sorted(suggested) == sorted(DEBIAN_PACKAGES.values())
    assert run("dpkg-deb", "-f", debs["amd64"], "Version").strip() == __version__


def test_it_has_the_versions_that_the_service_is_pinned_to() -> None:
    pinned = re.findall(r"^([\w-]+==[\w.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    vendored = re.findall(r"^(\S+==\S+) \\$", (ROOT / "deploy/debian/vendor.txt").read_text(), re.MULTILINE)

    assert set(pinned) <= set(vendored)
