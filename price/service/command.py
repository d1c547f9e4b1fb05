"""`price service`: the recorder as a Windows service."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime

from price.errors import PriceError
from price.optional import needed_by

_VERBS = ("install", "start", "stop", "restart", "reload", "status", "remove", "debug")


def run_options(parser: ArgumentParser) -> None:
    """Adds the verb and the options of the command."""
    verbs = ", ".join(_VERBS)
    parser.add_argument("verb", choices=[*_VERBS, "host"], metavar="VERB", help=f"one of {verbs}")
    parser.add_argument("--name", default="price", help="of the service, and its Event Log source")
    parser.add_argument("--folder", help="of settings, log and state, at install (%%ProgramData%%\\NAME)")
    parser.add_argument("--rows", action="store_true", help="at install: rows go to the Event Log as well")


def run(args: Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    """Does what the verb says. Raises PriceError, SettingsError for bad settings."""
    if sys.platform != "win32":
        raise PriceError(
            "service is for Windows; type: systemctl start price where it is installed, else price run"
        )
    with needed_by("windows"):
        from price.service import verbs
    return verbs.run(args, environ)
