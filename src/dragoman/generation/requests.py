"""Requests to a server over HTTP, tried again where that can help.

A busy server (429, 5xx), a cut connection, an answer that is no JSON and no answer in time are tried
again, with waits that double and differ by chance; `Retry-After` is obeyed. What the server refuses
is not tried again.
"""

import contextlib
import http.client
import json
import random
import re
import socket
import threading
import time
from collections.abc import Callable
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dragoman.errors import EngineError

T = TypeVar("T")
SHOWN = 200  # characters of what a server sent
CONNECT = 10.0  # seconds, at most
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
PATIENCE = 30.0  # a wait longer than this, which a server asks for, is told
_AGAIN = (408, 425, 429)
_ESCAPE = re.compile(  # two halves of a character, one alone, or anything else after a backslash
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class Refused(Exception):
    """The server said no, and would say so again."""

    def __init__(self, status: int, reason: str):
        super().__init__(f"HTTP {status}: {reason}")
        self.status, self.reason = status, reason


class Unanswered(Exception):
    """No answer, however often it was tried."""


class Closed(Exception):
    """The client was closed meanwhile."""


class _Again(Exception):
    """What may go better the next time."""

    def __init__(self, why: str, wait: float | None = None):
        super().__init__(why)
        self.wait = wait


class Client:
    """Speaks to one address, from any number of threads; each that waits holds a connection.

    `key` goes into the Authorization header and nowhere else. `timeout` is for one whole answer,
    `retries` is how often one is tried again. `sleep` waits between; by default in a way that `close`
    ends. `say` is told of long waits that the server asks for.
    """

    def __init__(
        self,
        address: str,
        *,
        key: str = "",
        timeout: float,
        retries: int,
        sleep: Callable[[float], object] | None = None,
        say: Callable[[str], None] = lambda text: None,
    ):
        shown = address if "@" not in address else "(which holds a user or a password)"
        try:
            parts = urlsplit(address)
            self._port = parts.port
        except ValueError as error:
            raise EngineError(f"The server's address {shown} is none: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise EngineError(
                f"The server's address {shown} is none that can be asked. Write it as http://localhost:8000/v1; "
                "a key belongs into an environment variable (generation.openai.key names it)."
            )
        self._secure, self._host, self._path = parts.scheme == "https", parts.hostname, parts.path.rstrip("/")
        self._key, self._timeout, self._retries = key, timeout, retries
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._say = say
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._sockets: set[socket.socket] = set()

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page. `Unanswered` where there is none."""
        return self._persist(lambda: self._answer("GET", path, None))

    def post(self, path: str, body: Any, read: Callable[[Any], T]) -> T:
        """What `read` makes of the JSON that comes back; where it raises a ValueError, that is tried again.

        `Refused` and `Unanswered` say why there is nothing; `Closed`, that `close` was called.
        """
        data = json.dumps(body).encode()

        def attempt() -> T:
            status, text = self._answer("POST", path, data)
            if not 200 <= status < 300:
                raise Refused(status, _reason(text))
            try:
                return read(parsed(text))
            except ValueError as error:
                raise _Again(f"the answer was not what the protocol says ({error}): {excerpt(text)}") from error

        return self._persist(attempt)

    def close(self) -> None:
        """Ends all waiting: for answers, and between attempts."""
        self._closed.set()
        with self._lock:
            for open_socket in self._sockets:
                _hang_up(open_socket)
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _persist(self, attempt: Callable[[], T]) -> T:
        for count in range(self._retries + 1):
            if self._closed.is_set():
                raise Closed
            try:
                return attempt()
            except _Again as error:
                if self._closed.is_set():
                    raise Closed from error
                if count == self._retries:
                    times = f" (asked {count + 1} times)" if count else ""
                    raise Unanswered(f"{error}{times}") from error
                self._wait(count, error)
        raise AssertionError("unreachable")

    def _wait(self, count: int, error: _Again) -> None:
        usual = min(FIRST_WAIT * 2**count, LONGEST_WAIT) * random.uniform(0.5, 1.0)
        wait = usual if error.wait is None else error.wait + usual / 10  # not all at the same moment
        if wait > PATIENCE and error.wait is not None:
            self._say(f"The server asks to wait {error.wait:.0f} s: {error}")
        self._sleep(wait)

    def _answer(self, method: str, path: str, data: bytes | None) -> tuple[int, str]:
        try:  # the edge to the network
            status, headers, answer = self._exchange(method, path, data)
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: hung up in mid-read
            raise _Again(_told(error, self._host, self._timeout)) from error
        text = answer.decode("utf-8", "replace")
        if self._key:  # some servers repeat it in their errors
            text = text.replace(self._key, "(the key)")
        if status >= 500 or status in _AGAIN:
            raise _Again(f"HTTP {status}: {_reason(text)}", retry_after(headers.get("Retry-After"), time.time()))
        return status, text

    def _exchange(self, method: str, path: str, data: bytes | None) -> tuple[int, Message, bytes]:
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if data is not None else {})
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        while True:
            connection = self._take()
            kept = connection.sock is not None
            try:
                if not kept:
                    connection.timeout = min(self._timeout, CONNECT)
                    connection.connect()
                connection.sock.settimeout(self._timeout)
                return self._talk(connection, method, path, data, headers)
            except ConnectionError:
                connection.close()
                if not kept or self._closed.is_set():
                    raise
                # the server had hung up since the last answer, which means nothing
            except BaseException:
                connection.close()
                raise

    def _talk(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        data: bytes | None,
        headers: dict[str, str],
    ) -> tuple[int, Message, bytes]:
        end = time.monotonic() + self._timeout
        busy = connection.sock  # `connection` forgets it where the server wants to close
        with self._lock:
            if self._closed.is_set():
                raise ConnectionAbortedError
            self._sockets.add(busy)
        try:
            connection.request(method, self._path + path, data, headers)
            response = connection.getresponse()
            parts = []
            while part := response.read1(1 << 16):
                parts.append(part)
                if time.monotonic() > end:
                    raise TimeoutError
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            response.close()
        finally:
            with self._lock:
                self._sockets.discard(busy)
        with self._lock:
            if not self._closed.is_set():
                self._idle.append(connection)
        return response.status, response.headers, b"".join(parts)

    def _take(self) -> http.client.HTTPConnection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, self._port)


def parsed(text: str) -> Any:
    """The JSON that a server sent; a ValueError where it is none.

    JSON can spell half a character (a lone surrogate), which no text can hold: U+FFFD stands for it.
    """
    try:
        return json.loads(_ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], text))
    except RecursionError as error:
        raise ValueError("brackets within brackets without end") from error


def _reason(text: str) -> str:
    """What a server gives as its reason."""
    try:
        found = parsed(text)
    except ValueError:
        found = None
    while isinstance(found, dict):
        found = next((found[name] for name in ("error", "message", "detail") if name in found), None)
    return excerpt(found if isinstance(found, str) else text)


def retry_after(value: str | None, now: float) -> float | None:
    """The seconds that a Retry-After header asks for: it gives a number, or a date."""
    if value is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value.strip()):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None


def excerpt(text: str) -> str:
    """The beginning of what a server sent, on one line."""
    line = " ".join(text.split())
    return (line[:SHOWN] + " …" if len(line) > SHOWN else line) or "(nothing)"


def _hang_up(open_socket: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may have ended by itself
        open_socket.shutdown(socket.SHUT_RDWR)


def _told(error: Exception, host: str, timeout: float) -> str:
    match error:
        case TimeoutError():
            return f"no answer within {timeout:g} s"
        case ConnectionRefusedError():
            return "the connection was refused"
        case socket.gaierror():
            return f"no machine of the name {host} is known"
        case ConnectionError() | http.client.IncompleteRead():
            return f"the connection was cut ({type(error).__name__})"
        case _:
            return f"{type(error).__name__}: {error}"
