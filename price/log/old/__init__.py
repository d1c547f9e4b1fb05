"""Reading of rows as bytes: what backfill/ and report/chart/ still use, until they use price.log.read."""
