"""One-minute candles in DuckDB, in floats."""

import sys

import duckdb

ROWS = """read_csv(?, delim=' ', header=false, comment='#', null_padding=true, auto_detect=false, columns={
    'slot': 'TIMESTAMP', 'pair': 'VARCHAR', 'price': 'VARCHAR', 'sources': 'VARCHAR', 'more': 'VARCHAR'})"""
CANDLES = f"""select time_bucket(interval 1 minute, slot) as start,
    arg_min(price::double, slot), max(price::double), min(price::double), arg_max(price::double, slot),
    count(*) from {ROWS} where price <> '-' group by start"""

print(duckdb.sql(f"select count(*) from ({CANDLES})", params=[sys.argv[1]]))
