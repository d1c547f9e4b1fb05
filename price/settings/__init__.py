"""The settings: from the environment and the settings file to values that are right together."""

from price.settings.model import NAMES, NETWORK_NAMES, TRUST_NAMES, Settings
from price.settings.reader import load, log_path, max_spread, status_path
from price.settings.together import plans

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
