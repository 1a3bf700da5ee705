"""`dragoman score --metric`: translations, sources and references that belong together, from texts and JSONL."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.corpora.identify import NAMES, base
from dragoman.corpora.predictions import Triples, is_jsonl, read_text, read_triples
from dragoman.errors import DataError

WITHOUT_BLANKS = ("zh", "ja", "ko")
"""Languages that BLEU has a tokenizer of their own for."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Systems' translations of the same segments, with sources and references as far as there are any."""

    systems: Mapping[str, Sequence[str]]
    sources: Sequence[str]
    references: Sequence[Sequence[str]]
    language: str
    """Of the translations; empty where nothing tells."""


def read_corpus(
    src: Path | None,
    hyp: Sequence[Path],
    ref: Sequence[Path],
    data: Path | None,
    target_language: str,
    direction: str,
    tell: Callable[[str], None],
) -> Corpus:
    """What is to be scored. `DataError` where sides differ in length, or say different things."""
    paths = [path for path in (data, *hyp, src, *ref) if path]
    records = {path: read_triples(path) for path in dict.fromkeys(paths) if is_jsonl(path) or path == data}
    texts = {path: read_text(path) for path in dict.fromkeys(paths) if path not in records}
    translated = list(hyp) or [path for path, one in records.items() if one.translations]
    if not translated:
        raise DataError("--hyp is missing: a file of translations for each system, or one JSONL with src, mt and ref")
    systems = {
        name: _side(path, "mt", records[path].translations) if path in records else texts[path]
        for name, path in named(translated).items()
    }
    sources = _column("src", [src] if src else [], records, texts)
    references = _column("ref", ref, records, texts)
    first, expected = translated[0], len(next(iter(systems.values())))
    sides = [
        *zip(translated, map(len, systems.values()), strict=True),
        *((path, len(side)) for path, side in (*sources, *references)),
    ]
    if wrong := dict.fromkeys(f"{path} has {count:,}" for path, count in sides if count != expected):
        raise DataError(
            f"{first} has {expected:,} lines, and {' and '.join(wrong)}: line by line they must belong together"
        )
    language = target_language or _target(direction)
    if not language and (language := _by_name([*translated, *ref])) in WITHOUT_BLANKS:
        tell(f"BLEU's tokenizer is the one for {language}, as the files' names end in it; --target-language decides")
    return Corpus(systems, sources[0][1] if sources else (), [side for _, side in references], language)


def _column(
    field: str, given: Sequence[Path], records: Mapping[Path, Triples], texts: Mapping[Path, Sequence[str]]
) -> list[tuple[Path, Sequence[str]]]:
    """Sources, or references, with the files they are from: those that are named, else what stands in the JSONL."""
    found: list[tuple[Path, Sequence[str]]] = []
    for path in given:
        if path not in records:
            found.append((path, texts[path]))
        elif field == "src":
            found.append((path, _side(path, field, records[path].sources)))
        else:
            found += [(path, side) for side in records[path].references or [_side(path, field, ())]]
    if given:
        return found
    told = {path: (one.sources,) if field == "src" else one.references for path, one in records.items()}
    there = {path: sides for path, sides in told.items() if sides and sides[0]}
    first = next(iter(there), None)
    if first is None:
        return []
    if others := [path for path, sides in there.items() if sides != there[first]]:
        raise DataError(
            f"{first} and {others[0]} differ in {field!r}: systems are compared on the same segments. Name one of them "
            f"with --{field}."
        )
    return [(first, side) for side in there[first]]


def _side(path: Path, field: str, texts: Sequence[str]) -> Sequence[str]:
    if not texts:
        raise DataError(f"{path} has no {field!r} in its records")
    return texts


def named(paths: Sequence[Path]) -> dict[str, Path]:
    """Systems by the names of their files without the suffix; where these are the same, with as many folders as tell
    them apart."""
    absolute = [path.resolve() for path in paths]
    if twice := [str(path) for path, count in Counter(absolute).items() if count > 1]:
        raise DataError(f"{', '.join(twice)} is given more than once")
    stems = [path.with_name(path.stem) if path.suffix else path for path in absolute]
    names = [stem.name for stem in stems]
    for depth in range(2, 1 + max((len(stem.parts) for stem in stems), default=0)):
        counts = Counter(names)
        names = [
            "/".join(stem.parts[-depth:]) if counts[name] > 1 else name for name, stem in zip(names, stems, strict=True)
        ]
    counts = Counter(names)
    full = [path.name if counts[name] > 1 else name for name, path in zip(names, absolute, strict=True)]
    return dict(zip(full, paths, strict=True))


def _target(direction: str) -> str:
    if not direction:
        return ""
    source, dash, target = direction.partition("-")
    if not (source and dash and target):
        raise DataError(f"--direction is two languages, as in en-zh, not {direction!r}")
    return target


def _by_name(paths: Sequence[Path]) -> str:
    """The language that names of files end in; empty where there is none, or more than one."""
    codes = {base(path.suffix.removeprefix(".")) for path in paths} & {*NAMES, *WITHOUT_BLANKS}
    return codes.pop() if len(codes) == 1 else ""
