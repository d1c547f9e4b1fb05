"""The settings: from the environment and the settings file to values that are right together."""

from price.settings.checks import plans
from price.settings.load import file_faults, load, log_path, status_path, value_of
from price.settings.table import NAMES, NETWORK_NAMES, ROWS, TRUST_NAMES, Settings

__all__ = [
    "NAMES",
    "NETWORK_NAMES",
    "ROWS",
    "TRUST_NAMES",
    "Settings",
    "file_faults",
    "load",
    "log_path",
    "plans",
    "status_path",
    "value_of",
]
