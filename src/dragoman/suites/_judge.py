"""Shared by suites with a judge: which prompts fit, how a judge is asked, and how its verdict is read.

A rating has the form of FastChat's judge prompts, `[[7]]`. Anything else is no judgement: it is counted, and nothing
is made up for it.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from itertools import compress

from dragoman.corpora.records import Turn
from dragoman.errors import TemplateError
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.recipe.judging import Judge
from dragoman.suites._suite import Speaker

HIGHEST = 10.0

_RATING = re.compile(r"\[\[([0-9]+\.?[0-9]*)\]\]")
_BARE_RATING = re.compile(r"\[([0-9]+\.?[0-9]*)\]")


def fits(speak: Speaker, prompt: Ids) -> bool:
    """Whether a prompt leaves room for an answer in the model's context."""
    return speak.context is None or len(prompt) < speak.context


def asked(
    model: str, prompts: Sequence[Ids | None], speak: Speaker, sampling: Sampling, purpose: str
) -> Generator[Ask, list[Completion], list[Completion | None]]:
    """The completions of those prompts that leave room for an answer; None in place of the others."""
    fitting = [prompt is not None and fits(speak, prompt) for prompt in prompts]
    wanted = [prompt for prompt in compress(prompts, fitting) if prompt is not None]
    completions = iter((yield Ask(model, wanted, sampling, purpose)) if wanted else [])
    return [next(completions) if room else None for room in fitting]


def rating(judgement: str) -> float | None:
    """The first `[[n]]` of a judgement, otherwise the first `[n]`; None if there is neither."""
    found = _RATING.search(judgement) or _BARE_RATING.search(judgement)
    return float(found[1]) if found else None


def judge_prompt(speak: Speaker, system: str, text: str) -> Ids:
    """A judge's prompt: a system prompt and a text, or both as one text if its chat format has no system prompt."""
    if not system:
        return speak.turns((Turn("user", text),))
    try:
        return speak.turns((Turn("system", system), Turn("user", text)))
    except TemplateError:
        return speak.turns((Turn("user", f"{system.strip()}\n\n{text}"),))


def judge_name(judge: Judge | None) -> str:
    """A judge's name in signatures: the server's name for it if it is served, otherwise its model's name.

    `server` for a served judge without model and address in the recipe.
    """
    if judge is None:
        return "backbone"
    server = judge.generation.openai if judge.generation and judge.generation.engine == "openai" else None
    return (server and (server.model or judge.model or server.address)) or judge.model or "server"


def counted(notes: Mapping[str, int]) -> dict[str, int]:
    """Notes on what went wrong, without those of count 0."""
    return {note: count for note, count in notes.items() if count}
