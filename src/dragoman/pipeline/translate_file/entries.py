"""Translating a file's entries: texts are asked for, judged, and put together again.

What fails is asked once more with another wording of the instruction. An entry with a text that still fails is set
aside, with what the model said.
"""

import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dragoman.corpora.records import Pair
from dragoman.corpora.translatable.content import Content, Entry, Place, Text
from dragoman.corpora.translatable.protect import Piece, cut
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.json_values import Json, JsonObject
from dragoman.pipeline.translate_file.acceptance import Said, Wanted, foreign, judged

MODEL = "translator"  # its name in asks


class Voice(Protocol):
    """What is needed of `prompts.speak.Speaker`."""

    @property
    def stop(self) -> Ids: ...

    def translate(self, pair: Pair) -> Ids: ...


@dataclass(frozen=True, slots=True)
class Failed:
    """A piece of an entry that could not be used, for the file of entries that are set aside."""

    field: str
    reason: str
    detail: str = ""
    source: str = ""
    said: str = ""


@dataclass(slots=True)
class Counts:
    """What became of a file's entries, and how much was asked."""

    entries: int = 0
    translated: int = 0
    as_they_were: int = 0
    """Entries with nothing to translate: code, numbers, option letters; they count as translated."""
    texts: int = 0
    """The texts of the accepted entries."""
    foreign: int = 0
    """Texts that are certainly in another language than the file's, and stay as they are."""
    asked: int = 0
    """Distinct pieces that were sent for translation."""
    asked_again: int = 0
    """Of these, how many were asked for with a second wording."""
    set_aside: Counter[str] = field(default_factory=Counter)
    """Entries that were set aside, by the first reason found."""

    def to_json(self) -> JsonObject:
        return {
            "entries": self.entries,
            "translated": self.translated,
            "nothing to translate": self.as_they_were,
            "texts": self.texts,
            "texts in another language, left as they were": self.foreign,
            "distinct pieces": self.asked,
            "asked again": self.asked_again,
            "set aside": dict(self.set_aside.most_common()),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """A translated file: accepted entries by number, those set aside as plain data, and the counts."""

    done: Mapping[int, Json]
    aside: Sequence[JsonObject]
    counts: Counts


def translated(
    content: Content,
    source: str,
    target: str,
    voices: Sequence[Voice],
    *,
    max_tokens: int,
    context: int | None = None,
    limit: int | None = None,
) -> Generator[Ask, list[Completion], Outcome]:
    """Asks for the translations of a file's entries, or of the first `limit` of them, and puts them together.

    The first voice asks for everything, each further one for what failed before. Prompts that leave no room for an
    answer in `context` are not asked.
    """
    entries = content.entries[:limit]
    texts = [text for entry in entries for text in entry.texts]
    apart = {text for text in texts if foreign(text.text, source)}
    pieces = {text: [Piece(text.text, True)] if text in apart else cut(text.text, text.lines) for text in texts}
    wanted = dict.fromkeys(
        Wanted(piece.text.strip(), text.words) for text in texts for piece in pieces[text] if not piece.kept
    )
    counts = Counts(len(entries), texts=len(texts), foreign=sum(text in apart for text in texts), asked=len(wanted))
    said = yield from _asked(list(wanted), source, target, voices, max_tokens, context, counts)
    done: dict[int, Json] = {}
    aside: list[JsonObject] = []
    for number, entry in enumerate(entries):
        found, failures = _put_together(entry, pieces, said)
        value = None
        if not failures:
            value, reason = content.settle(entry, found)
            if reason:
                shown = {".".join(map(str, at)): text for at, text in found.items()}
                failures = [Failed("", reason, said=json.dumps(shown, ensure_ascii=False))]
        if failures:
            counts.set_aside[failures[0].reason] += 1
            aside.append(_shown(entry, failures))
        else:
            done[number] = value
            counts.as_they_were += not found
    counts.translated = len(done)
    return Outcome(done, aside, counts)


def _asked(
    wanted: Sequence[Wanted],
    source: str,
    target: str,
    voices: Sequence[Voice],
    max_tokens: int,
    context: int | None,
    counts: Counts,
) -> Generator[Ask, list[Completion], dict[Wanted, Said]]:
    """The result for each piece."""
    said: dict[Wanted, Said] = {}
    before: dict[Wanted, Ids] = {}
    left = list(wanted)
    for attempt, voice in enumerate(voices):
        prompts = {piece: voice.translate(Pair(piece.text, "", source, target)) for piece in left}
        prompts = {piece: prompt for piece, prompt in prompts.items() if prompt != before.get(piece)}
        long = {piece for piece, prompt in prompts.items() if context is not None and len(prompt) >= context}
        said |= {piece: Said("", "too long for the model", f"{len(prompts[piece]):,} tokens") for piece in long}
        asked = [piece for piece in prompts if piece not in long]
        if attempt == 1:
            counts.asked_again = len(asked)
        if asked:
            sampling = Sampling(max_tokens, voice.stop)
            purpose = "translations" + ", another wording" * (attempt > 0)
            completions = yield Ask(MODEL, [prompts[piece] for piece in asked], sampling, purpose)
            said |= {
                piece: judged(piece, completion, source, target)
                for piece, completion in zip(asked, completions, strict=True)
            }
        before |= prompts
        left = [piece for piece in left if said[piece].fault and piece not in long]
    return said


def _put_together(
    entry: Entry, pieces: Mapping[Text, Sequence[Piece]], said: Mapping[Wanted, Said]
) -> tuple[dict[Place, str], list[Failed]]:
    """The translated texts of an entry by place, and the pieces that failed."""
    texts: dict[Place, str] = {}
    failures = []
    for text in entry.texts:
        parts = []
        for piece in pieces[text]:
            core = piece.text.strip()
            if piece.kept:
                parts.append(piece.text)
                continue
            found = said[Wanted(core, text.words)]
            if found.fault:
                at = ".".join(map(str, text.at))
                failures.append(Failed(at, found.fault, found.detail, core, found.answer))
            start = piece.text.index(core)
            parts.append(piece.text[:start] + found.text + piece.text[start + len(core) :])
        if not all(piece.kept for piece in pieces[text]):
            texts[text.at] = "".join(parts)
    return texts, failures


def _shown(entry: Entry, failures: Sequence[Failed]) -> JsonObject:
    found: list[Json] = [
        {name: value for name in ("field", "reason", "detail", "source", "said") if (value := getattr(one, name))}
        for one in failures
    ]
    return {"place": entry.place, "failures": found, "record": entry.value}
