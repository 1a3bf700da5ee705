"""`dragoman translate`: lines in, as many lines out; and the numbers of `score` are those of `evaluate`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dragoman.cli import app
from dragoman.lab import world
from dragoman.pipeline.translate_file import lines as translating
from dragoman.recipe.schema import Recipe
from tests.tiny_models import lab_llama

FP32 = "generation.precision=fp32"


def run(*words: object, code: int = 0, stdin: str | bytes = "") -> Result:
    found = CliRunner().invoke(app, [*map(str, words)], input=stdin)
    assert found.exit_code == code, found.output
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that sees 96 tokens at once, and whose answers never end."""
    return lab_llama(tmp_path_factory.mktemp("small"), max_position_embeddings=96)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_evaluate_translate_and_score_agree() -> None:
    """One model, one pair of files, three commands: the same texts, numbers, intervals and signatures."""
    pairs = [*world.pairs("test", ["de-en"], 11, 0), *world.pairs("test", ["de-en"], 12, 0)[-1:]]
    Path("test.de").write_text("".join(f"{pair.source}\n" for pair in pairs))
    Path("test.en").write_text("".join(f"  {pair.target} \r\n" for pair in pairs))
    run("evaluate", "lab", "--source", "test.de", "--target", "test.en", "--both", FP32)
    (card,) = Path().glob("runs/*/scorecard.json")
    assert card.parent.name == "evaluate-lab-translation-test-de-en-both"
    told = json.loads(card.read_text())["rows"][0]["translation"]
    results = json.loads((card.parent / "results/backbone.json").read_text())["translation"]
    assert list(told["directions"]) == ["de-en", "en-de"]
    for direction in ("de-en", "en-de"):
        source, target = direction.split("-")
        # With a store of its own, so that nothing is answered from what the evaluation kept
        made = run("translate", "lab", f"test.{source}", "--direction", direction, FP32, "runs=others").stdout
        Path(f"out.{target}").write_text(made)
        judged = [one for one in results["items"] if one["target_language"] == target]
        assert made.split("\n")[:-1] == [one["hypothesis"] for one in judged]
        metrics = ("--metric", "bleu,chrf++", "--hyp", f"out.{target}", "--ref", f"test.{target}")
        for found in json.loads(run("score", *metrics).stdout):
            ours = told["directions"][direction][found["metric"]]
            assert found["score"] == pytest.approx(ours["score"], abs=1e-10)
            assert found["score"] > 20
            assert found["interval"] == pytest.approx(ours["interval"], abs=1e-10)
            assert found["n"] == ours["n"] == 12
            ends = ours["signature"].removeprefix(found["signature"])
            assert ends.startswith("|extraction:2|answers:hf-float32-")


def test_as_many_lines_come_out_as_go_in(small: Path) -> None:
    limited = ("--direction", "de-en", "--max-tokens", "4", FP32)
    Path("a=b.txt").write_bytes(b"Das ist gut.\r\n\r\n  \nDer Fluss ist alt.")
    found = run("translate", small, "a=b.txt", *limited)
    first, *empty, last, end = found.stdout.split("\n")
    assert (empty, end) == (["", ""], "")
    assert first
    assert last
    assert "lines 1, 4: cut off at 4 tokens; --max-tokens allows more" in found.stderr
    assert run("translate", small, *limited, stdin="Der Fluss ist alt.\n").stdout == f"{last}\n"


def test_a_line_too_long_is_left_empty_and_told(small: Path) -> None:
    text = f"Das ist gut.\n{'Der Fluss ist alt. ' * 30}\nDas ist gut.\n"
    found = run("translate", small, "--direction", "de-en", "--max-tokens", "4", FP32, stdin=text, code=1)
    first, long, last, _ = found.stdout.split("\n")
    assert first == last != ""
    assert long == ""
    assert "line 2: left empty, since no room would be left for an answer: the request has " in found.stderr
    assert f" tokens, and {small} sees 96 at once" in found.stderr


def test_a_line_without_a_translation_is_left_empty_and_told(small: Path) -> None:
    found = run("translate", small, "--direction", "de-en", FP32, stdin="Das ist gut.\n\nDas ist gut.\n")
    assert found.stdout == "\n\n\n"  # it goes on and on, and says nothing
    assert "lines 1, 3: left empty, since no translation was found in the answer" in found.stderr


def test_fields_of_a_recipe_and_options_say_how_it_is_asked(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Recipe] = []

    def translate_lines(recipe: Recipe, *rest: object) -> translating.TranslatedLines:
        asked.append(recipe)
        return translating.TranslatedLines([], {}, None, [], [])

    monkeypatch.setattr(translating, "translate_lines", translate_lines)
    run("translate", small, "--direction", "de-en", "--prompt", "alma", "--system", "Be brief.", "bin_weights=true")
    run("translate", small, "--direction", "de-en", "--max-tokens", "7", "chat=alpaca")
    (first, second) = asked
    assert (first.prompt, first.system, first.bin_weights) == ("alma", "Be brief.", True)
    assert (second.evaluation.translation_tokens, second.chat) == (7, "alpaca")
    assert first.evaluation.translation_tokens == 256


def test_what_is_said_wrongly() -> None:
    assert "say which languages, as in --direction de-en" in run("translate", "lab", code=2).output
    said = run("translate", "lab", "--direction", "de", code=2).output
    assert "--direction de: write source and target language" in said
    said = run("translate", "lab", "a.txt", "b.txt", "--direction", "de-en", code=2).output
    assert "one file at a time, not a.txt and b.txt" in said
    said = run("translate", "lab", "--direction", "de-en", "chat=klingon", code=2).output
    assert "chat" in said
    assert "klingon" in said
