"""Prompts for replay: gathered from all sources that a recipe names, without what models are judged on."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dragoman import lab
from dragoman.corpora import catalog
from dragoman.corpora.formats.conversations.prompts import choose, read
from dragoman.corpora.records import Request
from dragoman.errors import DataError
from dragoman.lab.requests import KINDS, ORIGIN, requests
from dragoman.paths import existing
from dragoman.pipeline.data.contamination import Findings
from dragoman.recipe.data.conversations import Prompts, ReplayData
from dragoman.store import Digests

PART = "data.replay"
LAB_REQUESTS = 2000  # where a recipe names no limit
NEAR = "of a kind that evaluation asks"


def prompt_inputs(data: ReplayData, digests: Digests) -> list[dict[str, object]]:
    """Everything that determines the prompts of all sources, by contents. Corpora are fetched if necessary.

    Raises DataError if a file is missing.
    """
    return [{**source.model_dump(), "contents": _contents(source, digests)} for source in data.prompts]


def _contents(source: Prompts, digests: Digests) -> list[str]:
    return lab.digest() if source.corpus == ORIGIN else [digests.of(existing(path)) for path in files(source)]


def files(source: Prompts) -> tuple[Path, ...]:
    """The files behind a source, with those of the catalogue fetched; none for what is made here."""
    if source.file is not None:
        return (Path(source.file),)
    if source.corpus is None or source.corpus == ORIGIN:
        return ()
    entry = catalog.find(source.corpus)
    return tuple(catalog.local(entry, path) for part in entry.of("prompts") for path in part.paths)


def named(source: Prompts, seed: int, dropped: Counter[str]) -> list[Request]:
    """The prompts of a corpus or a file; what could not be read is counted in `dropped`.

    The lab makes enough of each kind for the limit, or for `LAB_REQUESTS` in all.
    """
    if source.corpus == ORIGIN:
        kinds = source.kinds or KINDS
        each = source.limit or math.ceil(LAB_REQUESTS / len(kinds))
        return [request for kind in kinds for request in requests(kind, each, seed)]
    origin = name_of(source)
    return [request for path in files(source) for request in read(path, origin, dropped)]


def name_of(source: Prompts) -> str:
    """What a source is called in counts."""
    return source.corpus or (Path(source.file).name if source.file else "own")


@dataclass(slots=True)
class Gathering:
    """The prompts taken so far, and what was left out.

    `findings` compares with the texts that models are judged on, `asked` are the kinds that evaluation asks; they are
    left out unless `near` is set.
    """

    findings: Findings
    asked: frozenset[str]
    near: bool = False
    taken: dict[str, Request] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    near_counts: Counter[str] = field(default_factory=Counter)
    """The kinds among `asked`, and how many prompts of each were left out for it."""
    spent: Counter[str] = field(default_factory=Counter)
    """What the backbone's own prompts took: answers, tokens, seconds."""

    def take(self, source: Prompts, seed: int, requests: Sequence[Request]) -> None:
        """Takes the prompts of a source that are wanted, within its limit. DataError if it has none of a kind."""
        kinds = {request.kind for request in requests}
        if unknown := [kind for kind in source.kinds if kind not in kinds]:
            raise DataError(
                f"{PART}: {name_of(source)} has no prompts of the kind {', '.join(unknown)}; it has "
                f"{', '.join(sorted(filter(None, kinds))) or 'no kinds'}"
            )
        wanted = [request for request in requests if not source.kinds or request.kind in source.kinds]
        kept, dropped = choose(wanted, source.limit, seed, self._unwanted)
        self.dropped.update(dropped)
        self.taken.update({request.key: request for request in kept})

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many prompts are taken, by source and kind; the kind is empty where none is known."""
        found: dict[str, dict[str, int]] = {}
        for request in self.taken.values():
            kinds = found.setdefault(request.origin, {})
            kinds[request.kind] = kinds.get(request.kind, 0) + 1
        return found

    def _unwanted(self, request: Request) -> str | None:
        if request.key in self.taken:
            return "duplicate"
        if request.kind in self.asked:
            self.near_counts[request.kind] += not self.near
            if not self.near:
                return NEAR
        return self.findings.reason(PART, request.origin, request)
