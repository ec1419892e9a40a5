"""Logins whose tokens rotate: kept durably, refreshed by one process at a time, lost by none.

A refresh may make the old refresh token worthless the moment the server answers. So a process of
its own does it (`python -m tracklake.tokens`): it has its own session, ignores requests to stop,
outlives the worker that started it, and has the new token on disk before it tells anybody.
"""

from tracklake.tokens.file import Token, path_of, read, token_from
from tracklake.tokens.job import Grant
from tracklake.tokens.store import TokenStore

__all__ = ["Grant", "Token", "TokenStore", "path_of", "read", "token_from"]
