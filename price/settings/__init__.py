"""The settings: from the environment and the settings file to values that are right together."""

from price.settings.checks import plans
from price.settings.load import load, log_path, max_spread, status_path
from price.settings.model import NAMES, NETWORK_NAMES, TRUST_NAMES, Settings

__all__ = [
    "NAMES",
    "NETWORK_NAMES",
    "TRUST_NAMES",
    "Settings",
    "load",
    "log_path",
    "max_spread",
    "plans",
    "status_path",
]
