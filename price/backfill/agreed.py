"""What a provider's records say of slots, where they do not contradict each other."""

from collections.abc import Iterator

from price.backfill.gap import Slot


class Agreed:
    """Hears of slots; one that is told of in two ways stays unknown: a missed slot beats a wrong price."""

    def __init__(self) -> None:
        self._found: dict[Slot, str] = {}
        self._disputed: set[Slot] = set()

    def hear(self, slot: Slot, said: str) -> None:
        """Takes what is said of a slot."""
        if self._found.setdefault(slot, said) != said:
            self._disputed.add(slot)

    @property
    def disputed(self) -> int:
        """How many slots were told of in two ways."""
        return len(self._disputed)

    def __iter__(self) -> Iterator[tuple[Slot, str]]:
        return ((slot, said) for slot, said in self._found.items() if slot not in self._disputed)
