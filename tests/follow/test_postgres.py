"""A log in PostgreSQL: every row, every digit, whatever came first and however often it was sent."""

import gzip
import itertools
from pathlib import Path
from threading import Thread, Timer

import pytest

from price import times
from price.follow.postgres import Postgres
from price.follow.target import Batch, Lost
from price.log import row
from price.log.row import Row, header_line
from tests.follow.engines import PostgresServer, until
from tests.follow.following import Database, command, heard
from tests.follow.logs import START, Made, fold, steady, write_log

TAKE = "SELECT pg_advisory_lock(%s, hashtext('price follow box-a'))"


@pytest.fixture
def database(postgres: PostgresServer) -> Database:
    return Database(postgres)


def test_every_row_arrives_with_every_digit(database: Database, tmp_path: Path) -> None:
    longest = f"{'9' * 24}.{'1' * 101}"
    rows = [
        ("2026-10-31T23:59:55Z", "BTC-USD", longest, "coinbase,kraken", ""),
        ("2026-11-01T00:00:00Z", "BTC-USD", "-", "coinbase:timeout", " slots=17280"),
        ("2026-11-02T00:00:00Z", "BTC-USD", "0.00000001", "null", ""),
        ("2026-11-02T00:00:05Z", "BTC-USD", "-", "coinbase:timeout", ""),
    ]
    write_log(tmp_path / "repairs.txt", [("2026-11-01T00:00:00Z", "BTC-USD", "5", "kraken", " by=a\\tb")])

    database.follower(write_log(tmp_path / "prices.txt", rows)).catch_up()

    assert database.content() == {
        "quote": [
            ("BTC-USD", "2026-10-31T23:59:55Z", longest, "coinbase,kraken", "box-a", ""),
            ("BTC-USD", "2026-11-01T00:00:00Z", "5", "kraken", "box-a", "a\\tb"),
            ("BTC-USD", "2026-11-02T00:00:00Z", "0.00000001", "null", "box-a", ""),
        ],
        "other": [],
        "missed": [
            ("BTC-USD", "2026-11-01T00:00:00Z", "17280", "coinbase:timeout", "box-a"),
            ("BTC-USD", "2026-11-02T00:00:05Z", "1", "coinbase:timeout", "box-a"),
        ],
    }
    assert database.ask("SELECT DISTINCT every::text FROM price.missed") == [("00:00:05",)]


@pytest.mark.parametrize("seed", range(2))
def test_three_recorders_become_one_whatever_comes_first(
    postgres: PostgresServer, tmp_path: Path, seed: int
) -> None:
    made = [Made(tmp_path, name, seed) for name in ("box-a", "box-b", "box-c")]
    wanted = fold(made)

    for order in itertools.permutations(made):
        database = Database(postgres)
        for one in order:
            database.follower(one.path, one.name).catch_up()
        assert database.content() == wanted, [one.name for one in order]


def test_a_replay_changes_nothing_and_writes_next_to_nothing(database: Database, tmp_path: Path) -> None:
    path = write_log(tmp_path / "prices.txt", steady(20_000))
    names = ("box-a", "box-b")  # the second one's rows are all in other
    for name in names:
        database.follower(path, name).catch_up()
    before = database.content()
    with database.owner() as one:
        one.execute("DELETE FROM price.progress")
    (began,) = database.ask("SELECT pg_current_wal_insert_lsn()::text")

    for name in names:
        database.follower(path, name).catch_up()

    ((written,),) = database.ask(f"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{began[0]}')::int")
    assert [len(before[table]) for table in ("quote", "other")] == [20_000, 20_000]
    assert database.content() == before
    # two connections make temporary tables: 31 kB in the catalogs of PostgreSQL 15, 46 kB in those of 18;
    # to lock each row, without a change to it, takes 54 bytes a row
    assert written <= 5 * 20_000, "a row that is there was written again"


def test_a_row_that_is_gone_among_others_comes_back_when_all_is_sent_again(
    database: Database, tmp_path: Path
) -> None:
    path = write_log(tmp_path / "prices.txt", [*steady(500), *steady(500, "ETH-USD", START + 2500)])
    database.follower(path).catch_up()
    before = database.content()
    for gone in (START + 5, START + 1000, START + 2495, START + 4000):
        with database.owner() as one:
            one.execute("DELETE FROM price.progress")
            one.execute("DELETE FROM price.quote WHERE slot = %s", [times.slot_text(gone)])

        database.follower(path).catch_up()

        assert database.content() == before


def test_it_goes_on_from_where_the_database_is_not_from_a_file(database: Database, tmp_path: Path) -> None:
    path = write_log(tmp_path / "prices.txt", steady(500))
    database.follower(path).catch_up()
    with database.owner() as one:  # a backup of the 200th slot is restored
        one.execute("DELETE FROM price.quote WHERE slot > %s", [times.slot_text(START + 1000)])
        one.execute("UPDATE price.progress SET slot = %s", [times.slot_text(START + 1000)])

    database.follower(path).catch_up()

    assert database.ask("SELECT count(*) FROM price.quote") == [(500,)]


def test_a_log_that_is_rotated_packed_and_torn_arrives_whole(database: Database, tmp_path: Path) -> None:
    rows, path = steady(3000), tmp_path / "prices.txt"
    write_log(path, rows[:1000])
    following = database.follower(path)
    following.follower.catch_up()

    packed = path.with_name("prices.txt.1")
    path.rename(packed)
    with packed.open("a") as file:
        file.write("".join(f"{row.text(one)}\n" for one in rows[1000:1500]))
    packed.with_name("prices.txt.1.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    write_log(path, rows[1500:2999])
    with path.open("a") as file:
        file.write(row.text(rows[2999])[:30])
    following.follower.catch_up()
    with path.open("a") as file:
        file.write(row.text(rows[2999])[30:] + "\n")
    following.catch_up()

    found = [quote[2] for quote in database.content()["quote"]]
    assert found == [one[2] for one in rows]


def test_what_was_missed_has_the_interval_that_was_in_force(database: Database, tmp_path: Path) -> None:
    path = write_log(
        tmp_path / "prices.txt", [(times.slot_text(START), "BTC-USD", "-", "kraken:timeout", "")]
    )
    later: Row = (times.slot_text(START + 60), "BTC-USD", "-", "kraken:timeout", " slots=2")
    with path.open("a") as file:
        file.write(f"{header_line(10)}\n{row.text(later)}\n")

    database.follower(path).catch_up()

    assert database.ask("SELECT slots, every::text FROM price.missed") == [(1, "00:00:05"), (2, "00:00:10")]


def test_a_log_that_was_emptied_and_a_pair_that_joins_arrive_whole(
    database: Database, tmp_path: Path
) -> None:
    path = write_log(tmp_path / "prices.txt", steady(10))
    following = database.follower(path)
    following.follower.catch_up()
    path.write_text("")
    following.follower.catch_up()
    pairs = [steady(10, pair, START + 50) for pair in ("BTC-USD", "ETH-USD")]
    write_log(path, [one for both in zip(*pairs, strict=True) for one in both])

    following.catch_up()

    assert database.ask("SELECT pair, count(*) FROM price.quote GROUP BY pair") == [
        ("BTC-USD", 20),
        ("ETH-USD", 10),
    ]


def test_a_missed_slot_and_another_recorders_price_for_it_are_both_kept(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    gone: list[Row] = [(times.slot_text(START), "BTC-USD", "-", "kraken:timeout", "")]
    missing = write_log(tmp_path / "a" / "prices.txt", gone)
    having = write_log(tmp_path / "b" / "prices.txt", steady(1))

    for order in ((missing, having), (having, missing)):
        database = Database(postgres)
        for path in order:
            database.follower(path, path.parent.name).catch_up()

        assert len(database.content()["quote"]) == len(database.content()["missed"]) == 1
        assert database.ask("SELECT * FROM price.gap") == []


def test_what_is_no_row_and_what_the_database_refuses_are_left_out_alone(
    database: Database, tmp_path: Path
) -> None:
    bad = ("2026-10-31T23:59:00Z", "BTC-USD", "-", "coinbase:timeout", " slots=9999999999")  # no int
    path = write_log(tmp_path / "prices.txt", sorted([*steady(10), bad, *steady(10, start=START + 90)]))
    with path.open("a") as file:
        file.write("2026-11-01T00:05:00Z BTC-USD 1e5 kraken\n")

    with heard() as lines:
        following = database.follower(path)
        following.catch_up()

    assert len(database.content()["quote"]) == 20
    assert database.content()["missed"] == []
    assert [line for line in lines if "slots=9999999999" in line and "out of range" in line]
    assert [line for line in lines if line.startswith("1 line is no row and was left out, the first at")]
    assert [line for line in lines if f"{path}:23: price verify" in line]
    assert len(lines) == 2
    assert following.notified[-1].endswith("20 rows  1 refused") or "1 refused" in following.notified[-1]


def test_months_get_their_partitions_and_one_that_was_dropped_can_be_sent_again(
    database: Database, tmp_path: Path
) -> None:
    path = write_log(tmp_path / "prices.txt", steady(100))
    following = database.follower(path)
    following.follower.catch_up()
    with database.owner() as one:
        one.execute("DROP TABLE price.quote_2026_10")

    following.target.send(Batch(steady(100), 5, ""))
    following.target.close()

    assert database.ask("SELECT count(*), count(DISTINCT tableoid) FROM price.quote") == [(100, 2)]


@pytest.mark.parametrize("slot", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_first_and_last_second_of_the_calendar_arrive_once(
    database: Database, tmp_path: Path, slot: str
) -> None:
    path = write_log(tmp_path / "prices.txt", [(slot, "BTC-USD", "1", "kraken", "")])

    for _ in range(2):  # from the start, and from the cursor
        database.follower(path).catch_up()

    assert database.content()["quote"] == [("BTC-USD", slot, "1", "kraken", "box-a", "")]


def test_a_repair_never_replaces_what_was_recorded(database: Database, tmp_path: Path) -> None:
    rows = steady(3)
    repairs = [(slot, pair, "9", "coinbase,kraken,bitstamp", " by=exchange") for slot, pair, *_ in rows]
    write_log(tmp_path / "a/repairs.txt", repairs)
    database.follower(write_log(tmp_path / "a/prices.txt", [rows[0]]), "box-a").catch_up()
    assert [quote[2] for quote in database.content()["quote"]] == [rows[0][2], "9", "9"]

    database.follower(write_log(tmp_path / "b/prices.txt", rows), "box-b").catch_up()

    assert [quote[2] for quote in database.content()["quote"]] == [one[2] for one in rows]


def test_a_repair_that_comes_later_is_sent_and_the_log_is_not_read_again(
    database: Database, tmp_path: Path
) -> None:
    rows = steady(50)
    path = write_log(tmp_path / "prices.txt", [*rows[:20], *rows[21:]])
    following = database.follower(path)
    following.follower.catch_up()
    write_log(tmp_path / "repairs.txt", [(*rows[20][:4], " by=journal")])

    following.catch_up()

    assert len(database.content()["quote"]) == 50


def test_whoever_listens_hears_of_a_batch_after_it_is_there(database: Database, tmp_path: Path) -> None:
    path = write_log(tmp_path / "prices.txt", steady(10))
    with database.owner() as one:
        one.execute("LISTEN price")

        database.follower(path).catch_up()

        (notice,) = one.notifies(timeout=10, stop_after=1)
    assert notice.payload == f"box-a {steady(10)[-1][0]}"


def test_the_views_answer_candles_gaps_and_conflicts(database: Database, tmp_path: Path) -> None:
    a, b = steady(36), [(slot, pair, "62100", basis, "") for slot, pair, _, basis, _ in steady(6)]
    lost = [(a[5][0], "BTC-USD", "-", "coinbase:timeout", " slots=3")]
    database.follower(write_log(tmp_path / "a/prices.txt", [*a[:5], *lost, *a[8:]])).catch_up()
    database.follower(write_log(tmp_path / "b/prices.txt", b), "box-b").catch_up()

    with database.server.owner(database.name) as one:
        one.execute("SET ROLE price_read")
        candles = one.execute(
            "SELECT open, high, low, close, slots FROM price.candle ORDER BY minute"
        ).fetchall()
        gaps = one.execute("SELECT slots, reason, open FROM price.gap").fetchall()
        conflicts = one.execute("SELECT count(*), max(other_recorder) FROM price.conflict").fetchall()
    assert [tuple(map(str, candle)) for candle in candles] == [
        ("62000.25", "62100", "62000.25", "62011.25", "10"),
        ("62012.25", "62023.25", "62012.25", "62023.25", "12"),
        ("62024.25", "62035.25", "62024.25", "62035.25", "12"),
    ]
    assert gaps == [(3, "coinbase:timeout", 2)]
    assert conflicts == [(5, "box-b")]


def test_a_second_follower_of_a_name_says_who_the_first_one_is(database: Database, tmp_path: Path) -> None:
    path = write_log(tmp_path / "prices.txt", steady(10))
    first, second = database.follower(path), database.follower(path)
    first.follower.catch_up()

    with heard() as lines:
        waits = [second.follower.step() for _ in range(3)]

    (line,) = lines
    assert "another follower of box-a is at work: price-follow" in line
    assert "at 127.0.0.1" in line
    assert waits == sorted(waits)
    first.target.close()
    with heard() as lines:
        second.follower.step()
    assert [line.partition(" after")[0] for line in lines] == [f"postgres at 127.0.0.1/{database.name}: back"]
    second.target.close()


def test_the_lock_of_a_follower_that_ends_just_now_is_waited_for(database: Database, tmp_path: Path) -> None:
    following = database.follower(write_log(tmp_path / "prices.txt", steady(10)))
    ending = database.owner()
    ending.execute(TAKE, [0x70726963])
    Timer(0.3, ending.close).start()

    following.catch_up()

    assert len(database.content()["quote"]) == 10


def test_one_that_waits_for_a_name_too_is_not_taken_for_its_holder(database: Database) -> None:
    with database.owner() as holder, database.owner() as waiting:
        holder.execute(TAKE, [0x70726963])
        thread = Thread(target=waiting.execute, args=(TAKE, [0x70726963]))
        thread.start()
        until(lambda: database.ask("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(1,)])

        with pytest.raises(Lost, match=f"is at work: .*, backend {holder.info.backend_pid};"):
            Postgres(database.url, "box-a", "prices.txt").connect()

        holder.close()
        thread.join()


def test_a_range_can_be_sent_again_while_a_follower_is_at_work(database: Database, tmp_path: Path) -> None:
    path = write_log(tmp_path / "prices.txt", steady(50))
    following = database.follower(path)
    following.follower.catch_up()
    with database.owner() as one:
        one.execute("DELETE FROM price.quote WHERE slot < %s", [times.slot_text(START + 100)])

    done = command(path, "postgres", "--again", "--since", "2026-10-31", **database.there())

    following.target.close()
    assert (done.returncode, done.stderr) == (0, "")
    assert [quote[2] for quote in database.content()["quote"]] == [one[2] for one in steady(50)]


def test_a_database_that_is_ahead_of_the_log_is_named_once_and_waited_for(
    database: Database, tmp_path: Path
) -> None:
    rows, path = steady(30), tmp_path / "prices.txt"
    database.follower(write_log(path, rows)).catch_up()
    write_log(path, rows[:10])

    with heard() as lines:
        following = database.follower(path)
        following.follower.catch_up()
        write_log(path, [*rows, *steady(1, start=START + 150)])
        following.catch_up()

    (line,) = lines
    assert f"it is at {rows[-1][0]}, and the log ends at {rows[9][0]}" in line
    assert len(database.content()["quote"]) == 31


def test_followers_write_nothing_but_rows(database: Database) -> None:
    with database.server.owner(database.name) as one:
        one.execute("SET ROLE price_follow")
        for forbidden in (
            "DELETE FROM price.quote",
            "DELETE FROM price.progress",
            "UPDATE price.other SET price = 1",
            "UPDATE price.version SET n = 2",
            "DROP TABLE price.missed",
            "CREATE TABLE price.more ()",
            "ALTER TABLE price.quote ADD x int",
        ):
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                one.execute(forbidden)


def test_the_schema_can_be_made_twice(database: Database, tmp_path: Path) -> None:
    database.follower(write_log(tmp_path / "prices.txt", steady(10))).catch_up()

    owner = Postgres(database.server.url(database.name, "owner"), "owner", "prices.txt")
    said = owner.init()
    owner.close()

    assert said == f"the schema price, version 1, is in 127.0.0.1/{database.name}"
    assert len(database.content()["quote"]) == 10
