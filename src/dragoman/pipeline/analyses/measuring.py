"""Measuring gradients and drift, in a process of its own: loads models, measures, returns plain data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from dragoman.analysis.agreement import GROUPS, LEAST, signs
from dragoman.analysis.drift import Floats, drift
from dragoman.analysis.gradients import Gradients, compare
from dragoman.analysis.projection import Exact, Projection, Sketch
from dragoman.analysis.results import MeasuredDrift, MeasuredGradients, RowGradients
from dragoman.analysis.terms import Terms, chosen, terms_of
from dragoman.corpora.records import Question, draw, evenly
from dragoman.errors import EngineError, RecipeError
from dragoman.generation.ask import Ask, Sampling
from dragoman.models.loading import load_model, pick_device, pick_dtype
from dragoman.pipeline.analyses.options import BACKBONE, DriftOptions, GradientsOptions
from dragoman.pipeline.data.record_files import read_pairs, read_questions, read_records
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.models.drift import views_of
from dragoman.pipeline.models.engines import open_door
from dragoman.pipeline.models.speakers import device_name, speaker, spec_of
from dragoman.pipeline.rows import settings_of
from dragoman.progress import progress
from dragoman.prompts.examples import AnsweredPrompt, ExampleTable, Ids
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import Training
from dragoman.scoring.divergence import text_drift
from dragoman.suites import is_skill
from dragoman.training.adapters import adapt
from dragoman.training.losses.loss import teach_forward

T = TypeVar("T")
EXACT_MEMORY = 16e9  # bytes that sums of whole gradients may take
KINDS = {
    "references": "translation requests, along the reference",
    "translations": "translation requests, along the backbone's own answer",
    "skill": "requests for the new skill, along the backbone's own answer",
    "questions": "general questions, along the backbone's own answer",
}
"""The kinds of text that drift is measured on."""


def measure_gradients(
    recipe: Recipe,
    backbone: Model,
    tables: Mapping[str, Path],
    trained: Path | None,
    options: GradientsOptions,
    records: Path,
) -> MeasuredGradients:
    """The agreement of both terms for each row, on the same records and at the same model."""
    terms = {row: terms_of(ExampleTable(folder), row) for row, folder in tables.items()}
    keys = chosen(read_records(records), list(terms.values()), options.examples, options.seed)
    projection: Projection = Exact() if options.dimension is None else Sketch(options.dimension, options.seed)
    network = _network(recipe, backbone, options, trained)
    seen = Gradients(network, projection)
    if isinstance(projection, Exact):
        _check_exact(sum(seen.entries.values()), len(keys))
    found = {row: _row_gradients(row, these, keys, seen, options) for row, these in terms.items()}
    return {
        "at": options.at,
        "weights": options.weights,
        "dimension": options.dimension,
        "error": projection.error,
        "seed": options.seed,
        "ends": options.ends,
        "precision": str(pick_dtype(_settings(recipe, options).precision, pick_device())).removeprefix("torch."),
        "device": device_name(),
        "directions": {direction: len(drawn) for direction, drawn in keys.items()},
        "parameters": seen.entries,
        "rows": found,
    }


def _row_gradients(
    row: str, terms: Terms, keys: Mapping[str, Sequence[str]], seen: Gradients, options: GradientsOptions
) -> RowGradients:
    cases = [terms.case(key, direction, options.ends) for direction, drawn in keys.items() for key in drawn]
    with progress(f"gradients of {row}", len(cases), "examples") as bar:
        report = compare(cases, list(keys), seen, bar.advance)
    return {
        "regulariser": terms.regulariser,
        "examples": len(cases),
        "tokens": {
            "translation": sum(len(case.translation.trained) for case in cases),
            "regulariser": sum(len(case.regulariser.trained) for case in cases),
        },
        "identical": sum(case.translation == case.regulariser for case in cases),
        "signs": {"mean": signs(report, "mean"), "each": signs(report, "each")},
        "parts": report,
    }


def _network(recipe: Recipe, backbone: Model, options: GradientsOptions, trained: Path | None) -> Any:
    """The model whose gradients are measured; the parameters to measure require a gradient, and no others.

    The second factor of a new adapter is zero, and so is the gradient of its first: at the backbone, an adapter's
    gradients are only those of the second factors. LESS takes them after a warm-up (`--at ROW`).
    """
    settings = _settings(recipe, options)
    trust = backbone.trust_remote_code
    whole = trained is not None and not (trained / "adapter_config.json").is_file()
    if whole and options.weights == "adapter":
        raise RecipeError(f"all weights of {options.at} were trained, so it has no adapter; take --weights full")
    network = load_model(
        trained if trained is not None and whole else backbone.path,
        precision=settings.precision,
        adapter=None if whole else trained,
        trust_remote_code=trust,
        bin_weights=backbone.bin_weights,
    )
    if options.weights == "adapter":
        if trained is None:
            teach_forward(network)
            torch.manual_seed(options.seed)
            assert settings.lora is not None
            return adapt(network, settings.lora).eval()
        teach_forward(network.get_base_model())
        for name, weight in network.named_parameters():
            weight.requires_grad_("lora_" in name)
        return network
    causal = network.merge_and_unload() if hasattr(network, "merge_and_unload") else network
    causal.requires_grad_(True)
    teach_forward(causal)
    return causal


def _settings(recipe: Recipe, options: GradientsOptions) -> Training:
    """How the model is trained at which gradients are measured."""
    return recipe.training if options.at == BACKBONE else settings_of(recipe, options.at)


def _check_exact(parameters: int, directions: int) -> None:
    needed = 8.0 * parameters * max(GROUPS, LEAST * directions)
    if needed > EXACT_MEMORY:
        raise EngineError(
            f"--exact keeps sums of whole gradients, {needed / 1e9:,.0f} GB for {parameters:,} parameters; that is for "
            "small models. Leave it out: the projection is off by less than a hundredth."
        )


def measure_drift(
    recipe: Recipe, backbone: Model, row: str, trained: Sequence[Path], options: DriftOptions, data: Path, cache: Path
) -> MeasuredDrift:
    """Both divergences for one row's models, one per seed, on every kind of text that the recipe has."""
    texts = _texts(recipe, backbone, options, data, cache)
    budget = recipe.generation.batch_tokens
    kept: dict[str, list[Floats]] = {kind: [] for kind in texts}
    for number, folder in enumerate(trained, start=1):
        views = views_of(recipe, backbone, replace(backbone, folder=folder))
        label = f"drift of {row}" + (f", {number} of {len(trained)}" if len(trained) > 1 else "")
        with progress(label, sum(map(len, texts.values())), "texts") as bar:
            for kind, said in texts.items():
                kept[kind].append(drift(*views, said, budget, bar.advance))
        del views
    return {
        "titles": {kind: KINDS[kind] for kind in texts},
        "precision": str(pick_dtype(recipe.generation.precision, pick_device())).removeprefix("torch."),
        "device": device_name(),
        "seed": options.seed,
        "kinds": {kind: text_drift(trainings, recipe.evaluation.bootstrap, row) for kind, trainings in kept.items()},
    }


def _texts(
    recipe: Recipe, backbone: Model, options: DriftOptions, data: Path, cache: Path
) -> dict[str, list[AnsweredPrompt]]:
    """The texts that drift is measured on. The backbone's answers are greedy, and shared with its
    evaluation, if any.
    """
    speak = speaker(recipe, backbone)
    settings = recipe.evaluation
    draws = read_questions(data / "questions.jsonl")

    def taught(question: Question) -> bool:
        return bool(recipe.data.lessons) and is_skill(question.family, settings.skills)

    def questions(of_skill: bool) -> list[Question]:
        asked_ones = [question for question in (draws[0] if draws else []) if taught(question) == of_skill]
        return drawn(asked_ones, lambda question: (question.family, question.key), options.examples, options.seed)

    tested = list(read_pairs(data / "test.jsonl"))
    pairs = drawn(tested, lambda pair: (pair.direction, pair.key), options.examples, options.seed)
    found: dict[str, list[AnsweredPrompt]] = {"references": [speak.referenced(pair) for pair in pairs if pair.target]}
    requests = {
        "translations": ([speak.translate(pair) for pair in pairs], settings.translation_tokens),
        "skill": ([speak.question(question) for question in questions(True)], settings.max_tokens),
        "questions": ([speak.question(question) for question in questions(False)], settings.max_tokens),
    }
    found |= own_answers(recipe, backbone, requests, speak, cache)
    return {kind: said for kind, said in found.items() if said}


def own_answers(
    recipe: Recipe, backbone: Model, requests: Mapping[str, tuple[Sequence[Ids], int]], speak: Speaker, cache: Path
) -> dict[str, list[AnsweredPrompt]]:
    """Prompts with the backbone's greedy answers; each kind's come with the most tokens of an answer."""
    found = {}
    with open_door(recipe.generation, cache, {"backbone": spec_of(backbone, recipe.system)}) as answers:
        for kind, (prompts, longest) in requests.items():
            ask = Ask("backbone", prompts, Sampling(longest, speak.stop), f"the backbone's own {kind}")
            completions = answers.answer(ask) if prompts else []
            both = zip(prompts, completions, strict=True)
            found[kind] = [AnsweredPrompt(prompt, completion.ids) for prompt, completion in both if completion.ids]
    return found


def drawn(items: Sequence[T], of: Callable[[T], tuple[str, str]], count: int, seed: int) -> list[T]:
    """At most `count` items, equally many from each group if it has them; `of` returns an item's group and key."""
    shuffled = sorted(items, key=lambda item: draw(of(item)[1], "drift", seed))
    return evenly(shuffled, lambda item: of(item)[0], count)
