"""What is read out of a judgement."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.records import Turn
from dragoman.errors import TemplateError
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Generation, Server
from dragoman.recipe.judging import Judge
from dragoman.suites._judge import fits, judge_name, judge_prompt, rating
from tests.suites.mute import Mute


def server(**at: Any) -> Generation:
    return Generation(engine="openai", openai=Server(**at))


@pytest.mark.parametrize(
    ("judgement", "value"),
    [
        ("A fine answer. Rating: [[7]]", 7.0),
        ("[[8.5]] out of [[10]]", 8.5),
        ("As in [1], so the rating is [[2]].", 2.0),  # the full form comes first, wherever it stands
        ("Rating: [6]", 6.0),
        ("Rating: [[ 6 ]]", None),
        ("Rating: 6", None),
        ("[[rating]]", None),
        ("[[-1]]", None),
        ("[[٥]]", None),
        ("$ERROR$", None),
        ("", None),
    ],
)
def test_ratings(judgement: str, value: float | None) -> None:
    assert rating(judgement) == value


class Named(Mute):
    """A speaker whose ids are the letters of all turns; one that knows no system prompt refuses it."""

    context: int | None = 9

    def __init__(self, system: bool = True):
        self.system = system

    def turns(self, turns: Any) -> tuple[int, ...]:
        if not self.system and turns[0].role == "system":
            raise TemplateError("no system prompt")
        return tuple(map(ord, "|".join(turn.text for turn in turns)))


def test_a_judge_without_system_prompts_gets_one_text() -> None:
    read: Callable[..., str] = lambda ids: "".join(map(chr, ids))  # noqa: E731
    assert read(judge_prompt(Named(), "Judge.\n\n", "Text")) == "Judge.\n\n|Text"
    assert read(judge_prompt(Named(system=False), "Judge.\n\n", "Text")) == "Judge.\n\nText"
    assert read(judge_prompt(Named(), "", "Text")) == "Text"
    assert fits(Named(), (1,) * 8)
    assert not fits(Named(), (1,) * 9)


def test_a_real_template_that_refuses_a_system_prompt(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "tokenizers" / "mistral-7b-instruct-v0.2"
    shutil.copytree(folder, tmp_path / "judge")
    shutil.copy(folder / "tokenizer_config.2023-12.json", tmp_path / "judge" / "tokenizer_config.json")
    speak = Speaker(Renderer.load(tmp_path / "judge"))
    with pytest.raises(TemplateError):
        speak.turns((Turn("system", "Judge impartially."), Turn("user", "4")))
    assert judge_prompt(speak, "Judge impartially.", "4") == speak.chat("Judge impartially.\n\n4")


@pytest.mark.parametrize(
    ("judge", "name"),
    [
        (None, "backbone"),
        (Judge(model="org/judge-7b"), "org/judge-7b"),
        (Judge(model="org/j", generation=server(address="http://h/v1")), "org/j"),
        (
            Judge(
                model="org/j", generation=Generation(engine="openai", openai=Server(address="http://h/v1", model="big"))
            ),
            "big",
        ),
        (Judge(generation=server(address="http://h/v1")), "http://h/v1"),
        (Judge(generation=Generation(engine="openai")), "server"),
        (Judge(generation=Generation(engine="hf", openai=Server(model="big")), model="small"), "small"),
    ],
)
def test_names_of_judges(judge: Judge | None, name: str) -> None:
    assert judge_name(judge) == name
