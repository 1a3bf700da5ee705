"""HTTP connections to one address: deadlines, bounded answers, no answer that belongs to another request.

A server, or a proxy before it, may send an answer twice. On a kept-alive connection, the second copy would pass for
the answer to the next request, whose answer would pass for that of the one after it, and so on. It may arrive when
the next request is already on its way, so checking idle connections is not enough. So each request has an id
(`X-Request-Id`, which vLLM returns), and a connection is kept only after an answer that names its request. Where a
server returns no ids, each request gets a connection of its own, on which nothing but its own answer can arrive.
"""

import contextlib
import http.client
import io
import re
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CONNECT = 10.0  # seconds, at most
NAME = "X-Request-Id"
_NAMES = re.compile(rb"dragoman-[0-9a-f]{32}")


class Endless(Exception):
    """The answer is longer than any answer to that request can be."""


class Astray(Exception):
    """The answer names another request."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `most` is the maximal number of bytes in the body of its answer."""

    method: str
    path: str
    headers: Mapping[str, str]
    data: bytes | None
    most: int


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Message
    body: bytes

    @property
    def busy(self) -> bool:
        """Whether the server may answer later. Even another request's reply is then a reason to wait."""
        return self.status >= 500 or self.status in (408, 425, 429)


class Connections:
    """Sends requests to one address, from any number of threads; each waiting thread holds a connection."""

    def __init__(self, host: str, port: int | None, *, secure: bool, timeout: float):
        self._host, self._port, self._timeout = host, port, timeout
        self._tls = (
            ssl.create_default_context() if secure else None
        )  # once, since loading all certificate authorities takes long
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._sockets: set[socket.socket] = set()
        self.closed = threading.Event()

    def ask(self, request: Request, *, fresh: bool = False) -> Reply:
        """The whole answer, within the timeout. `fresh` forces a new connection.

        Raises OSError (including TimeoutError), HTTPException, `Endless` or `Astray` if there is no valid answer.
        """
        if not fresh and (kept := self._kept()) is not None:
            # The server may have hung up since the last answer, which means nothing. What it says and doesn't name
            # the request may be the answer to another one.
            with contextlib.suppress(ConnectionError, http.client.HTTPException, Astray):
                reply, named = self._talk(kept, request)
                if named or reply.busy:
                    return reply
            kept.close()
            if self.closed.is_set():
                raise ConnectionAbortedError
        return self._talk(self._new(), request)[0]

    def close(self) -> None:
        """Ends all waiting for answers."""
        self.closed.set()
        with self._lock:
            for busy in self._sockets:
                with contextlib.suppress(OSError):  # it may have closed by itself
                    busy.shutdown(socket.SHUT_RDWR)
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _talk(self, connection: http.client.HTTPConnection, request: Request) -> tuple[Reply, bool]:
        """The answer, and whether it names the request; the connection is kept only if it does."""
        end = time.monotonic() + self._timeout
        name = f"dragoman-{uuid.uuid4().hex}"
        try:
            if connection.sock is None:
                connection.timeout = min(self._timeout, CONNECT)
                connection.connect()
            busy = connection.sock  # `connection` forgets it where the server wants to close
            with self._lock:
                if self.closed.is_set():
                    raise ConnectionAbortedError
                self._sockets.add(busy)
            try:
                busy.settimeout(_left(end))
                connection.request(request.method, request.path, request.data, {**request.headers, NAME: name})
                busy.settimeout(_left(end))
                with connection.getresponse() as response:
                    assert isinstance(response, _Response)
                    reply = Reply(response.status, response.headers, _body(response, request.most))
            finally:
                with self._lock:
                    self._sockets.discard(busy)
            found = _NAMES.findall(reply.headers.get(NAME, "").encode("utf-8", "replace") + b" " + reply.body)
            named = name.encode() in found
            if found and not named:
                raise Astray
        except BaseException:
            connection.close()
            raise
        if named and connection.sock is not None and not response.reader.more:
            with self._lock:
                if not self.closed.is_set():
                    self._idle.append(connection)
                    return reply, named
        connection.close()
        return reply, named

    def _kept(self) -> http.client.HTTPConnection | None:
        """A kept connection on which nothing has arrived since its last answer; None if there is none."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            try:
                connection.sock.settimeout(0)
                connection.sock.recv(1)
            except (BlockingIOError, ssl.SSLWantReadError):
                return connection
            except OSError:
                pass
            connection.close()  # the server has hung up, or said what nobody asked for

    def _new(self) -> http.client.HTTPConnection:
        connection = (
            http.client.HTTPConnection(self._host, self._port)
            if self._tls is None
            else http.client.HTTPSConnection(self._host, self._port, context=self._tls)
        )
        connection.response_class = _Response
        return connection


class _Response(http.client.HTTPResponse):
    """An HTTP response whose timeout covers the whole answer, not each read."""

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None):
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()
        self.fp = self.reader = _Reader(_Timed(sock))


class _Timed(io.RawIOBase):
    """Reads from a socket; the timeout covers all reads together."""

    def __init__(self, sock: socket.socket):
        self._sock, self._end = sock, time.monotonic() + (sock.gettimeout() or 0)
        self._raw = sock.makefile("rb", buffering=0)
        self.over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        if self.over:
            return None
        self._sock.settimeout(_left(self._end))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reader(io.BufferedReader):
    """A buffered reader. Anything left in it when it is closed is `more` than the answer."""

    def __init__(self, timed: _Timed):
        super().__init__(timed)
        self._timed = timed
        self.more = False

    def close(self) -> None:
        if not self.closed:
            self._timed.over = True
            self.more = bool(self.peek(1))
        super().close()


def _body(response: http.client.HTTPResponse, most: int) -> bytes:
    parts, size = [], response.length or 0
    if size <= most:
        size = 0
        while size <= most and (part := response.read1(1 << 16)):
            parts.append(part)
            size += len(part)
    if size > most:
        raise Endless
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(parts)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
