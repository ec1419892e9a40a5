"""Strava: the login, and what its API answers."""
