"""What every source over HTTP stands on: calls, lists on their way to bronze, deletions, originals.

A service's own names, addresses and quirks are not here.
"""
