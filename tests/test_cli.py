"""The commands as a user meets them: what they print, and how they end."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from dragoman import cli, errors
from dragoman.commands import doctor
from dragoman.commands.recipes import recipe

COMMANDS = [
    "demo",
    "init",
    "run",
    "show",
    "tune",
    "generate",
    "train",
    "merge",
    "evaluate",
    "score",
    "report",
    "scale",
    "verdict",
    "translate",
    "chat",
    "doctor",
    "analyze",
    "data",
    "lab",
    "models",
    "store",
]
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli.app, [str(word) for word in words])


def write_pairs(folder: Path, count: int) -> None:
    """`a.de` and `a.en`; every fifth source sentence occurs twice, with another translation."""
    sources = [f"Satz {index - index % 5 // 4}" for index in range(count)]
    (folder / "a.de").write_text("".join(f"{source}\n" for source in sources), encoding="utf-8")
    (folder / "a.en").write_text("".join(f"sentence {index}\n" for index in range(count)), encoding="utf-8")


def test_help_lists_the_commands(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    listed = [line.split()[0] for line in result.stdout.partition("Commands:\n")[2].splitlines()]
    assert listed == COMMANDS
    for command in listed:
        assert run(command, "--help").exit_code == 0


def test_version(run: Run) -> None:
    assert run("--version").stdout == "dragoman 0.1.0\n"


@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [
        (errors.RecipeError("recipe.yaml:1: no"), 2, "recipe.yaml:1: no\n"),
        (errors.EngineError("no such model"), 1, "no such model\n"),
        (FileNotFoundError(2, "No such file or directory", "a.txt"), 1, "a.txt: No such file or directory\n"),
        (OSError(28, "No space left on device"), 1, "the disk is full; make room and run again\n"),
        (KeyboardInterrupt(), 130, "stopped; what was finished is kept; run again to go on\n"),
    ],
)
def test_faults_become_sentences(
    run: Run, monkeypatch: pytest.MonkeyPatch, fault: BaseException, code: int, sentence: str
) -> None:
    def fail() -> None:
        raise fault

    monkeypatch.setattr(doctor, "findings", fail)
    result = run("doctor")
    assert (result.exit_code, result.stderr) == (code, sentence)
    monkeypatch.setenv("DRAGOMAN_DEBUG", "1")
    if not isinstance(fault, KeyboardInterrupt):
        assert run("doctor").exception is fault


def test_lab_world(run: Run) -> None:
    result = run("lab", "world", "--direction", "de-it", "--count", "3")
    assert result.exit_code == 0
    assert [len(line.split("\t")) for line in result.stdout.splitlines()] == [2, 2, 2]
    assert run("lab", "world", "--direction", "de-it", "--count", "3").stdout == result.stdout
    assert run("lab", "world", "--direction", "de-it", "--count", "3", "--seed", "1").stdout != result.stdout
    assert run("lab", "world", "--family", "arithmetic", "--count", "1").stdout.startswith("user: ")
    refused = run("lab", "world", "--direction", "de-fr")
    assert refused.stderr == "--direction de-fr: the lab has en, de and it, but not fr\n"
    assert refused.exit_code == 2


def test_pretraining_anew_deletes_nothing_else(run: Run) -> None:
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("keep me", encoding="utf-8")
    assert run("lab", "pretrain", "mine", "--anew").exit_code == 2
    assert Path("mine/notes.txt").read_text(encoding="utf-8") == "keep me"


def test_init_writes_a_recipe_that_loads(run: Run, tmp_path: Path) -> None:
    write_pairs(tmp_path, 100)
    result = run("init", "--source", "a.de", "--target", "a.en", "--output", "my first.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    written = recipe(Path("my first.yaml"))
    assert (written.name, written.backbone) == ("my-first", "Qwen/Qwen2.5-1.5B-Instruct")
    assert [next(iter(method)) for method in written.methods] == ["keep", "vanilla", "radis"]
    records = {
        part: [json.loads(line) for line in Path(f"data/{part}.jsonl").read_text(encoding="utf-8").splitlines()]
        for part in ("train", "test")
    }
    assert len(records["train"]) + len(records["test"]) == 100
    sentences = {part: {record["source"] for record in chosen} for part, chosen in records.items()}
    assert len(sentences["test"]) == 8  # a tenth of 80 different sentences
    assert not sentences["train"] & sentences["test"]
    assert f"{len(records['train'])} pairs to learn from and {len(records['test'])} to be judged on, in data" in (
        result.stdout
    )
    (held,) = written.data.test.files
    assert (held.table, held.direction) == ("data/test.jsonl", "de-en")


def test_init_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    write_pairs(tmp_path, 20)
    Path("recipe.yaml").write_text("mine", encoding="utf-8")
    result = run("init", "--source", "a.de", "--target", "a.en")
    assert result.exit_code == 2
    assert result.stderr == "recipe.yaml: there already. Take another --output or --data, or say --force\n"
    assert Path("recipe.yaml").read_text(encoding="utf-8") == "mine"
    assert not Path("data").exists()
    assert run("init", "--source", "a.de", "--target", "a.en", "--force", "--test", "3").exit_code == 0
    assert recipe(Path("recipe.yaml")).name == "de-en"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--source", "a.de"), "which text? Name --source and --target, or one --table\n"),
        (("--table", "a.tsv"), "which languages are these? Say so, as in --direction de-en\n"),
        (("--source", "a.de", "--target", "a.txt"), "'.txt' names none; say so, as in --direction de-en\n"),
        (("--table", "a.tsv", "--direction", "de-de"), "--direction de-de: write source and target language"),
        (("--table", "a.tsv", "--direction", "de-xx"), "the language code 'xx' is not known"),
        (("--source", "a.de", "--target", "b.en"), "there is no file b.en (paths count from the folder you are in: "),
        (("--source", "a.de", "--target", "a.en", "--test", "99"), "4 different source sentences are too few"),
    ],
)
def test_init_says_what_is_wrong(run: Run, tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    write_pairs(tmp_path, 5)
    result = run("init", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_doctor_knows_the_tested_versions(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert f"ok      versions      {len(doctor.CORE)} of {len(doctor.CORE)} main libraries" in result.stdout
    monkeypatch.setattr(doctor, "version", lambda name: "0.0.1")
    result = run("doctor")
    torch = doctor.pins()["torch"]
    assert f"note    torch         0.0.1; tested with {torch} → pip install torch=={torch}\n" in result.stdout


def test_doctor_tells_where_every_start_compiles_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libraries = [tmp_path / "torch", tmp_path / "peft"]
    for folder in libraries:
        folder.mkdir()
        (folder / "__init__.py").write_text("")
    found = {folder.name: SimpleNamespace(origin=str(folder / "__init__.py")) for folder in libraries}
    monkeypatch.setattr(importlib.util, "find_spec", found.get)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert doctor._byte_code().text == "torch, peft will be compiled when they are first imported"
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    bare = doctor._byte_code()
    assert bare.verdict == "note"
    assert "none of torch, peft, and PYTHONDONTWRITEBYTECODE is set" in bare.text
    subprocess.run([sys.executable, *bare.advice.split()[1:]], check=True)  # what it advises helps
    assert doctor._byte_code().verdict == "ok"
