"""A connection as the faults see it: bytes out, slowly or not, and several ways to end."""

import socket
import struct
import threading


class Wire:
    """What is sent on one connection; `stopping` ends every wait at once."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self._connection = connection
        self._stopping = stopping
        self.ended = False

    def write(self, data: bytes) -> None:
        """Send all of it; raise OSError where the other side has gone."""
        self._connection.sendall(data)

    def drip(self, data: bytes, interval_s: float) -> None:
        """Send one byte, wait, send the next; real seconds, since the client's socket waits."""
        for index in range(len(data)):
            self.write(data[index : index + 1])
            if self._stopping.wait(interval_s):
                break

    def hold(self, seconds: float) -> None:
        """Send nothing for so many real seconds."""
        self._stopping.wait(seconds)

    def close(self) -> None:
        """End in an orderly way (FIN) after what was sent."""
        self.ended = True

    def reset(self) -> None:
        """End with RST: what the client has not read yet is lost."""
        self.ended = True
        linger = struct.pack("ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
