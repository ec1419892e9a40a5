"""Listening for browsers until somebody ends it."""

import contextlib
import errno
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from tracklake.errors import ConfigError

_LAST_PORT = 65_535
_PATIENCE_S = 2  # for downloads that are under way when somebody ends it


@dataclass(frozen=True, slots=True)
class Choice:
    """How a person says where to listen: `other` is an example, {host} and {port} are filled in."""

    option: str
    other: str


MAP = Choice("--host", "tracklake map --port {port}")
API = Choice("--bind", "tracklake api --bind {host}:{port}, or TRACKLAKE_API_BIND")


def bind(host: str, port: int, choice: Choice = MAP) -> socket.socket:
    """Listen at a host's port (0: any free one); ConfigError says what to change if one cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, UnicodeError) as error:
        raise ConfigError(_advice(host, port, error, choice)) from None


def _advice(host: str, port: int, error: OSError | UnicodeError, choice: Choice) -> str:
    shown = f"[{host}]" if ":" in host else host
    if isinstance(error, UnicodeError):
        return f"{host} is no host or address; {choice.option} takes an address of this machine"
    if error.errno == errno.EADDRINUSE:
        other = choice.other.format(host=shown, port=port + 1 if port < _LAST_PORT else port - 1)
        return f"port {port} is taken; choose another: {other}"
    if error.errno in (errno.EACCES, errno.EPERM):
        other = choice.other.format(host=shown, port=8722)
        return f"port {port} is not for everybody; choose one above 1023: {other}"
    return (
        f"cannot listen at {host}: {error.strerror}; {choice.option} takes an address of this "
        "machine"
    )


def is_for_others(listener: socket.socket) -> bool:
    """Tell whether other machines can ask."""
    return not ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def address(listener: socket.socket) -> str:
    """Return the page's address, as a browser on this machine would ask for it."""
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://[{host}]:{port}/map/" if ":" in host else f"http://{host}:{port}/map/"


def make_server(app: ASGIApp, started: Callable[[], None]) -> uvicorn.Server:
    """Return what answers requests once it is run; it calls `started` when somebody can ask."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level=logging.ERROR,
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE_S,
    )
    return _Server(config, started)


def serve(app: ASGIApp, listener: socket.socket, started: Callable[[], None]) -> None:
    """Answer requests until Ctrl-C or SIGTERM."""
    server = make_server(app, started)

    def is_news(_: logging.LogRecord) -> bool:
        return not server.should_exit  # what breaks off because it ends is no error

    logging.getLogger("uvicorn.error").addFilter(is_news)
    with listener, contextlib.suppress(KeyboardInterrupt):
        # uvicorn ends at either and then hands the signal on: whoever asked it to end got that
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._say_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say_started()
