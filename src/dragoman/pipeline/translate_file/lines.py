"""Translating lines of text: asked, answered and extracted as the translations that a recipe is judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.corpora.records import Pair
from dragoman.generation.door import Asking, drive
from dragoman.pipeline.merge_adapters import merge_adapters
from dragoman.pipeline.models.adapted import adapted
from dragoman.pipeline.models.cast import Model, find_folder
from dragoman.pipeline.models.engines import check_engine, open_door
from dragoman.pipeline.models.speakers import speaker, spec_of
from dragoman.pipeline.plan import open_store
from dragoman.pipeline.translate_file.entries import MODEL
from dragoman.progress import note
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe
from dragoman.store import Store
from dragoman.suites.translation.suite import hypothesis, translation_ask


@dataclass(frozen=True, slots=True)
class TranslatedLines:
    """As many translations as there were lines: empty where there is none."""

    texts: Sequence[str]
    too_long: Mapping[int, int]
    """Lines that leave no room for an answer, by their index: the tokens of each one's prompt."""
    context: int | None
    """How many tokens the model sees at once."""
    cut_off: Sequence[int]
    """Lines whose answer was still going on at the limit of tokens, by their index."""
    not_found: Sequence[int]
    """Lines in whose answer no translation was found, by their index."""


def one_model(recipe: Recipe, store: Store) -> Model:
    """The backbone of a recipe, fetched if it is on the hub, merged if it is an adapter.

    Its contents are not read, so it has no digest.
    """
    code, bins = recipe.trust_remote_code, recipe.bin_weights
    if with_base := adapted(recipe.backbone, store.digests, find_folder, code, bins):
        merge_adapters(recipe, store, note)
        folder = with_base.folder(store.folder)
    else:
        folder = find_folder(recipe.backbone, recipe.revision, code, bin_weights=bins)
    return Model(recipe.backbone, folder, "", code, bins, recipe.chat, recipe.prompt)


def translate_lines(
    recipe: Recipe, lines: Sequence[str], source: str, target: str, adapter: Path | None = None
) -> TranslatedLines:
    """The translation of each line by the recipe's backbone, perhaps with an adapter; answers are kept in its store.

    EngineError or TemplateError if it cannot be asked.
    """
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    store = open_store(recipe, note)
    model = one_model(recipe, store)
    speak = speaker(recipe, model)
    if speak.format is None:
        speak.renderer.require_chat()
    spec = replace(spec_of(model, recipe.system), adapter=adapter)
    check_engine(recipe.generation, spec)
    pairs = {at: Pair(line.strip(), "", source, target) for at, line in enumerate(lines) if line.strip()}
    models = {MODEL: spec}
    asking = _asking(pairs, speak, recipe.evaluation.translation_tokens, len(lines))
    with (
        store.in_use(),
        open_door(recipe.generation, store.folder / "completions", models, served=MODEL) as door,
    ):
        return drive(asking, door)


def _asking(pairs: Mapping[int, Pair], speak: Speaker, max_tokens: int, lines: int) -> Asking[TranslatedLines]:
    lengths = {at: len(speak.translate(pair)) for at, pair in pairs.items()} if speak.context else {}
    too_long = {at: length for at, length in lengths.items() if speak.context and length >= speak.context}
    asked = {at: pair for at, pair in pairs.items() if at not in too_long}
    answers = []
    if asked:
        answers = yield translation_ask(MODEL, list(asked.values()), speak, max_tokens, "translations")
    found = {
        at: hypothesis(speak.after(answer.text, pair), pair)
        for (at, pair), answer in zip(asked.items(), answers, strict=True)
    }
    cut_off = [at for at, answer in zip(asked, answers, strict=True) if answer.finish == "length"]
    not_found = [at for at, text in found.items() if text is None]
    texts = [found.get(at) or "" for at in range(lines)]
    return TranslatedLines(texts, too_long, speak.context, cut_off, not_found)
