"""How fast a real model is taught and asked: SmolLM2-135M-Instruct, with real German–English pairs.

Training against TRL's `SFTTrainer` (`training.py`), then the engines against transformers' plain `generate`
(`engines.py`), in the precision that this machine is best at; everything in one run, so that the ratios can be trusted.
`python benchmarks/real.py [--model NAME] [--steps 4] [--prompts 64] [--rounds 1] [--out FILE]`.
"""

import random
from pathlib import Path
from typing import Any

import command
import engines
import torch
import training

from dragoman.corpora.catalog import parallel_text
from dragoman.corpora.load import Rules, select
from dragoman.generation.ask import Sampling
from dragoman.models.loading import pick_device, pick_dtype
from dragoman.pipeline.models.cast import find_folder
from dragoman.prompts.examples import write_examples
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker

MODEL = "smollm2-135m-instruct"
NEW_TOKENS = 64


def measure(model: str = MODEL, steps: int = 4, prompts: int = 64, rounds: int = 1) -> dict[str, Any]:
    """What training.py and engines.py find, on this model and the pairs that come with Dragoman."""
    folder = find_folder(model)
    speak = Speaker(Renderer.load(folder))
    pairs = list(select(parallel_text("everyday", "train", ("de-en",)), ("de-en",), Rules()))
    prefixes = [speak.prefix(pair) for pair in random.Random(0).sample(pairs, len(pairs))]

    def prepare(place: Path) -> dict[str, Any]:
        (place / "model").symlink_to(folder.resolve())
        table = [speak.example(prefix) for prefix in prefixes[: training.BATCH * steps]]
        write_examples(place / "table", 0, table)
        return {"model": model, "batch": training.BATCH, "steps": steps, "tokens": sum(len(one.ids) for one in table)}

    sets = [[one.prompt for one in prefixes[turn * prompts : (turn + 1) * prompts]] for turn in range(rounds + 1)]
    dtype = pick_dtype("auto", pick_device())
    precision = "bf16" if dtype == torch.bfloat16 else "fp32"
    sampling = Sampling(max_tokens=NEW_TOKENS, stop=speak.stop)
    return {"training": training.race(prepare, rounds), "engines": engines.race(folder, sets, sampling, precision)}


def main() -> None:
    options = command.parser(__doc__)
    options.add_argument("--model", default=MODEL)
    options.add_argument("--steps", type=int, default=4)
    options.add_argument("--prompts", type=int, default=64)
    options.add_argument("--rounds", type=int, default=1)
    chosen = options.parse_args()
    command.tell(measure(chosen.model, chosen.steps, chosen.prompts, chosen.rounds), chosen.out)


if __name__ == "__main__":
    main()
