"""What is said to PostgreSQL: the statements of a batch, and rows in the format of COPY."""

from collections.abc import Sequence
from functools import lru_cache

from price.log import row
from price.log.row import Row

COLUMNS = "(slot, price, pair, sources, recorder, by)"
STAGE = "CREATE TEMPORARY TABLE IF NOT EXISTS stage (LIKE price.quote) ON COMMIT DELETE ROWS"
IS_BETTER = """((s.by IS NULL), cardinality(s.sources), q.recorder)
              > ((q.by IS NULL), cardinality(q.sources), s.recorder)"""
SAME_SLOT = """q.pair = s.pair AND q.slot = s.slot
    AND q.slot BETWEEN %(first)s AND %(last)s AND q.pair = ANY(%(pairs)s)"""
"""The range stands there as constants, else the planner reads all partitions."""
MET = """
SELECT EXISTS (SELECT FROM price.quote WHERE slot BETWEEN %(first)s AND %(last)s AND pair = ANY(%(pairs)s))"""
LOSERS = f"""
WITH met AS (SELECT s AS new, q AS old, {IS_BETTER} AS wins FROM stage s JOIN price.quote q ON {SAME_SLOT}
             WHERE q.recorder <> s.recorder),
     lost AS (SELECT (new).* FROM met WHERE NOT wins UNION ALL SELECT (old).* FROM met WHERE wins)
INSERT INTO price.other {COLUMNS} SELECT slot, price, pair, sources, recorder, by FROM lost
ORDER BY pair, slot ON CONFLICT DO NOTHING"""  # noqa: S608 - no text from outside
WINNERS = f"""
INSERT INTO price.quote AS q {COLUMNS} SELECT slot, price, pair, sources, recorder, by FROM stage s
WHERE NOT EXISTS (SELECT FROM price.quote q WHERE {SAME_SLOT} AND NOT {IS_BETTER})
ORDER BY pair, slot ON CONFLICT (pair, slot) DO UPDATE
SET price = excluded.price, sources = excluded.sources, recorder = excluded.recorder, by = excluded.by"""  # noqa: S608
"""Without NOT EXISTS a replay would write each row again: DO UPDATE locks it even where nothing changes."""
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
WHERE locktype = 'advisory' AND objid = hashtext(%s)::bigint & 4294967295 LIMIT 1"""
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


_NULL = "\\N"


@lru_cache(4096)
def _array(basis: str) -> str:
    """Sources as an array; in quotes, since one may be called null."""
    return '{"' + basis.replace(",", '","') + '"}'


@lru_cache(4096)
def _by(extras: str) -> str:
    found = row.value(("", "", "", "", extras), "by")
    return _NULL if found is None else found.replace("\\", "\\\\")
