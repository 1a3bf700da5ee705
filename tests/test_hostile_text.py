"""Names and texts that would steer a terminal, or be markup to rich, through every command that shows them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner, Result

from dragoman import cli, terminal
from dragoman.commands.chat.command import Conversation, converse
from dragoman.commands.chat.talker import Talker
from dragoman.corpora.records import Turn
from dragoman.pipeline.translate_file import lines as translating
from dragoman.terminal import visible

STEERING = "\x1b[2J\x07\x9b31m\u202e"
EVIL = f"{STEERING}[/b][red]"
RECIPE = f"""\
name: small
backbone: lab
system: "{EVIL.encode("unicode_escape").decode()}"
runs: "out[/b]{STEERING.encode("unicode_escape").decode()}"
data: {{train: {{corpus: lab, directions: [en-de], limit: 20}}, test: {{corpus: lab, directions: [en-de], limit: 4}}}}
methods: [vanilla]
"""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command in a folder with hostile files; what it prints must obey no one, whatever comes of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terminal, "on_screen", lambda: True)
    Path("small.yaml").write_text(RECIPE, encoding="utf-8")
    Path(f"{EVIL[:-9]}.tsv").write_text("".join(f"Satz {EVIL} {n}\tText {n}\n" for n in range(30)), encoding="utf-8")
    Path(f"{EVIL[:-9]}.de").write_text("Ja.\n", encoding="utf-8")

    def invoke(*words: str | Path, code: int = 0, said: str = "[/b]", **how: Any) -> Result:
        result = CliRunner().invoke(cli.app, [str(word) for word in words], **how)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == code, result.output
        assert said in result.output
        assert not [sign for sign in STEERING if sign != "[" and not sign.isalnum() and sign in result.output]
        return result

    return invoke


def test_a_plan_and_a_recipe(run: Run) -> None:
    run("run", "small.yaml", "--dry-run", said="7 of 7 stages are to do")
    shown = run("show", "small.yaml", "--examples", "0", said="[/b][red]")
    assert "\\e[2J" in shown.stdout  # as YAML has it
    run("run", "small.yaml", f"system={EVIL}", code=2)
    run("run", "small.yaml", f"name={EVIL.replace(STEERING, '')}", code=2, said="[/b][red]")


def test_pairs_and_the_names_of_their_files(run: Run) -> None:
    table = f"{EVIL[:-9]}.tsv"
    run("data", "inspect", "--table", table, "--direction", "de-en", said=visible(EVIL))
    run("data", "inspect", "--table", f"no{table}", "--direction", "de-en", code=2, said=visible(f"no{table}"))
    run("data", "inspect", "--source", f"{EVIL[:-9]}.de", "--target", "a.en", code=2, said="there is no file")
    made = run("init", "--table", table, "--direction", "de-en", "--data", f"d{EVIL[:-9]}", said="pairs to learn from")
    assert visible(f"d{EVIL[:-9]}") in made.stdout
    run("data", "demonstrations", "--table", table, "--direction", "de-en", said="demonstrations in")
    run("data", "get", EVIL, code=2)


def test_scores_and_models(run: Run) -> None:
    name = f"{EVIL[:-9]}.de"
    run("score", "--metric", "bleu", "--hyp", name, "--ref", name, said='"system": ')
    run("score", "--metric", "bleu", "--hyp", name, "--ref", f"{EVIL[:-9]}.tsv", code=2, said="line by line")
    run("score", "--metric", EVIL, "--hyp", name, code=2)
    run("score", "--task", "gsm8k", "--data", EVIL.replace("/", ""), "--predictions", name, code=2, said="[b]")
    run("evaluate", EVIL, code=2)
    run("evaluate", EVIL, "--suite", EVIL, code=2)
    run("report", "--compare", EVIL, "x", code=2)
    run(EVIL, code=2)
    run("run", f"--{EVIL}", code=2)
    run("run", f"{EVIL}.yaml", code=2)


class Parrot:
    """A model that says what no terminal should obey."""

    def answer(self, turns: Sequence[Turn], temperature: float = 0.0) -> str:
        return EVIL

    def translate(self, text: str, direction: str) -> str:
        return f"{direction} {EVIL}"


def parroted(recipe: object, lines: Sequence[str], *languages: object) -> translating.TranslatedLines:
    return translating.TranslatedLines([f"{line} {EVIL}" for line in lines], {}, None, [], [])


def test_answers(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Talker, "load", lambda *_, **__: Parrot())
    run("chat", EVIL, input="Hi\n\n", said=visible(EVIL))
    said = iter(["Hi", f"/{EVIL}", f"/translate {EVIL} x"])
    converse(Conversation(cast("Talker", Parrot())), EVIL, lambda _: next(said, "/quit"))
    assert f"{visible(EVIL)}: {visible(EVIL)}" in capsys.readouterr().out
    monkeypatch.setattr(translating, "translate_lines", parroted)
    (tmp_path / "a.txt").write_bytes("eins\u2028\r\n\nzwei".encode())
    monkeypatch.setattr(terminal, "on_screen", lambda: False)
    plain = CliRunner().invoke(cli.app, ["translate", "lab", "--direction", "de-en", "a.txt"])
    assert plain.stdout == f"eins\u2028 {EVIL}\n {EVIL}\nzwei {EVIL}\n"  # into a file or a pipe, as it is
    (tmp_path / "b.txt").write_bytes(b"eins\n\xff")
    run("translate", "lab", "--direction", "de-en", "b.txt", code=2, said="b.txt, line 2: not valid UTF-8")
    run("translate", "lab", "--direction", "de-en", input=b"\xff", code=2, said="standard input, line 1: not valid")


def test_analyses(run: Run) -> None:
    run("analyze", "rationales", "small.yaml", "--row", EVIL, code=2)
    run("analyze", "drift", f"{EVIL}.yaml", code=2)


def test_what_a_fault_of_ours_quotes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise RuntimeError(EVIL)

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.endswith(f"RuntimeError: {visible(EVIL)}\n")
