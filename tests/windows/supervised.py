"""`price supervise` in the folder of a recording, and what it and its recorder say."""

import signal
import subprocess
import threading

from tests.windows.prefix import MAIN, PYTHON, SECONDS, named
from tests.windows.recording import Recording

RECORDER = (PYTHON, "-u", MAIN, "run", "--end-with-stdin")


class Supervised:
    """A supervisor in the folder of a recording, and what both say."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.prefix = recording.prefix
        self.said = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str) -> None:
        """Starts a supervisor by its command line."""
        process = self._process = self.prefix.start(
            *(PYTHON, "-u", *words),
            cwd=self.recording.folder,
            PYTHONPATH=r"C:\src",
            **named(self.recording.settings),
        )
        threading.Thread(target=self._read, args=[process], daemon=True).start()

    def quick(self, seconds: float, *command: str) -> None:
        """Starts one with short delays; a status may stand still for so many seconds."""
        self.start("-m", "tests.supervise.quick", str(seconds), *(command or RECORDER))

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.said += line.decode()

    def until_said(self, words: str, times: int = 1) -> None:
        """Waits for words."""
        self.prefix.until(lambda: self.said.count(words) >= times)

    def stop(self) -> int:
        """Presses Ctrl-C; returns the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(SECONDS)

    def kill(self) -> None:
        """Ends the supervisor alone, as the Task Manager does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)

    @property
    def recorders(self) -> list[int]:
        """The recorders that run, by the numbers that Linux knows them by."""
        return self.prefix.pids(r"^C:.python.python.exe -u C:.src.main.py run")

    def only_recorder(self, other_than: int = 0) -> int:
        """The one recorder there is, once there is another than that; never two."""

        def other() -> bool:
            found = self.recorders
            assert len(found) < 2, self.said
            return bool(found) and found != [other_than]

        self.prefix.until(other)
        return self.recorders[0]
