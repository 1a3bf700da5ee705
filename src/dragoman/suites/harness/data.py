"""Local files instead of the hub's, for tasks of lm-evaluation-harness; only the source of documents changes.

A place is a file with the questions, or a folder with a file for each split (`train.jsonl`, `test.jsonl`) or subset
(`boolean_expressions.json`), or with a folder for each subset.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

from jinja2 import Environment, TemplateSyntaxError, meta

from dragoman.corpora.formats.text import lines
from dragoman.corpora.formats.values import NotJson, is_array, json_file, parsed
from dragoman.errors import DataError, from_here
from dragoman.json_values import Json
from dragoman.suites.harness.tasks import Config, Function, Leaf, TaskSet, find

READERS = {
    "json": (".jsonl", ".json", ".jsonl.gz", ".json.gz"),
    "parquet": (".parquet",),
    "csv": (".csv", ".csv.gz"),
}
PLAIN = "examples"
"""The field of BIG-Bench Hard's own files (one JSON object each) that holds their list."""
TEMPLATES: tuple[Literal["doc_to_text", "doc_to_target", "doc_to_choice", "description"], ...]
TEMPLATES = ("doc_to_text", "doc_to_target", "doc_to_choice", "description")


class Override(TypedDict):
    """What a task's configuration is to say of its documents instead."""

    dataset_path: str
    dataset_name: None
    dataset_kwargs: dict[str, object]


@dataclass(frozen=True, slots=True)
class Local:
    """The files of one task, by split, and how the `datasets` library is to read them."""

    reader: str
    splits: Mapping[str, tuple[Path, ...]]
    within: str | None = None
    """The field that holds the documents, if a file is one JSON object."""

    def override(self) -> Override:
        """The entries of the task's configuration to replace."""
        files = {split: [str(path) for path in paths] for split, paths in self.splits.items()}
        within = {"field": self.within} if self.within else {}
        return {"dataset_path": self.reader, "dataset_name": None, "dataset_kwargs": {"data_files": files, **within}}

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for paths in self.splits.values() for path in paths)


def local(suite: TaskSet, data: Mapping[str, str], shots: int | None) -> dict[str, Local]:
    """The local files of each task of a suite, if `evaluation.harness.data` names any.

    Raises DataError if a file is missing, or lacks a split or a field that the task needs.
    """
    found = {}
    for leaf in suite.leaves:
        key = next((name for name in (leaf.name, suite.name) if name in data), None) or next(
            (name for name in data if leaf.name in {other.name for other in find(name).leaves}), None
        )
        if key is not None:
            found[leaf.name] = _files(leaf, Path(data[key]).expanduser(), f"evaluation.harness.data.{key}", shots)
    return found


def _files(leaf: Leaf, place: Path, where: str, shots: int | None) -> Local:
    config = leaf.config
    if leaf.file is None or "class" in config or config.get("custom_dataset"):
        raise DataError(
            f"{where}: {leaf.name} makes its documents by a program of its own, and cannot take files. Leave it out."
        )
    if not place.exists():
        raise DataError(f"{where}: there is no file or folder {place}{from_here(place)}.")
    judged, drawn = splits(config)
    first = _alone(place) if place.is_file() else _split(place, judged, config.get("dataset_name"))
    if not first:
        raise DataError(f"{where}: {_wanted(leaf, place, judged)}")
    taken = {judged: first}
    asked = config.get("num_fewshot") if shots is None or config.get("num_fewshot") == 0 else shots
    for split in drawn:
        more = () if place.is_file() else _split(place, split, config.get("dataset_name"), alone=False)
        if not more and asked:
            raise DataError(
                f"{where}: {leaf.name} shows {asked} examples of the split '{split}', and {place} has none. Give a "
                f"folder with {judged}.jsonl and {split}.jsonl, or set `evaluation.harness.shots: 0`."
            )
        taken[split] = more or first  # no example is drawn from it, but the task wants it to be there
    reader = next(name for name, endings in READERS.items() if first[0].name.endswith(endings))
    within = _fields(leaf, reader, taken, where)
    return Local(reader, taken, within)


def splits(config: Config) -> tuple[str, list[str]]:
    """The split that is judged, and the others that the task opens."""
    judged = config.get("test_split") or config.get("validation_split")
    if judged is None:
        raise DataError(f"{config.get('task')} of lm-evaluation-harness has neither a test nor a validation split.")
    shown = (config.get("fewshot_config") or {}).get("split") or config.get("fewshot_split")
    examples = (config.get("fewshot_config") or {}).get("samples")
    others = [shown] if shown else [] if examples else [config.get("training_split"), config.get("validation_split")]
    return judged, list(dict.fromkeys(split for split in others if split and split != judged))


def _alone(path: Path) -> tuple[Path, ...]:
    return (path,) if path.name.endswith(_endings()) else ()


def _endings() -> tuple[str, ...]:
    return tuple(ending for endings in READERS.values() for ending in endings)


def _split(folder: Path, split: str, subset: str | None, *, alone: bool = True) -> tuple[Path, ...]:
    """The files of a split: `subset/split`, `split`, or a file of the subset, which has only one split."""
    stems = [folder / subset / split] if subset else []
    stems += [folder / split, *([folder / subset] if subset and alone else [])]
    for stem in stems:
        for ending in _endings():
            if (path := stem.with_name(stem.name + ending)).is_file():
                return (path,)
            if parts := sorted(stem.parent.glob(f"{stem.name}-[0-9]*-of-[0-9]*{ending}")):
                return tuple(parts)
    return ()


def _wanted(leaf: Leaf, place: Path, judged: str) -> str:
    if place.is_file():
        return f"{place} is none of the forms that can be read: {', '.join(_endings())}."
    subset = leaf.config.get("dataset_name")
    names = [f"{judged}.jsonl", *([f"{subset}.json", f"{subset}/{judged}.jsonl"] if subset else [])]
    return f"{leaf.name} needs its split '{judged}', and {place} has none of {', '.join(names)}."


def _fields(leaf: Leaf, reader: str, taken: Mapping[str, tuple[Path, ...]], where: str) -> str | None:
    """Checks the first document of each split; returns the field that holds the documents, if any."""
    within: set[str | None] = set()
    needed = set() if leaf.config.get("process_docs") else fields(leaf.config)
    for path in dict.fromkeys(paths[0] for paths in taken.values()):
        try:  # somebody's files
            names, inside = _first(path, reader)
        except (OSError, ValueError, StopIteration, csv.Error) as error:
            raise DataError(f"{where}: {path} cannot be read as {reader}, or is empty: {error}") from error
        within.add(inside)
        if missing := sorted(needed - names):
            raise DataError(
                f"{where}: {leaf.name} needs the field{'s' * (len(missing) > 1)} {', '.join(missing)}, and the "
                f"documents of {path} have: {', '.join(sorted(names))}."
            )
    if len(within) > 1:
        raise DataError(
            f"{where}: its files are of two forms, plain lists and objects with '{PLAIN}'; make them alike."
        )
    return within.pop()


def fields(config: Config) -> set[str]:
    """The document fields that a task's templates use; those that its functions read are not known."""
    found: set[str] = set()
    for text in _texts(config):
        if not isinstance(text, str) or isinstance(text, Function) or not text.strip():
            continue
        if "{" not in text:
            found |= {text} if text.isidentifier() else set()
            continue
        try:
            found |= meta.find_undeclared_variables(Environment().parse(text))
        except TemplateSyntaxError:  # the harness will say so itself
            continue
    return found


def _texts(config: Config) -> Iterator[object]:
    for name in TEMPLATES:
        if name == "description" and "{" not in str(config.get(name)):
            continue
        value = config.get(name)
        if name == "doc_to_choice" and isinstance(value, list):
            yield from (text for text in value if "{" in str(text))
        else:
            yield value


def _first(path: Path, reader: str) -> tuple[set[str], str | None]:
    """The fields of a file's first document, and the field that holds its documents."""
    if reader == "parquet":
        import pyarrow.parquet

        return set(pyarrow.parquet.read_schema(path).names), None
    if reader == "csv":
        return set(next(csv.reader(line for _, line in lines(path)))), None
    document = json_file(path) if is_array(path) else _document(path)
    if isinstance(document, list):
        document = next(iter(document))
    if not isinstance(document, dict):
        raise DataError(f"its first document is no JSON object, but {json.dumps(document)[:80]}")
    within = document.get(PLAIN)
    if isinstance(within, list) and within and isinstance(within[0], dict):
        return set(within[0]), PLAIN
    return set(document), None


def _document(path: Path) -> Json:
    """The first value of a file with one value per line, or with one value over several lines."""
    number, line = next((number, line) for number, line in lines(path) if line.strip())
    try:
        return parsed(line, str(path), number)
    except NotJson:
        return json_file(path)
