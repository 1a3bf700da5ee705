"""HTTP requests to a server, retried where that can help.

A busy server (429, 5xx), a broken connection, an answer that is not JSON, and a timeout are retried, with waits that
double and have some randomness; `Retry-After` is obeyed, up to ten minutes. What the server refuses is not retried.
"""

import http.client
import json
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from dragoman.errors import EngineError
from dragoman.generation.openai.connections import Astray, Connections, Endless, Request
from dragoman.json_values import Json

T = TypeVar("T")
SHOWN = 200  # characters of what a server sent
LONG = 8 << 20  # bytes of an answer, at most, where nobody knows better
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
PATIENCE = 30.0  # a wait longer than this, which a server asks for, is told
MOST_PATIENCE = 600.0  # and so long it is obeyed
_ESCAPE = re.compile(  # two halves of a character, one alone, or anything else after a backslash
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class Refused(Exception):
    """The server said no, and would say so again."""

    def __init__(self, status: int, reason: str):
        super().__init__(f"HTTP {status}: {reason}")
        self.status, self.reason = status, reason


class Unanswered(Exception):
    """No answer after all retries."""


class Closed(Exception):
    """The client was closed meanwhile."""


class _Again(Exception):
    """The attempt failed, and may succeed if repeated."""

    def __init__(self, why: str, wait: float | None = None):
        super().__init__(why)
        self.wait = wait


class Client:
    """Speaks to one address, from any number of threads; each waiting thread holds a connection.

    `key` goes into the Authorization header and nowhere else. `timeout` covers one whole answer, `retries` is how
    often a request is repeated. `sleep` waits in between; by default `close` interrupts it. `say` is told of long
    waits that the server asks for.
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
        told = address if "@" not in address else "(which holds a user or a password)"
        try:
            parts = urlsplit(address)
            self._port = parts.port
        except ValueError as error:
            why = f": {error}" if told == address else ""
            raise EngineError(f"The server's address {told} is none{why}") from None
        named = parts.scheme in ("http", "https") and parts.hostname
        if not named or parts.username or parts.password or parts.query or not re.fullmatch("[!-~]*", parts.path):
            raise EngineError(
                f"The server's address {told} is none that can be asked. Write it as http://localhost:8000/v1; "
                "a key belongs into an environment variable (generation.openai.key names it)."
            )
        self._host, self._path = parts.hostname or "", parts.path.rstrip("/")
        self._key, self._timeout, self._retries = key, timeout, retries
        self._connections = Connections(self._host, self._port, secure=parts.scheme == "https", timeout=timeout)
        self._closed = self._connections.closed
        self._sleep = sleep or self._closed.wait
        self._say = say
        self._lock = threading.Lock()
        self._said_until = 0.0

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page. Raises `Unanswered` if there is none."""
        return self._persist(lambda fresh: self._answer("GET", path, None, LONG, fresh))

    def post(self, path: str, body: Mapping[str, object], read: Callable[[Json], T], most: int = LONG) -> T:
        """What `read` makes of the returned JSON; if `read` raises a ValueError, the request is retried.

        `most` is the maximal number of bytes in the answer. Raises `Refused` or `Unanswered` with the reason if there
        is none, `Closed` if `close` was called.
        """
        data = json.dumps(body).encode()

        def attempt(fresh: bool) -> T:
            status, text = self._answer("POST", path, data, most, fresh)
            if not 200 <= status < 300:
                raise Refused(status, self._reason(text))
            try:
                return read(parsed(text))
            except ValueError as error:
                why = f"the answer was not what the protocol says ({self.shown(str(error))}): {self.shown(text)}"
                raise _Again(why) from error

        return self._persist(attempt)

    def close(self) -> None:
        """Ends all waiting: for answers, and between attempts."""
        self._connections.close()

    def shown(self, text: str) -> str:
        """Text from this server, made safe to show."""
        return shown(text, self._key)

    def _persist(self, attempt: Callable[[bool], T]) -> T:
        """Repeats an attempt until it succeeds or retries run out; repetitions are told to use a new connection."""
        for count in range(self._retries + 1):
            if self._closed.is_set():
                raise Closed
            try:
                return attempt(count > 0)
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
        wait = usual
        if error.wait is not None:
            asked = min(error.wait, MOST_PATIENCE) + usual / 10  # so that not all threads ask at the same moment
            wait = max(usual, asked)  # with a wrong clock, a date may lie in the past
            self._tell(error.wait, error)
        self._sleep(wait)

    def _tell(self, asked: float, why: _Again) -> None:
        """Says that the server asks for a long wait; once, even if many threads wait."""
        now, wait = time.monotonic(), min(asked, MOST_PATIENCE)
        with self._lock:
            if wait <= PATIENCE or now < self._said_until:
                return
            self._said_until = now + wait
        capped = f", and is asked again after {wait:.0f} s" if asked > wait else ""
        self._say(f"The server asks to wait {asked:.0f} s{capped}: {why}")

    def _answer(self, method: str, path: str, data: bytes | None, most: int, fresh: bool) -> tuple[int, str]:
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if data is not None else {})
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:  # the edge to the network
            reply = self._connections.ask(Request(method, self._path + path, headers, data, most), fresh=fresh)
        except Endless as error:
            raise _Again(f"the answer is too long: more than {most >> 20} MiB") from error
        except Astray as error:
            raise _Again("the answer names another request than this one") from error
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: hung up in mid-read
            raise _Again(self.shown(_told(error, self._host, self._timeout))) from error
        text = reply.body.decode("utf-8", "replace")
        if reply.busy:
            wait = retry_after(reply.headers.get("Retry-After"), time.time())
            raise _Again(f"HTTP {reply.status}: {self._reason(text)}", wait)
        return reply.status, text

    def _reason(self, text: str) -> str:
        """The reason in a server's error message."""
        try:
            found = parsed(text)
        except ValueError:
            found = None
        while isinstance(found, dict):
            found = next((found[name] for name in ("error", "message", "detail") if name in found), None)
        return self.shown(found if isinstance(found, str) else text)


def parsed(text: str) -> Json:
    """The JSON that a server sent; ValueError if it is not JSON.

    JSON can spell half a character (a lone surrogate), which text cannot hold: it is replaced by U+FFFD.
    """
    try:
        value: Json = json.loads(_ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], text))
        return value
    except RecursionError as error:
        raise ValueError("brackets within brackets without end") from error


def masked(text: str, key: str) -> str:
    """A text with the key removed, however it is spelt: as it is, in JSON, or in JSON within JSON."""
    if not key:
        return text
    spelt = (
        r"(?:\\{1,64}|\\{1,9}u005[cC])"  # bounded, since a server may send nothing else for megabytes
        if sign.startswith("\\")
        else rf"(?:\\{{0,9}}{re.escape(sign)}|\\{{1,9}}u(?i:{ord(sign):04x}))"
        for sign in re.findall(r"\\+|[^\\]", key)
    )
    return re.sub("".join(spelt), "(the key)", text)


def retry_after(value: str | None, now: float) -> float | None:
    """The seconds that a Retry-After header asks for, given as a number or as a date."""
    if value is None:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value.strip()):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def shown(text: str, key: str) -> str:
    """The beginning of a server's text, on one line and without the key, which some servers repeat in their errors."""
    line = " ".join(masked(text, key).split())
    return (line[:SHOWN] + " …" if len(line) > SHOWN else line) or "(nothing)"


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
