"""`make release` in a clone with a made-up tag: what it refuses, and what it builds."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from price import __version__
from tests.needs import needs
from tests.packages.building import DEB_TOOLS, ROOT, needs_page, run

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]

WHO = {"NAME": "somebody", "EMAIL": "somebody@price.example", "DATE": "2026-11-28T00:00:00Z"}
AUTHOR = {f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in WHO.items()}


class Clone:
    """A repository with the files of this checkout, as one commit with the tag of its version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = run(
            "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ":!tests", ":!bench"
        )
        for name in filter(None, names.split("\0")):
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        changelog = folder / "CHANGELOG.md"
        text = changelog.read_text()
        if f"## {__version__} - " not in text:
            changelog.write_text(text.replace("## Unreleased\n", f"## {__version__} - 2026-11-28\n"))
        self.git("init", "--quiet")
        self.commit()
        self.git("tag", f"v{__version__}")

    def git(self, *words: str) -> None:
        """Runs git there."""
        run("git", *words, cwd=self.folder, environ=AUTHOR)

    def commit(self) -> None:
        """Commits all that was changed."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")

    def change(self, file: str, old: str, new: str) -> None:
        """Changes the first text in a file that is another."""
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def release(self) -> "subprocess.CompletedProcess[str]":
        """Runs the release to its end."""
        command = [str(self.folder / "deploy/release.sh"), sys.executable]
        environ = {"PATH": os.environ["PATH"], "DEB_WHEELS": sys.prefix, "HOME": str(self.folder)}
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=500, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A checkout that is ready for a release."""
    needs("git", "apt-get install git")
    return Clone(tmp_path / "clone")


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("price/__init__.py", __version__, "9.9.9", "no tag v9.9.9 is at this commit; type: git tag v9.9.9"),
        ("CHANGELOG.md", f"## {__version__} - ", "## 9.9.9 - ", f"is 9.9.9, and not {__version__}"),
        ("CHANGELOG.md", f"## {__version__} - ", "## Unreleased\n\n- More.\n\n## ", "lines under Unreleased"),
        ("deploy/debian/changelog", __version__, "9.9.9", f"is 9.9.9, and not {__version__}; add an entry"),
    ],
)
def test_it_refuses_where_versions_differ(clone: Clone, file: str, old: str, new: str, reason: str) -> None:
    kept = new + (f"{__version__} - " if new.endswith("## ") else "")
    clone.change(file, old, kept)
    clone.commit()
    clone.git("tag", "--force", f"v{__version__}")

    refused = clone.release()

    assert refused.returncode == 1
    assert refused.stderr.startswith("price: no release: ")
    assert reason in refused.stderr
    assert not (clone.folder / "dist").exists()


def test_it_refuses_what_is_not_committed_and_what_is_not_tagged(clone: Clone) -> None:
    (clone.folder / "more.txt").touch()

    assert "files differ from the last commit" in clone.release().stderr

    clone.commit()

    assert f"no tag v{__version__} is at this commit" in clone.release().stderr


def test_it_builds_all_packages_twice_and_the_same(clone: Clone) -> None:
    needs_page()
    needs("dh", DEB_TOOLS)
    shutil.copytree(ROOT / "price/web/static/vendor", clone.folder / "price/web/static/vendor")

    done = clone.release()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "built twice and the same" in done.stdout
    files = {path.name: path for path in (clone.folder / "dist").iterdir()}
    assert set(files) == {
        f"price_recorder-{__version__}-py3-none-any.whl",
        f"price_recorder-{__version__}.tar.gz",
        f"price_{__version__}_amd64.deb",
        f"price_{__version__}_arm64.deb",
        f"price-{__version__}-vendor.txt",
        "SHA256SUMS",
    }
    lines = [line.split() for line in files.pop("SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert sums == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
