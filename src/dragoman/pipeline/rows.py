"""Rows of a recipe's table: the method of each, and how often its examples are made and it is trained."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from dragoman.json_values import Json
from dragoman.methods import Elsewhere, Learn, Method, MethodOptions, Vocabulary, available
from dragoman.prompts.translation import instructions_in
from dragoman.recipe.judging import Instructions, TaughtPrompt
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import WITHOUT_EFFECT, Rising, SegmentTraining, Training, as_scale


def rows(recipe: Recipe) -> dict[str, tuple[str, dict[str, Any]]]:
    """Row of the table → method and its options."""
    named = [next(iter(method.items())) for method in recipe.methods]
    return {options.get("label") or name: (name, options) for name, options in named}


def method_of(recipe: Recipe, row: str) -> Method:
    """The method of a row."""
    return available()[rows(recipe)[row][0]]


def after_of(recipe: Recipe, row: str) -> str | Elsewhere | None:
    """The row whose finished model a row starts from; None if it starts from the backbone."""
    said = rows(recipe)[row][1].get("after") if row in rows(recipe) else None
    return Elsewhere.model_validate(said) if isinstance(said, dict) else said


def vocabulary_of(recipe: Recipe, row: str) -> Vocabulary | None:
    """The pieces that the vocabulary of what a row starts from gets; None if it stays as it is."""
    said = rows(recipe)[row][1].get("vocabulary") if row in rows(recipe) else None
    return None if said is None else Vocabulary.model_validate(said)


def extended(recipe: Recipe, row: str, seed: int | None = None) -> str | None:
    """Title of the stage that extends the vocabulary of what a row starts from; None if it stays as it is."""
    if vocabulary_of(recipe, row) is None:
        return None
    return titled("extend", taught_as(recipe, row), seed=seed if after_of(recipe, row) else None)


def starts_apart(recipe: Recipe, row: str) -> bool:
    """Whether what a row starts from is another model than the backbone."""
    return after_of(recipe, row) is not None or vocabulary_of(recipe, row) is not None


def start_in_words(recipe: Recipe, row: str, *, extended: bool = True) -> str:
    """What a row starts from, or what that is before its vocabulary is `extended`."""
    before = after_of(recipe, row)
    larger = " with more pieces" if extended and vocabulary_of(recipe, row) else ""
    return (f"what {before} became" if before else "the backbone") + larger


def rows_before(recipe: Recipe, row: str) -> list[str]:
    """The recipe's rows that a row comes after, the first one first."""
    found: list[str] = []
    while isinstance(before := after_of(recipe, row), str):
        found.insert(0, row := before)
    return found


def grown(recipe: Recipe, row: str) -> bool:
    """Whether a row's vocabulary is larger than the backbone's, by itself or by a row of the recipe before it."""
    return any(vocabulary_of(recipe, one) for one in (row, *rows_before(recipe, row)))


def in_order(recipe: Recipe) -> list[str]:
    """The rows, each after the one that it starts from and the one whose training it shares."""
    found: list[str] = []

    def add(row: str) -> None:
        for before in (taught_as(recipe, row), after_of(recipe, row)):
            if isinstance(before, str) and before not in (row, *found):
                add(before)
        found.extend([row] if row not in found else [])

    for row in sorted(rows(recipe), key=lambda row: taught_as(recipe, row) != row):
        add(row)
    return found


def own_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are the method's own: those that every method has are left out."""
    return {name: value for name, value in options.items() if name not in MethodOptions.model_fields}


def spelt_options(recipe: Recipe, row: str) -> dict[str, Any]:
    """The options that are the method's own, files of instructions replaced by what is in them.

    DataError if a file can't be read.
    """
    own = own_options(rows(recipe)[row][1])
    for name, value in method_of(recipe, row).options.model_validate(own):
        if isinstance(value, Instructions) and value.file is not None:
            own[name] = {"texts": [one.line for one in instructions_in(Path(value.file), value.MARKS)]}
    return own


def limit_of(recipe: Recipe, row: str) -> int | None:
    """How many records of each kind a row learns from at most; None if it learns from all."""
    limit: int | None = rows(recipe)[row][1].get("limit")
    return limit


def learn_of(recipe: Recipe, row: str) -> Learn | None:
    """Which pairs and conversations a row learns from; None if it learns from all."""
    said = rows(recipe)[row][1].get("learn")
    return None if said is None else Learn.model_validate(said)


def learnt_counts(recipe: Recipe, row: str, counts: Mapping[str, int]) -> list[int]:
    """Of counts by direction and source of conversations those of what a row learns from."""
    learn = learn_of(recipe, row)
    return [count for name, count in counts.items() if learn is None or name in (*learn.directions, *learn.lessons)]


def validated_on(recipe: Recipe, row: str) -> Literal["texts", "pairs"] | None:
    """What a row's training is validated on: held-out texts where it learns from texts, else pairs; None if neither is
    there.
    """
    if "texts" in method_of(recipe, row).sees and any(text.dev for text in recipe.data.texts):
        return "texts"
    return "pairs" if recipe.data.dev else None


def prompt_of(recipe: Recipe, row: str) -> TaughtPrompt:
    """How a row is taught to translate, and asked for translations."""
    said = rows(recipe)[row][1].get("prompt")
    return TaughtPrompt.model_validate(recipe.prompt if said is None else said)


def scale_of(recipe: Recipe, row: str) -> float | Rising:
    """The strength at which a row takes what was trained."""
    return as_scale(rows(recipe)[row][1].get("scale", 1.0))


def teaches_alone(recipe: Recipe, row: str) -> bool:
    """Whether a row learns to give the translation alone where it is asked to."""
    return bool(rows(recipe)[row][1].get("alone"))


def taught_as(recipe: Recipe, row: str) -> str:
    """The row whose examples and training a row has: of those that differ from it in their `scale` alone the one at
    strength 1, or else the first.
    """
    known = rows(recipe)
    if all(scale_of(recipe, other) == 1 for other in known):
        return row
    alike = [other for other, said in known.items() if _but_scale(said) == _but_scale(known[row])]
    return next((other for other in alike if scale_of(recipe, other) == 1), alike[0])


def _but_scale(said: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    method, options = said
    return method, {name: value for name, value in options.items() if name not in ("label", "scale")}


def settings_of(recipe: Recipe, row: str) -> Training:
    """The recipe's training settings with the row's own laid over them. New pieces are learnt if they do not say."""
    settings = recipe.training.changed(rows(recipe)[row][1].get("training"))
    if settings.lora and settings.embeddings is None and vocabulary_of(recipe, row):
        return settings.model_copy(update={"embeddings": True})
    return settings


def named_settings(recipe: Recipe) -> dict[str, dict[str, Json]]:
    """Row → how it is trained, limit and scale, by the names that a recipe gives them, as in `training.lora.rank`."""
    trainings = {row: settings_of(recipe, row) for row in rows(recipe)}
    segments = sorted({name for settings in trainings.values() for name in settings.segments})
    found: dict[str, dict[str, Json]] = {}
    for row, settings in trainings.items():
        said = settings.model_dump(mode="json", exclude=WITHOUT_EFFECT | {"segments"})
        for name in segments:
            said[f"segments.{name}"] = settings.segments.get(name, SegmentTraining()).model_dump(mode="json")
        found[row] = {}
        for name, value in said.items():
            below = {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
            found[row] |= {f"training.{key}": part for key, part in below.items()}
        scale = scale_of(recipe, row)
        found[row] |= _beginning(recipe, row) | {"limit": limit_of(recipe, row)}
        found[row] |= {"scale.first_layer": scale.first_layer} if isinstance(scale, Rising) else {"scale": scale}
    return found


def _beginning(recipe: Recipe, row: str) -> dict[str, Json]:
    """What a row starts from and learns from, and in which words, where any row of the recipe says so."""
    found: dict[str, Json] = {}
    every = [options for _, options in rows(recipe).values()]
    if any(options.get("after") for options in every):
        before = after_of(recipe, row)
        found["after"] = str(before) if before else None
    if any(options.get("learn") for options in every):
        learn = learn_of(recipe, row)
        found["learn"] = ", ".join((*learn.directions, *learn.lessons)) if learn else None
    if any(options.get("vocabulary") for options in every):
        larger = vocabulary_of(recipe, row)
        found["vocabulary"] = larger.pieces if larger else None
    if any(prompt_of(recipe, other) != TaughtPrompt() for other in rows(recipe)):
        found["prompt"] = prompt_of(recipe, row).shown
    return found


def settings_apart(recipe: Recipe) -> dict[str, dict[str, Json]]:
    """Row → those of its settings in which the rows differ. An adapter differs from none by its rank, replay by its
    share, a budget by its drift, a recovery by its steps, a curriculum by its bounds, a preference by its loss.
    """
    told = named_settings(recipe)
    names = list(dict.fromkeys(name for said in told.values() for name in said))
    values = {name: [said[name] for said in told.values() if name in said] for name in names}
    apart = {name for name in names if any(value != values[name][0] for value in values[name])}
    for name, key in (
        ("lora", "rank"),
        ("replay", "share"),
        ("budget", "drift"),
        ("recovery", "steps"),
        ("curriculum", "bounds"),
        ("preference", "loss"),
    ):
        pair = {f"training.{name}", f"training.{name}.{key}"}
        apart |= pair if pair <= {*names} else set()
    apart |= {"scale", "scale.first_layer"} if {"scale", "scale.first_layer"} <= {*names} else set()
    return {row: {name: said[name] for name in names if name in apart & said.keys()} for row, said in told.items()}


def titled(kind: str, row: str, round: int = 0, seed: int | None = None) -> str:
    """A stage's title: `train-radis`, `train-radis~1` with one of several seeds, `train-radis~1@2` for a round."""
    return f"{kind}-{row}" + ("" if seed is None else f"~{seed}") + (f"@{round}" if round else "")


def trainings(recipe: Recipe) -> tuple[int | None, ...]:
    """The seeds that distinguish the trainings of a row; one None if there is only one training."""
    return recipe.seeds if len(recipe.seeds) > 1 else (None,)


def training_of(recipe: Recipe, row: str, seed: int | None = None) -> Training:
    """The training settings of a row: with its seed, and a batch that grows with the examples made of each record."""
    settings = settings_of(recipe, row)
    chosen = seed if seed is not None else next(iter(recipe.seeds), settings.seed)
    batch = settings.batch_size * method_of(recipe, row).examples
    return settings.model_copy(update={"seed": chosen, "batch_size": batch})


def rounds(recipe: Recipe, row: str) -> int:
    """How often the examples of a row are made: once, or again for each epoch."""
    return math.ceil(settings_of(recipe, row).epochs) if rows(recipe)[row][1].get("refresh") else 1


def learnt(recipe: Recipe, row: str, seed: int | None = None) -> list[str]:
    """Titles of the stages that make the examples of a training, round by round: usually one that all seeds share."""
    count, row = rounds(recipe, row), taught_as(recipe, row)
    own = count > 1 or starts_apart(recipe, row)
    return [titled("examples", row, round, seed if own else None) for round in [*range(1, count), 0]]


def trained(recipe: Recipe, row: str, seed: int | None = None) -> list[str]:
    """Titles of the parts of one training, in order. A later part continues the counts of tokens and steps."""
    count, row = rounds(recipe, row), taught_as(recipe, row)
    return [titled("train", row, round, seed) for round in [*range(1, count), 0]]


def recovered(recipe: Recipe, row: str, seed: int | None = None) -> str | None:
    """Title of the stage that recovers a row after its training; None if there is none."""
    row = taught_as(recipe, row)
    return titled("recover", row, seed=seed) if settings_of(recipe, row).recovery else None


def replayed(recipe: Recipe, row: str, seed: int | None = None) -> str | None:
    """Title of the stage whose answers a row learns or recovers by; None if it needs none. All rows that start from the
    backbone share one.
    """
    row = taught_as(recipe, row)
    settings = settings_of(recipe, row)
    if not (settings.replay or settings.recovery):
        return None
    return titled("replay", row, seed=seed) if starts_apart(recipe, row) else "replay"


def begins_with(recipe: Recipe, row: str, seed: int | None = None) -> tuple[str, ...]:
    """Titles of the stages that make what a row starts from; none if that is the backbone, or another recipe's row."""
    if larger := extended(recipe, row, seed):
        return (larger,)
    return merged_before(recipe, row, seed)


def merged_before(recipe: Recipe, row: str, seed: int | None = None) -> tuple[str, ...]:
    """The title of the stage that merges the row which a row comes after, if that is in the recipe."""
    before = after_of(recipe, row)
    return (titled("merge", before, seed=seed),) if isinstance(before, str) else ()
