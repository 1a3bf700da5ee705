"""Trying out a machine: a few real steps of training and of generation, and how fast they were.

A small backbone that is here is tried itself. Of a large one, or one that is not here, a Llama of the same shape
stands in for it, with two layers, a small vocabulary and no learnt weights; what it takes is scaled up by arithmetic.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import median

from dragoman.generation.ask import Engine, Sampling
from dragoman.pipeline.forecast.busy import busy_since, glance, slowdown
from dragoman.pipeline.forecast.estimate import training_flops
from dragoman.pipeline.forecast.geometry import Geometry
from dragoman.recipe.engines import Generation
from dragoman.recipe.training import Training

WHOLE = 6e7  # parameters up to which a backbone is tried itself
LAYERS, VOCABULARY = 2, 4096  # of what stands in for a larger one
OPERATIONS = 4e10  # of a training step that is tried, about
STEPS = 3  # of training, of which the first does not count
WRITTEN = 16  # tokens of each answer
PROMPTS = 192  # at most at once
READ = 4096  # tokens of all prompts together, at most


@dataclass(frozen=True, slots=True)
class Speeds:
    """How fast this machine is with one backbone and one way of training and asking; None for what was not tried."""

    operations: float
    """A second, in training."""
    training_start: float
    """Seconds of a training besides its steps: loading, and saving."""
    asking_start: float | None = None
    """Seconds until the engine is ready."""
    reading: float = 0.0
    """Seconds for a token of a prompt."""
    step: float = 0.0
    """Seconds for one more token of every answer of a batch, however many there are."""
    writing: float = 0.0
    """Seconds for a token of an answer, besides."""
    together: int = 1
    """Answers in a batch."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be tried. `length`, `asked` and `answered` are tokens of a usual example, prompt and answer."""

    geometry: Geometry
    backbone: Path | None
    training: Training
    generation: Generation
    length: int
    asked: int
    answered: int
    trust_remote_code: bool = False
    bin_weights: bool = False

    @property
    def itself(self) -> bool:
        """Whether the backbone itself is tried."""
        return self.backbone is not None and self.geometry.parameters <= WHOLE

    @property
    def tried(self) -> Geometry:
        """The geometry of what is tried."""
        if self.itself:
            return self.geometry
        layers, vocabulary = min(LAYERS, self.geometry.layers), min(VOCABULARY, self.geometry.vocabulary)
        return replace(self.geometry, layers=layers, vocabulary=vocabulary, biases="", head_norms=False)

    def run(self) -> Speeds:
        """Tries it, in a process of its own."""
        with tempfile.TemporaryDirectory(prefix="dragoman-") as folder:
            model = self.backbone if self.itself and self.backbone else _stand_in(self.tried, Path(folder))
            fitted = self._train(model, Path(folder))
            return self._generate(model, fitted)

    def _train(self, model: Path, folder: Path) -> Speeds:
        from dragoman.prompts.examples import Example, ExampleTable, Segment, write_examples
        from dragoman.training.trainer import fit

        bare: dict[str, object] = {"replay": None, "segments": {}}
        bare["embeddings"] = self.training.embeddings is True  # no tokens are new
        tried, settings = self.tried, self.training.model_copy(update=bare)
        each = training_flops(tried, settings, 1, self.length, self.length / 2)
        lines = max(1, min(settings.batch_size, settings.batch_tokens // self.length, round(OPERATIONS / each)))
        draw = Random(0)
        half = max(1, self.length // 2)
        examples = []
        for _ in range(STEPS * lines):
            ids = [tuple(draw.randrange(tried.vocabulary) for _ in range(half)) for _ in range(2)]
            examples.append(Example((Segment("prompt", ids[0], 0.0), Segment("reference", ids[1]))))
        write_examples(folder / "examples", 0, examples)
        plain = {"save_every": None, "validate_every": None, "keep": "last", "report_to": (), "max_steps": None}
        plain |= {"curriculum": None, "preference": None}
        few = settings.model_copy(update={"epochs": 1, "batch_size": lines, **plain})
        before = glance()
        result = fit(
            model,
            ExampleTable(folder / "examples"),
            few,
            folder / "fit",
            trust_remote_code=self.trust_remote_code,
            bin_weights=self.bin_weights,
            label="calibrating: training",
        )
        alone = slowdown(busy_since(before))
        text = (folder / "fit" / "metrics.jsonl").read_text(encoding="utf-8")
        found = [json.loads(line) for line in text.splitlines()]
        tokens = 2 * half * lines
        seconds = [tokens / line["tokens_per_second"] for line in found]
        pace = median(seconds[1:]) / alone
        operations = training_flops(tried, settings, lines, tokens, tokens / 2) / pace
        start = max(0.0, result.seconds - sum(seconds[1:])) / alone
        return Speeds(operations, start * self._larger)

    def _generate(self, model: Path, fitted: Speeds) -> Speeds:
        from dragoman.generation.hf.engine import HfEngine
        from dragoman.generation.local_engine import local_kind

        if self.generation.engine in ("openai", "ray") or local_kind(self.generation) != "hf":
            return fitted
        before, began = glance(), time.perf_counter()
        engine = HfEngine(
            model,
            decode=lambda ids: "",
            batch_tokens=self.generation.batch_tokens,
            precision=self.generation.precision,
            trust_remote_code=self.trust_remote_code,
            bin_weights=self.bin_weights,
        )
        start = time.perf_counter() - began
        asked = max(1, min(self.asked, (engine.context or 2**31) - WRITTEN - 1))
        together = max(1, min(PROMPTS, self.generation.batch_tokens // (asked + 2 * self.answered)))
        many = max(1, min(together, READ // asked))
        few = max(1, many // 8)
        _seconds(engine, self._prompts(few, asked), 2)  # the first time takes longer
        read, all_of_it = (_seconds(engine, self._prompts(many, asked), size) for size in (1, 1 + WRITTEN))
        read_few, few_of_it = (_seconds(engine, self._prompts(few, asked), size) for size in (1, 1 + WRITTEN))
        engine.close()
        alone = slowdown(busy_since(before))
        wide, narrow = (max(1e-6, one / WRITTEN) for one in (all_of_it - read, few_of_it - read_few))
        writing = max(0.0, (wide - narrow) / (many - few)) if many > few else 0.0
        step = max(0.0, wide - writing * many)
        larger = self._larger / alone
        return replace(
            fitted,
            asking_start=start * larger,
            reading=read / (many * asked) * larger,
            step=step * larger,
            writing=writing * larger,
            together=together,
        )

    def _prompts(self, count: int, length: int) -> list[tuple[int, ...]]:
        draw = Random(1)
        return [tuple(draw.randrange(self.tried.vocabulary) for _ in range(length)) for _ in range(count)]

    @property
    def _larger(self) -> float:
        """How many times as much every token is multiplied with in the backbone as in what is tried."""
        whole, part = self.geometry, self.tried
        return (whole.blocks + whole.head_parameters) / (part.blocks + part.head_parameters)


def _seconds(engine: Engine, prompts: Sequence[tuple[int, ...]], tokens: int) -> float:
    began = time.perf_counter()
    for _ in engine.complete(prompts, Sampling(tokens, ())):
        pass
    return time.perf_counter() - began


def _stand_in(geometry: Geometry, folder: Path) -> Path:
    """A Llama of this geometry on disk. All its weights are alike, since they do not change how long anything takes."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=geometry.vocabulary,
        hidden_size=geometry.hidden,
        intermediate_size=geometry.intermediate,
        num_hidden_layers=geometry.layers,
        num_attention_heads=geometry.heads,
        num_key_value_heads=geometry.kv_heads,
        head_dim=geometry.width,
        max_position_embeddings=geometry.context or 4096,
        tie_word_embeddings=geometry.tied,
        dtype=torch.bfloat16,
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config).to(torch.bfloat16)
    model = model.to_empty(device="cpu")
    for weight in model.parameters():
        torch.nn.init.constant_(weight, 0.01)
    model.save_pretrained(folder / "model")
    return folder / "model"
