"""Asking a server on this machine whether it lives; for a container's health check."""

import contextlib
import http.client
import ipaddress

PATH = "/health/live"
_PATIENCE_S = 5.0


def is_alive(host: str, port: int, timeout_s: float = _PATIENCE_S) -> bool:
    """Tell whether the API that listens at a host's port answers that it lives.

    Loads nothing heavy, asks no proxy and follows nothing.
    """
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=timeout_s)
    with contextlib.closing(connection):
        try:
            connection.request("GET", PATH)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException, UnicodeError):
            return False


def _reachable(host: str) -> str:
    """Return where to ask a server that listens at a host, or at all addresses."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"
