"""Where the journal cannot be read, the message says what to do."""

import os
from pathlib import Path

import pytest

from price.errors import PriceError
from price.journal_reader import open_journal

NOBODY = {"SYSLOG_IDENTIFIER": "nobody"}


def test_a_journal_that_this_user_may_not_read_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "machine").mkdir()
    file = tmp_path / "machine" / "system.journal"
    if os.geteuid() == 0:
        file.symlink_to(tmp_path / "nowhere")  # unreadable for root, too
    else:
        file.touch(0)

    with pytest.raises(PriceError, match=r"^the journal: not readable .*sudo, or join the group [\w-]+$"):
        open_journal(NOBODY, "--from state", homes=(tmp_path,))


def test_a_place_without_journals_is_said_with_what_else_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match=f"^{tmp_path}: there are no journal files: --from state$"):
        open_journal(NOBODY, "--from state", str(tmp_path))
