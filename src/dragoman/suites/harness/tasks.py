"""Tasks of lm-evaluation-harness by name: their files are read here, without importing the harness.

A task is a YAML file that may include others; a group lists tasks; tasks name the tags that they bear.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict, cast

import yaml

from dragoman.errors import DataError

LIBRARY = "lm-evaluation-harness"
KNOWN: Mapping[str, str] = {
    "gsm8k": "GSM8K",
    "ifeval": "IFEval",
    "mmlu": "MMLU",
    "mmlu_pro": "MMLU-Pro",
    "bbh": "BBH",
    "mgsm": "MGSM",
    "global_mmlu": "Global MMLU",
    "xquad": "XQuAD",
    "mlqa": "MLQA",
    "belebele": "Belebele",
    "truthfulqa": "TruthfulQA",
}
"""Tasks that need no prefix, with their titles; any other is `harness:NAME`."""
PREFIX = "harness:"
MGSM = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")
GLOBAL_MMLU = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "pt", "sw", "yo", "zh")
ALIASES: Mapping[str, tuple[str, ...]] = {
    "truthfulqa": ("truthfulqa_mc2",),
    "mgsm": tuple(f"mgsm_native_cot_{code}" for code in MGSM),
    "global_mmlu": tuple(f"global_mmlu_{code}" for code in GLOBAL_MMLU),
}
"""Suites whose task in the harness has another name: what is run for them."""

_NAMED = re.compile(rb"""^["']?(task|group)["']?:[ \t]*["']?([^\s"'#\[{]+)["']?[ \t]*(?:#.*)?\r?$""", re.MULTILINE)
_CODED = re.compile(rb"^class:", re.MULTILINE)
_TAGGED = re.compile(rb"""^["']?tag["']?:""", re.MULTILINE)


class Function(str):
    """The name of a Python function that a task's file refers to."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    pass


_Loader.add_constructor("!function", lambda _, node: Function(node.value))


class Examples(TypedDict, total=False):
    """Where the examples before a question come from."""

    split: str
    samples: object


class Config(TypedDict, total=False):
    """A task's file, as far as it is read here; a `Function` stands for a reference to a Python function."""

    task: "str | Sequence[str | Config]"
    group: str
    tag: str | list[str]
    include: str | list[str]
    custom_dataset: object
    dataset_name: str | None
    num_fewshot: int | None
    test_split: str | None
    validation_split: str | None
    training_split: str | None
    fewshot_split: str | None
    fewshot_config: Examples | None
    fewshot_delimiter: str
    process_docs: object
    description: object
    doc_to_text: object
    doc_to_target: object
    doc_to_choice: object
    output_type: str
    generation_kwargs: Mapping[str, object] | None
    unsafe_code: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """A task that asks questions."""

    name: str
    file: Path | None
    """None where a group describes it in place."""
    config: Config


@dataclass(frozen=True, slots=True)
class TaskSet:
    """Everything that is run for one name in `evaluate`."""

    name: str
    specs: tuple[str, ...]
    """The names that the harness is given."""
    leaves: tuple[Leaf, ...]
    groups: Mapping[str, Path] = field(default_factory=dict)

    @property
    def unsafe(self) -> bool:
        """Whether programs that a model wrote are run without a sandbox."""
        return any(leaf.config.get("unsafe_code") for leaf in self.leaves)


def installed() -> str:
    """The version of the harness. DataError if it is not installed."""
    try:
        return version("lm_eval")
    except PackageNotFoundError:
        raise DataError(
            f"tasks such as {' and '.join(list(KNOWN)[:2])} are run by {LIBRARY}, which is not installed. Install it: "
            "pip install 'dragoman[harness]'; or take these suites out of `evaluate`."
        ) from None


def find(name: str) -> TaskSet:
    """The tasks behind a suite's name. DataError, with similar names, if there are none."""
    folder = _folder()
    specs = ALIASES.get(name, (name,))
    leaves: dict[str, Leaf] = {}
    groups: dict[str, Path] = {}
    for spec in specs:
        for leaf in _walk(folder, spec, groups, name):
            leaves.setdefault(leaf.name, leaf)
    return TaskSet(name, specs, tuple(leaves.values()), groups)


def task_of(name: str) -> str | None:
    """The task that a suite's name stands for; None if it is another suite."""
    if name.startswith(PREFIX):
        return name.removeprefix(PREFIX) or None
    return name if name in KNOWN else None


def suite_name(task: str) -> str:
    """A task's name in `evaluate`."""
    return task if task in KNOWN else f"{PREFIX}{task}"


@cache
def read(path: Path) -> Config:
    """A task's file merged with what it includes; its own entries take precedence."""
    said: Config = yaml.load(path.read_bytes(), Loader=_Loader)  # a safe loader: functions stay names
    included = said.pop("include", [])
    merged: Config = {}
    for name in [included] if isinstance(included, str) else included:
        merged |= read((path.parent / name).resolve())
    return merged | said


def chain(path: Path) -> list[Path]:
    """A task's file and those that it includes."""
    included = yaml.load(path.read_bytes(), Loader=_Loader).get("include", [])
    names = [included] if isinstance(included, str) else included
    return [path, *(file for name in names for file in chain((path.parent / name).resolve()))]


def _folder() -> Path:
    installed()
    spec = find_spec("lm_eval")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "tasks"


@cache
def _named(folder: Path) -> Mapping[str, Path]:
    """Every task and group by name; of two with one name the first, as in the harness."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.yaml")):
        text = path.read_bytes()
        names = {kind: name.decode() for kind, name in _NAMED.findall(text)}
        name = None if _CODED.search(text) else names.get(b"group")
        if name := name or names.get(b"task"):
            found.setdefault(name, path)
    return found


@cache
def _tagged(folder: Path) -> Sequence[tuple[str, bytes]]:
    """The files that mention tags, each with the folder of the tasks that it may belong to."""
    paths = (path for path in folder.rglob("*") if path.suffix not in (".py", ".md") and path.is_file())
    texts = ((path.relative_to(folder).parts[0], path.read_bytes()) for path in paths)
    return [(home, text) for home, text in texts if _TAGGED.search(text)]


@cache
def _bearing(folder: Path, tag: str) -> tuple[str, ...]:
    """The tasks with a tag, which may be named in a file that they include."""
    homes = {home for home, text in _tagged(folder) if tag.encode() in text}
    found = []
    for name, path in _named(folder).items():
        if path.relative_to(folder).parts[0] in homes:
            config = read(path)
            tags = config.get("tag") or []
            if "group" not in config and tag in ([tags] if isinstance(tags, str) else tags):
                found.append(name)
    return tuple(sorted(found))


def _walk(folder: Path, name: str, groups: dict[str, Path], asked: str) -> Iterator[Leaf]:
    """The leaves below a name; the files of groups on the way are added to `groups`."""
    path = _named(folder).get(name)
    if path is None:
        bearing = _bearing(folder, name)
        if not bearing:
            raise DataError(_unknown(asked, name, list(_named(folder))))
        for task in bearing:
            yield from _walk(folder, task, groups, asked)
        return
    config = read(path)
    if "group" not in config or "class" in config:
        yield Leaf(name, path, config)
        return
    groups[name] = path
    yield from _members(folder, config.get("task") or [], groups, asked)


def _members(
    folder: Path, members: str | Sequence[str | Config], groups: dict[str, Path], asked: str
) -> Iterator[Leaf]:
    known = _named(folder)
    for member in [members] if isinstance(members, str) else members:
        if isinstance(member, str):
            yield from _walk(folder, member, groups, asked)
        elif "group" in member and member["group"] not in known:  # described in place
            yield from _members(folder, member.get("task") or [], groups, asked)
        elif isinstance(below_name := member.get("group", member.get("task")), str) and below_name in known:
            below = {name: value for name, value in member.items() if name not in ("group", "task")}
            for leaf in _walk(folder, below_name, groups, asked):
                yield Leaf(leaf.name, leaf.file, cast(Config, {**leaf.config, **below}))
        else:
            yield Leaf(str(member["task"]), None, member)


def _unknown(asked: str, name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name.lower(), known, n=5, cutoff=0.6)
    begins = sorted((other for other in known if other.startswith(name.lower())), key=len)[:5]
    told = ", ".join(dict.fromkeys([*near, *begins]))
    whose = "" if asked == name else f" (which {asked} is made of)"
    like = f"did you mean one of: {told}?" if told else "`lm_eval ls tasks` lists them."
    return f"{LIBRARY} {installed()} has no task '{name}'{whose}; {like}"
