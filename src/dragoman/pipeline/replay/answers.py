"""Answers to replay prompts: what the backbone says to each becomes an example."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dragoman.corpora.records import Request
from dragoman.generation.ask import Ask, Sampling
from dragoman.generation.door import Asking
from dragoman.prompts.examples import Example
from dragoman.prompts.speak import Speaker

SEGMENT = "replay"


@dataclass(slots=True)
class Answered:
    """The examples of some prompts, and what was counted on the way."""

    examples: list[Example] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """Prompts without an example, by reason."""
    cut_off: int = 0
    """Answers that ended at the limit; their end is not trained."""


def answers(requests: Sequence[Request], speak: Speaker, sampling: Sampling, longest: int) -> Asking[Answered]:
    """Each prompt of at most `longest` tokens with the backbone's own answer. Empty answers are left out."""
    prompts = [(request.key, speak.turns(request.turns)) for request in requests]
    fitting = [(key, ids) for key, ids in prompts if len(ids) <= longest]
    found = Answered()
    found.left_out[f"longer than {longest:,} tokens"] += len(prompts) - len(fitting)
    completions = yield Ask("backbone", [ids for _, ids in fitting], sampling, "replay answers")
    for (key, ids), completion in zip(fitting, completions, strict=True):
        if completion.finish == "failed":
            found.left_out["not answered: the request failed"] += 1
        elif not completion.text.strip():
            found.left_out["answered with nothing"] += 1
        else:
            found.cut_off += completion.finish == "length"
            found.examples.append(speak.own(key, ids, completion, SEGMENT))
    return found
