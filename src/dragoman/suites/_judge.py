"""What suites share that ask and are judged: what is asked, whom, what a judge is told, and what it said.

A rating has the form of FastChat's judge prompts, `[[7]]`. Whatever has none is no judgement: it is counted, and
nothing is made up for it.
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
    """The completions of those prompts that leave room for an answer; None in the place of all others."""
    fitting = [prompt is not None and fits(speak, prompt) for prompt in prompts]
    wanted = [prompt for prompt in compress(prompts, fitting) if prompt is not None]
    completions = iter((yield Ask(model, wanted, sampling, purpose)) if wanted else [])
    return [next(completions) if room else None for room in fitting]


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


def judge_name(judge: Judge | None) -> str:
    """A judge as a signature names it: by its name on a server where one judges, else by that of its model.

    `server` where one judges of which the recipe says neither the model nor the address.
    """
    if judge is None:
        return "backbone"
    server = judge.generation.openai if judge.generation and judge.generation.engine == "openai" else None
    return (server and (server.model or judge.model or server.address)) or judge.model or "server"


def counted(notes: Mapping[str, int]) -> dict[str, int]:
    """Notes on what went wrong, those left out that count nothing."""
    return {note: count for note, count in notes.items() if count}
