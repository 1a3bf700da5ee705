"""What a judge is asked and what it said: the conversation with it, and its rating read out of the text.

The form is that of FastChat's judge prompts, `[[7]]`. Whatever has none is no judgement: it is counted, and nothing is
made up for it.
"""

import re
from typing import Any, Protocol

from dragoman.corpora.records import Turn
from dragoman.errors import TemplateError
from dragoman.generation.ask import Ids
from dragoman.recipe.judging import Judge

HIGHEST = 10.0

_RATING = re.compile(r"\[\[([0-9]+\.?[0-9]*)\]\]")
_BARE_RATING = re.compile(r"\[([0-9]+\.?[0-9]*)\]")


class Speaker(Protocol):
    """What is needed of `prompts.speak.Speaker` to speak to a judge."""

    @property
    def context(self) -> int | None: ...

    def turns(self, turns: Any) -> Ids: ...


def rating(judgement: str) -> float | None:
    """The first `[[n]]` of a judgement, or the first `[n]` where there is none; None where there is neither."""
    found = _RATING.search(judgement) or _BARE_RATING.search(judgement)
    return float(found[1]) if found else None


def judge_prompt(speak: Speaker, system: str, text: str) -> Ids:
    """What a judge is asked: a system prompt and a text, or one text of both where its chat format knows no system."""
    if not system:
        return speak.turns((Turn("user", text),))
    try:
        return speak.turns((Turn("system", system), Turn("user", text)))
    except TemplateError:
        return speak.turns((Turn("user", f"{system.strip()}\n\n{text}"),))


def fits(speak: Speaker, prompt: Ids) -> bool:
    """Whether a prompt leaves room for an answer in the model's context."""
    return speak.context is None or len(prompt) < speak.context


def judge_name(judge: Judge | None) -> str:
    """A judge as a signature names it: by its name on a server where one judges, else by that of its model.

    `server` where one judges of which the recipe says neither the model nor the address.
    """
    if judge is None:
        return "backbone"
    server = judge.generation.openai if judge.generation and judge.generation.engine == "openai" else None
    return (server and (server.model or judge.model or server.address)) or judge.model or "server"
