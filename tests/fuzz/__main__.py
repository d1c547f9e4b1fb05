"""Runs targets under atheris: `python -m tests.fuzz [TARGET...] [--seconds 60]`; all of them by default.

What was found interesting is kept in .fuzz/TARGET, and what broke a target in .fuzz/TARGET-crash-…:
`python -m tests.fuzz TARGET --again FILE` runs that once more, without atheris.
"""

import argparse
import subprocess
import sys
from pathlib import Path

KEPT = Path(".fuzz")


def main() -> int:
    """Each target in a process of its own: libFuzzer ends the one that it runs in."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--again", type=Path, metavar="FILE", help="one input, without atheris")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.here:
        fuzz(args.targets[0], args.seconds)
    from tests.fuzz.targets import TARGETS

    unknown = [name for name in args.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no such target: {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    if args.again:
        TARGETS[args.targets[0]](args.again.read_bytes())
        return 0
    command = [sys.executable, "-m", "tests.fuzz", "--here", "--seconds", str(args.seconds)]
    broken = []
    for name in args.targets or TARGETS:
        print(f"== {name}", flush=True)
        if subprocess.run([*command, name], check=False).returncode:
            broken.append(name)
    print(f"broken: {', '.join(broken)}" if broken else "nothing found")
    return int(bool(broken))


def fuzz(name: str, seconds: int) -> None:
    """Fuzzes a target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["price", "dotenv", "email", "urllib"]):
        from tests.fuzz.targets import TARGETS, seeds
    corpus, first = KEPT / name, KEPT / f"{name}-seeds"
    for folder in (corpus, first):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (first / str(number)).write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={KEPT / name}-",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus), str(first)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
