"""Stories told by dice: whatever happens in whatever order, each log that is left behind is whole."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from price.errors import (
    Forbidden,
    NoSuchName,
    RateLimited,
    SourceError,
    Timeout,
    Unavailable,
    UnknownPair,
    Unreachable,
)
from tests.fakes import START, FakeSource
from tests.proof import proven
from tests.scene import Scene

NAMES = ("coinbase", "kraken", "bitstamp")
PAIRS = ("BTC-USD", "BTC-USD,ETH-USD", "ETH-USD,BTC-USD,ADA-USD", "ADA-USD,BTC-USD")
ERRORS: tuple[type[SourceError], ...] = (
    Timeout,
    Unreachable,
    NoSuchName,
    RateLimited,
    Forbidden,
    Unavailable,
    UnknownPair,
)


class Dice:
    """What may happen to a recorder."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._scene = scene
        self._chance = random.Random(seed)
        self._rotations = 0

    def happen(self, until: float) -> None:
        """Has something happen every few seconds up to a moment, and the disk whole at the end."""
        scene, moment = self._scene, scene_time(self._scene)
        while (moment := moment + self._chance.uniform(0.5, 30)) < until - 10:
            kind = self._chance.choice(self._kinds())
            scene.clock.at(moment, kind)
        scene.clock.at(until - 5, self._mend)

    def pause(self) -> None:
        """Lets some time pass, and perhaps other settings be made, while no recorder runs."""
        self._mend()
        self._scene.clock.freeze(self._chance.choice([0, 0.3, 4, 7, 61, 400]))
        if self._chance.random() < 0.5:
            self._scene.set(**self._settings())

    def _kinds(self) -> list[Callable[[], object]]:
        scene, chance = self._scene, self._chance
        source: FakeSource = getattr(scene.net, chance.choice(NAMES))
        price = f"{chance.choice([100, 100, 100, 107, 250]) + chance.random():.6f}"
        return [
            partial(scene.clock.step, chance.choice([-200, -7, -1, -0.2, 0.2, 3, 6, 100])),
            partial(scene.clock.freeze, chance.choice([0.5, 2, 4.9, 5.1, 30])),
            partial(scene.clock.suspend, chance.choice([1, 10, 100])),
            partial(source.says, price, after=chance.choice([0.01, 0.3, 1.9, 2.1, 5, 6])),
            partial(source.says, price, aged=chance.choice([0.5, 59, 70, -3, -10])),
            partial(source.fails, chance.choice(ERRORS)("dice"), times=chance.choice([1, 3, 0])),
            partial(source.hangs, times=1),
            self._rotate,
            self._cut,
            self._refuse,
            self._mend,
            partial(scene.reload_at, scene_time(scene), **self._settings()),
            self._reload,
        ]

    def _settings(self) -> dict[str, str]:
        interval, timeout = self._chance.choice([("5", ""), ("1", ""), ("10", "9.9"), ("60", "2")])
        return {
            "INTERVAL": interval,
            "TIMEOUT": timeout,
            "PAIRS": self._chance.choice(PAIRS),
            "SOURCES": ",".join(self._chance.sample(NAMES, self._chance.randint(1, 3))),
        }

    def _reload(self) -> None:
        self._scene.reload_at(scene_time(self._scene), **self._settings())

    def _rotate(self) -> None:
        if self._scene.file.is_file():
            self._rotations += 1
            self._scene.file.rename(self._scene.file.with_name(f"prices.txt.{self._rotations}"))

    def _cut(self) -> None:
        """Takes the last bytes of the log away."""
        if self._scene.file.is_file():
            size = self._scene.file.stat().st_size
            with self._scene.file.open("r+b") as file:
                file.truncate(max(0, size - self._chance.choice([1, 10, 40, 4000])))

    def _refuse(self) -> None:
        folder = self._scene.file.parent
        if folder.is_dir():
            folder.rename(folder.with_name("away"))
            folder.write_text("in the way")

    def _mend(self) -> None:
        folder = self._scene.file.parent
        if folder.is_file():
            folder.unlink()
            folder.with_name("away").rename(folder)


def scene_time(scene: Scene) -> float:
    """Where the scene is, in seconds from its beginning."""
    return scene.clock.passed


def slot_of(row: str) -> datetime:
    return datetime.fromisoformat(row.split(" ", 1)[0])


@pytest.mark.parametrize("seed", [*range(13), 214])
def test_whatever_happens_each_log_is_whole_and_the_recorder_lives(tmp_path: Path, seed: int) -> None:
    scene = Scene(tmp_path)
    scene.file = tmp_path / "disk" / "prices.txt"
    scene.set(FILE=str(scene.file), SOURCES="coinbase,kraken", PAIRS="BTC-USD,ETH-USD")
    dice = Dice(scene, seed)

    for _ in range(4):
        end = scene_time(scene) + 200
        dice.happen(end)
        assert scene.run(until=end) in (0, 1)
        dice.pause()

    files = [path for path in scene.file.parent.glob("prices.txt*") if path.suffix != ".cut"]
    logs = sorted(files, key=lambda path: path.stat().st_mtime_ns)
    rows = [row for log in logs if log.stat().st_size for row in proven(whole(log))]
    assert rows
    assert max(map(slot_of, rows)) < START + timedelta(days=1)


def whole(log: Path) -> str:
    """A log without the last line, where dice cut it in the middle and no recorder mended it since."""
    text = log.read_text()
    return text[: text.rfind("\n") + 1] or "# price-log 1 every=5s\n"
