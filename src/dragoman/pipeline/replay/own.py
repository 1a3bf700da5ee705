"""The backbone's own prompts, drawn from itself: what it expects a user to write where the user's turn begins.

The prompt is the chat format up to where the user's text would stand, as in Magpie (arXiv 2406.08464). As that is the
same prompt for all, and a completion depends on prompt and seed alone, all draws would be the same. So they are dealt
out over the likeliest first tokens in proportion to their probabilities; beginnings that get several draws are dealt
out again; and one that gets a single draw is written to its end at temperature 1. Each prompt is one line.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

import numpy as np

from dragoman.corpora.records import Request, Turn, draw
from dragoman.errors import DataError
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.generation.door import Asking
from dragoman.prompts.speak import Speaker

ORIGIN = "own"
LIKELY = 20  # tokens over which draws are dealt out
DEEPEST = 32  # tokens of a beginning
LONGEST = 96  # tokens of what is written to its end


def own_prompts(count: int, seed: int, speak: Speaker, dropped: Counter[str]) -> Asking[list[Request]]:
    """Up to `count` prompts of the backbone's own; those that are no good are counted in `dropped`, by reason.

    Raises `DataError` if the chat format puts nothing before a user's text, so that there is nothing to go on from.
    """
    opening, after = speak.renderer.opening
    if not opening:
        raise DataError(
            "data.replay: the chat format of the backbone puts nothing before the user's text, so its own prompts "
            "can't be drawn. Name a corpus or a file instead of `own`."
        )
    ends = speak.renderer.ends_of_line
    texts: list[tuple[str, bool]] = []  # and whether it ended
    begun: dict[Ids, int] = {(): count}
    single: list[Ids] = []
    failed = 0
    first = Sampling(1, ends, logprobs=LIKELY)
    for _ in range(DEEPEST):
        if not begun:
            break
        likely = yield Ask("backbone", [opening + ids for ids in begun], first, "how its own prompts begin")
        longer: dict[Ids, int] = {}
        for (ids, draws), completion in zip(begun.items(), likely, strict=True):
            dealt = _dealt(ids, draws, completion, seed)
            failed += draws - dealt.total()
            for token, many in dealt.items():
                if token in ends:
                    texts += [(speak.decode((*ids, token)), True)] * many
                elif many == 1:
                    single.append((*ids, token))
                else:
                    longer[*ids, token] = many
        begun = longer
    counted = {"duplicate": sum(many - 1 for many in begun.values()), "own prompts: the request failed": failed}
    dropped.update({reason: many for reason, many in counted.items() if many})
    single += begun
    rest = Sampling(LONGEST, ends, temperature=1.0, seed=seed)
    completions = yield Ask("backbone", [opening + ids for ids in single], rest, "its own prompts")
    for ids, completion in zip(single, completions, strict=True):
        texts.append((speak.decode(ids + completion.ids), completion.finish == "stop"))
    return list(_read(texts, next(iter(after.split()), ""), dropped))


def _dealt(ids: Ids, draws: int, completion: Completion, seed: int) -> Counter[int]:
    """How many draws each of the likeliest next tokens gets; none if the request failed."""
    likely = (completion.logprobs or ((),))[0]
    if not likely:
        return Counter()
    chances = np.array(list(accumulate(np.exp(logprob) for _, logprob in likely)))
    drawn = [draw(f"{ids} {number}", "own prompts", seed) * chances[-1] for number in range(draws)]
    return Counter(likely[at][0] for at in np.searchsorted(chances, drawn, side="right"))


def _read(texts: list[tuple[str, bool]], closing: str, dropped: Counter[str]) -> Iterator[Request]:
    """The prompts in what was written, up to the line's end or to what the chat format puts after a user's text."""
    for text, ended in texts:
        line, broken, _ = text.lstrip().partition("\n")
        prompt, closed, _ = line.partition(closing) if closing else (line, "", "")
        if not any(map(str.isalpha, prompt)):
            dropped["own prompts: empty"] += 1
        elif not (ended or broken or closed):
            dropped["own prompts: not ended"] += 1
        else:
            yield Request((Turn("user", prompt.strip()),), origin=ORIGIN)
