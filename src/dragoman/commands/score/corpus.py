"""`dragoman score --metric`: reads translations, sources and references that belong together, from text or JSONL."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.corpora.formats.outputs import Triples, is_jsonl, read_text, read_triples
from dragoman.corpora.formats.text import ending
from dragoman.corpora.language import base, dominant
from dragoman.errors import DataError
from dragoman.prompts.languages import LANGUAGES, LONG_CODES, VARIANTS

OWN_TOKENIZER = ("zh", "ja", "ko")
"""Languages with a BLEU tokenizer of their own."""
_VARIANTS = {code.lower() for code in VARIANTS}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Systems' translations of the same segments, with sources and references if there are any."""

    systems: Mapping[str, Sequence[str]]
    sources: Sequence[str]
    references: Sequence[Sequence[str]]
    language: str
    """The target language; empty if unknown."""


def read_corpus(
    src: Path | None,
    hyp: Sequence[Path],
    ref: Sequence[Path],
    data: Path | None,
    target_language: str,
    direction: str,
    tell: Callable[[str], None],
) -> Corpus:
    """What is to be scored. `DataError` if sides differ in length, or contradict each other."""
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
    language = _language(target_language, "--target-language") if target_language else _target(direction)
    if not language:
        language = _guessed([*translated, *ref], [*systems.values(), *(side for _, side in references)], tell)
    return Corpus(systems, sources[0][1] if sources else (), [side for _, side in references], language)


def _column(
    field: str, given: Sequence[Path], records: Mapping[Path, Triples], texts: Mapping[Path, Sequence[str]]
) -> list[tuple[Path, Sequence[str]]]:
    """Sources, or references, with the files they are from: named files, otherwise the JSONL's field."""
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
    """Systems by the names of their files without the suffix; if these are the same, with as many folders as it takes
    to distinguish them.
    """
    absolute = [path.resolve() for path in paths]
    if twice := [str(path) for path, count in Counter(absolute).items() if count > 1]:
        raise DataError(f"{', '.join(twice)} is given more than once")
    plain = [path.with_name(path.name.removesuffix(".gz") or path.name) for path in absolute]
    stems = [path.with_name(path.stem) if path.suffix else path for path in plain]
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
    return [_language(code, "--direction") for code in (source, target)][1]


def _language(given: str, option: str) -> str:
    """The plain code of a given language; a `DataError` if it is not one, as BLEU's tokenizer depends on it."""
    if code := _code(given):
        return code
    word = given.strip().lower()  # a name, or a country: Chinese, cn
    known = {**LANGUAGES, **VARIANTS}.items()
    near = next((code for code, name in known if word in (name.lower(), code.partition("_")[2].lower())), "")
    advice = f"did you mean {base(near)!r}?" if near else "write it as ISO 639 has it, such as zh, ja, ko or de"
    raise DataError(f"{option}: there is no language {given!r}: {advice}")


def _code(word: str) -> str:
    """`zh` for zh, zh_CN, zh-Hans, zho and cmn_Hans; empty if it is not a language."""
    code = base(word.strip())
    code = LONG_CODES.get(code, code)
    return code if code in LANGUAGES else ""


def _guessed(paths: Sequence[Path], sides: Sequence[Sequence[str]], tell: Callable[[str], None]) -> str:
    """The language in the endings of file names; empty if there is none, or they differ. Reports BLEU's tokenizer."""
    codes = sorted({code for path in paths if (code := _by_name(path))})
    if len(codes) == 1:
        if codes[0] in OWN_TOKENIZER:
            tell(f"BLEU's tokenizer is the one for {codes[0]}, as files' names end in it; --target-language decides")
        return codes[0]
    seen = {dominant("\n".join(side[:100])) for side in sides}
    if likely := [code for code in OWN_TOKENIZER if code in codes or code in seen]:
        names = f"files' names end in {', '.join(codes)}" if codes else "no file's name ends in a language"
        tell(f"BLEU's tokenizer is 13a, as {names}; if these are texts in {likely[0]}: --target-language {likely[0]}")
    return ""


def _by_name(path: Path) -> str:
    """The language that a file's name ends in, as in a.zh, a.zh_CN.gz and a.en-zh."""
    word = ending(path.name).removeprefix(".")  # in lower case
    source, _, target = word.partition("-")
    if target and word.replace("-", "_") not in _VARIANTS and _code(source) and _code(target):
        return _code(target)
    return _code(word)
