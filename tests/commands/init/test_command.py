"""`dragoman init` as a person meets it: options, questions at a terminal, and the recipe that comes of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dragoman import cli
from dragoman.commands.init import command
from dragoman.commands.recipes import recipe
from dragoman.lab import world

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `init` in a folder with a.de and a.en, t.de and t.en, and a file of questions."""
    monkeypatch.chdir(tmp_path)
    for name, split, count in (("a", "train", 60), ("t", "test", 12)):
        pairs = world.pairs("test" if split == "test" else "train", ("de-en",), count, 0)
        Path(f"{name}.de").write_text("".join(f"{pair.source}\n" for pair in pairs), encoding="utf-8")
        Path(f"{name}.en").write_text("".join(f"{pair.target}\n" for pair in pairs), encoding="utf-8")
    Path("q.jsonl").write_text(json.dumps({"prompt": "2 + 2?", "answer": "4"}) + "\n", encoding="utf-8")

    def invoke(*words: str, said: str = "") -> Result:
        return CliRunner().invoke(cli.app, ["init", "--backbone", "lab", *words], input=said)

    return invoke


FILES = ("--source", "a.de", "--target", "a.en")


def test_both_directions_and_questions(run: Run) -> None:
    result = run(*FILES, "--both", "--questions", "q.jsonl")
    assert (result.exit_code, result.stderr) == (0, "")
    written = recipe(Path("recipe.yaml"))
    assert [written.data.train.files[0].both, written.data.test.files[0].both] == [True, True]
    assert written.evaluate == ("translation", "q.jsonl")
    assert (written.training.learning_rate, written.data.max_tokens) == (3e-3, 768)
    text = Path("recipe.yaml").read_text(encoding="utf-8")
    assert "from German into English and back" in text
    assert "max_tokens: 768  # longer examples are left out, and counted; the model's context is 1,024" in text
    assert "learning_rate: 3e-3  # for 4.07 million parameters" in text


def test_a_test_of_ones_own(run: Run) -> None:
    result = run(*FILES, "--test-source", "t.de", "--test-target", "t.en")
    assert result.stdout.startswith("60 pairs to learn from and 12 to be judged on\n")
    assert not Path("data").exists()
    written = recipe(Path("recipe.yaml"))
    train, test = written.data.train.files[0], written.data.test.files[0]
    assert (train.source, train.target, test.source, test.target) == ("a.de", "a.en", "t.de", "t.en")
    assert (test.direction, test.both) == ("de-en", False)


def test_pairs_to_validate_on(run: Run) -> None:
    assert run(*FILES, "--both", "--dev-source", "t.de", "--dev-target", "t.en").exit_code == 0
    dev = recipe(Path("recipe.yaml")).data.dev
    assert (dev.files[0].source, dev.files[0].target, dev.files[0].direction) == ("t.de", "t.en", "de-en")
    assert (dev.files[0].both, dev.share) == (True, None)


def test_a_share_to_validate_on_is_one_sign_away(run: Run) -> None:
    assert run(*FILES).exit_code == 0
    path = Path("recipe.yaml")
    assert recipe(path).data.dev is None
    path.write_text(path.read_text(encoding="utf-8").replace("# dev: {", "dev: {"), encoding="utf-8")
    assert recipe(path).data.dev.share == 0.02


def test_files_without_any_pair(run: Run) -> None:
    for name in ("e.de", "e.en"):
        Path(name).write_text("")
    result = run("--source", "e.de", "--target", "e.en")
    assert (result.exit_code, result.stderr) == (2, "e.de, e.en: there are no pairs in there\n")
    dev = run(*FILES, "--dev-source", "e.de", "--dev-target", "e.en")
    assert (dev.exit_code, dev.stderr) == (2, "e.de, e.en: there are no pairs in there\n")


def test_a_folder_without_a_model_is_told(run: Run) -> None:
    result = run(*FILES, "--backbone", "./nothing")
    assert result.exit_code == 0
    assert "beware: there is no model at ./nothing (paths count from" in result.output
    assert "there is no model" not in run(*FILES, "--backbone", "owner/nothing", "--force").output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--dev-target", "t.en"), "which dev? Name --dev-source and --dev-target, or one --dev-table\n"),
        (("--dev-source", "t.en", "--dev-target", "t.de"), "t.en, t.de: "),
        (("--test-source", "t.de"), "which test? Name --test-source and --test-target, or one --test-table\n"),
        (("--test-source", "t.de", "--test-target", "t.en", "--test", "3"), "--test holds sentences out"),
        (("--test-source", "t.en", "--test-target", "t.de"), "t.en, t.de: "),
        (("--questions", "none.jsonl"), "none.jsonl"),
        (("--questions", "a.de"), "a.de"),
    ],
)
def test_what_does_not_fit(run: Run, words: tuple[str, ...], sentence: str) -> None:
    result = run(*FILES, *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not Path("recipe.yaml").exists()


def test_what_is_missing_is_asked_for_at_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "at_terminal", lambda: True)
    result = run(said="a.de\na.en\ny\n\n")
    assert result.exit_code == 0, result.stderr
    asked = [line.split("? ")[0] for line in result.stdout.split(": ")]
    assert asked[0].startswith("Source sentences, one a line; or one file for both sides")
    assert "Languages" not in result.stdout  # the names of the files tell
    written = recipe(Path("recipe.yaml"))
    assert (written.backbone, written.data.train.files[0].direction) == ("lab", "de-en")
    assert written.data.train.files[0].both


def test_nothing_is_asked_where_nothing_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "at_terminal", lambda: True)
    assert run(*FILES).stdout.startswith("54 pairs to learn from")


def test_an_end_instead_of_an_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "at_terminal", lambda: True)
    result = run()
    assert result.exit_code == 2
    assert result.stderr == "which text? Name --source and --target, or one --table\n"


def test_nothing_is_asked_without_a_terminal(run: Run) -> None:
    result = run(said="a.de\na.en\n")
    assert (result.exit_code, result.stdout) == (2, "")
