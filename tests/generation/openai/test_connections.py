"""Connections that are kept, and when they are not; deadlines; answers that are too long."""

import itertools
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import EngineError
from dragoman.generation.openai.http import Client, Refused, Unanswered
from dragoman.generation.openai.protocol import Way, read
from tests.generation.openai.servers import ENDLESS, Ids, Misbehaving, spell, written

WAY = Way("small", "completions", more=True)
PROMPTS: list[Ids] = [(20, 13 + number) for number in range(30)]


def client_of(server: Misbehaving, **more: Any) -> Client:
    settings: dict[str, Any] = {"timeout": 10, "retries": 2, "sleep": lambda wait: None, **more}
    return Client(server.address, **settings)


def ask(client: Client, prompt: Ids) -> str:
    body = {"prompt": list(prompt), "max_tokens": 20, "return_token_ids": True}
    return client.post("/completions", body, lambda found: read(WAY, found).text)


@pytest.mark.parametrize("way", ["full", "text"])
@pytest.mark.parametrize("when", ["twice", "soon", "late"])
def test_an_answer_that_is_sent_twice_answers_no_other_request(when: str, way: str) -> None:
    """It comes with the first one, soon after it, or when the next request is already on its way."""
    with Misbehaving(completions=way) as server, closing(client_of(server, retries=0)) as client:
        server.faults = {PROMPTS[number]: [when] for number in (3, 4, 11, 20)}
        answers = [ask(client, prompt) for prompt in PROMPTS]
        assert answers == [spell(written(prompt)) for prompt in PROMPTS]


def test_only_a_server_that_names_requests_keeps_its_connection() -> None:
    with Misbehaving() as server, closing(client_of(server)) as client:
        for prompt in PROMPTS:
            ask(client, prompt)
        assert server.connections == 1
        server.faults = {PROMPTS[3]: ["twice"], PROMPTS[7]: ["soon"], PROMPTS[11]: ["late"]}
        for prompt in PROMPTS:
            ask(client, prompt)
        assert server.connections == 4
        again = len(server.requests) - 2 * len(PROMPTS)
        assert 1 <= again <= 2  # what got the late one, and perhaps what got the one that came soon
    with Misbehaving(completions="text") as server, closing(client_of(server)) as client:
        for prompt in PROMPTS:
            ask(client, prompt)
        assert server.connections == len(server.requests) == len(PROMPTS)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the command openssl, for a certificate")
def test_over_tls_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, bytes of its own may come over a connection that nobody has misused."""
    files = {"-keyout": tmp_path / "key.pem", "-out": tmp_path / "certificate.pem"}
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *names]
    subprocess.run([*made, *map(str, itertools.chain(*files.items()))], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(files["-out"]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["-out"], files["-keyout"])
    server = Misbehaving()
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    server.address = server.address.replace("http:", "https:")
    with server, closing(client_of(server, retries=0, timeout=5)) as client:
        server.faults = {PROMPTS[number]: [when] for number, when in ((3, "twice"), (11, "soon"), (20, "late"))}
        assert [ask(client, prompt) for prompt in PROMPTS] == [spell(written(prompt)) for prompt in PROMPTS]
        assert server.connections == 4
        server.faults = {PROMPTS[0]: ["drips"], PROMPTS[1]: ["endless"]}
        with pytest.raises(Unanswered, match="more than 8 MiB"):
            ask(client, PROMPTS[1])
        hasty = client_of(server, retries=0, timeout=0.5)
        with closing(hasty), pytest.raises(Unanswered, match="no answer within"):
            ask(hasty, PROMPTS[0])


def test_a_refusal_over_a_kept_connection_is_asked_for_again() -> None:
    """It names no request, so it may be another's: refusals are for good."""
    with Misbehaving() as server, closing(client_of(server, retries=0)) as client:
        server.faults = {PROMPTS[1]: ["400"], PROMPTS[2]: ["400", "400"]}
        assert [ask(client, prompt) for prompt in PROMPTS[:2]] == [spell(written(prompt)) for prompt in PROMPTS[:2]]
        with pytest.raises(Refused, match="no, because of 400"):
            ask(client, PROMPTS[2])


def test_an_answer_to_another_request_is_none() -> None:
    """As from a proxy that mixes up connections of its own."""
    with Misbehaving() as server, closing(client_of(server)) as client:
        server.faults = {PROMPTS[0]: ["misnamed"], PROMPTS[1]: ["misnamed*"]}
        assert ask(client, PROMPTS[0]) == spell(written(PROMPTS[0]))
        with pytest.raises(Unanswered, match=r"the answer names another request .*\(asked 3 times\)"):
            ask(client, PROMPTS[1])


def test_no_header_comes_too_slowly() -> None:
    with Misbehaving() as server, closing(client_of(server, retries=0, timeout=0.5)) as client:
        server.faults = {PROMPTS[0]: ["drips"]}
        start = time.monotonic()
        with pytest.raises(Unanswered, match=r"no answer within 0\.5 s"):
            ask(client, PROMPTS[0])
        assert time.monotonic() - start < 10
        assert eventually(lambda: server.hung_up == 1)
        assert ask(client, PROMPTS[1]) == spell(written(PROMPTS[1]))


@pytest.mark.parametrize("kind", ["endless", "chunks"])
def test_an_answer_without_end_is_ended(kind: str) -> None:
    with Misbehaving() as server, closing(client_of(server, retries=0)) as client:
        server.faults = {PROMPTS[0]: [kind], "/v1/models": [kind]}
        for asked in (lambda: ask(client, PROMPTS[0]), lambda: client.get("/models")):
            server.sent = server.hung_up = 0
            with pytest.raises(Unanswered, match=r"the answer is too long: more than \d+ MiB"):
                asked()
            assert eventually(lambda: server.hung_up == 1)
            assert server.sent < ENDLESS // 2


def test_waits_that_a_server_asks_for_have_an_end_and_are_told_once() -> None:
    said: list[str] = []
    slept: list[float] = []
    with Misbehaving() as server:
        with closing(client_of(server, sleep=slept.append, say=said.append)) as client:
            server.faults = {PROMPTS[0]: ["429 999999999", "503 " + "9" * 400], PROMPTS[1]: ["429 7"]}
            assert ask(client, PROMPTS[0]) == spell(written(PROMPTS[0]))
            assert ask(client, PROMPTS[1]) == spell(written(PROMPTS[1]))
            assert [round(wait, -1) for wait in slept] == [600, 600, 10]
            server.faults = {PROMPTS[2]: ["429 0"] * 2}  # of a clock that is wrong, perhaps
            assert ask(client, PROMPTS[2]) == spell(written(PROMPTS[2]))
            assert sum(slept[3:]) > 0.5 * (0.5 + 1)
            (told,) = said
            assert told.startswith("The server asks to wait 999999999 s, and is asked again after 600 s: HTTP 429: no")
        said.clear()
        with closing(client_of(server, say=said.append)) as client:
            server.faults = {prompt: ["429 60"] for prompt in PROMPTS}
            threads = [threading.Thread(target=ask, args=(client, prompt)) for prompt in PROMPTS]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(said) == 1
        assert said[0].startswith("The server asks to wait 60 s: HTTP 429: no")


@pytest.mark.parametrize(
    ("key", "spelling"),
    [
        ("sk-very-secret", r"\u0073k-very-secret"),
        ("sk-very-secret", r"sk\u002Dvery\u002dsecre\u0074"),
        ("sk/very+secret==", r"sk\/very\u002bsecret=\u003D"),
        ('sk"very\\secret', r"sk\"very\\secret"),
        ("sk-very-secret", r"{\"error\": \"\\u0073k-very-secret\"}"),  # JSON within JSON
    ],
)
def test_a_key_in_any_spelling_is_masked(key: str, spelling: str) -> None:
    with Misbehaving() as server, closing(client_of(server, key=key, retries=0)) as client:
        for text in (
            f'{{"error": {{"message": "you sent Bearer {spelling} twice"}}}}',
            f'{{"who": "you sent Bearer {spelling} twice"}}',
            f'<p title="you sent Bearer {spelling} twice">',
        ):
            server.faults = {PROMPTS[0]: [f"refuses {text}", f"says {text}"]}
            for error in (Refused, Unanswered):
                with pytest.raises(error) as caught:
                    ask(client, PROMPTS[0])
                assert "(the key)" in str(caught.value)
                assert "very" not in str(caught.value)
        server.faults = {PROMPTS[0]: [f"raw you sent {key}"]}
        with pytest.raises(Unanswered, match=r"BadStatusLine: you sent \(the key\)$"):
            ask(client, PROMPTS[0])
        half = '{"error": "' + "x" * 190 + spelling + '"}'  # what is shown is short, and ends within the key
        server.faults = {PROMPTS[0]: [f"refuses {half}"]}
        with pytest.raises(Refused) as caught:
            ask(client, PROMPTS[0])
        assert "sk" not in str(caught.value).replace("ask", "")


def test_a_key_that_is_a_word_stays_in_answers() -> None:
    """Local servers are given keys such as `EMPTY`; what the model writes is not ours to change."""
    with Misbehaving() as server, closing(client_of(server, key="t34")) as client:
        answers = [ask(client, prompt) for prompt in PROMPTS]
        assert answers == [spell(written(prompt)) for prompt in PROMPTS]
        assert any("t34" in answer for answer in answers)


@pytest.mark.parametrize("path", ["/v 1", "/vé1"])
def test_an_address_that_can_not_be_asked(path: str) -> None:
    with pytest.raises(EngineError, match="is none that can be asked"):
        Client(f"http://localhost:8000{path}x", timeout=1, retries=0)


def eventually(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()
