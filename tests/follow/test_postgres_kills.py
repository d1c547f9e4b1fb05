"""Whatever is killed at whatever moment: the tables are what the logs say, and what was committed stays."""

import os
import random
import time
from pathlib import Path

import pytest

from price.log import row
from tests.follow.engines import PostgresServer, until
from tests.follow.following import KILLED, Database, Followers, killed_at
from tests.follow.logs import Made, fold, steady, write_log

pytestmark = pytest.mark.realtime

ROUNDS = int(os.environ.get("SWEEP", "1"))
"""How long the random part goes on: `make sweep-follow`."""


def test_a_follower_that_is_killed_at_any_step_is_made_good_by_the_next(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    database = Database(postgres)
    a, b = made = [Made(tmp_path, name, 7, slots=60) for name in ("box-a", "box-b")]
    status, _ = killed_at(0, a.path, "postgres", database.there("box-a"))  # who is killed meets other prices
    assert status == 0
    status, calls = killed_at(0, b.path, "postgres", Database(postgres).there(b.name))
    assert (status, len(calls) > 10) == (0, True)

    for step in (-1, *range(1, len(calls) + 1)):
        status, _ = killed_at(step, b.path, "postgres", database.there(b.name))
        assert status in (KILLED, 0), step  # there is less to do once a part of it was committed
    assert killed_at(0, b.path, "postgres", database.there(b.name))[0] == 0

    assert database.content() == fold(made)


def test_two_followers_and_the_postmaster_are_killed_at_random(
    postgres: PostgresServer, tmp_path: Path, followers: Followers
) -> None:
    for number in range(ROUNDS):
        seed = random.Random().randrange(10**6) if ROUNDS > 1 else 11
        chance = random.Random(seed)
        database = Database(postgres)
        made = [Made(tmp_path / str(number), name, seed, slots=4000) for name in ("box-a", "box-b", "box-c")]
        kills = 0
        for _ in range(8):
            running = [followers.start(one.path, "postgres", database.there(one.name)) for one in made]
            time.sleep(chance.uniform(0.2, 0.9))
            if chance.random() < 0.4:
                postgres.kill()
                postgres.start()
            if chance.random() < 0.3:
                end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'price_follow'"
                database.ask(end)
            for process in running:
                process.kill()
                kills += process.wait() == KILLED

        for one in made:
            assert followers.start(one.path, "postgres", database.there(one.name), "--once").wait(60) == 0

        assert database.content() == fold(made), seed
        if ROUNDS > 1:
            print(f"round {number + 1}: seed {seed}, {kills} followers killed, equal to the fold", flush=True)


def test_it_goes_on_by_itself_when_the_server_was_killed_under_it(
    postgres: PostgresServer, tmp_path: Path, followers: Followers
) -> None:
    database, path = Database(postgres), write_log(tmp_path / "prices.txt", steady(10))
    follower = followers.start(path, "postgres", database.there("box-a"))
    until(lambda: database.ask("SELECT count(*) FROM price.quote") == [(10,)])

    postgres.kill()
    with path.open("a") as file:
        file.writelines(f"{row.text(one)}\n" for one in steady(500)[10:])
    until(lambda: "trying again" in (tmp_path / "said").read_text())
    postgres.start()

    until(lambda: database.ask("SELECT count(*) FROM price.quote") == [(500,)], 90)
    follower.terminate()
    assert follower.wait(10) == 0
    said = (tmp_path / "said").read_text().splitlines()
    assert sum("trying again" in line for line in said) == 1, said
    assert sum("back after" in line for line in said) == 1, said
