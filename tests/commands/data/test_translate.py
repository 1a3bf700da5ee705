"""`dragoman data translate` from the command line: what it writes, what it says, what it refuses."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.store import sha256

RECORD = {"instruction": "Name {name} and 12 dogs.", "input": "", "output": "`x = 1`"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([RECORD, RECORD | {"instruction": "Name nobody and 13 cats.", "output": "This is it."}]))
    return path


@pytest.fixture
def server() -> Iterator[str]:
    """A server that takes text alone: it translates "Name" and "and", and forgets 13."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send({"object": "list", "data": [{"id": "interpreter", "object": "model"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self.path.endswith("/chat/completions"):
                self.send({"error": {"message": "no such endpoint"}}, 404)
                return
            asked = body["messages"][-1]["content"].split("\n")
            text = next((line for line in asked if line.startswith(("Name", "This"))), "")
            said = (
                text.replace("Name", "Nenne")
                .replace("and", "und")
                .replace("13", "")
                .replace("This is it", "Das ist es")
            )
            message = {"role": "assistant", "content": f"Translation: {said}"}
            self.send({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]})

        def send(self, value: object, status: int = 200) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}/v1"
    http.shutdown()
    http.server_close()


def run(file: Path, *more: str | Path, to: str = "de", model: str = "lab") -> tuple[int, str, str]:
    output = file.with_name("out.json")
    options = ["--to", to, "--model", model, "--output", output, "--runs", file.with_name("runs"), *more]
    result = CliRunner().invoke(app, ["data", "translate", *map(str, [file, *options])])
    return result.exit_code, result.stdout, result.stderr


def test_a_server_translates_and_the_result_says_so(file: Path, server: str) -> None:
    code, said, errors = run(file, "--engine", "openai", "--address", server, "--server-model", "interpreter")
    assert code == 0, errors
    assert json.loads(file.with_name("out.json").read_text()) == [
        RECORD | {"instruction": "Nenne {name} und 12 dogs.", "translated_by": "interpreter"}
    ]
    (aside,) = map(json.loads, file.with_name("out.json.set-aside.jsonl").read_text().splitlines())
    assert aside["failures"][0]["reason"] == "number changed"
    assert "1 of 2 entries in" in said
    assert "1 × number changed" in said
    assert "Alpaca's records, a JSON array; 2 entries with 6 texts, 3 distinct pieces to translate, 1 of them" in said
    about = json.loads(file.with_name("out.json.translation.json").read_text())
    assert about["source"] == {"file": "a.json", "sha256": sha256(file), "limit": None}
    assert (about["machine-translated"], about["by"], about["server"]) == (True, "interpreter", server)
    assert (about["from"], about["to"], about["model"]) == ("en", "de", None)
    assert about["counts"]["set aside"] == {"number changed": 1}


def test_an_output_that_is_there_is_kept(file: Path) -> None:
    file.with_name("out.json").write_text("mine")
    code, _, errors = run(file)
    assert code == 2
    assert "out.json is there already; name another file with --output, or replace it with --force" in errors
    assert file.with_name("out.json").read_text() == "mine"
    code, _, errors = run(file, "--output", file, "--force")
    assert "is the file itself" in errors


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"to": "dr"}, "the language code 'dr' is not known"),
        ({"to": "en"}, "from en to en: these are the same"),
        ({"model": "./nowhere"}, "There is no model at nowhere"),
        ({"more": "vllm.memry=1"}, "no such key; did you mean 'memory'?"),
        ({"more": "fast"}, "'fast' should look like vllm.memory=0.5"),
    ],
)
def test_what_is_asked_wrongly_is_said(file: Path, more: dict[str, str], said: str) -> None:
    extra = [more.pop("more")] if "more" in more else []
    code, _, errors = run(file, *extra, **more)
    assert code in (1, 2)
    assert said in errors
    assert not file.with_name("out.json").exists()


def test_where_nothing_can_be_used_there_is_no_output(file: Path, server: str) -> None:
    file.write_text(json.dumps([RECORD | {"instruction": "Name nobody and 13 cats."}]))
    code, _, errors = run(file, "--engine", "openai", "--address", server)
    assert code == 1
    assert "none of the 1 entries" in errors
    assert "(1 × number changed)" in errors
    assert not file.with_name("out.json").exists()
    assert file.with_name("out.json.set-aside.jsonl").exists()
