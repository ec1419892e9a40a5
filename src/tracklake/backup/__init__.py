"""Backups: what the data folder holds, kept a second time, each file once, proved before it counts.

In the store (a folder or a bucket):

objects/<hh>/<sha256>[.zst]     pieces of files, named by the hash of their plain bytes
manifests/<stamp>-<hash>.json.zst   one a backup: every file with its hash, size and pieces
retired/<stamp>/<manifest>      manifests that were thinned out, kept a day for who still reads them
latest                          the name of the newest backup that was proved
"""
