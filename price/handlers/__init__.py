"""Where records go: prices.txt first, then whoever else listens."""
