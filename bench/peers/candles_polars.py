"""One-minute candles in polars, in floats."""

import sys

import polars

rows = polars.scan_csv(
    sys.argv[1],
    separator=" ",
    has_header=False,
    comment_prefix="#",
    truncate_ragged_lines=True,
    new_columns=["slot", "pair", "price", "sources"],
    schema_overrides={"price": polars.String},
)
price = polars.col("price").cast(polars.Float64)
rows = rows.filter(polars.col("price") != "-")
minutes = rows.group_by(polars.col("slot").str.slice(0, 16))
candles = minutes.agg(price.first(), high=price.max(), low=price.min(), close=price.last(), count=price.len())
print(candles.collect(engine="streaming").height)
