"""Writing a recipe back as YAML: with all defaults, and on request the text of each field."""

from textwrap import indent

import yaml
from pydantic import BaseModel

from dragoman.recipe.schema import Recipe
from dragoman.recipe.source import scalar


class _Dumper(yaml.SafeDumper):
    """Quotes the words that `source.scalar` would read as something other than text."""


def _quoted(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, None if scalar(text) == text else "'")


_Dumper.add_representer(str, _quoted)


def resolved(recipe: Recipe, comments: bool = False) -> str:
    """The whole recipe, defaults included, as YAML that loads to the same recipe again."""
    return "".join(_lines(recipe, comments, ""))


def _lines(model: BaseModel, comments: bool, margin: str) -> list[str]:
    lines = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if comments and field.description:
            lines.append(f"{margin}# {field.description}\n")
        if isinstance(value, BaseModel):
            lines += [f"{margin}{name}:\n", *_lines(value, comments, f"{margin}  ")]
        else:
            lines.append(f"{margin}{name}:{_leaf(model.model_dump(mode='json')[name], margin)}")
    return lines


def _leaf(value: object, margin: str) -> str:
    entries = isinstance(value, list) and any(isinstance(item, dict) for item in value)
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=not entries
    )
    return "\n" + indent(text, f"{margin}  ") if entries else f" {text.removesuffix('...' + chr(10))}"
