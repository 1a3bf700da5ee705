"""How fast the `hf` engine is, against transformers' plain `generate` in batches of 16 in data order.

Both complete the same prompts greedily with the same model in the same precision, in one process,
turn by turn: the lab's backbone, or another shape with random weights, asked for translations and with
the questions of the lab's abilities. `python benchmarks/generation.py [--geometry 7b] [--prompts 1000] [--out FILE]`.
"""

import random
import time
from collections.abc import Callable
from typing import Any

import command
import geometry
import torch

from dragoman.generation.ask import Ids, Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import BACKBONE, world
from dragoman.lab.abilities import FAMILIES, questions
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker

NEW_TOKENS = 48
PLAIN_BATCH = 16


def measure(shape: str = "lab", prompts: int = 1000, batch_tokens: int = 32768, rounds: int = 2) -> dict[str, Any]:
    """Tokens a second of both ways (the better of `rounds`), their ratio, and how many answers agree."""
    model, speak = geometry.model_of(shape), Speaker(Renderer.load(BACKBONE))
    asked, stop = _prompts(speak, prompts), speak.stop
    engine = HfEngine(model, decode=speak.decode, batch_tokens=batch_tokens)
    sampling = Sampling(max_tokens=NEW_TOKENS, stop=stop)
    ways: dict[str, Callable[[list[Ids]], list[Ids]]] = {
        "generate": lambda some: _plain(model, some, stop),
        "engine": lambda some: _engine(engine, some, sampling),
    }
    seconds = dict.fromkeys(ways, float("inf"))
    answers: dict[str, list[Ids]] = {}
    for way in ways.values():
        way(asked[:PLAIN_BATCH])  # the first calls pay for what is set up once
    for _ in range(rounds):
        for label, way in ways.items():
            start = time.perf_counter()
            answers[label] = way(asked)
            seconds[label] = min(seconds[label], time.perf_counter() - start)
    rates = {label: sum(map(len, answers[label])) / seconds[label] for label in ways}
    same = sum(one == other for one, other in zip(answers["generate"], answers["engine"], strict=True))
    return {
        "model": f"{shape}, {model.num_parameters() / 1e6:.1f}M parameters",
        "precision": str(model.dtype).removeprefix("torch."),
        "device": str(model.device),
        "threads": torch.get_num_threads(),
        "prompts": len(asked),
        "new_tokens": NEW_TOKENS,
        "batch_tokens": batch_tokens,
        "generate_tokens_per_second": round(rates["generate"], 1),
        "engine_tokens_per_second": round(rates["engine"], 1),
        "ratio": round(rates["engine"] / rates["generate"], 2),
        "answers_alike": round(same / len(asked), 4),
    }


def _prompts(speak: Speaker, count: int) -> list[Ids]:
    """Half translations in four directions, half questions of every family, in mixed order."""
    pairs = world.pairs("test", ("de-en", "it-en", "en-de", "en-it"), -(-count // 8), seed=0)
    asked = [
        question for family in FAMILIES for question in questions(family, -(-count // (2 * len(FAMILIES))), seed=0)
    ]
    prompts = [speak.translate(pair) for pair in pairs] + [speak.question(question) for question in asked]
    return random.Random(0).sample(prompts, min(count, len(prompts)))


@torch.inference_mode()
def _plain(model: Any, prompts: list[Ids], stop: Ids, new_tokens: int = NEW_TOKENS) -> list[Ids]:
    answers = []
    for start in range(0, len(prompts), PLAIN_BATCH):
        batch = prompts[start : start + PLAIN_BATCH]
        width = max(map(len, batch))
        ids = torch.tensor([(0,) * (width - len(prompt)) + prompt for prompt in batch], device=model.device)
        mask = torch.tensor([(0,) * (width - len(prompt)) + (1,) * len(prompt) for prompt in batch])
        out = model.generate(
            ids,
            attention_mask=mask.to(model.device),
            do_sample=False,
            max_new_tokens=new_tokens,
            eos_token_id=list(stop),
            pad_token_id=0,
        )
        for row in out[:, width:].tolist():
            end = next((place + 1 for place, token in enumerate(row) if token in stop), len(row))
            answers.append(tuple(row[:end]))
    return answers


def _engine(engine: HfEngine, prompts: list[Ids], sampling: Sampling) -> list[Ids]:
    done = dict(engine.complete(prompts, sampling))
    return [done[index].ids for index in range(len(prompts))]


def main() -> None:
    options = command.parser(__doc__)
    geometry.add_argument(options)
    options.add_argument("--prompts", type=int, default=1000)
    options.add_argument("--batch-tokens", type=int, default=32768)
    arguments = options.parse_args()
    result = measure(arguments.geometry, arguments.prompts, arguments.batch_tokens)
    command.tell(result, arguments.out, command.lines(result))


if __name__ == "__main__":
    main()
