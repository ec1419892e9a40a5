"""intervals.icu: its own words and quirks."""
