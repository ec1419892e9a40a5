"""Alerts: what a person should know of, said once for each cause, and when it is over."""
