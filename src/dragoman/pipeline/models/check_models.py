"""Checking that a recipe's models can do what it asks, before work begins and before weights are read."""

from collections.abc import Iterator
from typing import Any

from dragoman.errors import EngineError
from dragoman.generation.local_engine import local_kind
from dragoman.models.outline import UnknownKind, check_kind, outline, vocabulary_of
from dragoman.pipeline.models.cast import Cast, Model
from dragoman.pipeline.models.engines import judge_engine
from dragoman.pipeline.models.speakers import judge_speaker, speaker
from dragoman.pipeline.rows import rows, training_of
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Generation
from dragoman.recipe.schema import Recipe
from dragoman.training.adapters import check_targets

SHOWN = 3


def check_models(recipe: Recipe, cast: Cast, speak: Speaker) -> None:
    """Raises EngineError if a model cannot be used: its files do not hold all of it, it does not continue text, or
    its tokenizer is another model's. TrainingError if an adapter is to go onto layers that do not exist.

    `speak` is the speaker of the backbone, and of those that write rationales instead of it.
    """
    backbone = cast.backbone
    made = _outline(recipe.generation, backbone)
    _check_vocabulary(backbone, made, speak)
    for voice in dict.fromkeys(cast.taught.values()):
        if voice != backbone:
            _check_vocabulary(voice, made, speaker(recipe, voice))
    if recipe.methods:
        check_kind(backbone.path, backbone.trust_remote_code)
        for row in rows(recipe):
            if lora := training_of(recipe, row, None).lora:
                check_targets(made, lora)
    for settings, model, speaks in _others(recipe, cast, speak):
        _check_vocabulary(model, _outline(settings, model), speaks)


def _others(recipe: Recipe, cast: Cast, speak: Speaker) -> Iterator[tuple[Generation, Model, Speaker]]:
    """The models besides the backbone whose weights are read here, and how each is asked."""
    if recipe.generation.engine != "openai":
        yield from ((recipe.generation, model, speak.of(name)) for name, model in cast.others.items())
    for model in cast.finished.values():
        yield recipe.generation, model, speaker(recipe, model)
    for name, judge in cast.judges.items():
        settings = judge_engine(recipe, name)
        if settings.engine != "openai":
            yield settings, judge, judge_speaker(judge)


def _outline(settings: Generation, model: Model) -> Any:
    """None if transformers does not know this kind of model and vLLM, which may, is to load it."""
    try:
        return outline(model.path, trust_remote_code=model.trust_remote_code, bin_weights=model.bin_weights)
    except UnknownKind:
        if local_kind(settings) == "hf":
            raise
        return None


def _check_vocabulary(model: Model, made: Any, speak: Speaker) -> None:
    """EngineError if the tokenizer has tokens without a row in the embedding: such a token would end the work.

    Some tokenizers have extra special tokens, such as one for padding, that are never used here; they do no harm.
    """
    if made is None:
        return
    known = vocabulary_of(made)
    tokenizer = speak.renderer.tokenizer
    special = {
        *tokenizer.all_special_ids,
        *(at for at, token in tokenizer.added_tokens_decoder.items() if token.special),
    }
    used = {*speak.chat("Who are you?"), *speak.renderer.end} if speak.renderer.converses else set()
    beyond = sorted(
        (at, token) for token, at in tokenizer.get_vocab().items() if at >= known and (at not in special or at in used)
    )
    if beyond:
        told = ", ".join(f"{token!r} ({at})" for at, token in beyond[:SHOWN])
        raise EngineError(
            f"The tokenizer of {model.name} does not fit its weights: the embedding has rows for {known:,} tokens, "
            f"and {len(beyond):,} of the tokenizer's have a higher number, such as {told}. Take the tokenizer that the "
            "model was trained with, or a model whose embedding was grown for these tokens (resize_token_embeddings)."
        )
