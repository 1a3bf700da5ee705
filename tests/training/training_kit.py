"""What the training tests share: random examples, small settings, and reading the log."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM

from dragoman.prompts.examples import Example, Segment
from dragoman.recipe.training import Lora, Training

VOCABULARY = 97


def examples(count: int, rationale: float = 1.0, seed: int = 0, longest: int = 40) -> list[Example]:
    """Examples of very different lengths; one in four has no rationale."""
    dice = random.Random(seed)

    def ids(low: int, high: int) -> tuple[int, ...]:
        return tuple(dice.randrange(VOCABULARY) for _ in range(dice.randint(low, high)))

    made = []
    for number in range(count):
        segments = [Segment("prompt", ids(2, 9), 0.0), Segment("reference", ids(1, 12))]
        if number % 4:
            segments.append(Segment("rationale", ids(1, longest), rationale))
        made.append(Example((*segments, Segment("end", (2,)))))
    return made


def replayed(count: int, seed: int = 9) -> list[Example]:
    """Replay examples: prompts, and answers of which some were cut off."""
    dice = random.Random(seed)

    def ids(low: int, high: int) -> tuple[int, ...]:
        return tuple(dice.randrange(VOCABULARY) for _ in range(dice.randint(low, high)))

    made = []
    for number in range(count):
        parts = Segment("prompt", ids(2, 6), 0.0), Segment("replay", ids(3, 12)), Segment("end", (2,))
        made.append(Example(parts[: 3 if number % 3 else 2]))
    return made


@torch.no_grad()
def remembered(made: list[Example], model: Path, count: int, names: tuple[str, ...]) -> list[Example]:
    """The same examples, with what a model finds likely at every token of these segments."""
    causal = LlamaForCausalLM.from_pretrained(model)
    kept = []
    for example in made:
        found = causal(input_ids=torch.tensor(example.ids)[None]).logits[0].log_softmax(-1).topk(count)
        pairs = zip(found.indices.tolist(), found.values.tolist(), strict=True)
        before = [(), *(tuple(zip(*pair, strict=True)) for pair in pairs)]
        parts, at = [], 0
        for segment in example.segments:
            told = tuple(before[at : at + len(segment.ids)]) if segment.name in names else ()
            parts.append(replace(segment, logprobs=told))
            at += len(segment.ids)
        kept.append(replace(example, segments=tuple(parts)))
    return kept


def settings(**changes: Any) -> Training:
    """Small and exact: fp32, rank 4, four examples a step."""
    usual = {"epochs": 1, "batch_size": 4, "learning_rate": 1e-2, "precision": "fp32", "lora": Lora(rank=4)}
    return Training(**{**usual, **changes})


def metrics(out: Path) -> list[dict[str, float]]:
    """The lines of a run's log."""
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
