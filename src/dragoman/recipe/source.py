"""YAML sources: reads a recipe's values and remembers the line of each.

Plain words mean what they look like: `on` and `no` are text, `1e-4` is a number, `true` and `false` are the only
truth values (as in YAML 1.2; PyYAML's own rules would turn `packing: on` into `True`).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from dragoman.errors import from_here
from dragoman.json_values import Json, JsonObject, as_object

Keys = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|nan)", re.IGNORECASE)
MOST = 100_000  # values of a recipe; a few lines of aliases can come to more than there is memory
DEEPEST = 50  # mappings and lists inside each other
LARGEST = 1 << 24  # bytes
DIGITS = 18  # of a whole number
_UNFIT = re.compile("[\0\ud800-\udfff]")  # no text can hold half a character, and no file's name a NUL
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq")}


@dataclass(frozen=True, order=True)
class Place:
    """Where a value was written: a file and a line, or the command line."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


COMMAND_LINE = Place("command line")


@dataclass(frozen=True, order=True)
class Fault:
    """One fault, and where it is."""

    place: Place
    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.about}: {self.text}" if self.about else f"{self.place}: {self.text}"


@dataclass
class Source:
    """Values as they were written, the place of each, and faults in the YAML itself."""

    value: JsonObject
    places: dict[Keys, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    broken: bool = False  # so badly written that there is no telling what else is wrong

    def place(self, path: Keys) -> Place:
        """The place of the value at `path`, or of the nearest value around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path]


def spelled(path: Keys) -> str:
    """`("methods", 0, "radis")` in the form a person would write: `methods[0].radis`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def read(path: Path, shown: str) -> Source:
    """The contents of a YAML file. `shown` is its name in messages."""
    source = Source({}, {(): Place(shown, 1)})
    root = _composed(path, shown)
    if isinstance(root, Fault):
        source.faults.append(root)
        source.broken = True
    else:
        source.value = as_object(_value(root, (), shown, source, ()))
    return source


def _composed(path: Path, shown: str) -> yaml.MappingNode | Fault:
    if not path.is_file():
        what = "is a folder, not a recipe; check the path"
        return Fault(Place(shown), "", what if path.is_dir() else f"there is no such file{from_here(path)}")
    try:
        if path.stat().st_size > LARGEST:
            return Fault(Place(shown), "", f"is larger than {LARGEST >> 20} MiB, so it is no recipe")
        root = yaml.compose(path.read_bytes().decode("utf-8-sig"), Loader=yaml.BaseLoader)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Fault(Place(shown, line), "", "is not UTF-8; save the file as UTF-8")
    except yaml.YAMLError as error:
        return _syntax(error, shown)
    except RecursionError:
        return Fault(Place(shown), "", TOO_DEEP)
    if not isinstance(root, yaml.MappingNode):
        what = "is empty" if root is None else "holds no mapping"
        return Fault(Place(shown, 1), "", f"{what}; a recipe is made of lines such as `name: my-recipe`")
    return root


def parse(text: str) -> Json:
    """The value of one override. Raises `yaml.YAMLError` if it is invalid YAML, or no possible value in a recipe."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except RecursionError as error:
        raise yaml.YAMLError(TOO_DEEP) from error
    source = Source({})
    value = None if node is None else _value(node, (), "", source, ())
    if source.faults:
        raise yaml.YAMLError(source.faults[0].text)
    return value


def _syntax(error: yaml.YAMLError, shown: str) -> Fault:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Fault(Place(shown), "", f"cannot be read as YAML: {' '.join(str(error).split())}")
    hint = "; indent with spaces" if "'\\t'" in (error.problem or "") else "; check indentation, colons and brackets"
    context = f"{error.context}, " if error.context else ""
    return Fault(Place(shown, error.problem_mark.line + 1), "", f"not YAML: {context}{error.problem}{hint}")


def _value(node: yaml.Node, path: Keys, shown: str, source: Source, around: tuple[yaml.Node, ...]) -> Json:
    place = source.places.setdefault(path, Place(shown, node.start_mark.line + 1))
    if len(source.places) > MOST:
        if not source.broken:
            text = f"holds more than {MOST:,} values, with what aliases (`*name`) repeat; write out what is meant"
            source.faults.append(Fault(place, "", text))
            source.broken = True
        return None
    if node in around:
        source.faults.append(Fault(place, spelled(path), "contains itself; write the values out"))
        return None
    if len(around) > DEEPEST:
        source.faults.append(Fault(place, spelled(path[:2]), TOO_DEEP))
        source.broken = True
        return None
    if node.tag not in _PLAIN_TAGS:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        source.faults.append(
            Fault(place, spelled(path), f"has the tag {tag}; recipes have no tags, write the value alone")
        )
        return None
    if isinstance(node, yaml.ScalarNode):
        if fault := _unfit(node):
            source.faults.append(Fault(place, spelled(path), fault))
            return None
        return scalar(node.value) if node.style is None else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, index), shown, source, (*around, node)) for index, child in enumerate(node.value)]
    values: JsonObject = {}
    for key, child in node.value:
        place = Place(shown, key.start_mark.line + 1)
        if not isinstance(key, yaml.ScalarNode):
            source.faults.append(Fault(place, spelled(path), "has a key that is not a word; write `key: value`"))
            continue
        if _UNFIT.search(key.value):
            source.faults.append(Fault(place, spelled(path), f"has the key {key.value!a}, which no key can be"))
            continue
        below = (*path, key.value)
        if key.value in values:
            first = source.places[below].line
            source.faults.append(Fault(place, spelled(below), f"is said twice (first on line {first}); keep one"))
            continue
        source.places[below] = place
        values[key.value] = _value(child, below, shown, source, (*around, node))
    return values


TOO_DEEP = f"has lists and mappings inside each other, more than {DEEPEST} of them; no recipe needs that"


def _unfit(node: yaml.ScalarNode) -> str:
    """Why a node can't be a value; empty if it can."""
    if found := _UNFIT.search(node.value):
        what = "the character NUL" if found[0] == "\0" else "half a character"
        return f"has {what} in it ({ascii(found[0])[1:-1]}); take it out"
    if node.style is None and _INTEGER.fullmatch(node.value) and len(node.value) > DIGITS:
        return f"is a number of {len(node.value):,} digits; where it is meant as text, put it in quotes"
    return ""


def scalar(text: str) -> Json:
    """The value of a word without quotes."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if match := _SPECIAL.fullmatch(text):
        return float(match[1] + match[2])
    return text
