"""The engine against transformers' own `generate`, token for token."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.hf import HfEngine

Spell = Callable[[Sequence[int]], str]
GREEDY = Sampling(max_tokens=24, stop=(5, 11))
DRAWN = replace(GREEDY, temperature=1.0, seed=4)


def run(
    model: Any, spell: Spell, prompts: Sequence[Ids], sampling: Sampling, batch_tokens: int = 600
) -> list[Completion]:
    engine = HfEngine(model, decode=spell, batch_tokens=batch_tokens)
    done = dict(engine.complete(prompts, sampling))
    assert sorted(done) == list(range(len(prompts)))
    return [done[index] for index in range(len(prompts))]


def plain(model: Any, prompt: Ids, sampling: Sampling, **more: Any) -> Ids:
    ids = torch.tensor([prompt])
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=sampling.max_tokens,
        eos_token_id=list(sampling.stop),
        **more,
    )
    return tuple(out[0, len(prompt) :].tolist())


def test_greedy_equals_plain_generate(tiny: Any, spell: Spell, prompts: list[Ids]) -> None:
    answers = run(tiny, spell, prompts, GREEDY)
    assert [answer.ids for answer in answers] == [plain(tiny, prompt, GREEDY) for prompt in prompts]
    ends = Counter(answer.finish for answer in answers)
    assert ends["stop"] >= 5
    assert ends["length"] >= 5
    for answer in answers:
        assert (answer.ids[-1] in GREEDY.stop) == (answer.finish == "stop")
        assert (len(answer.ids) == 24) or answer.finish == "stop"
        assert answer.text == spell(answer.body)
        assert not set(answer.body) & set(GREEDY.stop)
        assert answer.logprobs is None
    assert len({answer.ids for answer in answers}) > 30
