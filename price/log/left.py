"""What an answer did not use of a log, counted, and the lines that report it."""

from price.text import counted, escaped


class LeftOut:
    """What a question did not use, so far."""

    def __init__(self) -> None:
        self.lines = 0
        """Lines that are no rows."""
        self.place = ""
        """FILE:LINE of the first of them, where it is known."""
        self.doubles = 0
        """Rows of a slot and pair that had one already."""
        self.disordered = 0
        """Rows that are earlier than one before them."""
        self.files: dict[str, str] = {}
        """Files that could not be read (by path, why), whatever the range."""
        self.damaged: dict[str, str] = {}
        """Files of which a part that the question needed could not be read."""

    def forget(self) -> None:
        """Begins again, for a question that is asked again of a longer range."""
        self.lines = self.doubles = self.disordered = 0
        self.damaged.clear()

    def report(self) -> str:
        """The text for stderr: a line for each kind, nothing where nothing was left out."""
        first = f", the first at {escaped(self.place)}" if self.place else ""
        lines = f"line is no row and was left out{first}", f"lines are no rows and were left out{first}"
        counts = (
            (self.lines, *lines),
            (
                self.doubles,
                "row stands twice; the first one counts, the other was left out",
                "rows stand twice; the first of each counts, the others were left out",
            ),
            (
                self.disordered,
                "row is earlier than one before it and was left out",
                "rows are earlier than one before them and were left out",
            ),
        )
        said = [
            f"{counted(count, one, several)}: price verify names {'it' if count == 1 else 'them'}\n"
            for count, one, several in counts
            if count
        ]
        files = {**self.files, **self.damaged}
        said += [
            f"{escaped(path)}: {why}: price verify names what is left out\n" for path, why in files.items()
        ]
        return "".join(said)
