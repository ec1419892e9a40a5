"""Readers and writers of activity files: bytes in, plain data out, no files and no clock."""
