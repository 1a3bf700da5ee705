"""Disk room that a run takes, told and checked before work begins."""

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.disk import in_bytes
from dragoman.models.adapters import shapes
from dragoman.models.weights import weight_bytes
from dragoman.pipeline.data.limit import beside
from dragoman.pipeline.forecast.amounts import Vocabulary, of_prompts
from dragoman.pipeline.forecast.cost import LOGPROB_BYTES
from dragoman.pipeline.forecast.geometry import geometry_of
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.rows import learnt_counts, limit_of, method_of, rows, settings_of
from dragoman.pipeline.stages.data import MakeData
from dragoman.pipeline.stages.stage import Stage
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import Training
from dragoman.store import Artifact
from dragoman.training import checkpoints

ADAPTER_SHARE = 50  # of a backbone whose layers are not known, an adapter has at most one weight in so many
# Measured on the lab: bytes for each byte of text in the data stage. Examples are token ids with segments and weights,
# and their completions; results hold prompts' texts, answers and judgements.
EXAMPLES, RESULTS = 5, 4
TOKEN_BYTES = 16  # of an example: an id, a segment and a weight, and what is cached of it


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that the stages to do will write, by what they are for."""

    models: int
    """How many merged models."""
    model: int
    """Bytes of one."""
    training: int
    texts: int
    """Examples, completions and results; 0 while the data is not made."""

    @property
    def total(self) -> int:
        return self.models * self.model + self.training + self.texts

    def __str__(self) -> str:
        merged = f"{self.models} merged models of" if self.models != 1 else "a merged model of"
        parts = [f"{merged} {in_bytes(self.model)}"] * bool(self.models)
        parts += [f"{in_bytes(self.training)} of checkpoints and of what is trained"] * bool(self.training)
        parts += [f"{in_bytes(self.texts)} of examples and answers"] * bool(self.texts)
        return "; ".join(parts)


def room(recipe: Recipe, backbone: Model, todo: Sequence[Stage], data: Artifact | None) -> Room:
    """The disk room that some stages take. The backbone is here."""
    models = sum(stage.kind in ("merge", "extend") for stage in todo)
    size = sum(path.stat().st_size for path in backbone.files)
    return Room(
        models, size, of_training(recipe, backbone, todo), _of_texts(recipe, backbone, todo, data) if data else 0
    )


def of_training(recipe: Recipe, backbone: Model, todo: Sequence[Stage]) -> int:
    """Bytes for the checkpoints of one training at a time, and for the weights that each leaves, in fp32.

    A training from whose state another continues (`refresh`) keeps its checkpoint. A recovery is a training, too.
    """
    trained = [stage for stage in todo if stage.kind in ("train", "recover")]
    if not trained:
        return 0
    settings = {stage.row: settings_of(recipe, stage.row) for stage in trained}
    weights = {row: _weights(one, backbone) for row, one in settings.items()}
    kept = checkpoints.WEIGHT_BYTES + checkpoints.STATE_BYTES
    at_once = max(  # two adapters are kept beside a new one
        checkpoints.room(count, best=settings[row].keep == "best") + (0 if settings[row].lora is None else count * kept)
        for row, count in weights.items()
    )
    return at_once + sum(weights[one.row] * (kept if one.round else checkpoints.WEIGHT_BYTES) for one in trained)


def _weights(settings: Training, backbone: Model) -> int:
    """How many weights are trained."""
    files = backbone.path.glob("*.safetensors")
    every = sum(math.prod(shape) for path in files for shape in shapes(path).values() if shape is not None)
    every = every or weight_bytes(backbone.path) // 2  # of .bin files, which are not looked into here
    if settings.lora is None:
        return every
    geometry = geometry_of(backbone.name, backbone.folder)
    if geometry is None:
        return every // ADAPTER_SHARE
    return geometry.adapter(settings.lora) + (geometry.embeddings if settings.embeddings is True else 0)


def _of_texts(recipe: Recipe, backbone: Model, todo: Sequence[Stage], data: Artifact) -> int:
    """A rough number: texts are small beside models."""
    sizes = {path.name: path.stat().st_size for path in data.folder.glob("*.json*")}
    learnt = sizes.get("train.jsonl", 0) + sizes.get("instructions.jsonl", 0)
    judged = (
        sum(sizes.values())
        - learnt
        - sizes.get("texts.jsonl", 0)
        - sizes.get("ratings.jsonl", 0)
        - sizes.get("preferences.jsonl", 0)
    )
    found = 0
    for stage in todo:
        if stage.kind == "examples" and (method := method_of(recipe, stage.row)).only:
            found += EXAMPLES * sum(sizes.get(beside(name), 0) for name in method.sees)
        elif stage.kind == "examples":
            share = _learnt(recipe, stage, data) / max(1, sum(MakeData.facts(data)["train"].values()))
            found += round(EXAMPLES * learnt * share) + _logprobs(recipe, stage, data)
        elif stage.kind == "evaluate":
            found += RESULTS * judged
        elif stage.kind == "replay":
            found += _of_replay(recipe, backbone)
    return found


def _of_replay(recipe: Recipe, backbone: Model) -> int:
    """Examples and completions of replay, were all answers as long as they may be; 0 if the prompts are not here."""
    said = recipe.data.replay
    vocabulary = Vocabulary(backbone, geometry_of(backbone.name, backbone.folder))
    found = of_prompts(said, vocabulary, said.max_tokens) if said else None
    if said is None or found is None:
        return 0
    likely = 2 * LOGPROB_BYTES * said.keep_logprobs * found.answered  # with the completions and with the examples
    return round(TOKEN_BYTES * (found.asked + found.answered) + likely)


def _logprobs(recipe: Recipe, stage: Stage, data: Artifact) -> int:
    """Log-probabilities of rationales, at most: with the completions and with the examples."""
    said = rows(recipe)[stage.row][1].get("rationale") or {}
    records = _learnt(recipe, stage, data)
    return 2 * LOGPROB_BYTES * records * int(said.get("max_tokens") or 0) * int(said.get("keep_logprobs") or 0)


def _learnt(recipe: Recipe, stage: Stage, data: Artifact) -> int:
    """How many records a row learns from."""
    counts, limit = learnt_counts(recipe, stage.row, MakeData.facts(data)["train"]), limit_of(recipe, stage.row)
    return sum(counts) if limit is None else sum(min(count, limit) for count in counts)


def free(folder: Path) -> int:
    """Bytes that are left on the disk of a folder, which need not exist yet."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    return shutil.disk_usage(there).free
