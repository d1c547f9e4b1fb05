"""What is said to PostgreSQL: the statements of a batch, and rows in the format of COPY."""

from collections.abc import Mapping, Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, localcontext
from functools import lru_cache

from price import times
from price.log import row
from price.log.row import Row

COLUMNS = "(slot, price, pair, sources, recorder, by)"
STAGE = "CREATE TEMPORARY TABLE IF NOT EXISTS stage (LIKE price.quote) ON COMMIT DELETE ROWS"
IS_BETTER = """((s.by IS NULL), cardinality(s.sources), q.recorder)
              > ((q.by IS NULL), cardinality(q.sources), s.recorder)"""
REACH = "slot BETWEEN %(first)s AND %(last)s AND pair = ANY(%(pairs)s)"
"""The range stands there as constants, else the planner reads all partitions."""
THERE = f"""
WITH found AS (
  SELECT pair, slot, price, sources, recorder = %(recorder)s AND by IS NULL AS ours
  FROM price.quote WHERE {REACH}
  UNION ALL SELECT pair, slot, price, sources, true FROM price.other
  WHERE {REACH} AND recorder = %(recorder)s AND by IS NULL)
SELECT pair, count(*) FILTER (WHERE ours), extract(epoch FROM min(slot) FILTER (WHERE ours)),
       extract(epoch FROM max(slot) FILTER (WHERE ours)), sum(price) FILTER (WHERE ours),
       sum(cardinality(sources)) FILTER (WHERE ours)
FROM found GROUP BY pair"""  # noqa: S608 - no text from outside
BEST = f"""
WITH met AS MATERIALIZED (
  SELECT s.*, q.price AS q_price, q.sources AS q_sources, q.recorder AS q_recorder, q.by AS q_by,
         q.pair IS NULL OR {IS_BETTER} AS wins
  FROM stage s LEFT JOIN (SELECT * FROM price.quote WHERE {REACH}) q USING (pair, slot)),
lost AS (
  INSERT INTO price.other {COLUMNS}
  SELECT slot, CASE WHEN wins THEN q_price ELSE price END, pair,
         CASE WHEN wins THEN q_sources ELSE sources END, CASE WHEN wins THEN q_recorder ELSE recorder END,
         CASE WHEN wins THEN q_by ELSE by END
  FROM met WHERE q_recorder <> recorder ORDER BY pair, slot ON CONFLICT DO NOTHING)
INSERT INTO price.quote {COLUMNS} SELECT slot, price, pair, sources, recorder, by FROM met WHERE wins
ORDER BY pair, slot ON CONFLICT (pair, slot) DO UPDATE
SET price = excluded.price, sources = excluded.sources, recorder = excluded.recorder, by = excluded.by"""  # noqa: S608
"""Of each slot the better row into quote, the other one into other. What is there already is not touched:
DO UPDATE locks and writes a row even where nothing changes."""
MISSED = """
INSERT INTO price.missed (slot, slots, every, pair, reason, recorder)
SELECT slot, slots, make_interval(secs => %(every)s), pair, reason, %(recorder)s
FROM unnest(%(slots)s::timestamptz[], %(counts)s::int[], %(pairs)s::text[], %(reasons)s::text[])
     AS one (slot, slots, pair, reason) ORDER BY pair, slot ON CONFLICT DO NOTHING"""
PROGRESS = """
WITH moved AS (
  INSERT INTO price.progress AS p (recorder, log, slot) VALUES (%(recorder)s, %(log)s, %(slot)s)
  ON CONFLICT (recorder, log) DO UPDATE SET slot = greatest(p.slot, excluded.slot), at = now() RETURNING 1)
SELECT pg_notify('price', %(told)s) FROM moved"""
CURSOR = """
SELECT to_char(slot AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM price.progress
WHERE recorder = %s AND log = %s"""
HOLDER = """
SELECT application_name, coalesce(host(client_addr), 'this machine'), pid
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objid = hashtext(%s)::bigint & 4294967295
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1"""
"""Others that wait for the lock, and who has it in another database, are listed too."""
NEXT_MONTH = (
    "SELECT to_regclass('price.quote_' || to_char(now() + interval '1 month', 'YYYY_MM')) IS NOT NULL"
)
CONFLICTS = """
SELECT count(*), coalesce(max(basis_points), 0)::float8 FROM price.conflict
WHERE slot >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"""
RIGHTS = """
SELECT t || ': ' || r FROM (VALUES
  ('price.quote', 'SELECT, INSERT, UPDATE'), ('price.progress', 'SELECT, INSERT, UPDATE'),
  ('price.other', 'SELECT, INSERT'), ('price.missed', 'SELECT, INSERT')) AS needed (t, rights),
  unnest(string_to_array(rights, ', ')) AS r WHERE NOT has_table_privilege(t, r)"""


def copied(rows: Sequence[Row], recorder: str) -> bytes:
    """Rows in the text format of COPY. The grammar of a row leaves one character to escape, in `by=`."""
    lines = [
        f"{slot}\t{price}\t{pair}\t{_array(basis)}\t{recorder}\t{_by(extras) if extras else _NULL}\n"
        for slot, pair, price, basis, extras in rows
    ]
    return "".join(lines).encode()


Sums = Mapping[str, tuple[object, ...]]
"""Of each pair: how many rows, the Unix times of the first and last, the sums of prices and of sources."""


def sums(rows: Sequence[Row]) -> Sums:
    """What THERE returns where all these rows are there."""
    by_pair: dict[str, list[Row]] = {}
    for one in rows:
        by_pair.setdefault(one[1], []).append(one)
    with localcontext(_EXACT):
        return {pair: _sums(found) for pair, found in by_pair.items()}


def _sums(rows: Sequence[Row]) -> tuple[object, ...]:
    first, last = times.slot_unix(rows[0][0]), times.slot_unix(rows[-1][0])
    sources = ",".join([one[3] for one in rows]).count(",") + 1
    return len(rows), first, last, sum([Decimal(one[2]) for one in rows]), sources


_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_NULL = "\\N"


@lru_cache(4096)
def _array(basis: str) -> str:
    """Sources as an array; in quotes, since one may be called null."""
    return '{"' + basis.replace(",", '","') + '"}'


@lru_cache(4096)
def _by(extras: str) -> str:
    found = row.extras(("", "", "", "", extras)).get("by")
    return _NULL if found is None else found.replace("\\", "\\\\")
