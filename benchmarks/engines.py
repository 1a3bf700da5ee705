"""How fast the engines are against each other, on rationale prefixes of the lab and on the same cores.

Each completes the same prompts greedily in bf16 after a warm-up, one engine after the other, handed to it as the door
does: in planned order, in shards to an engine that does not stream. Starting is timed apart. `generate` is
transformers' own in batches of 16 in data order.
`python benchmarks/engines.py [--geometry 7b] [--prompts 2000] [--rounds 2] [--out FILE]`.
"""

import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import command
import geometry
import torch
from generation import _plain

from dragoman.generation.ask import Completion, Engine, Ids, Sampling
from dragoman.generation.batches import planned
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import BACKBONE, world
from dragoman.models.loading import Precision, load_model
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Ray, Vllm

NEW_TOKENS = 96
WARM_UP = 64
PLAIN = 320  # prompts that are enough to know the pace of the slowest
SHARD = 512


class Plain:
    """transformers' `generate`, as an engine."""

    streams = False

    def __init__(self, folder: Path, precision: Precision = "bf16") -> None:
        self.model = load_model(folder, precision=precision)

    def complete(self, prompts: Any, sampling: Sampling) -> Any:
        answers = _plain(self.model, list(prompts), sampling.stop, sampling.max_tokens)
        yield from ((index, Completion(ids, "", "stop")) for index, ids in enumerate(answers))

    def close(self) -> None:
        self.model = None


def hf_engine(folder: Path, precision: Precision = "bf16") -> Engine:
    return HfEngine(folder, decode=no_text, precision=precision)


def vllm_engine(folder: Path, precision: Precision = "bf16") -> Engine:
    from dragoman.generation.vllm.engine import VllmEngine

    return VllmEngine(folder, decode=no_text, settings=Vllm(), precision=precision)


def ray_engine(folder: Path, precision: Precision = "bf16") -> Engine:
    from dragoman.generation.ray.engine import RayEngine

    return RayEngine(partial(hf_engine, folder, precision), Ray(engine="hf", actors=(2, 2)), shard=SHARD)


def no_text(ids: Sequence[int]) -> str:
    """Decoding costs every engine the same, and is left out."""
    return ""


def measure(shape: str = "lab", prompts: int = 2000, rounds: int = 2) -> dict[str, Any]:
    """Tokens a second of each engine that is installed (the better of `rounds`), and their ratios to `hf`."""
    if shape == "lab":
        return _measure(BACKBONE, prompts, rounds)
    with tempfile.TemporaryDirectory(prefix="dragoman-engines-") as folder:
        geometry.model_of(shape).save_pretrained(folder)
        return _measure(Path(folder), prompts, rounds)


def _measure(folder: Path, prompts: int, rounds: int) -> dict[str, Any]:
    speak = Speaker(Renderer.load(BACKBONE))
    directions = ("de-en", "it-en", "en-de", "en-it")
    # other prompts in each round: vLLM would remember those of the last
    sets = [world.pairs("test", directions, -(-prompts // 4), seed=turn)[:prompts] for turn in range(rounds + 1)]
    asked = [[speak.prefix(pair).ids for pair in pairs] for pairs in sets]
    return race(folder, asked, Sampling(max_tokens=NEW_TOKENS, stop=speak.stop), "bf16")


def race(folder: Path, asked: list[list[Ids]], sampling: Sampling, precision: Precision) -> dict[str, Any]:
    """The same for any model and rounds of prompts, the first of which warms up."""
    makers: dict[str, Callable[[Path, Precision], Engine]] = {"generate": Plain, "hf": hf_engine}
    makers |= {"vllm": vllm_engine} if importlib.util.find_spec("vllm") else {}
    makers |= {"ray": ray_engine} if importlib.util.find_spec("ray") and not torch.cuda.is_available() else {}
    found: dict[str, Any] = {"prompts": len(asked[0]), "new_tokens": sampling.max_tokens}
    found["threads"] = torch.get_num_threads()
    answers: dict[str, list[Ids]] = {}
    rates: dict[str, float] = {}
    for name, make in makers.items():
        some = [part[:PLAIN] for part in asked] if name == "generate" else asked
        answers[name], rates[name], start = _time(partial(make, folder, precision), some, sampling)
        found[f"{name}_tokens_per_second"] = round(rates[name], 1)
        found[f"{name}_start_seconds"] = round(start, 1)
        print(f"{name}: {rates[name]:,.0f} tokens/s", file=sys.stderr, flush=True)
    found["tokens"] = sum(map(len, answers["hf"]))
    for name, rate in rates.items():
        if name != "hf":
            alike = sum(one == other for one, other in zip(answers[name], answers["hf"], strict=False))
            found[f"{name}_to_hf"] = round(rate / rates["hf"], 2)
            found[f"{name}_answers_like_hf"] = round(alike / len(answers[name]), 3)
    return found


def _time(make: Callable[[], Engine], asked: list[list[Ids]], sampling: Sampling) -> tuple[list[Ids], float, float]:
    """The answers of the last round, tokens a second of the best, and the seconds to the first answers."""
    begin = time.perf_counter()
    engine = make()
    dict(engine.complete(asked[0][:WARM_UP], sampling))
    start, rate = time.perf_counter() - begin, 0.0
    answers: list[Ids] = []
    for prompts in asked[1:]:
        begin = time.perf_counter()
        done = _as_the_door(engine, prompts, sampling)
        seconds = time.perf_counter() - begin
        answers = [done[prompt] for prompt in prompts]
        rate = max(rate, sum(map(len, answers)) / seconds)
    engine.close()
    return answers, rate, start


def _as_the_door(engine: Engine, prompts: list[Ids], sampling: Sampling) -> dict[Ids, Ids]:
    plan = prompts if isinstance(engine, Plain) else planned(prompts)
    size = len(plan) if engine.streams or isinstance(engine, Plain) else SHARD
    done: dict[Ids, Ids] = {}
    for start in range(0, len(plan), size):
        some = plan[start : start + size]
        done.update((some[index], completion.ids) for index, completion in engine.complete(some, sampling))
    return done


def main() -> None:
    options = command.parser(__doc__)
    geometry.add_argument(options)
    options.add_argument("--prompts", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=2)
    arguments = options.parse_args()
    result = measure(arguments.geometry, arguments.prompts, arguments.rounds)
    command.tell(result, arguments.out, command.lines(result))


if __name__ == "__main__":
    main()
