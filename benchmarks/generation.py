"""How fast the `hf` engine is, against transformers' plain `generate` in batches of 16 in data order.

Both complete the same prompts greedily with the same model in the same precision, in one process,
turn by turn. The model is the lab's backbone where there is one, and random weights of that size
where there is none. `python benchmarks/generation.py [--prompts 1000] [--out FILE]`.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

import dragoman.lab
from dragoman.generation.ask import Ids, Sampling
from dragoman.generation.hf import HfEngine
from dragoman.generation.models import load_model, pick_device, pick_dtype

NEW_TOKENS = 48
PLAIN_BATCH = 16


def measure(prompts: int = 1000, batch_tokens: int = 32768, rounds: int = 2) -> dict[str, Any]:
    """Tokens a second of both ways (the better of `rounds`), their ratio, and how many answers agree."""
    model, name, stop = _model()
    asked = _prompts(model.config.vocab_size, prompts)
    engine = HfEngine(model, decode=lambda ids: "", batch_tokens=batch_tokens)
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
        "model": name,
        "precision": str(model.dtype).removeprefix("torch."),
        "device": str(model.device),
        "threads": torch.get_num_threads(),
        "prompts": prompts,
        "new_tokens": NEW_TOKENS,
        "batch_tokens": batch_tokens,
        "generate_tokens_per_second": round(rates["generate"], 1),
        "engine_tokens_per_second": round(rates["engine"], 1),
        "ratio": round(rates["engine"] / rates["generate"], 2),
        "answers_alike": round(same / prompts, 4),
    }


def _model() -> tuple[Any, str, Ids]:
    backbone = Path(dragoman.lab.__path__[0]) / "backbone"
    if (backbone / "config.json").is_file():
        model = load_model(backbone)
        stop = model.generation_config.eos_token_id
        return model, "lab", tuple(stop) if isinstance(stop, list) else (stop,)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=4096,
        hidden_size=256,
        intermediate_size=640,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    device = pick_device()
    model = LlamaForCausalLM(config).to(device, pick_dtype("auto", device)).eval()
    return model, f"random, {model.num_parameters() / 1e6:.1f}M parameters", (1,)


def _prompts(vocabulary: int, count: int) -> list[Ids]:
    """Lengths as of sentences in a chat template: most are short, some are long."""
    rng = random.Random(0)
    return [
        tuple(rng.randrange(3, vocabulary) for _ in range(min(200, 20 + int(rng.expovariate(1 / 30)))))
        for _ in range(count)
    ]


@torch.inference_mode()
def _plain(model: Any, prompts: list[Ids], stop: Ids) -> list[Ids]:
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
            max_new_tokens=NEW_TOKENS,
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--batch-tokens", type=int, default=32768)
    parser.add_argument("--out", type=Path, help="write the numbers here as JSON")
    arguments = parser.parse_args()
    result = measure(arguments.prompts, arguments.batch_tokens)
    for key, value in result.items():
        print(f"{key:28} {value}")
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
