"""intervals.icu: its list, days, files and intervals."""
