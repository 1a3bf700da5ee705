"""Conversations that a recipe names: lessons to be learnt, and instruction data that is mixed in."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dragoman.corpora import catalog
from dragoman.corpora.formats.conversations.dialogues import DialogueFile, select
from dragoman.corpora.records import Dialogue
from dragoman.errors import DataError
from dragoman.lab import abilities, terse
from dragoman.lab.tongues.alpaca import alpaca
from dragoman.prompts.languages import language_name
from dragoman.recipe.data.conversations import LAB_LANGUAGES, Dialogues

LAB: dict[str, Callable[[int, int, str], list[Dialogue]]] = {
    "lab-programs": lambda count, seed, language: abilities.dialogues("programs", count, seed),
    "lab-instructions": lambda count, seed, language: terse.instructions(count, seed),
    "lab-alpaca": lambda count, seed, language: alpaca(language, count, seed),
}
"""The lab's conversations, by name, as functions of count, seed and language; all but `lab-alpaca` are in English."""
LAB_DIALOGUES = 2000  # where a recipe names no limit

Unwanted = Callable[[Dialogue], str | None]


@dataclass(frozen=True, slots=True)
class Taken:
    """The chosen dialogues (read again each time), how many of each origin, and what was left out."""

    parts: list[Iterable[Dialogue]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    short: dict[str, dict[str, int]] = field(default_factory=dict)
    """Origins with fewer records than their share asks for: how many were wanted, how many there are."""
    renamed: dict[str, dict[str, str]] = field(default_factory=dict)
    """Files with keys that were read as others, such as `istruzione` as `instruction`."""

    def __iter__(self) -> Iterator[Dialogue]:
        return (dialogue for part in self.parts for dialogue in part)


def files(source: Dialogues) -> tuple[DialogueFile, ...]:
    """The files behind a choice, with those of the catalogue fetched; none for what the lab makes itself.

    Raises DataError if a file is missing, a corpus has no conversations, or a language has no name.
    """
    if source.language:
        language_name(source.language)
    if source.file is not None:
        return (DialogueFile(Path(source.file), Path(source.file).name, language=source.language or "en"),)
    name = str(source.corpus)
    if name in LAB:
        if source.language not in (None, "en") and name not in LAB_LANGUAGES:
            raise DataError(f"{name} is in English alone, not in {source.language!r}; leave `language` out")
        return ()
    if name.startswith("lab"):
        raise DataError(f"the lab has no conversations {name!r}; it has {', '.join(LAB)}")
    entry = catalog.find(name)
    return tuple(
        DialogueFile(catalog.local(entry, path), name, part.lang, source.language or part.language or "en")
        for part in entry.of("dialogues")
        for path in part.paths
    )


def take(sources: Sequence[Dialogues], records: int, unwanted: Unwanted) -> Taken:
    """Chooses the dialogues of all sources: no duplicates, nothing unwanted, limits and shares respected.

    A share is of all examples: the `records` others, those from sources with a limit, and those of all shares.
    """
    taken = Taken()
    seen: set[str] = set()

    def known(dialogue: Dialogue) -> str | None:
        return "duplicate" if dialogue.key in seen else unwanted(dialogue)

    for source in sources:
        if source.share is None:
            _take(taken, source, source.limit, known, seen)
    others = records + sum(taken.counts.values())
    left = 1 - sum(source.share or 0 for source in sources)
    for source in sources:
        if source.share is not None:
            wanted = round(source.share * others / left)
            name, there = _take(taken, source, wanted, known, seen)
            if there < wanted:
                taken.short[name] = {"wanted": wanted, "there": there}
    return taken


def _take(taken: Taken, source: Dialogues, limit: int | None, unwanted: Unwanted, seen: set[str]) -> tuple[str, int]:
    """Adds the dialogues of one source to those taken before; returns its name and how many there were."""
    chosen = [select(file, limit, source.seed, unwanted) for file in files(source)]
    if source.corpus in LAB:
        made = LAB[source.corpus](LAB_DIALOGUES if limit is None else limit, source.seed, source.language or "en")
        reasons = [unwanted(dialogue) for dialogue in made]
        taken.dropped.update(reason for reason in reasons if reason)
        parts: list[Iterable[Dialogue]] = [[one for one, reason in zip(made, reasons, strict=True) if reason is None]]
    else:
        for part in chosen:
            taken.dropped.update(part.dropped)
            if part.renamed:
                taken.renamed[part.file.path.name] = part.renamed
        parts = list(chosen)
    name, count = source.name, 0
    for dialogue in (dialogue for part in parts for dialogue in part):
        seen.add(dialogue.key)
        count += 1
    taken.parts.extend(parts)
    taken.counts[name] += count
    return name, count


def unchecked(sources: Iterable[Dialogues]) -> list[str]:
    """Files of the catalogue that have no checksum."""
    known = dict(catalog.catalogue())
    names = dict.fromkeys(str(source.corpus) for source in sources if source.corpus in known)
    return [f"{name}: {path}" for name in names for path in known[name].unchecked]
