"""Root in other people's folders: whose rights are enough there, and how to have no more than these."""

import sys

assert sys.platform != "win32"

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MOST_LINKS = 40
_JOURNAL_GROUP = "systemd-journal"


def strangers(path: Path) -> Iterator[int]:
    """The users other than root who own a folder or a link on the way to a file, in the order of the way.

    The owner of the file itself does not count: only the owner of its folder can put a link in its place.
    """
    here = Path("/")
    ahead = list(reversed(Path.cwd().joinpath(path).parts[1:]))
    links = 0
    while ahead:
        part = ahead.pop()
        here = here.parent if part == ".." else here / part
        try:
            status = here.lstat()
        except OSError:  # it is not there, or not for us to see
            return
        link = stat.S_ISLNK(status.st_mode)
        if status.st_uid != 0 and (link or stat.S_ISDIR(status.st_mode)):
            yield status.st_uid
        if link and links < _MOST_LINKS:
            links += 1
            target = here.readlink()
            here = Path("/") if target.is_absolute() else here.parent
            ahead += [one for one in reversed(target.parts) if one != "/"]


def become(user: int) -> None:
    """Gives up root for a user: groups first, since only root may change them, the user last.

    Root may read the journal, so its group is kept. Raises OSError where the system refuses.
    """
    groups, group = [user], user
    with suppress(KeyError):  # a user without a name has no groups either
        known = pwd.getpwuid(user)
        group, groups = known.pw_gid, os.getgrouplist(known.pw_name, known.pw_gid)
    with suppress(KeyError):
        groups.append(grp.getgrnam(_JOURNAL_GROUP).gr_gid)
    os.setgroups(groups)
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    if os.getresuid() != (user,) * 3 or os.getresgid() != (group,) * 3:
        raise PermissionError("root's rights could not be given up")
