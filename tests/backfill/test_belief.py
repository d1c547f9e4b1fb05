"""What is not filled in although a provider has it: prices far off, and made-up ones among real ones."""

import gzip
from pathlib import Path

import pytest

from price.backfill.journal import Journal
from price.errors import PriceError
from tests.backfill.repairing import HEADER, Knows, Shop, at, down, rows
from tests.backfill.test_journal import Entries, entry
from tests.report.asking import lines

LOG = [*rows("10:00:00", "10:00:55"), down("10:01:00", 4320), *rows("16:01:00", "16:01:30", "110")]
MADE_UP = [text.replace("coinbase,kraken", "simulated") for text in LOG]
SIMULATED = {"PRICE_SOURCES": "simulated"}


def known(**prices: str) -> Knows:
    """A provider with a price for some times of the day (t10_30_00)."""
    slots = {(at(time[1:].replace("_", ":")), "BTC-USD"): price for time, price in prices.items()}
    return Knows({slot: f"{price} kraken" for slot, price in slots.items()})


def repaired(folder: Path, provider: Knows, log: list[str] = LOG, **environ: str) -> tuple[list[str], str]:
    shop = Shop(folder, log, environ)
    shop.repair("anyone", known=provider)
    assert lines("verify", "--file", str(shop.file)) == []
    return [row[11:19] for row in shop.filled()], shop.said


def test_a_price_far_from_the_live_ones_around_it_is_not_believed_and_told(tmp_path: Path) -> None:
    near = known(t10_30_00="104.9", t10_30_05="95.1", t15_30_00="115.4")
    far = known(t10_30_10="100000", t10_30_15="105.1", t10_30_20="94.9", t15_30_05="0.001")

    filled, said = repaired(tmp_path, Knows({**near.known, **far.known}))

    assert filled == ["10:30:00", "10:30:05", "15:30:00"]
    what = "prices not believed, over 5 % outside those recorded around (PRICE_MAX_JUMP)"
    assert said.splitlines()[1:] == [f"BTC-USD: 4 {what}; the first: 2026-11-20T10:30:10Z 100000"]


def test_a_price_may_lie_between_those_on_both_sides_however_far_these_are_apart(tmp_path: Path) -> None:
    log = [*rows("10:00:00", "10:00:55"), down("10:01:00", 12), *rows("10:02:00", "10:02:00", "150")]

    filled, _ = repaired(
        tmp_path, known(t10_01_00="125", t10_01_05="157", t10_01_10="158", t10_01_15="94"), log
    )

    assert filled == ["10:01:00", "10:01:05"]


def test_a_price_over_an_hour_from_any_live_one_stands_by_itself(tmp_path: Path) -> None:
    filled, _ = repaired(tmp_path, known(t11_00_55="200", t11_01_00="200", t15_00_55="200", t15_01_00="200"))

    assert filled == ["11:01:00", "15:00:55"]


def test_how_far_is_set_as_for_the_recorder(tmp_path: Path) -> None:
    filled, _ = repaired(tmp_path, known(t10_30_00="120"), PRICE_MAX_JUMP="20")

    assert filled == ["10:30:00"]


def test_what_another_repair_filled_in_vouches_for_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    shop.write(shop.repairs, [HEADER, rows("10:30:00", "10:30:00", "200")[0] + " by=candle"])

    shop.repair("anyone", known=known(t10_30_05="200"))

    assert len(shop.filled()) == 1


@pytest.mark.parametrize("later", [[], [down("16:01:35", 9000)]])
def test_made_up_prices_repair_no_log_of_real_ones_however_long_ago_these_are(
    tmp_path: Path, later: list[str]
) -> None:
    shop = Shop(tmp_path, [*LOG, *later], SIMULATED)
    other = Shop(tmp_path / "other", MADE_UP)

    for provider in ("exchange", str(other.file)):
        with pytest.raises(PriceError, match="it holds real prices, which simulated ones do not repair"):
            shop.repair(provider)

    assert shop.filled() == []


def test_real_prices_repair_no_log_of_made_up_ones(tmp_path: Path) -> None:
    shop = Shop(tmp_path, [down("16:02:00", 2)])
    rotated = "\n".join([HEADER, *MADE_UP, ""])  # an older version did not write the word
    (tmp_path / "prices.txt-20261119.gz").write_bytes(gzip.compress(rotated.encode()))
    other = Shop(tmp_path / "other", LOG)

    for provider in ("exchange", str(other.file)):
        with pytest.raises(PriceError, match="it holds simulated prices, which real ones do not repair"):
            shop.repair(provider)


def test_a_journal_with_entries_of_both_kinds_fills_in_those_of_the_logs_kind(tmp_path: Path) -> None:
    both = [entry("11:00:20", "99", PRICE_SOURCES="simulated"), entry("11:00:25", "99")]
    log = [*rows("11:00:00", "11:00:10"), down("11:00:15", 3), *rows("11:00:30", "11:00:40")]
    shop = Shop(tmp_path, log)

    shop.repair("journal", known=Journal(Entries(*both), "price.service", None))

    assert [row[11:19] for row in shop.filled()] == ["11:00:25"]
    assert "1 simulated price not believed: the log holds real ones" in shop.said


def test_the_repairs_of_a_made_up_log_say_so_in_their_first_line(tmp_path: Path) -> None:
    made_up = Knows({(at("10:30:00"), "BTC-USD"): "100 simulated"})
    made_up.simulated = True

    shop = Shop(tmp_path, MADE_UP)
    shop.repair("anyone", known=made_up)

    assert len(shop.filled()) == 1
    assert (tmp_path / "repairs.txt").read_text().startswith("# price-log 1 every=5s simulated\n")


def test_what_a_peers_rows_carry_besides_is_passed_on(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    row = rows("10:30:00", "10:30:00", "101")[0]
    other = Shop(tmp_path / "other", [f"{row} spread=0.1 venue=x"])
    other.write(other.repairs, [HEADER, rows("10:30:05", "10:30:05", "101")[0] + " note=1 by=journal"])

    shop.repair(str(other.file))

    assert [row.split(" ", 4)[4] for row in shop.filled()] == ["spread=0.1 venue=x by=peer", "note=1 by=peer"]
    assert lines("verify", "--file", str(shop.file)) == []
