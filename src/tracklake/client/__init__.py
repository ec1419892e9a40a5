"""The one way to the network: a layer above `requests` that bounds time, size and tries."""

from tracklake.client.answers import Answer, Ask, retry_after_s
from tracklake.client.connection import look_up
from tracklake.client.sending import USER_AGENT, Client

__all__ = ["USER_AGENT", "Answer", "Ask", "Client", "look_up", "retry_after_s"]
