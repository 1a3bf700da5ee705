"""What is done in a process of its own: the stages that hold a model.

Each function works in the folder that it is given, goes on with what an interrupted run left there,
and returns the facts that its artifact's manifest records.
"""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

# The server process imports this module, and with it the heavy libraries, once for all stages.
import peft  # noqa: F401
import torch
import transformers

from dragoman import methods
from dragoman.evaluation.abilities import AbilityResult, abilities
from dragoman.evaluation.scores import RowResults
from dragoman.evaluation.translation import TranslationResult, translation
from dragoman.generation.door import Door, OpenModel, drive, drive_all
from dragoman.generation.hf import HfEngine
from dragoman.generation.models import fingerprint, pick_device, pick_dtype
from dragoman.pipeline.backbone import Backbone
from dragoman.pipeline.plan import rows
from dragoman.pipeline.sources import chunks, read_pairs, read_questions
from dragoman.prompts.examples import Example, ExampleTable, write_examples
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests, write_atomic
from dragoman.training.merge import merge
from dragoman.training.trainer import fit

TRIED = 64  # pairs that are rendered before work begins
SAMPLES = 8  # examples kept as text, to be read on the page
CHUNK = 4096  # pairs that a method sees at a time
PROBES = 16  # prompts on which a merged model is compared with its adapter
Facts = dict[str, Any]

transformers.utils.logging.disable_progress_bar()


def check(recipe: Recipe, backbone: Backbone, data: Path) -> Facts:
    """Whether the backbone's chat template works, and on a few pairs too, before hours are spent.

    Raises TemplateError or DataError with what is wrong.
    """
    speak = speaker(recipe, backbone)
    for pair, _ in zip(read_pairs(data / "train.jsonl"), range(TRIED), strict=False):
        speak.prefix(pair)
    return {}


def make_examples(recipe: Recipe, backbone: Backbone, row: str, data: Path, out: Path, cache: Path) -> Facts:
    """Pairs become examples, chunk by chunk; a chunk that is done is not done again."""
    name, options = rows(recipe)[row]
    method = methods.available()[name]
    speak = speaker(recipe, backbone)
    notes: Counter[str] = Counter()
    with door(recipe, cache, backbone=backbone, speak=speak) as answers:
        for number, chunk in enumerate(chunks(read_pairs(data / "train.jsonl"), CHUNK)):
            counted = out / "notes" / f"{number:06d}.json"
            if not counted.exists():
                fitting = [pair for pair in chunk if len(speak.prefix(pair).ids) <= recipe.data.max_tokens]
                making = method.make(fitting, speak, method.options.model_validate(options))
                lesson = drive(making, answers)
                lesson.notes["left out: longer than data.max_tokens"] += len(chunk) - len(fitting)
                write_examples(out / "examples", number, lesson.examples)
                if number == 0:
                    write_atomic(out / "samples.json", json.dumps(_samples(lesson.examples, speak), ensure_ascii=False))
                write_atomic(counted, json.dumps(lesson.notes))
            notes.update(json.loads(counted.read_text()))
    table = ExampleTable(out / "examples")
    trained, _ = table.trained()
    return {
        "units": len(table),
        "examples": len(table),
        "tokens": int(table.lengths.sum()),
        "trained": trained,
        "notes": {name: count for name, count in notes.items() if count},
    }


def _samples(examples: Sequence[Example], speak: Speaker) -> list[list[tuple[str, str]]]:
    """Some examples to read: the names and texts of their segments."""
    chosen = examples[:: max(1, len(examples) // SAMPLES)][:SAMPLES]
    return [
        [(segment.name, speak.renderer.tokenizer.decode(list(segment.ids))) for segment in example.segments]
        for example in chosen
    ]


def train(recipe: Recipe, backbone: Backbone, row: str, examples: Path, out: Path) -> Facts:
    """Examples become an adapter."""
    result = fit(
        backbone.path,
        ExampleTable(examples / "examples"),
        recipe.training,
        out,
        trust_remote_code=backbone.trust_remote_code,
        label=f"training {row}",
    )
    return {
        "units": len(ExampleTable(examples / "examples")),
        "steps": result.steps,
        "tokens": result.tokens,
        "loss": result.loss,
        "device": device_name(),
    }


def make_model(recipe: Recipe, backbone: Backbone, adapter: Path, data: Path, out: Path) -> Facts:
    """Backbone and adapter become one model, which is published only if it does what the two did."""
    speak = speaker(recipe, backbone)
    pairs = [pair for pair, _ in zip(read_pairs(data / "test.jsonl"), range(PROBES), strict=False)]
    shutil.rmtree(out / "model", ignore_errors=True)  # of a run that was cut off before it published this
    parity = merge(
        backbone.path,
        adapter,
        out / "model",
        [speak.translate(pair) for pair in pairs],
        trust_remote_code=backbone.trust_remote_code,
    )
    return asdict(parity)


def evaluate(
    recipe: Recipe, backbone: Backbone, row: str, model: Path | None, data: Path, out: Path, cache: Path
) -> Facts:
    """A model is judged by all suites of the recipe; the backbone answers other draws of questions as well."""
    speak = speaker(recipe, backbone)
    settings = recipe.evaluation
    judged = "backbone" if model is None else row
    draws = read_questions(data / "questions.jsonl")
    asking: dict[str, Any] = {}
    if "translation" in recipe.evaluate:
        asking["translation"] = translation(judged, list(read_pairs(data / "test.jsonl")), speak, settings)
    for number, questions in enumerate(draws if model is None else draws[:1]):
        asking[f"abilities {number}"] = abilities(judged, questions, speak, settings)
    with door(recipe, cache, backbone=backbone, speak=speak, model=(judged, model)) as answers:
        results = drive_all(asking, answers)
    translated: TranslationResult | None = results.pop("translation", None)
    kept: list[AbilityResult] = list(results.values())
    found = RowResults(translated, kept[0] if kept else None)
    write_atomic(out / "results.json", json.dumps(found.to_json(), ensure_ascii=False))
    write_atomic(out / "noise.json", json.dumps([draw.to_json() for draw in kept[1:]], ensure_ascii=False))
    asked = len(translated.items if translated else ()) + sum(len(draw.items) for draw in kept)
    return {"units": asked, "device": device_name()}


def speaker(recipe: Recipe, backbone: Backbone) -> Speaker:
    return Speaker(Renderer.load(backbone.path, backbone.trust_remote_code, recipe.system))


def door(
    recipe: Recipe,
    cache: Path,
    *,
    backbone: Backbone,
    speak: Speaker,
    model: tuple[str, Path | None] = ("backbone", None),
) -> Door:
    """The door to the backbone, and to the one model that is judged."""
    folders = {"backbone": backbone.path, model[0]: model[1] or backbone.path}

    def open_model(name: str) -> OpenModel:
        folder = folders[name]

        def load() -> HfEngine:
            return HfEngine(
                folder,
                decode=speak.decode,
                batch_tokens=recipe.generation.batch_tokens,
                precision=recipe.generation.precision,
                trust_remote_code=backbone.trust_remote_code,
            )

        contents = fingerprint(folder, digest_of=Digests(cache / "weights.json").of)
        return OpenModel(f"{contents}|hf|{pick_dtype(recipe.generation.precision, pick_device())}", load)

    return Door(cache, open_model, shard=recipe.generation.shard)


def device_name() -> str:
    device = pick_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
