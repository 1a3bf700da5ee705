"""How fast training is, against TRL's `SFTTrainer` with the same LoRA, batch, precision and data.

TRL runs twice: as it comes (gradient checkpointing, 8 examples a device, data in random order), and
tuned (no checkpointing, grouped by length, a larger micro-batch). Every run has a
process of its own, so that its peak memory is its own; they take turns, and the better of the rounds
counts. On a machine that does other work as well, the processor's own seconds tell more than the wall's.
`python benchmarks/training.py [--geometry 7b] [--steps 6] [--rounds 2] [--out FILE]`.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import command
import geometry

BATCH = 64
Moment = tuple[float, float]  # of the wall's clock, and of the processor's
WAYS = ("dragoman", "trl", "trl tuned")


def measure(shape: str = "lab", steps: int = 6, rounds: int = 2) -> dict[str, Any]:
    """Tokens a second and peak memory of each way (the better of `rounds`), and the ratios."""
    return race(partial(_prepare, shape=shape, steps=steps), rounds)


def race(prepare: Callable[[Path], dict[str, Any]], rounds: int) -> dict[str, Any]:
    """The same for what `prepare` writes into a folder: a `model`, and a `table` of examples."""
    best: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        facts = prepare(Path(folder))
        for turn in range(rounds):
            for way in WAYS:
                report = Path(folder) / f"{way}-{turn}.json"
                command = [sys.executable, __file__, "--way", way, "--folder", folder, "--out", str(report)]
                done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                if done.returncode:
                    raise RuntimeError(f"{way} failed:\n{done.stderr}")
                found = json.loads(report.read_text(encoding="utf-8"))
                if way not in best or found["tokens_per_second"] > best[way]["tokens_per_second"]:
                    best[way] = found
    result: dict[str, Any] = {**facts, "ways": best}
    for name, rate in (("ratio", "tokens_per_second"), ("processor_ratio", "tokens_per_processor_second")):
        for peer in WAYS[1:]:
            result[f"{name}_to_{peer.replace(' ', '_')}"] = round(best["dragoman"][rate] / best[peer][rate], 2)
    return result


def _prepare(folder: Path, shape: str, steps: int) -> dict[str, Any]:
    """The model, with random weights, and the data, on disk for all ways."""
    import torch
    from transformers import AutoModelForCausalLM

    from dragoman.prompts.examples import Example, Segment, write_examples

    config = geometry.config_of(shape)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder / "model")
    dice = random.Random(0)

    def ids(low: int, high: int) -> tuple[int, ...]:
        return tuple(dice.randrange(3, config.vocab_size) for _ in range(dice.randint(low, high)))

    made = [
        Example(
            (
                Segment("prompt", ids(20, 45), 0.0),
                Segment("reference", ids(6, 25)),
                Segment("rationale", ids(10, 80)),
                Segment("end", (2,)),
            )
        )
        for _ in range(BATCH * steps)
    ]
    write_examples(folder / "table", 0, made)
    return {
        "model": shape,
        "parameters": model.num_parameters(),
        "threads": torch.get_num_threads(),
        "batch": BATCH,
        "steps": steps,
    }


def _run(way: str, folder: Path) -> dict[str, float]:
    """Tokens a second from the end of the first step to that of the last, and this process's peak memory."""
    clock: list[Moment] = []
    tokens = _dragoman(folder, clock) if way == "dragoman" else _trl(folder, clock, way == "trl tuned")
    tokens = tokens * (len(clock) - 1) / len(clock)
    wall, processor = (last - first for first, last in zip(clock[0], clock[-1], strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "tokens_per_second": round(tokens / wall, 1),
        "tokens_per_processor_second": round(tokens / processor, 1),
        "peak_mib": round(peak),
    }


def _now() -> Moment:
    return time.perf_counter(), time.process_time()


def _dragoman(folder: Path, clock: list[Moment]) -> int:
    from dragoman.prompts.examples import ExampleTable
    from dragoman.recipe.training import Training
    from dragoman.training.steps import MetricsLog
    from dragoman.training.trainer import fit

    write = MetricsLog.write

    def write_and_note(self: MetricsLog, line: dict[str, float]) -> None:
        write(self, line)
        clock.append(_now())

    MetricsLog.write = write_and_note  # type: ignore[method-assign]
    settings = Training(epochs=1, batch_size=BATCH, learning_rate=1e-3)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        return fit(folder / "model", ExampleTable(folder / "table"), settings, Path(out)).tokens


def _trl(folder: Path, clock: list[Moment], tuned: bool) -> int:
    import numpy as np
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from dragoman.prompts.examples import ExampleTable

    class Note(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.append(_now())

    table = ExampleTable(folder / "table")
    rows = [{"input_ids": row.ids, "labels": np.where(row.weights > 0, row.ids, -100)} for row in table]
    words = Tokenizer(WordLevel({"0": 0, "1": 1, "2": 2}, unk_token="0"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="0", pad_token="1", eos_token="2")
    choices: dict[str, Any] = {"per_device_train_batch_size": 8, "gradient_accumulation_steps": BATCH // 8}
    if tuned:
        choices = {"per_device_train_batch_size": 16, "gradient_accumulation_steps": BATCH // 16}
        choices |= {"gradient_checkpointing": False, "train_sampling_strategy": "group_by_length"}
    arguments = SFTConfig(
        output_dir=str(folder / "trl"),
        num_train_epochs=1,
        learning_rate=1e-3,
        lr_scheduler_type="cosine",
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        bf16=True,
        use_cpu=not torch.accelerator.is_available(),
        dataset_kwargs={"skip_prepare_dataset": True},
        **choices,
    )
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype="bfloat16")
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"),
        callbacks=[Note()],
    )
    trainer.train()
    return int(table.lengths.sum())


def main() -> None:
    options = command.parser(__doc__)
    geometry.add_argument(options)
    options.add_argument("--steps", type=int, default=6)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    result = _run(chosen.way, chosen.folder) if chosen.way else measure(chosen.geometry, chosen.steps, chosen.rounds)
    command.tell(result, chosen.out)


if __name__ == "__main__":
    main()
