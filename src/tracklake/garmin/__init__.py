"""Garmin Connect: its own words and quirks."""
