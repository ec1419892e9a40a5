"""Tracklake: a person's whole sporting life, in a warehouse that they own."""

__version__ = "0.1.0"
