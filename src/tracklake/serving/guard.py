"""What every request must be, and what every answer says about how it may be used."""

import ipaddress
import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tracklake.serving import files

_HERE = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names under which the server answers, against DNS rebinding.

    A page of somebody else's whose name suddenly leads to this machine sends that name. An address
    cannot be made to lead elsewhere, so where one listens at all addresses, all are fine.
    """

    names: frozenset[str]
    any_address: bool

    @classmethod
    def of(cls, bound: str) -> "Hosts":
        """Return the names for a server that was told to listen at a host or an address."""
        try:
            address = ipaddress.ip_address(bound)
        except ValueError:
            return cls(_HERE | {bound.lower()}, any_address=False)
        shown = f"[{address}]" if address.version == 6 else str(address)
        return cls(_HERE | {shown}, any_address=address.is_unspecified)

    def allow(self, host: str) -> bool:
        """Tell whether a request with this Host header is for us."""
        found = _HOST.fullmatch(host.lower())
        if found is None:
            return False
        return found[1] in self.names or (self.any_address and _is_address(found[1]))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def policy(basemap_origin: str | None) -> str:
    """Return the Content-Security-Policy: nothing from elsewhere but the user's own basemap."""
    return "; ".join(
        (
            "default-src 'self'",
            "worker-src 'self' blob:",
            "img-src 'self' data: blob:",
            " ".join(("connect-src 'self'", *([basemap_origin] if basemap_origin else []))),
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class Guard:
    """Lets only reading requests to our own names pass, and puts its headers on every answer."""

    def __init__(self, app: ASGIApp, hosts: Hosts, content_policy: str) -> None:
        self._app = app
        self._hosts = hosts
        self._headers = {
            "Content-Security-Policy": content_policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        host = Headers(scope=scope).get("host", "")
        if not self._hosts.allow(host):
            return files.problem(
                400,
                "nothing answers under this name: use the address that it listens at "
                "(`tracklake map --host`, `tracklake api --bind`)",
            )
        if scope["method"] not in ("GET", "HEAD"):
            return files.problem(405, "the map can only be read", Allow="GET, HEAD")
        return None
