"""The recorder beside what people would use instead; see docs/performance.md."""
