"""Amounts of a recipe's training and test data, in records and tokens, known before anything is run.

They come from the best source available: what the data stage wrote; else the files, if they are here; else what the
catalogue says of them. Nothing is fetched.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from dragoman.corpora import catalog
from dragoman.corpora.amounts import Amounts, Kind, Volume, joined
from dragoman.corpora.formats.conversations import dialogues
from dragoman.corpora.formats.parallel import located, read
from dragoman.corpora.formats.text import RATIO, ending, unpacked_size
from dragoman.corpora.load import load
from dragoman.corpora.records import Dialogue, Pair, Record, Text, Turn
from dragoman.lab import world
from dragoman.paths import existing
from dragoman.pipeline.data.conversations import LAB, LAB_DIALOGUES
from dragoman.pipeline.data.make_data import HERE, LAB_DEV, LAB_DIRECTIONS, LAB_PAIRS
from dragoman.pipeline.data.record_files import read_lines, record_of
from dragoman.pipeline.forecast.geometry import Geometry, machines
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.replay.prompts import named
from dragoman.pipeline.stages.data import MakeData
from dragoman.recipe.data.conversations import Dialogues, ReplayData
from dragoman.recipe.data.pairs import Corpus
from dragoman.store import Artifact

SAMPLE = 100  # records of a kind that are made, or that a tokenizer is tried on
WHOLE = 50_000_000  # bytes of files that are read to the end; of larger ones the beginning counts for all
BEGINNING = 100_000  # records
PLACES = 200  # of a large file of the data stage, from which together so many records are read
OWN_PROMPT = 20  # tokens of a prompt that a model draws itself, roughly
WRAPPED = 0.85  # of a file of conversations is text; the rest are keys and quotes


class Vocabulary:
    """Estimates token counts of texts: by the backbone's tokenizer on a sample if it is here, otherwise by bytes."""

    def __init__(self, backbone: Model, geometry: Geometry | None):
        path = backbone.folder / "tokenizer.json" if backbone.folder else None
        self.tokenizer: Any = None
        if path is not None and path.is_file():
            from tokenizers import Tokenizer

            self.tokenizer = Tokenizer.from_file(str(path))
        family = geometry.tokenizer if geometry else ""
        self._rates: dict[str, float] = machines()["bytes_a_token"][family or "any"]
        self.frame: int = machines()["assumed"]["frame"]

    def rate(self, language: str) -> float:
        """Bytes per token, in a language or in `code`."""
        scripts = machines()["scripts"]
        like = next((first for first, others in scripts.items() if language in others), language)
        return self._rates.get(like, self._rates["other"])

    def of(self, records: Iterable[Record | Text]) -> Amounts:
        """The amount of these records, by kind, including what instruction and chat format add to what is asked."""
        sizes: defaultdict[tuple[Kind, int, str], int] = defaultdict(int)
        samples: defaultdict[tuple[Kind, int, str], list[str]] = defaultdict(list)
        counts: defaultdict[Kind, int] = defaultdict(int)
        for number, record in enumerate(records):
            kind = Kind.of(record)
            counts[kind] += 1
            for side, (text, language) in enumerate(_sides(record)):
                sizes[kind, side, language] += len(text.encode())
                if self.tokenizer is not None and number % 4 == 0 and len(samples[kind, side, language]) < SAMPLE:
                    samples[kind, side, language].append(text)
        rates = {place: self._tried(texts) for place, texts in samples.items()}
        tokens: defaultdict[tuple[Kind, int], float] = defaultdict(float)
        for (kind, side, language), size in sizes.items():
            tokens[kind, side] += size / (rates.get((kind, side, language)) or self.rate(language))
        return Amounts(
            {
                kind: Volume(n, tokens[kind, 0] + (0 if kind.texts else n * self.frame), tokens[kind, 1])
                for kind, n in counts.items()
            }
        )

    def _tried(self, texts: Sequence[str]) -> float | None:
        tokens = sum(len(self.tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
        return sum(len(text.encode()) for text in texts) / tokens if tokens else None


def _sides(record: Record | Text) -> tuple[tuple[str, str], tuple[str, str]]:
    """Request and answer, each with its language; a text is no request."""
    if isinstance(record, Text):
        return ("", record.language), (record.text, record.language.partition("-")[0])
    if isinstance(record, Pair):
        return (record.source, record.source_language), (record.target, record.target_language)
    asked = "\n".join(turn.whole for turn in record.turns[:-1])
    answered = record.turns[-1].text
    code = "```" in answered or "def " in answered
    return (asked, record.language), (answered, "code" if code else record.language)


def written(
    data: Artifact, name: Literal["train", "instructions", "test", "dev", "texts"], vocabulary: Vocabulary
) -> Amounts:
    """What a data stage wrote to `name`.jsonl, exact in the number of records of each direction and origin."""
    counts = MakeData.facts(data).get(name, {})
    return joined(written_parts(data, name, vocabulary).values()).of(sum(counts.values()))


def written_parts(
    data: Artifact, name: Literal["train", "instructions", "test", "dev", "texts"], vocabulary: Vocabulary
) -> dict[str, Amounts]:
    """The same by direction and origin."""
    counts = MakeData.facts(data).get(name, {})
    parts: defaultdict[str, list[Record | Text]] = defaultdict(list)
    for record in _spread(data.folder / f"{name}.jsonl"):
        parts[_part(record)].append(record)
    return {part: vocabulary.of(records).of(counts.get(part, len(records))) for part, records in parts.items()}


def _part(record: Record | Text) -> str:
    """What a record is counted under in the facts of a data stage."""
    if isinstance(record, Text):
        return f"{record.origin} {record.language}"
    return record.direction if isinstance(record, Pair) else record.origin


def _record(said: dict[str, Any]) -> Record | Text:
    return Text(**said) if "text" in said else record_of(said)


def _spread(path: Path) -> Iterator[Record | Text]:
    """All records of a small file; of a large one some from many places, since the corpora in it follow one another."""
    size = path.stat().st_size
    if size <= WHOLE:
        yield from map(_record, read_lines(path))
        return
    with path.open("rb") as file:
        for place in range(PLACES):
            end = (place + 1) * size // PLACES
            file.seek(place * size // PLACES)
            if place:
                file.readline()  # the rest of a record
            for line in islice(iter(file.readline, b""), BEGINNING // PLACES):
                yield _record(json.loads(line))
                if file.tell() >= end:
                    break


def of_pairs(corpus: Corpus, role: catalog.Role, vocabulary: Vocabulary) -> Amounts | None:
    """The pairs that a recipe names. None if they are not here and the catalogue has no counts."""
    if corpus.corpus == "lab":
        usual = LAB_DEV if role == "valid" else LAB_PAIRS
        directions, limit = corpus.directions or LAB_DIRECTIONS, corpus.limit or usual
        made = world.pairs("test" if role == "test" else "train", directions, min(limit, SAMPLE), corpus.seed)
        return vocabulary.of(made).of(limit * len(directions))
    if corpus.corpus is not None:
        entry = catalog.find(corpus.corpus)
        wanted = set(corpus.directions or entry.directions(role))
        parts = [part for part in entry.of(role) if wanted & set(part.directions)]
        if not all(catalog.here(entry, path) for part in parts for path in part.paths):
            if not all(part.records and all(entry.files[path].size for path in part.paths) for part in parts):
                return None
            return joined(_of_part(entry, part, wanted, corpus, vocabulary) for part in parts)
    texts = [located(files, HERE) for files in corpus.files]
    size = sum(unpacked_size(path) for text in texts for path in text.paths)
    if size <= WHOLE:
        return vocabulary.of(load(corpus, role, HERE))
    found = Amounts()
    for text in texts:
        some = list(islice(read(text), BEGINNING))
        seen = sum(len(pair.source.encode()) + len(pair.target.encode()) + 2 for pair in some)
        size = sum(unpacked_size(path) for path in text.paths)
        count = round(len(some) * size * len(text.directions) / max(1, seen))
        found += vocabulary.of(some).of(min(count, (corpus.limit or count) * len(text.directions)))
    return found


def _of_part(
    entry: catalog.Entry, part: catalog.Part, wanted: set[str], corpus: Corpus, vocabulary: Vocabulary
) -> Amounts:
    """From the sizes in the catalogue; both directions of a pair have the same sizes."""
    found, records = {}, part.records or 0
    directions = wanted & set(part.directions)
    share = records / len(directions) if corpus.disjoint else records
    limit = share if corpus.limit is None else min(share, corpus.limit)
    for direction in directions:
        languages = part.direction.split("-")
        sizes = [(entry.files[path].size or 0) * (RATIO if _packed(path) else 1) for path in part.paths]
        sizes = sizes if len(sizes) == 2 else [round(WRAPPED * sizes[0] / 2)] * 2
        tokens = {language: size / vocabulary.rate(language) for language, size in zip(languages, sizes, strict=True)}
        source, target = direction.split("-")
        one = Volume(records, tokens[source] + records * vocabulary.frame, tokens[target])
        found[Kind(source, target)] = one.of(min(limit, records))
    return Amounts(found)


def _packed(path: str) -> bool:
    return ending(path) == ".zip" or path.lower().endswith(".gz")


def of_dialogues(choice: Dialogues, vocabulary: Vocabulary) -> Amounts | None:
    """The conversations that a recipe names; all of them if it names a share. None if their number is unknown."""
    if choice.corpus in LAB:
        count = choice.limit or LAB_DIALOGUES
        return vocabulary.of(LAB[choice.corpus](min(count, SAMPLE), choice.seed, choice.language or "en")).of(count)
    if choice.corpus is None:
        own = dialogues.DialogueFile(existing(Path(str(choice.file))), "", language=choice.language or "en")
        return _of_file(own, choice, vocabulary)
    entry = catalog.find(choice.corpus)
    (part,) = entry.of("dialogues")
    path = catalog.here(entry, part.paths[0])
    language = choice.language or part.language or "en"
    if path is not None:
        return _of_file(dialogues.DialogueFile(path, choice.corpus, part.lang, language), choice, vocabulary)
    records = part.records or choice.limit
    if records is None:
        return None
    asked, answered = machines()["assumed"]["dialogue"]
    if entry.size and part.records:
        tokens = WRAPPED * entry.size / part.records / vocabulary.rate(language)
        asked, answered = tokens / 2, tokens / 2
    volume = Volume(records, records * (asked + vocabulary.frame), records * answered)
    return Amounts({Kind(language, language, pairs=False): volume}).atmost(choice.limit)


def _of_file(file: dialogues.DialogueFile, choice: Dialogues, vocabulary: Vocabulary) -> Amounts:
    if file.path.stat().st_size <= WHOLE or file.path.suffix in (".json", ".parquet"):
        return vocabulary.of(dialogues.select(file, choice.limit, choice.seed))
    some = list(islice(dialogues.read(file), BEGINNING))
    seen = sum(len(turn.whole.encode()) for dialogue in some for turn in dialogue.turns)
    count = round(len(some) * WRAPPED * file.path.stat().st_size / max(1, seen))
    return vocabulary.of(some).of(count).atmost(choice.limit)


def of_prompts(data: ReplayData, vocabulary: Vocabulary, answer: float | None = None) -> Volume | None:
    """The prompts for replay and their answers, of `answer` tokens each if that is known. None if a corpus is not here.

    What will be left out of them, such as kinds that evaluation asks, is not known yet.
    """
    length = min(data.max_tokens, machines()["assumed"]["dialogue"][1] if answer is None else answer)
    found = Volume()
    for source in data.prompts:
        if source.own is not None:
            found += Volume(source.own, source.own * (OWN_PROMPT + vocabulary.frame))
            continue
        entry = catalog.catalogue().get(source.corpus or "")
        if entry and not all(catalog.here(entry, path) for part in entry.of("prompts") for path in part.paths):
            return None
        requests = [one for one in named(source, data.seed, Counter()) if not source.kinds or one.kind in source.kinds]
        asked = vocabulary.of(Dialogue((*request.turns, Turn("assistant", ""))) for request in requests)
        found += asked.atmost(source.limit).total
    return Volume(found.records, found.asked, found.records * length)


def mixed_in(choices: Sequence[Dialogues], learnt: float, vocabulary: Vocabulary) -> Amounts | None:
    """The instruction data that joins `learnt` other records: by limit, or by its share of all."""
    found = [of_dialogues(choice, vocabulary) for choice in choices]
    known = [(choice, amounts) for choice, amounts in zip(choices, found, strict=True) if amounts is not None]
    if len(known) < len(choices):
        return None
    fixed = learnt + sum(amounts.total.records for choice, amounts in known if choice.share is None)
    whole = fixed / (1 - sum(choice.share or 0 for choice in choices))
    return joined(amounts.atmost(choice.share and choice.share * whole) for choice, amounts in known)
