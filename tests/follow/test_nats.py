"""A log in JetStream: every row once and in order, whoever else publishes it and whatever is killed."""

import json
import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from nats import errors

from price import times
from price.follow.nats import Nats
from price.log import row
from price.log.row import Row
from tests.fakes import FakeClock
from tests.follow.engines import NatsServers, until
from tests.follow.following import KILLED, NOW, Cluster, Followers, Following, command, heard, killed_at
from tests.follow.logs import START, steady, write_log
from tests.needs import give_up
from tests.process import free_port

ROUNDS = int(os.environ.get("SWEEP", "1"))


@pytest.fixture
def cluster(nats_servers: NatsServers) -> Cluster:
    return Cluster(nats_servers)


def recent(count: int) -> list[Row]:
    """Rows of the last minutes by the machine's clock: a process of its own has no other."""
    return steady(count, start=int(time.time()) // 5 * 5 - 5 * count)


def texts(rows: list[Row]) -> list[str]:
    return [row.text(one) for one in rows]


def test_each_kind_of_row_has_its_subject(cluster: Cluster, tmp_path: Path) -> None:
    rows = steady(3)
    gone: Row = (rows[1][0], "BTC-USD", "-", "kraken:timeout", " slots=2")
    repairs: list[Row] = [(*rows[1][:4], " by=journal")]
    write_log(tmp_path / "repairs.txt", repairs)
    path = write_log(tmp_path / "prices.txt", [rows[0], gone, *steady(1, start=START + 15)])

    cluster.follower(path, "box.a").catch_up()
    cluster.follower(path, "box.a").catch_up()

    assert sorted(cluster.messages()) == [
        ("price.missed.box_a.BTC-USD", f"{row.text(gone)} recorder=box.a every=5s"),
        ("price.progress.box_a", f"{times.slot_text(START + 15)} recorder=box.a"),
        ("price.quote.BTC-USD", f"{row.text(rows[0])} recorder=box.a"),
        ("price.quote.BTC-USD", f"{row.text(steady(1, start=START + 15)[0])} recorder=box.a"),
        ("price.repair.box_a.BTC-USD", f"{row.text(repairs[0])} recorder=box.a"),
    ]


def test_of_two_recorders_the_first_one_is_heard_and_nothing_twice(cluster: Cluster, tmp_path: Path) -> None:
    pairs = [one for both in zip(steady(2500), steady(2500, "ETH-USD"), strict=True) for one in both]
    first = write_log(tmp_path / "a" / "prices.txt", pairs[:3000])
    second = write_log(tmp_path / "b" / "prices.txt", [(*one[:3], "bitstamp", "") for one in pairs])

    cluster.follower(first, "box-a").catch_up()
    cluster.follower(second, "box-b").catch_up()
    write_log(first, pairs)
    cluster.follower(first, "box-a").catch_up()

    assert cluster.quotes() == texts([*pairs[:3000], *[(*one[:3], "bitstamp", "") for one in pairs[3000:]]])


def test_what_would_expire_at_another_time_is_not_sent(cluster: Cluster, tmp_path: Path) -> None:
    week = 7 * times.DAY
    old = steady(5, start=START + times.DAY - week - 100)
    path = write_log(tmp_path / "prices.txt", [*old, *steady(5)])

    cluster.follower(path).catch_up()

    assert cluster.quotes() == texts(steady(5))


def test_a_stream_that_was_made_again_gets_what_it_still_may_have(cluster: Cluster, tmp_path: Path) -> None:
    path = write_log(tmp_path / "prices.txt", steady(100))
    cluster.follower(path).catch_up()

    again = Cluster(cluster.servers)
    again.follower(path).catch_up()

    assert again.quotes() == texts(steady(100))


def test_a_message_that_is_too_big_is_left_out_alone(cluster: Cluster, tmp_path: Path) -> None:
    rows = steady(20)
    rows[7] = (*rows[7][:4], f" note={'x' * 5000}")
    path = write_log(tmp_path / "prices.txt", rows)

    with heard() as lines:
        cluster.follower(path).catch_up()

    assert cluster.quotes() == texts([*rows[:7], *rows[8:]])
    assert len(lines) == 1
    assert "at most 4096 bytes" in lines[0]


def tries(log: Path, target: Nats, count: int = 2) -> str:
    """The one line that is said of a cluster in some tries, each waited for longer."""
    following = Following(log, target, "box-a", FakeClock(NOW))
    with heard() as lines:
        waits = [following.follower.step() for _ in range(count)]
    following.target.close()
    assert len(lines) == 1, lines
    assert waits == sorted(waits)
    return lines[0]


def test_each_trouble_is_one_line_and_the_waits_grow(
    nats_servers: NatsServers, cluster: Cluster, tmp_path: Path
) -> None:
    log = write_log(tmp_path / "prices.txt", steady(5))
    dead = Nats([f"nats://127.0.0.1:{free_port()}"], "box-a", lambda: NOW)
    assert "no answer in time ([Errno 111] Connect call failed" in tries(log, dead)
    cluster.ask("STREAM.DELETE.PRICE")
    assert "there is no stream PRICE; type, with the right to make it" in tries(log, cluster.target())
    cluster.ask("STREAM.CREATE.PRICE", json.dumps({"name": "PRICE", "subjects": ["price.>"]}).encode())
    assert "takes no atomic batches" in tries(log, cluster.target())
    done = command(log, "nats", "--check", PRICE_FOLLOW_NATS=cluster.url)
    assert (done.returncode, "atomic" in done.stdout) == (1, True)
    done = command(log, "nats", "--init", "--print")
    assert json.loads(done.stdout)["subjects"] == ["price.>"]
    for url, words in {"": "is not set", "http://x": "must be addresses parted by commas"}.items():
        done = command(log, "nats", PRICE_FOLLOW_NATS=url)
        assert (done.returncode, words in done.stderr) == (78, True), done.stderr


def test_a_follower_needs_few_rights_and_says_which_it_lacks(tmp_path: Path) -> None:
    server = NatsServers(1, extra=RIGHTS)
    log = write_log(tmp_path / "prices.txt", steady(50))
    try:
        wrong = Nats(server.urls, "box-a", lambda: NOW, login="follow:not-it")
        assert "Authorization Violation" in (line := tries(log, wrong))
        assert "not-it" not in line
        owner = Nats(server.urls, "owner", lambda: NOW, login="owner:o")
        assert owner.init().endswith("1 copies of each message")
        assert owner.check() == []
        owner.close()
        Following(log, Nats(server.urls, "box-a", lambda: NOW, login="follow:f"), "box-a").catch_up()
        reader = tries(log, Nats(server.urls, "box-b", lambda: NOW, login="read:r"), 1)
    finally:
        server.stop()

    assert "Permissions Violation" in reader.title()


RIGHTS = """
authorization { users: [
  { user: owner, password: o }
  { user: follow, password: f, permissions: {
      publish: [ "price.>", "$JS.API.STREAM.INFO.PRICE", "$JS.API.STREAM.MSG.GET.PRICE" ],
      subscribe: "_INBOX.>" } }
  { user: read, password: r, permissions: {
      publish: "$JS.API.STREAM.INFO.PRICE", subscribe: [ "_INBOX.>", "price.>" ] } }
] }
"""


def test_only_a_server_with_the_right_certificate_is_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, other = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    issued = ca.issue_cert("localhost")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    tls = f'tls {{ cert_file: "{tmp_path}/cert.pem", key_file: "{tmp_path}/key.pem" }}'
    server = NatsServers(1, extra=tls)
    log = write_log(tmp_path / "prices.txt", steady(5))
    try:
        name, address = (f"tls://{host}:{server.ports[0]}" for host in ("localhost", "127.0.0.1"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert "there is no stream" in tries(log, Nats([name], "box-a", lambda: NOW))
        assert "certificate verify failed" in tries(log, Nats([address], "box-a", lambda: NOW))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
        assert "certificate verify failed" in tries(log, Nats([name], "box-a", lambda: NOW))
    finally:
        server.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MiB."""
    if os.geteuid() != 0:
        give_up("needs root, for a small file system: sudo make test")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_of_a_server_is_one_line_and_is_made_good(small_disk: Path, tmp_path: Path) -> None:
    server = NatsServers(1, folder=str(small_disk))
    try:
        cluster = Cluster(server)
        log = write_log(tmp_path / "prices.txt", steady(10))
        following = cluster.follower(log)
        following.follower.catch_up()
        filler = small_disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        write_log(log, steady(900))
        with heard() as lines:
            for _ in range(3):
                following.follower.step()
            said = list(lines)
            filler.unlink()
            until(lambda: following.follower.step() and following.follower.caught_up)
        following.target.close()
        quotes = cluster.quotes()
    finally:
        server.stop()

    (line,) = said
    assert "a full disk does this" in line
    assert quotes == texts(steady(900))


@pytest.mark.realtime
def test_a_server_that_is_frozen_is_left_for_another(cluster: Cluster, tmp_path: Path) -> None:
    path = write_log(tmp_path / "prices.txt", steady(10))
    following = cluster.follower(path)
    following.follower.catch_up()
    write_log(path, steady(3000))
    go_on = cluster.servers.freeze(cluster.servers.leader())
    try:
        until(lambda: following.follower.step() and following.follower.caught_up, 90)
    finally:
        go_on()
    following.target.close()

    cluster.servers.await_ready()
    assert cluster.quotes() == texts(steady(3000))


@pytest.mark.realtime
def test_a_follower_that_is_killed_at_any_step_is_made_good_by_the_next(
    nats_servers: NatsServers, tmp_path: Path
) -> None:
    rows = recent(3)
    path = write_log(tmp_path / "prices.txt", rows)
    status, calls = killed_at(0, path, "nats", Cluster(nats_servers).there())
    assert (status, len(calls) >= 7) == (0, True)
    cluster = Cluster(nats_servers)

    for step in [step for number in range(1, len(calls) + 1) for step in (-number, number)]:
        status, _ = killed_at(step, path, "nats", cluster.there())
        assert status in (KILLED, 0), step
        rows = [*rows, *steady(2, start=times.slot_unix(rows[-1][0]) + 5)]
        write_log(path, rows)
    assert killed_at(0, path, "nats", cluster.there())[0] == 0

    assert cluster.quotes() == texts(rows)


@pytest.mark.realtime
@pytest.mark.timeout(0 if ROUNDS > 1 else 300)
def test_two_publishers_lose_and_double_nothing_when_they_and_the_servers_are_killed_at_random(
    cluster: Cluster, followers: Followers, tmp_path: Path
) -> None:
    chance = random.Random(None if ROUNDS > 1 else 5)
    paths = [write_log(tmp_path / name / "prices.txt", []) for name in ("a", "b")]
    publishers = [followers.start(path, "nats", cluster.there(path.parent.name)) for path in paths]
    rows = recent(60_000)
    sent, servers = 0, cluster.servers
    for number in range(6 * ROUNDS):
        more = rows[sent : sent + 4000 // ROUNDS + 1]
        for path in paths:
            with path.open("a") as file:
                file.writelines(f"{row.text(one)}\n" for one in more)
        sent += len(more)
        time.sleep(chance.uniform(0.1, 0.6))
        victim = ("publisher", "leader", "server", "two", "all", "publisher")[number % 6]
        if victim == "publisher":
            which = chance.randrange(2)
            publishers[which].kill()
            publishers[which].wait()
            publishers[which] = followers.start(paths[which], "nats", cluster.there("ab"[which]))
        else:
            gone = {
                "leader": [max(0, servers.leader())],
                "server": [chance.randrange(3)],
                "two": chance.sample(range(3), 2),
                "all": [0, 1, 2],
            }[victim]
            for one in gone:
                servers.kill(one)
            time.sleep(chance.uniform(0.2, 1))
            for one in gone:
                servers.start(one)
        if ROUNDS > 1:
            print(f"kill {number + 1}: {victim}", flush=True)
    servers.await_ready()
    until(lambda: _count(cluster) >= sent, 120, step=0.5)

    assert cluster.quotes() == texts(rows[:sent])


def _count(cluster: Cluster) -> int:
    try:
        found = cluster.ask("STREAM.INFO.PRICE", b'{"subjects_filter": "price.quote.>"}')
    except (OSError, errors.Error):  # there is no leader yet
        return 0
    subjects = found.get("state", {}).get("subjects") or {}
    return int(subjects.get("price.quote.BTC-USD", 0))


@pytest.mark.realtime
def test_a_black_hole_is_left_for_a_server_that_answers(cluster: Cluster, tmp_path: Path) -> None:
    log = write_log(tmp_path / "prices.txt", steady(5))
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(8)
        nobody = f"nats://127.0.0.1:{hole.getsockname()[1]}"
        began = time.monotonic()
        line = tries(log, Nats([nobody], "box-a", lambda: NOW), 1)
        lasted = time.monotonic() - began
        one_of_two = Nats([nobody, cluster.servers.urls[0]], "box-a", lambda: NOW)
        Following(log, one_of_two, "box-a").catch_up()

    assert "no answer in time" in line
    assert lasted < 30
    assert cluster.quotes() == texts(steady(5))
