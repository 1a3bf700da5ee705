"""Writing a learning rate into a recipe's file: one line changes or is added, all else stays as it was written."""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from dragoman.disk import write_atomic
from dragoman.errors import RecipeError
from dragoman.json_values import Json
from dragoman.pipeline.rows import rows
from dragoman.recipe.schema import Recipe
from dragoman.recipe.source import Keys, read, spelled

RATE = "learning_rate"
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the rate belongs in a recipe's file: the keys of the mapping that it stands in."""

    path: Path
    keys: Keys = ("training",)

    def line(self, rate: str) -> str:
        """What a person would write instead."""
        return f"`{RATE}: {rate}` under `{spelled(self.keys)}`"

    def obstacle(self) -> str:
        """Why the rate cannot be written there; empty if it can."""
        try:
            changed(self._text(), self.keys, "1e-4")
        except RecipeError as error:
            return str(error)
        there = self.path.resolve()
        if not os.access(there, os.W_OK) or not os.access(there.parent, os.W_OK) or not there.stat().st_mode & 0o222:
            return "the file is read-only"
        return ""

    def write(self, rate: str) -> bool:
        """Writes it; False if it was there. RecipeError if it cannot be written so that everything else stays."""
        text = self._text()
        new = changed(text, self.keys, rate)
        if new == text:
            return False
        there = self.path.resolve()
        mode = there.stat().st_mode
        write_atomic(there, new.encode())
        there.chmod(mode)
        return True

    def _text(self) -> str:
        return self.path.read_bytes().decode()


def target_of(path: Path, recipe: Recipe, row: str) -> Target:
    """Where a row's learning rate stands, or belongs: in its own settings if they name one, otherwise in the recipe's.

    A rate of a file that this one extends stays there, and this file gets its own.
    """
    method, options = rows(recipe)[row]
    if RATE not in (options.get("training") or {}):
        return Target(path)
    written = read(path, str(path)).value.get("methods")
    for index, entry in enumerate(written if isinstance(written, list) else ()):
        given = entry.get(method) if isinstance(entry, dict) else None
        if isinstance(given, dict) and (given.get("label") or method) == row:
            return Target(path, ("methods", index, method, "training"))
    return Target(path, ("methods", row, "training"))  # in another file, or made by a sweep


def changed(text: str, keys: Keys, rate: str) -> str:
    """A recipe's text with another rate in the mapping at `keys`. RecipeError says why that cannot be done."""
    body = text.removeprefix(BOM)
    root = yaml.compose(body, Loader=yaml.BaseLoader)
    start, end, put = _edit(body, root, keys, rate)
    new = body[:start] + put + body[end:]
    try:
        as_meant = _with(_values(body), (*keys, RATE), rate) == _values(new)
    except yaml.YAMLError:
        as_meant = False
    if not as_meant:
        raise RecipeError(f"{spelled(keys)} is written in a way that cannot be changed without changing more")
    return text[: len(text) - len(body)] + new


def _edit(body: str, root: yaml.Node | None, keys: Keys, rate: str) -> tuple[int, int, str]:
    """The part of the text to replace, and what with."""
    node, above = root, 0
    for depth, key in enumerate(keys):
        found = _child(node, key)
        if found is None:
            if keys != ("training",) or not isinstance(node, yaml.MappingNode):
                raise RecipeError(f"{spelled(keys[: depth + 1])} is not in this file")
            return _beside(body, node, "training", f"{{{RATE}: {rate}}}", f"\n  {RATE}: {rate}", last=True)
        above, node = found
        if node.start_mark.index < above:  # an alias stands for what is written elsewhere
            raise RecipeError(f"{spelled(keys[: depth + 1])} stands for what is written elsewhere (`*name`)")
    if isinstance(node, yaml.MappingNode):
        there = _child(node, RATE)
        if there is None:
            return _beside(body, node, RATE, rate, f" {rate}")
        above, value = there
        if value.start_mark.index < above:
            raise RecipeError(f"{spelled((*keys, RATE))} stands for what is written elsewhere (`*name`)")
        return value.start_mark.index, value.end_mark.index, rate
    assert node is not None
    if isinstance(node, yaml.ScalarNode) and node.value in ("", "~", "null"):  # `training:` with nothing in it
        return node.start_mark.index, node.end_mark.index, f" {{{RATE}: {rate}}}"
    raise RecipeError(f"{spelled(keys)} is no mapping")


def _beside(
    body: str, node: yaml.MappingNode, key: str, flow: str, block: str, *, last: bool = False
) -> tuple[int, int, str]:
    """A further key of a mapping: in braces the first one, in lines of its own the first one or the last."""
    start = node.start_mark.index
    if node.flow_style:
        at = body.index("{", start) + 1
        return at, at, f"{key}: {flow}{', ' if node.value else ''}"
    end = "\r\n" if "\r\n" in body else "\n"
    added = f"{key}:{block}".replace("\n", end)
    if last:
        return len(body), len(body), f"{'' if body.endswith(end) else end}{added}{end}"
    first = node.value[0][0].start_mark
    at = first.index - first.column
    return at, at, f"{' ' * first.column}{added}{end}"


def _child(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    """The node below another, and where its key or its list begins."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return name.start_mark.index, value
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.start_mark.index, node.value[key]
    return None


def _values(text: str) -> Json:
    found: Json = yaml.load(text, Loader=yaml.BaseLoader)
    return found


def _with(value: Json, path: Keys, rate: str) -> Json:
    """The same values with this rate."""
    if not path:
        return rate
    first, *rest = path
    if isinstance(value, list) and isinstance(first, int):
        return [_with(one, tuple(rest), rate) if at == first else one for at, one in enumerate(value)]
    known = value if isinstance(value, dict) else {}
    return {**known, str(first): _with(known.get(str(first)), tuple(rest), rate)}
