"""Measures the recorder beside what people would use instead; prints Markdown.

    make bench

or `python -m bench [QUESTION...] [--rounds 3] [--slots 240]`, as root; `-h` names the questions.
Each question is answered in one run: peers in turn, medians over rounds, CPU and memory by the kernel's
accounts.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from bench import choosing, cost, follow, growth, pairs, reading, timekeeping, web
from bench.stand import machine_in_words, stand

QUESTIONS = ("cost", "timekeeping", "pairs", "choosing", "reading", "web", "growth", "follow")


def main() -> None:
    """Answers the questions of the command line; all of them where it names none."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("questions", nargs="*", metavar="question", help=", ".join(QUESTIONS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slots", type=int, default=240, help="how many seconds the timekeeping is watched")
    parser.add_argument(
        "--year",
        type=Path,
        default=Path("/var/tmp/price-year/prices.txt"),
        help="a log to read; made if missing",
    )
    options = parser.parse_args()
    wanted = options.questions or QUESTIONS
    if unknown := set(wanted) - set(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}; there are {', '.join(QUESTIONS)}")
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine_in_words()}", flush=True)
    if {"reading", "web", "growth", "follow"} & set(wanted):
        reading.make_year(options.year)
    if "reading" in wanted:
        reading.tell(options.year, options.rounds)
    if "web" in wanted:
        web.tell(options.year)
    if "choosing" in wanted:
        choosing.tell(options.rounds)
    if "follow" in wanted:
        follow.tell(options.year, options.rounds)
    if not set(wanted) - {"reading", "web", "choosing", "follow"}:
        return
    with stand() as machine:
        if "cost" in wanted:
            cost.tell(machine, options.rounds)
        if "timekeeping" in wanted:
            timekeeping.tell(machine, options.slots)
        if "pairs" in wanted:
            pairs.tell(machine)
        if "growth" in wanted:
            growth.tell(machine, options.year)


if __name__ == "__main__":
    main()
