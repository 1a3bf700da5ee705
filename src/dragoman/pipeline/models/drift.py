"""A backbone and another model side by side, and how far the one has moved from the other."""

from dataclasses import asdict
from typing import Any

from dragoman import __version__
from dragoman.analysis.drift import View, adapted, apart, drift
from dragoman.models.loading import load_model, pick_device, pick_dtype
from dragoman.pipeline.models.cast import Model
from dragoman.progress import progress
from dragoman.recipe.schema import Recipe
from dragoman.store import fingerprint
from dragoman.suites.drift.suite import DriftResult, Texts


def views_of(recipe: Recipe, backbone: Model, row: Model) -> tuple[View, View]:
    """The backbone and another model, whose folder has an adapter for the backbone, or weights of its own."""
    if (row.path / "adapter_config.json").is_file():
        return adapted(_load(recipe, backbone, row))
    return apart(_load(recipe, backbone), _load(recipe, row))


def _load(recipe: Recipe, model: Model, adapter: Model | None = None) -> Any:
    return load_model(
        model.path,
        precision=recipe.generation.precision,
        adapter=adapter.path if adapter else None,
        trust_remote_code=model.trust_remote_code,
        bin_weights=model.bin_weights,
    )


def unmoved(recipe: Recipe, backbone: Model, texts: Texts) -> DriftResult:
    """The backbone's own drift, which is 0 by definition."""
    sums = {
        kind: {key: (float(len(text.answer)), 0.0, 0.0) for key, text in some.items()}
        for kind, some in texts.kinds.items()
    }
    return DriftResult(_signature(recipe, backbone, texts), sums)


def moved(recipe: Recipe, backbone: Model, row: Model, texts: Texts) -> DriftResult:
    """The drift of a row's model; none if it has another vocabulary than the backbone."""
    signature = _signature(recipe, backbone, texts)
    none = DriftResult(signature, {}, "its vocabulary is not the backbone's")
    if row.renderer().tokenizer.get_vocab() != backbone.renderer().tokenizer.get_vocab():
        return none
    views = views_of(recipe, backbone, row)
    if len({view.vocabulary for view in views}) > 1:
        return none
    sums = {}
    with progress("drift", sum(map(len, texts.kinds.values())), "texts") as bar:
        for kind, some in texts.kinds.items():
            found = drift(*views, list(some.values()), recipe.generation.batch_tokens, bar.advance).tolist()
            sums[kind] = {key: (tokens, *both) for key, (tokens, *both) in zip(some, found, strict=True)}
    return DriftResult(signature, sums)


def _signature(recipe: Recipe, backbone: Model, texts: Texts) -> str:
    """On which texts, beside which backbone, and in which precision drift is measured."""
    counts = "+".join(f"{kind}-{len(some)}" for kind, some in texts.kinds.items())
    contents = fingerprint({kind: [asdict(text) for text in some.values()] for kind, some in texts.kinds.items()})
    dtype = str(pick_dtype(recipe.generation.precision, pick_device())).removeprefix("torch.")
    return (
        f"KL|texts:{counts}|contents:{contents[:8]}|backbone:{backbone.digest[:8]}|decoding:greedy"
        f"|tokens:{recipe.evaluation.max_tokens}|precision:{dtype}|version:dragoman-{__version__}"
    )
