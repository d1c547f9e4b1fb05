"""`price once`: asks now and prints the rows of the slot that has just begun."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime

from price import settings
from price.clock import SystemClock
from price.recorder import once
from price.text import print_line


def add_options(_parser: ArgumentParser) -> None:
    """Adds none."""


def run(_args: Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    """Returns 0 if every pair has a price, else 1."""
    return once.once(settings.load(environ), SystemClock(), print_line)
