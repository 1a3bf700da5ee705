"""Engines that cannot work: each case is a sentence before anything is generated, with what to do."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from peft import LoraConfig, get_peft_model
from transformers import LlamaForCausalLM
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.lab import BACKBONE
from tests.pipeline.running import start

Write = Callable[[Path], Path]


@pytest.fixture
def server() -> Iterator[Callable[[str, str], str]]:
    """Starts a server that answers everything with the same text; gives its address."""
    running: list[ThreadingHTTPServer] = []

    def serve(kind: str, text: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        running.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running[-1].server_port}/v1"

    yield serve
    for one in running:
        one.shutdown()
        one.server_close()


def refused(recipe: Path, *overrides: str) -> str:
    """What a run says that must fail before anything is generated."""
    process = start("run", recipe, "generation.engine=openai", *overrides)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert "… evaluate" not in said
    assert "… examples" not in said
    assert "Traceback" not in said
    return " ".join(said.split())


def test_a_server_that_speaks_another_language(tmp_path: Path, small_recipe: Write, server: Callable) -> None:
    address = server("text/html", "<html><title>Welcome to nginx!</title></html>")
    said = refused(small_recipe(tmp_path), f"generation.openai.address={address}")
    assert address in said
    assert "Welcome to nginx!" in said


def test_a_model_that_the_server_does_not_have(tmp_path: Path, small_recipe: Write, server: Callable) -> None:
    models = {"object": "list", "data": [{"id": "mistral-7b", "object": "model"}, {"id": "qwen", "object": "model"}]}
    address = server("application/json", json.dumps(models))
    settings = (f"generation.openai.address={address}", "generation.openai.model=mistral-8b")
    said = refused(small_recipe(tmp_path), *settings)
    assert "mistral-8b" in said
    assert "mistral-7b" in said
    assert "qwen" in said


def test_a_server_without_an_address(tmp_path: Path, small_recipe: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert "generation.openai.address" in refused(small_recipe(tmp_path))


def test_an_adapter_of_another_model(tmp_path: Path, tiny_backbone: Path) -> None:
    model = get_peft_model(LlamaForCausalLM.from_pretrained(tiny_backbone), LoraConfig(target_modules=["q_proj"]))
    model.save_pretrained(tmp_path / "adapter")
    given = ("--direction", "de-en", "--adapter", str(tmp_path / "adapter"))
    runner = CliRunner()
    fits = runner.invoke(app, ["translate", str(tiny_backbone), *given, "--max-tokens", "2"], input="Hallo\n")
    assert fits.exit_code == 0, fits.output
    misfit = runner.invoke(app, ["translate", str(BACKBONE), *given], input="Hallo\n")
    assert misfit.exit_code == 1
    assert "q_proj" in misfit.output
    assert str(tmp_path / "adapter") in " ".join(misfit.output.split())
