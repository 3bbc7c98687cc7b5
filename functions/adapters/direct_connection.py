"""A connection to a server, for one request at a time.

The standard library's client parses headers as those of an e-mail and sends a request in two packets, which needs half
the time of a put.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

CONNECT_SECONDS: Final = 2.0
MAX_LINE: Final = 65_536
HTTP, HTTPS = 80, 443  # ports


class ServerConnection:
    """Raises OSError if it fails, TimeoutError after `read_seconds` without an answer. `tls` None: plain HTTP."""

    def __init__(self, url: str, tls: ssl.SSLContext | None, read_seconds: float) -> None:
        self.url, parts = url, urlsplit(url)
        host, port = parts.hostname or "", parts.port or (HTTPS if tls else HTTP)
        sock = socket.create_connection((host, port), CONNECT_SECONDS)
        self._sock = tls.wrap_socket(sock, server_hostname=host) if tls else sock
        self._sock.settimeout(read_seconds)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._file = self._sock.makefile("rb")

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send a request."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._sock.sendall(f"{method} {path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body)

    def receive(self) -> tuple[int, bytes, bool]:
        """Return the status, the content, and whether the connection can be used again.

        ValueError: it is no HTTP, its length is not given, or a part of it is missing.
        """
        version, status, *_ = self._file.readline(MAX_LINE).split(b" ", 2)
        length, chunked, lasts = -1, False, version == b"HTTP/1.1"
        while line := self._file.readline(MAX_LINE).strip():
            name, _, value = line.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                chunked = value.strip() == b"chunked"
            elif name == b"connection" and value.strip() == b"close":
                lasts = False
        if chunked:
            return int(status), b"".join(self._chunks()), lasts
        if length < 0:
            raise ValueError("expected a Content-Length")
        return int(status), self._exactly(length), lasts

    def _chunks(self) -> Iterator[bytes]:
        """Return the chunks of a content of unknown length, and read its trailers: RFC 9112, section 7.1."""
        while size := int(self._file.readline(MAX_LINE).partition(b";")[0], 16):
            yield self._exactly(size)
            self._exactly(len(b"\r\n"))
        while self._file.readline(MAX_LINE).strip():
            pass

    def _exactly(self, size: int) -> bytes:
        content = self._file.read(size)
        if len(content) < size:
            raise ValueError("the response was cut off")
        return content

    def close(self) -> None:
        """Close it. It may be closed already."""
        self._file.close()
        self._sock.close()
