"""What an install changes elsewhere in Windows: the rights on a folder, the source of the Event Log."""

import sys

assert sys.platform == "win32"

import winreg
from pathlib import Path

import ntsecuritycon
import win32security

from price.handlers.eventlog import ERROR, INFORMATION, MESSAGES, WARNING

_SOURCES = r"SYSTEM\CurrentControlSet\Services\EventLog\Application"
_LOCAL_SERVICE = "S-1-5-19"


def add_source(name: str) -> None:
    """Registers a source of the Event Log. Raises OSError."""
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, _source(name)) as key:
        winreg.SetValueEx(key, "EventMessageFile", 0, winreg.REG_EXPAND_SZ, MESSAGES)
        winreg.SetValueEx(key, "TypesSupported", 0, winreg.REG_DWORD, ERROR | WARNING | INFORMATION)


def remove_source(name: str) -> None:
    """Takes it away again. Raises OSError, FileNotFoundError where there is none."""
    winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, _source(name))


def _source(name: str) -> str:
    return rf"{_SOURCES}\{name}"


def allow_service(folder: Path) -> None:
    """Has LocalService read, write and remove what is in a folder, beside those who may already.

    Raises OSError.
    """
    user = win32security.ConvertStringSidToSid(_LOCAL_SERVICE)
    kind, part = win32security.SE_FILE_OBJECT, win32security.DACL_SECURITY_INFORMATION
    inherited = win32security.OBJECT_INHERIT_ACE | win32security.CONTAINER_INHERIT_ACE
    rights = (
        ntsecuritycon.FILE_GENERIC_READ
        | ntsecuritycon.FILE_GENERIC_WRITE
        | ntsecuritycon.FILE_GENERIC_EXECUTE
        | ntsecuritycon.DELETE
    )
    try:
        known = win32security.GetNamedSecurityInfo(str(folder), kind, part).GetSecurityDescriptorDacl()
        known.AddAccessAllowedAceEx(win32security.ACL_REVISION_DS, inherited, rights, user)
        win32security.SetNamedSecurityInfo(str(folder), kind, part, None, None, known, None)
    except win32security.error as error:
        raise OSError(error.winerror, error.strerror, str(folder)) from error
