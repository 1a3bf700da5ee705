"""A small server of the OpenAI protocol that can be told to misbehave, and a model whose answers are known."""

import json
import socket
import threading
import time
from collections.abc import Sequence
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from types import TracebackType
from typing import Any

Ids = tuple[int, ...]
STOP = 5
ENDLESS = 96 << 20  # bytes of an answer without end, if nobody hangs up
DRIPS = 400  # bytes of a header that come one by one, if nobody hangs up
OPENAIS_OWN = {
    *("model", "prompt", "messages", "max_tokens", "temperature", "top_p", "seed", "stop", "n", "logprobs"),
    *("top_logprobs", "logit_bias", "stream", "frequency_penalty", "presence_penalty", "user"),
}


def written(prompt: Sequence[int]) -> Ids:
    """What the model writes: some tokens after the prompt's last, and the end."""
    last = prompt[-1]
    return (*((last + step) % 40 + 12 for step in range(1, 3 + last % 4)), STOP)


def spell(ids: Sequence[int]) -> str:
    return " ".join(f"t{token}" for token in ids if token != STOP)


def unspell(text: str) -> Ids:
    """The ids of a text; a word that is none of the model's is token 9."""
    return tuple(int(word[1:]) if word[1:].isdecimal() else 9 for word in text.split())


def spelt(choice: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Log-probabilities of the first token as OpenAI gives them; the third is of two words, the fourth none of ours."""
    if "messages" not in body:
        first = choice["text"].split(" ")[0]
        return {"tokens": [first], "top_logprobs": [{first: -0.5, "t40": -1.5, "t1 t2": -3.0, "x": -4.0}]}
    first = choice["message"]["content"].split(" ")[0]
    words = [("x", -4.0), (first, -0.5), ("t40", -1.5), ("t1 t2", -3.0)][: body["top_logprobs"]]
    tops = [{"token": word, "logprob": value, "bytes": list(word.encode())} for word, value in words]
    return {"content": [{"token": first, "logprob": -0.5, "bytes": None, "top_logprobs": tops}], "refusal": None}


class Misbehaving:
    """Serves the model at `address` while the block lasts.

    `completions` and `chat` say how these two are taken: `full` as vLLM does, `text` with parameters
    ignored and text alone given back, `strict` with unknown parameters refused, `likely` the same with
    log-probabilities by the text of tokens, `foreign` like `full` with a vocabulary of other numbers, `none` not
    at all.
    `faults` lists for a prompt (or for a path) what goes wrong, one after the other; the last may end in
    `*`, which means every time. A server that takes a request in `full` names it in its answer, as vLLM does.
    """

    def __init__(
        self,
        *,
        completions: str = "full",
        chat: str = "full",
        models: Sequence[str] = ("small",),
        context: int | None = None,
        faults: dict[Any, list[str]] | None = None,
    ):
        self.ways = {"/v1/completions": completions, "/v1/chat/completions": chat}
        self.models, self.context = models, context
        self.faults = faults or {}
        self.requests: list[tuple[str, dict[str, Any], str]] = []  # path, body, Authorization
        self.at_once = self.most_at_once = self.connections = 0
        self.slow = 0.0
        self.sent = 0  # bytes of answers without end
        self.hung_up = 0  # clients that did not wait for such an end
        self.ended = threading.Event()
        self.lock = threading.Lock()
        outer = self

        class Handler(_Handler):
            server_of = outer

        self.http = _Http(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, body, _ in self.requests]

    def fault(self, path: str, body: dict[str, Any]) -> str:
        with self.lock:
            for key in (tuple(body.get("prompt", ())), path):
                if left := self.faults.get(key):
                    return left[0].removesuffix("*") if left[0].endswith("*") else left.pop(0)
        return ""

    def __enter__(self) -> "Misbehaving":
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self.http.shutdown()
        self.http.server_close()


class _Http(ThreadingHTTPServer):
    request_queue_size = 128  # as many may connect at once


class _Handler(BaseHTTPRequestHandler):
    server_of: Misbehaving
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer is one packet
    again = b""  # what is sent once more, before the next answer

    def setup(self) -> None:
        super().setup()
        with self.server_of.lock:
            self.server_of.connections += 1

    def log_message(self, *parts: Any) -> None:
        pass

    def do_GET(self) -> None:
        mine = self.server_of
        mine.requests.append((self.path, {}, self.headers.get("Authorization", "")))
        if self.misbehave(mine.fault(self.path, {})):
            return
        if self.path != "/v1/models":
            self.send(404, '{"detail": "Not Found"}')
            return
        cards = [{"id": name, "object": "model", "max_model_len": mine.context} for name in mine.models]
        self.send(200, json.dumps({"object": "list", "data": cards}))

    def do_POST(self) -> None:
        mine = self.server_of
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with mine.lock:
            mine.requests.append((self.path, body, self.headers.get("Authorization", "")))
            mine.at_once += 1
            mine.most_at_once = max(mine.most_at_once, mine.at_once)
        try:
            time.sleep(mine.slow)
            if self.again:
                self.wfile.write(self.again)
                self.wfile.flush()
                self.again = b""
            if not self.misbehave(mine.fault(self.path, body), body):
                self.answer(body)
        finally:
            with mine.lock:
                mine.at_once -= 1

    def answer(self, body: dict[str, Any]) -> None:
        way = self.server_of.ways.get(self.path, "none")
        unknown = sorted(set(body) - OPENAIS_OWN)
        if way == "none":
            self.send(404, '{"error": {"message": "no such endpoint"}}')
        elif way in ("strict", "likely") and unknown:
            self.send(400, json.dumps({"error": {"message": f"Unrecognized request argument: {unknown[0]}"}}))
        else:
            choice = self.choice(body, full=way in ("full", "foreign"))
            if way == "foreign":
                for name in {"token_ids", "prompt_token_ids"} & set(choice):
                    choice[name] = [token + 3 for token in choice[name]]
            if way in ("likely", "foreign") and body.get("logprobs"):
                choice["logprobs"] = spelt(choice, body)
            self.say(choice, named=way in ("full", "foreign"))

    def say(self, choice: dict[str, Any], named: bool = True) -> None:
        name = {"id": f"cmpl-{self.headers.get('X-Request-Id', 'of-its-own')}"} if named else {}
        self.send(200, json.dumps(name | {"choices": [choice]}))

    def choice(self, body: dict[str, Any], full: bool) -> dict[str, Any]:
        chat = "messages" in body
        prompt = unspell(" ".join(turn["content"] for turn in body["messages"])) if chat else body["prompt"]
        ids = written(prompt)[: body["max_tokens"]]
        finish = "stop" if ids[-1] == STOP else "length"
        found: dict[str, Any] = {"index": 0, "finish_reason": finish, "logprobs": None}
        found |= {"message": {"role": "assistant", "content": spell(ids)}} if chat else {"text": spell(ids)}
        if full and body.get("return_token_ids"):
            found |= {"token_ids": list(ids), "prompt_token_ids": list(prompt)}
        if full and body.get("logprobs") and not chat:
            # the written token first, though it is the less likely one
            tops = [{f"token_id:{token}": -1.5, f"token_id:{token + 1}": -0.5} for token in ids]
            found["logprobs"] = {"tokens": [f"token_id:{token}" for token in ids], "top_logprobs": tops}
        return found

    def misbehave(self, fault: str, body: dict[str, Any] | None = None) -> bool:
        what, _, more = fault.partition(" ")
        body = body or {}
        if what.isdecimal():
            headers = {"Retry-After": formatdate(time.time() + 9, usegmt=True) if more == "date" else more}
            key = self.headers.get("Authorization", "")
            message = {"error": {"message": f"no, because of {what}; you sent {key}"}}
            self.send(int(what), json.dumps(message), headers if more else {})
        elif what == "hang":
            self.server_of.ended.wait(60)
            self.close_connection = True
        elif what == "drop":
            self.cut()
        elif what == "cut":
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"choices": [{"te')
            self.cut()
        elif what == "malformed":
            self.send(200, '{"choices": [{"text": "t1')
        elif what == "empty":
            self.send(200, '{"choices": []}')
        elif what == "html":
            self.send(200, "<html><body>Welcome to nginx!</body></html>", kind="text/html")
        elif what == "filtered":
            self.say({"text": "", "token_ids": [], "finish_reason": more or "content_filter"})
        elif what == "says":
            self.send(200, more)
        elif what == "raw":
            self.wfile.write(more.encode() + b"\r\n\r\n")
            self.close_connection = True
        elif what == "refuses":
            self.send(400, more)
        elif what in ("twice", "soon", "late"):
            self.answer_twice(what, body)
        elif what == "astray":  # the answer to another prompt
            self.say(self.choice(body | {"prompt": [*body["prompt"], 33]}, full=True))
        elif what == "misnamed":  # ours, by its id to another request
            name = "cmpl-dragoman-" + 32 * "0"
            self.send(200, json.dumps({"id": name, "choices": [self.choice(body, full=True)]}))
        elif what == "ids":
            ids = json.loads(more)
            found = {"token_ids": ids, "prompt_token_ids": body["prompt"], "finish_reason": "length"}
            self.say(found | {"text": spell(ids)})
        elif what == "drips":
            self.drip()
        elif what in ("endless", "chunks"):
            self.write_on(in_chunks=what == "chunks")
        elif what == "json":
            self.send(200, '{"hello": "world"}')
        return bool(fault)

    def answer_twice(self, when: str, body: dict[str, Any]) -> None:
        real, self.wfile = self.wfile, BytesIO()  # type: ignore[assignment]
        self.answer(body)
        written, self.wfile = self.wfile.getvalue(), real  # type: ignore[attr-defined]
        self.wfile.write(written)
        if when == "late":
            self.again = written
            return
        if when == "soon":
            self.wfile.flush()
        self.wfile.write(written)

    def drip(self) -> None:
        """Header bytes one by one, each of them soon enough."""
        self.close_connection = True
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            for _ in range(DRIPS):
                self.wfile.write(b"x")
                self.wfile.flush()
                if self.server_of.ended.wait(0.05):
                    return
        except OSError:
            self.server_of.hung_up += 1

    def write_on(self, in_chunks: bool) -> None:
        self.close_connection = True
        block = b" " * (1 << 16)
        try:
            self.send_response(200)
            if in_chunks:
                self.send_header("Transfer-Encoding", "chunked")
                block = b"%x\r\n%s\r\n" % (len(block), block)
            self.end_headers()
            while self.server_of.sent < ENDLESS:
                self.wfile.write(block)
                self.server_of.sent += len(block)
        except OSError:
            self.server_of.hung_up += 1

    def cut(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def send(
        self, status: int, text: str, headers: dict[str, str] | None = None, kind: str = "application/json"
    ) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
