"""What a follower says when the database cannot be used: one clear line, and it tries again for ever."""

import io
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
import trustme

from price import times
from price.follow.follower import Follower
from price.follow.postgres import Postgres
from price.follow.report import Report
from price.follow.status import lines
from price.progress import Progress
from tests.fakes import FakeClock
from tests.follow.engines import PASSWORD, PostgresServer, until
from tests.follow.following import Database, Followers, Following, command, heard
from tests.follow.logs import steady, write_log
from tests.needs import give_up
from tests.process import free_port


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "prices.txt", steady(100))


def tries(log: Path, url: str, count: int = 6) -> tuple[list[str], list[float]]:
    """What is said of a database in some tries, and the waits between them."""
    following = Following(log, Postgres(url, "box-a", "prices.txt", deadline_seconds=1), "box-a", FakeClock())
    with heard() as lines:
        waits = [following.follower.step() for _ in range(count)]
    following.target.close()
    return lines, waits


def test_each_trouble_is_one_line_and_the_waits_grow(postgres: PostgresServer, log: Path) -> None:
    whole, empty = Database(postgres), Database(postgres, init=False)
    older, newer, read_only = Database(postgres), Database(postgres), Database(postgres)
    for database, text in (
        (older, "UPDATE price.version SET n = -1"),
        (newer, "UPDATE price.version SET n = 2"),
        (read_only, f"ALTER DATABASE {read_only.name} SET default_transaction_read_only = on"),
    ):
        with database.owner() as one:
            one.execute(text.encode())
    dead = f"postgresql://price_follow@127.0.0.1:{free_port()}/price"
    troubles = {
        dead: "Connection refused",
        whole.url.replace("price_follow@", "nobody@"): 'role "nobody" does not exist',
        postgres.url("nowhere"): 'database "nowhere" does not exist',
        whole.url.replace("price_follow@", "price_read@"): "permission denied",
        empty.url: "there is no schema price in the database; as its owner type: price follow",
        older.url: "the schema has version -1, this program knows 1: as its owner type: price follow",
        newer.url: "the schema has version 2, this program knows 1: update this program",
        read_only.url: "session is read-only",
    }

    for url, words in troubles.items():
        lines, waits = tries(log, url)
        assert len(lines) == 1, lines
        assert words in lines[0], lines
        assert "\n" not in lines[0]
        assert "trying again until it works" in lines[0]
        assert [0.8 * 2**number <= wait <= 1.2 * 2**number for number, wait in enumerate(waits)] == [True] * 6


def test_a_wrong_password_is_one_line_that_does_not_hold_it(postgres: PostgresServer, log: Path) -> None:
    database = Database(postgres)
    rules = postgres.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host {database.name} price_follow 127.0.0.1/32 scram-sha-256\n{before}")
    try:
        with database.owner() as one:
            one.execute("SELECT pg_reload_conf()")
        secret = database.url.replace("price_follow@", f"price_follow:{PASSWORD}@")
        wrong = secret.replace(PASSWORD, f"{PASSWORD}-not")
        until(lambda: "authentication failed" in "".join(tries(log, wrong, 1)[0]))

        lines, _ = tries(log, wrong)
        typed = command(log, "postgres", "--check", PRICE_FOLLOW_POSTGRES=wrong)
        passfile = log.with_name("pgpass")
        passfile.write_text(f"*:*:*:price_follow:{PASSWORD}\n")
        passfile.chmod(0o400)
        by_file = command(
            log,
            "postgres",
            "--once",
            PRICE_FOLLOW_POSTGRES=database.url,
            CREDENTIALS_DIRECTORY=str(log.parent),
        )
    finally:
        rules.write_text(before)

    (line,) = lines
    assert "password authentication failed" in line
    assert typed.returncode == 1
    assert PASSWORD not in "".join(
        [line, typed.stdout, typed.stderr, log.with_name("follow-box-a.json").read_text()]
    )
    assert (by_file.returncode, by_file.stderr) == (0, "")


def test_what_only_a_person_can_mend_ends_it_with_78(log: Path) -> None:
    for url, words in {
        "": "PRICE_FOLLOW_POSTGRES is not set",
        "mysql://db": "must be a URL of PostgreSQL",
        f"postgresql://me:{PASSWORD}@db/x?nonsense=1": 'invalid URI query parameter: "nonsense"',
        "postgresql://me@db.example/x": "sslmode=verify-full",
    }.items():
        done = command(log, "postgres", PRICE_FOLLOW_POSTGRES=url)
        assert done.returncode == 78, done.stderr
        assert words in done.stderr
        assert PASSWORD not in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(8)
        yield one.getsockname()[1]


@pytest.mark.realtime
def test_a_black_hole_is_left_after_the_time_for_connecting(black_hole: int, log: Path) -> None:
    began = time.monotonic()

    lines, _ = tries(log, f"postgresql://price_follow@127.0.0.1:{black_hole}/price?connect_timeout=2", 1)

    assert 1 < time.monotonic() - began < 30
    assert "timeout expired" in lines[0]


@pytest.mark.realtime
def test_a_frozen_server_is_left_at_a_deadline_of_our_own(postgres: PostgresServer, log: Path) -> None:
    database = Database(postgres)
    following = database.follower(log, deadline=1)
    following.follower.catch_up()
    write_log(log, steady(200))
    go_on = postgres.freeze()
    began = time.monotonic()
    try:
        with heard() as lines:
            following.follower.step()
        lasted = time.monotonic() - began
    finally:
        go_on()

    assert [line for line in lines if "no answer within 1 s" in line]
    assert 0.9 < lasted < 20
    until(lambda: following.follower.step() and database.ask("SELECT count(*) FROM price.quote") == [(200,)])
    following.target.close()


@pytest.mark.realtime
def test_it_ends_within_a_second_when_it_is_told_to(
    postgres: PostgresServer, log: Path, followers: Followers
) -> None:
    database = Database(postgres)
    process = followers.start(log, "postgres", database.there())
    until(lambda: len(database.content()["quote"]) == 100)
    go_on = postgres.freeze()
    try:
        write_log(log, steady(200))
        time.sleep(1.5)  # it looks once a second
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        status = process.wait(30)
        lasted = time.monotonic() - began
    finally:
        go_on()

    assert status == 0
    assert lasted < 5  # a second, and what a busy machine adds


def test_with_verify_full_only_the_right_server_is_spoken_to(postgres: PostgresServer, log: Path) -> None:
    database, ca, other = Database(postgres), trustme.CA(), trustme.CA()
    _serve_tls(postgres, ca.issue_cert("localhost"))
    ca.cert_pem.write_to_path(log.with_name("ca.pem"))
    other.cert_pem.write_to_path(log.with_name("other.pem"))
    base = (
        database.url.replace("127.0.0.1", "localhost")
        + "?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert="
    )
    right, wrong_ca = f"{base}{log.parent}/ca.pem", f"{base}{log.parent}/other.pem"
    wrong_name = right.replace("localhost", "db.example")

    assert command(log, "postgres", "--once", PRICE_FOLLOW_POSTGRES=right).returncode == 0
    for url, words in {
        wrong_ca: "certificate verify failed",
        wrong_name: 'does not match host name "db.example"',
    }.items():
        (line,), _ = tries(log, url)
        assert words in line


def _serve_tls(postgres: PostgresServer, certificate: trustme.LeafCert) -> None:
    """Has a server speak TLS from now on."""
    key, cert = postgres.data / "server.key", postgres.data / "server.crt"
    certificate.private_key_pem.write_to_path(key)
    certificate.cert_chain_pems[0].write_to_path(cert)
    key.chmod(0o600)
    postgres.own(key, cert)
    with postgres.owner() as one:
        one.execute("ALTER SYSTEM SET ssl = on")
        one.execute("SELECT pg_reload_conf()")
    until(lambda: _speaks_tls(postgres))


def _speaks_tls(postgres: PostgresServer) -> bool:
    with postgres.owner() as one:
        return one.execute("SHOW ssl").fetchone() == ("on",)


def test_the_printed_schema_can_be_run_by_hand(postgres: PostgresServer, log: Path) -> None:
    database = Database(postgres, init=False)
    there = {"PRICE_FOLLOW_POSTGRES": database.url}

    printed = command(log, "postgres", "--init", "--print")
    with database.owner() as one:
        one.execute(printed.stdout.encode())
    checked = command(log, "postgres", "--check", **there)

    assert (checked.returncode, checked.stdout) == (
        0,
        f"postgres at 127.0.0.1/{database.name}: all is well\n",
    )


def test_a_status_line_says_how_far_it_is(postgres: PostgresServer, log: Path) -> None:
    database = Database(postgres)
    following = database.follower(log)
    following.catch_up()
    log.with_name("follow-box-a.json").rename(log.with_name("follow-postgres.json"))
    log.with_name("follow-nats.json").write_text("{}")

    broken, one = lines(log.with_name("status.json"), times.parse_iso(steady(100)[-1][0]))

    assert one.startswith("postgres  caught up  0 s behind  100 rows  0 refused")
    assert broken.endswith("follow-nats.json: cannot be read: 'target'")
    assert following.notified[0].startswith("READY=1\nWATCHDOG=1\nSTATUS=postgres  catching up")


@pytest.mark.realtime
def test_a_full_disk_of_the_database_is_one_line_and_is_made_good(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        give_up("needs root, for a small file system: sudo make test")
    server = PostgresServer(small=True)
    log = write_log(tmp_path / "prices.txt", steady(200_000))
    try:
        database = Database(server)
        server.shrink()
        following = database.follower(log)
        with heard() as lines:
            for _ in range(3):
                following.follower.step()
            said = list(lines)
            server.grow()
            until(lambda: following.follower.step() and following.follower.caught_up, 90)
        following.target.close()
        (count,) = database.ask("SELECT count(*) FROM price.quote")
    finally:
        server.stop()

    assert len(said) == 1, said
    assert re.search("No space left on device|server closed the connection|Connection refused", said[0]), said
    assert count == (200_000,)


def test_a_terminal_sees_how_far_the_catch_up_is(postgres: PostgresServer, log: Path) -> None:
    write_log(log, steady(30_000))
    database, terminal = Database(postgres), Terminal()
    following = database.follower(log)
    following.report = Report(
        following.target, "box-a", following.clock, print, log.with_name("x.json"),
        Progress(terminal, "rows sent"), Decimal(1),
    )  # fmt: skip
    follower = Follower(str(log), following.target, following.clock, following.report, Random(1))

    follower.catch_up()
    following.target.close()

    bars = terminal.getvalue().split("\r")[1:]
    assert "] " in bars[0]
    assert " 10000 rows sent" in bars[0]
    assert " 30000 rows sent" in bars[2]
    assert bars[-1] == "\x1b[K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
