"""What trainings are validated on: faults where a recipe has nothing of the kind."""

from collections.abc import Collection, Mapping

from dragoman.json_values import held
from dragoman.recipe.schema import Recipe
from dragoman.recipe.source import Fault, Keys, Source, spelled

NEEDS_DEV = {
    "keep": "best are the weights with the lowest loss on a dev set",
    "give_up": "a training is given up by its loss on a dev set",
}
"""Training settings that need a dev set, and why."""
ADVICE = "name one under data, as in `dev: {share: 0.02}`"
TEXTS_ADVICE = "hold some of its texts out, as in `dev: 0.01` beside one of them, or " + ADVICE
Sees = Mapping[str, Collection[str]]
"""Method → the other fields of `data` that it needs."""


def need_measures(source: Source, recipe: Recipe, sees: Sees) -> list[Fault]:
    """A fault for each budget that some training has nothing to measure on, and for moments at which none has."""
    said: dict[Keys, list[bool]] = {}
    held_out = any(text.dev for text in recipe.data.texts)
    for index, method in enumerate(recipe.methods):
        for name, options in method.items():
            own = options.get("training") or {}
            settings = recipe.training.changed(own)
            measured = bool(recipe.data.dev or settings.replay) or (held_out and "texts" in sees.get(name, ()))
            for key in ("budget", "validate_every"):
                if getattr(settings, key) is not None:
                    path = (*(("methods", index, name) if key in own else ()), "training", key)
                    said.setdefault(path, []).append(measured)
    found = []
    for path, each in said.items():
        text = ""
        if path[-1] == "budget" and not all(each):
            text = (
                "drift is measured on general prompts, or on a dev set, and a row has neither; give it replay, as in "
            )
            text += "`replay: {share: 0.1}` beside the budget, or "
        elif not any(each):
            text = "a training is validated on a dev set, and the recipe has none; "
        found += [Fault(source.place(path), spelled(path), text + ADVICE)] * bool(text)
    return found


def need_dev(source: Source, sees: Sees) -> list[Fault]:
    """A fault for each training that is to be validated, with nothing to validate on."""
    data, entries = source.value.get("data"), source.value.get("methods")
    if isinstance(data, dict) and data.get("dev"):
        return []
    texts = data.get("texts") if isinstance(data, dict) else None
    held_out = isinstance(texts, list) and any(isinstance(text, dict) and text.get("dev") for text in texts)
    entries = entries if isinstance(entries, list) else []
    rows = [(index, name) for index, entry in enumerate(entries) if isinstance(entry, dict) for name in entry]
    without = [(index, name) for index, name in rows if not (held_out and "texts" in sees.get(name, ()))]
    holders: list[Keys] = [("training",)] if without or not rows else []
    holders += [("methods", index, name, "training") for index, name in without]
    found = []
    for path in holders:
        try:
            said = held(source.value, path)
        except (KeyError, IndexError, TypeError):
            continue
        for name, why in NEEDS_DEV.items():
            if isinstance(said, dict) and said.get(name) not in (None, "last"):
                advice = TEXTS_ADVICE if "texts" in sees.get(str(path[2:3] and path[2]), ()) else ADVICE
                text = f"{why}, and the recipe has none; {advice}"
                found.append(Fault(source.place((*path, name)), spelled((*path, name)), text))
    return found
