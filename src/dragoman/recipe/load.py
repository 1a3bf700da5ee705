"""Loading a recipe: the file, what it extends, the command line's overrides; every fault at once."""

import re
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType

import yaml
from pydantic import BaseModel, ValidationError

from dragoman.errors import RecipeError
from dragoman.json_values import Json, as_list, as_object, held
from dragoman.recipe.benchmarks import Suites, check_needs, check_suites
from dragoman.recipe.data.conversations import Prompts, ReplayData
from dragoman.recipe.data.dev_needs import need_dev, need_measures
from dragoman.recipe.faults import faults, suggestion
from dragoman.recipe.fields import NAME, no_folder
from dragoman.recipe.judging import Verdict
from dragoman.recipe.schema import Recipe, unfit_rows
from dragoman.recipe.source import COMMAND_LINE, Fault, Keys, Place, Source, parse, read, spelled
from dragoman.recipe.sweep import expand
from dragoman.recipe.training import Training

MODELS, REVISION = ("backbone", "model"), "revision"
"""Keys that name a model, and the one beside them that says which commit of it."""
PROMPTS = (Prompts(corpus="requests"),)
"""What replay asks where a recipe does not say."""
LAB_PROMPTS = (Prompts(corpus="lab-requests"), Prompts(own=1000))
"""The same on the lab, most of whose kinds are judged, and so left out."""


def load(
    path: Path,
    overrides: Sequence[str] = (),
    *,
    methods: Mapping[str, type[BaseModel]],
    suites: Suites,
    sees: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Recipe:
    """The recipe in `path`, after its `extends`, the overrides (`training.epochs=1`) and its `sweep`.

    `methods` are the options of each known method, `suites` knows the suites, `sees` says which
    other fields of `data` each needs. Each entry of the recipe's `methods` is returned as `{name: all its options}`.

    Raises RecipeError with every fault, one per line: file and line, field, what is wrong, what to do.
    """
    source = _extended(path, str(path), ())
    _drop_revisions(source, overrides)
    for override in overrides:
        _override(source, override)
    recipe = None
    if not source.broken:
        entries = source.value.get("methods")
        written = len(entries) if isinstance(entries, list) else 0
        expand(source, methods)
        found = _validate_methods(source, methods, written) + _validate_seen(source, sees) + need_dev(source, sees)
        benchmarks, more = check_suites(source, suites)
        found += more
        try:
            recipe = Recipe.model_validate(source.value | ({"benchmarks": benchmarks} if benchmarks else {}))
            found = found or _validate_rows(source, recipe)
            if not found:
                recipe, found = _with_replay(source, recipe)
                found = found or [
                    *need_measures(source, recipe, sees),
                    *(Fault(source.place(at), spelled(at), why) for at, why in unfit_rows(recipe)),
                    *check_needs(source, recipe, suites),
                ]
        except ValidationError as error:
            found += faults(error, Recipe, source)
        known = {(fault.place, fault.about) for fault in source.faults}
        source.faults += [fault for fault in found if (fault.place, fault.about) not in known]
    if source.faults or recipe is None:
        raise _refused(source)
    return recipe


def load_verdict(path: Path, overrides: Sequence[str] = ()) -> Verdict:
    """What a recipe says under `verdict` alone: the other files that it names need not be there.

    Raises RecipeError with every fault in that, as `load` does.
    """
    source = _extended(path, str(path), ())
    for override in overrides:
        _override(source, override)
    try:
        found = Verdict.model_validate(source.value.get("verdict", {}))
    except ValidationError as error:
        found = None
        source.faults += faults(error, Verdict, source, ("verdict",))
    if source.faults or found is None:
        raise _refused(source)
    return found


def _refused(source: Source) -> RecipeError:
    in_order = sorted(set(source.faults), key=lambda fault: (fault.place == COMMAND_LINE, fault))
    return RecipeError("\n".join(map(str, in_order)))


def _extended(path: Path, shown: str, seen: tuple[Path, ...]) -> Source:
    child = read(path, shown)
    place = child.place(("extends",))
    base = child.value.pop("extends", None)
    if base is None:
        return child
    target = path.parent / str(base)
    seen = (*seen, path.resolve())
    if not isinstance(base, str):
        fault = "should be the path of one recipe"
    elif target.resolve() in seen:
        fault = f"{base} extends this recipe in turn; take one of the two out"
    elif not target.is_file():
        fault = f"there is no file {target}; the path counts from this recipe"
    else:
        parent = _extended(target, str(target), seen)
        _merge(parent, child, ())
        parent.faults += child.faults
        parent.places[()] = child.places[()]
        parent.broken |= child.broken
        return parent
    child.faults.append(Fault(place, "extends", fault))
    child.broken = True
    return child


def _merge(parent: Source, child: Source, path: Keys) -> None:
    """Merges mappings key by key; any other value of the child replaces the parent's.

    A revision belongs to the model beside it: a child with another model and no revision has none.
    """
    old, new = as_object(held(parent.value, path)), as_object(held(child.value, path))
    if REVISION in old and REVISION not in new and any(new.get(key, old.get(key)) != old.get(key) for key in MODELS):
        _forget(parent, (*path, REVISION))
        del old[REVISION]
    for key, value in new.items():
        below = (*path, key)
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            _merge(parent, child, below)
            continue
        _forget(parent, below)
        old[key] = deepcopy(value)
        parent.places |= {at: place for at, place in child.places.items() if at[: len(below)] == below}


def _path(name: str) -> Keys:
    """The keys in a dotted name; numbers are positions in a list."""
    return tuple(int(part) if re.fullmatch("[0-9]{1,9}", part) else part for part in name.split("."))


def _drop_revisions(source: Source, overrides: Sequence[str]) -> None:
    """If the command line names another model, the recipe's revision of its own model is dropped."""
    named = [text.partition("=")[0].strip() for text in overrides]
    for name in named:
        path = _path(name)
        if path[-1] not in MODELS or ".".join([*name.split(".")[:-1], REVISION]) in named:
            continue
        try:
            holder = held(source.value, path[:-1])
        except (KeyError, IndexError, TypeError):  # `_override` says what is wrong with it
            continue
        if isinstance(holder, dict) and holder.pop(REVISION, None) is not None:
            _forget(source, (*path[:-1], REVISION))


def _override(source: Source, text: str) -> None:
    name, equals, value_text = text.partition("=")
    path = _path(name.strip())
    if not equals or not all(part != "" for part in path):
        source.faults.append(Fault(COMMAND_LINE, "", f"'{text}' should look like training.epochs=1"))
        return
    if path == ("extends",):
        source.faults.append(
            Fault(COMMAND_LINE, "extends", "belongs in a recipe's file; write one that extends the other")
        )
        return
    try:
        value = parse(value_text)
    except yaml.YAMLError:
        source.faults.append(
            Fault(COMMAND_LINE, spelled(path), f"{value_text!r} is not a YAML value; put it in quotes")
        )
        return
    holder: Json = source.value
    for depth, part in enumerate(path):
        if isinstance(part, int) and (not isinstance(holder, list) or part >= len(holder)):
            where = spelled(path[:depth]) or "the recipe"
            source.faults.append(Fault(COMMAND_LINE, spelled(path), f"{where} has no entry {part}; they count from 0"))
            return
        if depth == len(path) - 1:
            break
        below = _child(holder, part)
        if path[:depth] == ("methods",) and isinstance(below, str):
            below = {below: {}}  # a bare name gets options
            _put(holder, part, below)
        if not isinstance(below, dict | list):
            below = {}
            if isinstance(path[depth + 1], str):
                _put(holder, part, below)
                source.places.setdefault(path[: depth + 1], COMMAND_LINE)
        if isinstance(below, list) and isinstance(path[depth + 1], str):
            where = spelled(path[: depth + 1])
            source.faults.append(Fault(COMMAND_LINE, spelled(path), f"{where} is a list; say which entry, as in 0"))
            return
        holder = below
    _forget(source, path)
    _put(holder, path[-1], value)
    source.places[path] = COMMAND_LINE


def _child(holder: Json, part: str | int) -> Json:
    return as_list(holder)[part] if isinstance(part, int) else as_object(holder).get(part)


def _put(holder: Json, part: str | int, value: Json) -> None:
    if isinstance(part, int):
        as_list(holder)[part] = value
    else:
        as_object(holder)[part] = value


def _forget(source: Source, path: Keys) -> None:
    for at in [at for at in source.places if at[: len(path)] == path]:
        del source.places[at]


def _validate_methods(source: Source, methods: Mapping[str, type[BaseModel]], written: int) -> list[Fault]:
    """Checks each entry against its method's options, and writes all options out, in place.

    The entries after those that were `written` are a sweep's: what is wrong with several for one reason is said once.
    """
    entries = source.value.get("methods")
    if not isinstance(entries, list):
        return []  # the schema says what is wrong with it
    found: list[Fault] = []
    names: dict[str, Place] = {}
    for index, entry in enumerate(entries):
        path: Keys = ("methods", index)
        if isinstance(entry, str):
            entry = {entry: {}}
        if not isinstance(entry, dict) or len(entry) != 1:
            text = "should be one method: a name, or a name with its options, each after its own dash"
            found.append(Fault(source.place(path), spelled(path), text))
            entries[index] = {}
            continue
        (name, given), *_ = entry.items()
        entries[index] = entry
        if name not in methods:
            found.append(Fault(source.place(path), spelled(path), f"no method '{name}'; {suggestion(name, methods)}"))
            continue
        entry[name] = given = {} if given is None else given
        try:
            options = methods[name].model_validate(given).model_dump(mode="json")
        except ValidationError as error:
            known = {(fault.place, fault.text) for fault in found} if index >= written else set()
            wrong = faults(error, methods[name], source, (*path, name))
            found += [fault for fault in wrong if (fault.place, fault.text) not in known]
            continue
        entry[name] = options
        if "seed" in (options.get("training") or {}) and source.value.get("seeds"):
            about = (*path, name, "training", "seed")
            text = "`seeds` trains every row with the same ones, so no row can have its own; take one of the two out"
            found.append(Fault(source.place(about), spelled(about), text))
        label = options.get("label") or name
        place = source.place((*path, name, "label"))
        if label in names or label == "backbone":
            taken = (
                f"is already the method at {names[label]}"
                if label in names
                else "is the name of the backbone's own row"
            )
            text = f"'{label}' {taken}; give this one a label, as in `{name}: {{label: {name}-2}}`"
            found.append(Fault(place, spelled(path), text))
        elif not NAME.fullmatch(label):
            found.append(Fault(place, spelled((*path, name, "label")), no_folder(label)))
        names.setdefault(label, place)
    return found


SEEN = {
    "instructions": ("mixes general instruction data in", "instructions: [{corpus: alpaca, limit: 2000}]"),
    "texts": ("learns plain text", "texts: [{file: news.de.txt, language: de}]"),
    "ratings": ("learns from rated translations", "ratings: [{file: mqm.tsv, direction: zh-en}]"),
    "preferences": ("learns from chosen and rejected translations", "preferences: [{file: choices.jsonl}]"),
}
"""Field of `data` that methods may need → what they do with it, and how it is written."""


OTHERS = ("texts", "ratings", "preferences")
"""Those of them that a recipe may have alone, without pairs and conversations."""


def _validate_seen(source: Source, sees: Mapping[str, Collection[str]]) -> list[Fault]:
    """Faults for methods that need data which the recipe does not name: without it they would be other methods."""
    entries, data = source.value.get("methods"), source.value.get("data")
    if not isinstance(entries, list) or not isinstance(data, dict):
        return []
    neither = not (data.get("train") or data.get("lessons")) and any(data.get(name) for name in OTHERS)
    text = "learns pairs or conversations, and the recipe has neither; give train or lessons under data"
    return [
        Fault(source.place(("methods", index)), spelled(("methods", index)), f"{name} {text}")
        for index, entry in enumerate(entries)
        for name in (entry if isinstance(entry, dict) else ())
        if neither and name in sees and not sees[name]
    ] + [
        Fault(
            source.place(("methods", index)),
            spelled(("methods", index)),
            f"{name} {SEEN[field][0]}, and the recipe names none; write some under data, as in `{SEEN[field][1]}`",
        )
        for index, entry in enumerate(entries)
        for name in (entry if isinstance(entry, dict) else ())
        for field in sees.get(name, ())
        if not data.get(field)
    ]


def _validate_rows(source: Source, recipe: Recipe) -> list[Fault]:
    """Faults of training settings that are valid in themselves, but not laid over the recipe's."""
    found: list[Fault] = []
    for index, method in enumerate(recipe.methods):
        for name, options in method.items():
            try:
                recipe.training.changed(options.get("training"))
            except ValidationError as error:
                found += faults(error, Training, source, ("methods", index, name, "training"))
    return found


def _with_replay(source: Source, recipe: Recipe) -> tuple[Recipe, list[Fault]]:
    """The recipe with prompts for the trainings that take replay, or a recovery, where it names none, and a fault if it
    names some that no training takes.
    """
    own = [options.get("training") for method in recipe.methods for options in method.values()]
    taken = any(settings.replay or settings.recovery for settings in map(recipe.training.changed, own))
    if recipe.data.replay and not taken:
        text = "no row takes these prompts; write `replay: {share: 0.1}` under training (the recipe's, or a row's), or "
        text += "take them out"
        return recipe, [Fault(source.place(("data", "replay")), "data.replay", text)]
    if taken and not recipe.data.replay:
        prompts = LAB_PROMPTS if recipe.backbone == "lab" else PROMPTS
        data = recipe.data.model_copy(update={"replay": ReplayData(prompts=prompts)})
        recipe = recipe.model_copy(update={"data": data})
    return recipe, []
