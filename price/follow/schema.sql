-- The schema of `price follow postgres`. It may be run again at any time, by its owner; see docs/clusters.md.
-- Followers log in as price_follow, readers as price_read; give each a password: \password price_follow

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'price_follow') THEN CREATE ROLE price_follow LOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'price_read') THEN CREATE ROLE price_read LOGIN; END IF;
END $$;
ALTER ROLE price_follow SET statement_timeout = '30s';
ALTER ROLE price_follow SET lock_timeout = '5s';
ALTER ROLE price_follow SET idle_in_transaction_session_timeout = '60s';

CREATE SCHEMA IF NOT EXISTS price;

CREATE TABLE IF NOT EXISTS price.version (one boolean PRIMARY KEY DEFAULT true CHECK (one), n int NOT NULL);

-- One price for each pair and slot: what people ask for. A partition a month, made by ensure_month.
CREATE TABLE IF NOT EXISTS price.quote (
  slot timestamptz NOT NULL, price numeric NOT NULL CHECK (price > 0), pair text COLLATE "C" NOT NULL,
  sources text[] NOT NULL, recorder text COLLATE "C" NOT NULL, by text COLLATE "C",
  PRIMARY KEY (pair, slot)) PARTITION BY RANGE (slot);

-- What other recorders had for a slot that has a better price.
CREATE TABLE IF NOT EXISTS price.other (
  LIKE price.quote INCLUDING CONSTRAINTS, PRIMARY KEY (pair, slot, recorder));

-- Slots that a recorder missed, as ranges, whether or not another one had them.
CREATE TABLE IF NOT EXISTS price.missed (
  slot timestamptz NOT NULL, slots int NOT NULL CHECK (slots > 0), every interval NOT NULL,
  pair text COLLATE "C" NOT NULL, reason text NOT NULL, recorder text COLLATE "C" NOT NULL,
  PRIMARY KEY (pair, slot, recorder));

-- How far each follower is, written together with its rows.
CREATE TABLE IF NOT EXISTS price.progress (
  recorder text COLLATE "C", log text, slot timestamptz NOT NULL, at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (recorder, log));

-- Attached rather than created as a partition: that waits for no reader.
CREATE OR REPLACE FUNCTION price.ensure_month(moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
  name text := 'quote_' || to_char(first, 'YYYY_MM');
BEGIN
  IF to_regclass('price.' || name) IS NULL THEN
    EXECUTE format('CREATE TABLE price.%I (LIKE price.quote INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE price.quote ATTACH PARTITION price.%I FOR VALUES FROM (%L) TO (%L)',
                   name, first AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC');
  END IF;
END $$;

-- Open, high, low, close of a minute; other lengths: the same with another date_bin.
CREATE OR REPLACE VIEW price.candle AS
SELECT pair, date_bin('1 min', slot, '2000-01-01Z') AS minute, (array_agg(price ORDER BY slot))[1] AS open,
       max(price) AS high, min(price) AS low, (array_agg(price ORDER BY slot DESC))[1] AS close, count(*) AS slots
FROM price.quote GROUP BY pair, minute;

-- What a recorder missed and nobody else had: `open` of its slots are without a price.
CREATE OR REPLACE VIEW price.gap AS
SELECT * FROM (
  SELECT m.pair, m.slot, m.slots, m.every, m.reason, m.recorder,
         m.slots - (SELECT count(*) FROM price.quote q WHERE q.pair = m.pair
                    AND q.slot >= m.slot AND q.slot < m.slot + m.slots * m.every) AS open
  FROM price.missed m) one
WHERE open > 0;

-- Slots of which recorders have different prices.
CREATE OR REPLACE VIEW price.conflict AS
SELECT q.pair, q.slot, q.recorder, q.price, o.recorder AS other_recorder, o.price AS other_price,
       abs(q.price / o.price - 1) * 10000 AS basis_points
FROM price.other o JOIN price.quote q USING (pair, slot) WHERE q.price <> o.price;

REVOKE ALL ON FUNCTION price.ensure_month(timestamptz) FROM PUBLIC;
GRANT USAGE ON SCHEMA price TO price_follow, price_read;
GRANT SELECT ON ALL TABLES IN SCHEMA price TO price_read;
GRANT SELECT ON price.version, price.conflict TO price_follow;
GRANT SELECT, INSERT, UPDATE ON price.quote, price.progress TO price_follow;
GRANT SELECT, INSERT ON price.other, price.missed TO price_follow;
GRANT EXECUTE ON FUNCTION price.ensure_month(timestamptz) TO price_follow;
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO price_follow', current_database()); END $$;

DO $$ BEGIN PERFORM price.ensure_month(now()), price.ensure_month(now() + interval '1 month'); END $$;
INSERT INTO price.version (n) VALUES (1) ON CONFLICT DO NOTHING;
