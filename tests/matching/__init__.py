"""Tests of which records are one activity."""
