"""The simulated Strava in a container of the project's own network, as http://strava:8000.

Simulators listen on loopback only; a door in front of it lets the network's containers in. With a
certificate in /certificate it also answers at https://strava:8443. Run inside the container:
python -m tests.docker.simulator ACTIVITIES.
"""

import asyncio
import contextlib
import ssl
import sys
import urllib.parse
from pathlib import Path

from tests.upstream.clock import ShiftedClock
from tests.upstream.control import ControlledStrava

HTTP_PORT = 8000
HTTPS_PORT = 8443
_CERTIFICATE = Path("/certificate/strava.pem")


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(65_536):
            writer.write(block)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


async def _serve(port: int, settings: dict[str, str]) -> None:
    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    doors = [await asyncio.start_server(enter, "0.0.0.0", HTTP_PORT)]  # noqa: S104 in a container
    if _CERTIFICATE.exists():
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(_CERTIFICATE)
        doors.append(await asyncio.start_server(enter, "0.0.0.0", HTTPS_PORT, ssl=context))  # noqa: S104
    for name, value in settings.items():
        sys.stdout.write(f"{name}={value}\n")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.gather(*(door.serve_forever() for door in doors))


def main() -> None:
    """Serve until stopped; print the settings that a client needs, then `ready`."""
    activities = int(sys.argv[1])
    upstream = ControlledStrava(clock=ShiftedClock(), activities=activities, points=60)
    with upstream:
        port = urllib.parse.urlsplit(upstream.url).port or 0
        asyncio.run(_serve(port, upstream.environment()))


if __name__ == "__main__":
    main()
