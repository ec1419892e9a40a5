"""SmashRun: its own words and quirks."""
