"""What a user can get wrong: each ends with a sentence that says what, where, and what to do; nothing is lost."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.store import FORMAT

Recipe = Callable[..., Path]

BASE = """\
name: bad
backbone: {backbone}
runs: {folder}/runs
data:
  train: {{files: [{{source: {folder}/a.de, target: {folder}/a.en, direction: de-en}}]}}
  test: {{corpus: lab, directions: [de-en], limit: 4}}
methods: [vanilla]
training: {{epochs: 1, batch_size: 4}}
{more}
"""
GERMAN = ["Der Hund schläft.", "Die Katze trinkt.", "Das Kind singt.", "Der Mann liest.", "Die Frau lacht."]
ENGLISH = ["The dog sleeps.", "The cat drinks.", "The child sings.", "The man reads.", "The woman laughs."]


@pytest.fixture
def recipe(tmp_path: Path, tiny_backbone: Path) -> Recipe:
    """Writes a recipe and its two files; each test then spoils something."""

    def write(backbone: Path = tiny_backbone, more: str = "") -> Path:
        (tmp_path / "a.de").write_text("\n".join(GERMAN) + "\n", encoding="utf-8")
        (tmp_path / "a.en").write_text("\n".join(ENGLISH) + "\n", encoding="utf-8")
        path = tmp_path / "bad.yaml"
        path.write_text(BASE.format(backbone=backbone, folder=tmp_path, more=more), encoding="utf-8")
        return path

    return write


def said(*arguments: Any) -> tuple[int, str]:
    """Exit code and everything that was printed, on one line."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


def test_two_files_of_different_length(recipe: Recipe, tmp_path: Path) -> None:
    path = recipe()
    (tmp_path / "a.en").write_text("\n".join(ENGLISH[:3]) + "\n")
    code, text = said("run", path)
    assert code == 2
    assert "a.de" in text
    assert "a.en" in text
    assert "5 lines" in text
    assert "3" in text


def test_invalid_utf8_is_named_with_file_and_line(recipe: Recipe, tmp_path: Path) -> None:
    path = recipe()
    (tmp_path / "a.de").write_bytes("\n".join(GERMAN).encode("latin-1"))
    code, text = said("run", path)
    assert code == 2
    assert "a.de, line 1: not valid UTF-8" in text


def test_a_missing_file(recipe: Recipe, tmp_path: Path) -> None:
    path = recipe()
    (tmp_path / "a.en").unlink()
    code, text = said("run", path)
    assert code == 2
    assert str(tmp_path / "a.en") in text


def test_a_misspelt_key_and_a_missing_model_in_one_go(recipe: Recipe) -> None:
    path = recipe(more="evaluation: {question: 3}")
    code, text = said("run", path)
    assert code == 2
    assert "bad.yaml:9: evaluation.question" in text
    assert "questions" in text


def test_empty_sides_are_left_out_and_counted(recipe: Recipe, tmp_path: Path) -> None:
    path = recipe()
    (tmp_path / "a.en").write_text("\n".join([*ENGLISH[:4], "  "]) + "\n")
    assert said("generate", path)[0] == 0
    manifest = next(tmp_path.glob("runs/.store/artifacts/data-*/manifest.json"))
    facts = json.loads(manifest.read_text())["facts"]
    assert facts["train"] == {"de-en": 4}
    assert list(facts["left out"].values()) == [1]


def test_pairs_over_the_length_limit_are_left_out_and_counted(recipe: Recipe, tmp_path: Path) -> None:
    path = recipe()
    (tmp_path / "a.de").write_text("\n".join([*GERMAN[:4], "sehr " * 300]) + "\n", encoding="utf-8")
    code, text = said("generate", path, "data.max_tokens=80")
    assert code == 0, text
    manifest = next(tmp_path.glob("runs/.store/artifacts/examples-*/manifest.json"))
    facts = json.loads(manifest.read_text())["facts"]
    assert facts["examples"] == 4
    assert facts["notes"] == {"left out: longer than 80 tokens": 1}


def test_conversations_over_the_length_limit_are_left_out_and_counted(recipe: Recipe, tmp_path: Path) -> None:
    questions = ["What is a dog?", "What is a cat?", "Say this again: " + "sehr " * 300]
    talks = [
        [{"role": "user", "content": q}, {"role": "assistant", "content": f"{q[:14]} It is one."}] for q in questions
    ]
    lessons = tmp_path / "talks.jsonl"
    lessons.write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in talks), encoding="utf-8")
    code, text = said(
        "generate", recipe(), "data.max_tokens=80", "data.train=null", f"data.lessons=[{{file: {lessons}}}]"
    )
    assert code == 0, text
    assert "1 training examples are longer than 80 tokens" in text
    manifest = next(tmp_path.glob("runs/.store/artifacts/examples-*/manifest.json"))
    facts = json.loads(manifest.read_text())["facts"]
    assert facts["examples"] == 2
    assert facts["notes"] == {"left out: longer than 80 tokens": 1}
    assert facts["generated"] == {"answers": 0, "tokens": 0, "seconds": 0.0}


def spoilt_backbone(tiny_backbone: Path, folder: Path, template: str | None) -> Path:
    shutil.copytree(tiny_backbone, folder)
    config = folder / "tokenizer_config.json"
    content = json.loads(config.read_text())
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    if template is None:
        content.pop("chat_template", None)
    else:
        content["chat_template"] = template
    config.write_text(json.dumps(content))
    return folder


def test_a_backbone_without_a_chat_template(recipe: Recipe, tmp_path: Path, tiny_backbone: Path) -> None:
    code, text = said("run", recipe(spoilt_backbone(tiny_backbone, tmp_path / "plain", None)))
    assert code == 2
    assert "has no chat template" in text
    assert "instruct or chat version" in text


def test_a_template_that_alters_the_text(recipe: Recipe, tmp_path: Path, tiny_backbone: Path) -> None:
    template = "{% for m in messages %}<|{{ m.role }}|>{{ m.content | replace('\n\n', '\n') }}<|end|>{% endfor %}"
    code, text = said("run", recipe(spoilt_backbone(tiny_backbone, tmp_path / "altering", template)))
    assert code == 2
    assert r"it turned 'a\n\nb' into 'a\nb'" in text
    assert not list(tmp_path.glob("runs/.store/artifacts/examples-*"))


def test_weights_that_are_not_safetensors(recipe: Recipe, tmp_path: Path, tiny_backbone: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(tiny_backbone, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    code, text = said("run", recipe(folder))
    assert code == 1
    assert "safetensors only" in text


def test_a_store_written_by_a_newer_version(recipe: Recipe, tmp_path: Path) -> None:
    path = recipe()
    (tmp_path / "runs" / ".store").mkdir(parents=True)
    (tmp_path / "runs" / ".store" / "store.json").write_text(json.dumps({"format": FORMAT + 1}))
    code, text = said("run", path)
    assert code == 1
    assert "newer Dragoman" in text


def test_no_room_on_the_disk_is_said_before_anything_is_trained(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragoman.store.shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    code, text = said("run", recipe())
    assert code == 1
    assert "(a merged model of 673 kB; " in text
    assert "the disk has 1 kB left; 50.0 MB should stay free besides. Make room" in text
    assert not list(tmp_path.glob("runs/.store/artifacts/train-*"))


@pytest.mark.parametrize("field", ["data.train.files.0.direction=en-xx", "data.test.directions=[en-xx]"])
def test_a_language_that_nobody_knows(recipe: Recipe, field: str) -> None:
    """Said while planning: no later stage would be reached."""
    code, text = said("run", recipe(), "--dry-run", field)
    assert code == 2
    assert text.startswith(f"{field[:10].rstrip('.')}, direction en-xx: the language code 'xx' is not known")
    assert text.endswith("Nearest are xh (Xhosa).")
