"""The data stage: gathers a recipe's pairs, conversations and questions, and writes them to files for later stages."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from dragoman import lab, suites
from dragoman.corpora import catalog
from dragoman.corpora.contamination import index
from dragoman.corpora.load import LIMITED, Rules, choose, load, locate
from dragoman.corpora.records import Pair, Question, Record, Text
from dragoman.errors import DataError
from dragoman.lab import world
from dragoman.paths import existing
from dragoman.pipeline.data import contamination, conversations, dev_pairs, questions
from dragoman.pipeline.data.contamination import Findings
from dragoman.pipeline.data.conversations import take
from dragoman.pipeline.data.dev_pairs import DevSet
from dragoman.pipeline.data.judgements import preferences, ratings
from dragoman.pipeline.data.known_overlaps import known_overlaps
from dragoman.pipeline.data.mix_ups import MixUp, mix_ups, refuse_mix_ups
from dragoman.pipeline.data.record_files import write_lines
from dragoman.pipeline.data.texts import gather
from dragoman.pipeline.data.texts.sources import ReadPairs, sources
from dragoman.prompts.languages import language_name
from dragoman.recipe.data.conversations import Dialogues
from dragoman.recipe.data.pairs import Corpus, Dev
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests, write_atomic
from dragoman.suites import MaterialSuite, OutsideSuite

LAB_DIRECTIONS = ("en-de", "de-en", "en-it", "it-en")
LAB_PAIRS = 2000  # a direction, where a recipe names no limit
LAB_DEV = 50  # of a dev set
SPARE = 2  # the lab makes so many times as many pairs where rules will leave some out
HERE = Path()

DataFacts = TypedDict(
    "DataFacts",
    {
        "train": dict[str, int],
        "test": dict[str, int],
        "dev": NotRequired[dict[str, int]],
        "texts": NotRequired[dict[str, int]],
        "texts_again": NotRequired[dict[str, int]],
        "dev_texts": NotRequired[dict[str, int]],
        "ratings": NotRequired[dict[str, int]],
        "preferences": NotRequired[dict[str, int]],
        "questions": dict[str, int],
        "asked of the backbone": int,
        "question characters": int,
        "suites": dict[str, dict[str, int]],
        "instructions": dict[str, int],
        "short": dict[str, dict[str, int]],
        "unchecked": list[str],
        "renamed": dict[str, dict[str, str]],
        "contamination": dict[str, dict[str, dict[str, int]]],
        "left out": dict[str, int],
        "warnings": list[str],
    },
)
"""What the data stage counts: pairs by direction, conversations by origin, texts by origin and language, questions by
family or suite, and what was left out, by reason. Earlier versions did not write all of it, so readers ask for the
rest with `get`."""


def data_inputs(recipe: Recipe, digests: Digests) -> dict[str, Any]:
    """Everything that determines a recipe's data, by contents. Corpora are fetched if necessary.

    Raises DataError if a file is missing.
    """
    found: dict[str, Any] = {
        "train": recipe.data.train and _corpus_inputs(recipe.data.train, "train", digests),
        "test": recipe.data.test and _corpus_inputs(recipe.data.test, "test", digests),
        "lessons": [_dialogue_inputs(source, digests) for source in recipe.data.lessons],
        "instructions": [_dialogue_inputs(source, digests) for source in recipe.data.instructions],
        "asked": recipe.evaluation.model_dump(include={"questions", "noise_seeds", "seed", "skills"}),
        "contamination": recipe.data.contamination,
    }
    if dev := recipe.data.dev:  # absent where there is none, so that names from before there was any stay
        found["dev"] = dev.model_dump() if dev.share else _corpus_inputs(dev, dev_pairs.role_of(dev), digests)
    found |= gather.inputs(recipe, digests, lambda corpus: _corpus_inputs(corpus, "train", digests))
    found |= ratings.inputs(recipe, digests)
    found |= preferences.inputs(recipe, digests)
    return found | questions.inputs(recipe, digests)


def _corpus_inputs(corpus: Corpus, role: catalog.Role, digests: Digests) -> dict[str, Any]:
    _check_languages(corpus, "dev" if isinstance(corpus, Dev) else role)
    inputs = corpus.model_dump()
    if corpus.corpus == "lab":
        return {**inputs, "contents": lab.digest()}
    texts, _ = locate(corpus, role, HERE)
    return {**inputs, "contents": [digests.of(existing(path)) for text in texts for path in text.paths]}


def _check_languages(corpus: Corpus, field: str) -> None:
    """Refuses a direction with a language that no instruction could name, before any work begins."""
    for direction in (*corpus.directions, *(files.direction for files in corpus.files)):
        for code in direction.split("-"):
            try:
                language_name(code)
            except DataError as error:
                raise DataError(f"data.{field}, direction {direction}: {error}") from error


def _dialogue_inputs(source: Dialogues, digests: Digests) -> dict[str, Any]:
    files = conversations.files(source)
    contents = [digests.of(existing(file.path)) for file in files] if files else lab.digest()
    kinds = {"lang": [file.lang for file in files], "languages": [file.language for file in files]}
    return {**source.model_dump(), "contents": contents, **kinds}


def missing(recipe: Recipe) -> tuple[str, ...]:
    """Corpora of the catalogue that a recipe needs and that are not on this machine; a run fetches them first."""
    data, known = recipe.data, catalog.catalogue()
    pairs: list[tuple[Corpus | None, catalog.Role]] = [(data.train, "train"), (data.test, "test")]
    pairs += [(data.dev, dev_pairs.role_of(data.dev))] if data.dev else []
    pairs += [(source.corpus, "train") for source in sources(recipe)]
    wanted = [
        (known[str(corpus.corpus)], _files_of(corpus, role))
        for corpus, role in pairs
        if corpus and corpus.corpus in known
    ]
    replayed = data.replay.prompts if data.replay else ()
    others = [str(one.corpus) for one in (*data.lessons, *data.instructions)] + [str(one.corpus) for one in replayed]
    wanted += [(known[name], tuple(known[name].files)) for name in others if name in known]
    wanted += [(entry, (path,)) for said in data.ratings for entry, path in ratings.of_the_catalogue(said)]
    wanted += questions.wanted(recipe)
    return tuple(
        dict.fromkeys(entry.name for entry, paths in wanted if not all(catalog.here(entry, path) for path in paths))
    )


def _files_of(corpus: Corpus, role: catalog.Role) -> tuple[str, ...]:
    """The files of the catalogue that belong to a choice of pairs."""
    parts = [part for part in catalog.find(str(corpus.corpus)).parts if part.role == role]
    wanted = set(corpus.directions)
    return tuple(path for part in parts if not wanted or wanted & set(part.directions) for path in part.paths)


def make_data(recipe: Recipe, out: Path) -> DataFacts:
    """Writes train.jsonl, test.jsonl, questions.jsonl and instructions.jsonl, and returns counts. Where the recipe has
    a dev set, there is dev.jsonl as well; where it has texts, texts.jsonl, in the order in which they are drawn, and
    dev-texts.jsonl; where it has ratings or preferences, files of these names. What was measured of texts is in `out`
    already.

    Training data that shares text with the test pairs, the questions or the dev pairs is left out and listed in
    contamination.jsonl, so that no score is due to memory. If much of a test set is there, or on request
    (`data.contamination`), it is refused.
    """
    data = recipe.data
    apart: Counter[str] = Counter()
    mixed: list[tuple[str, MixUp]] = []
    test = test_pairs(recipe, apart, mixed)
    asked = questions.asked(recipe)
    by_judges = questions.materials(recipe)
    draws = asked.draws
    _refuse_two_of_a_name(recipe, draws[0])
    grammar = data.test is not None and data.test.corpus == "lab"
    texts = questions.prompts(recipe, by_judges) if recipe.methods else {}
    judged = index(chain.from_iterable(draws), test, one_grammar=grammar, prompts=texts)
    findings = Findings(judged)
    dropped = Counter({f"{reason}, of the test": count for reason, count in apart.items()})
    learnt: Counter[str] = Counter()

    pairs = _pairs(data.train, "train", dropped, mixed)
    dev = _dev(recipe, pairs, test, findings, mixed)
    doubts = [*refuse_mix_ups(mixed, data.mix_ups), *dev.doubts]
    for reason, count in dev.dropped.items():
        dropped[f"{reason}, of the dev set"] += count

    def shares(part: str, origin: str, record: Record | Text) -> str | None:
        """Why a record can't be learnt from: what it shares with what is judged or validated on."""
        return findings.reason(part, origin, record) or dev.findings.reason(part, origin, record)

    def clean() -> Iterator[Pair]:
        named = (data.train and data.train.corpus) or "files"
        for pair in pairs:
            if data.dev and dev_pairs.is_held_out(pair, data.dev):
                continue  # what of it is validated on, or is in a test, is counted already
            if reason := shares("data.train", f"{named} {pair.direction}", pair):
                dropped[reason] += 1
            else:
                learnt[pair.direction] += 1
                yield pair

    lessons = take(data.lessons, 0, lambda one: shares("data.lessons", one.origin, one))
    dropped.update(lessons.dropped)
    write_lines(out / "test.jsonl", map(asdict, test))
    if data.dev:
        write_lines(out / "dev.jsonl", map(asdict, dev.pairs))
    write_lines(out / "train.jsonl", chain(map(asdict, clean()), map(asdict, lessons)))
    learnt.update(lessons.counts)
    instructions = take(
        data.instructions, sum(learnt.values()), lambda one: shares("data.instructions", one.origin, one)
    )
    dropped.update({f"{reason}, of the instructions": count for reason, count in instructions.dropped.items()})
    mixed = []
    plain = gather.gather(recipe, out, text_pairs(mixed, {data.train: pairs} if data.train else {}), shares)
    doubts += refuse_mix_ups(mixed, data.mix_ups)
    dropped.update({f"{reason}, of the texts": count for reason, count in plain.dropped.items()})
    rated, preferred = ratings.gather(recipe, out, shares), preferences.gather(recipe, out, shares)
    for what, found in (("ratings", rated), ("preferences", preferred)):
        doubts += found.doubts
        dropped.update({f"{reason}, of the {what}": count for reason, count in found.dropped.items()})
    held_out = data.dev is not None and data.dev.share is not None  # what is like it goes with it
    for each in (findings, *(() if held_out else (dev.findings,))):
        if data.contamination == "refuse":
            each.refuse()
        elif data.contamination == "auto":
            contamination.refuse_trained_on(each.overlaps(), contamination.REMOVE)
    shared = [*findings.found.values(), *dev.findings.found.values()]
    write_lines(out / contamination.FILE, (finding.as_line() for finding in shared))
    write_lines(out / "instructions.jsonl", map(asdict, instructions))
    write_lines(
        out / "questions.jsonl",
        ({"draw": number, **asdict(question)} for number, drawn in enumerate(draws) for question in drawn),
    )
    write_atomic(out / "judged.json", json.dumps(by_judges, ensure_ascii=False))
    left_out = {reason: count for reason, count in dropped.items() if count}
    for needed, there, purpose in (
        (recipe.methods and not (data.texts or data.ratings or data.preferences), learnt.total(), "to learn from"),
        (data.test, len(test), "to test on"),
        (data.instructions, instructions.counts.total(), "to mix in (data.instructions)"),
    ):
        if needed and not there:
            raise DataError(f"nothing is left {purpose}; left out: {_listed(left_out)}")
    facts: DataFacts = {
        "train": {name: count for name, count in learnt.items() if count},
        "test": dict(Counter(pair.direction for pair in test)),
        "questions": dict(Counter(question.family for question in draws[0]))
        | {
            suite.name: len(by_judges[suite.name]["material"]["texts"][: suite.options.limit])
            for suite in suites.of(recipe)
            if suite.name in by_judges
        },
        "asked of the backbone": sum(len(drawn) for drawn in draws),
        "question characters": sum(len(text) for question in draws[0] for text in question.texts),
        "suites": asked.notes,
        "instructions": dict(instructions.counts),
        "short": instructions.short,
        "unchecked": conversations.unchecked((*data.lessons, *data.instructions)),
        "renamed": {**lessons.renamed, **instructions.renamed},
        "contamination": contamination.counts(shared),
        "left out": left_out,
        "warnings": [*known_overlaps(recipe), *doubts],
    }
    if data.dev:
        facts["dev"] = dict(Counter(pair.direction for pair in dev.pairs))
    if rated.counts:
        facts["ratings"] = dict(rated.counts)
    if preferred.counts:
        facts["preferences"] = dict(preferred.counts)
    return {**facts, **plain.facts}


def _refuse_two_of_a_name(recipe: Recipe, asked: Iterable[Question]) -> None:
    """Refuses a family of questions that has the name of another suite: scores go by one name."""
    elsewhere = {suite.name for suite in suites.of(recipe) if isinstance(suite, MaterialSuite | OutsideSuite)}
    if both := sorted({question.family for question in asked} & elsewhere):
        raise DataError(
            f"evaluate: there are questions of a family {both[0]}, and a suite of that name. Give the family another "
            "name in its file, or the suite in `benchmarks`."
        )


def test_pairs(recipe: Recipe, dropped: Counter[str], mixed: list[tuple[str, MixUp]]) -> list[Pair]:
    """The pairs that translation is judged on; [] if it isn't. Pairs that can't be asked are counted in `dropped`.

    What looks mixed up in files of one's own is appended to `mixed`, with its place.
    """
    left_out: Counter[str] = Counter()
    found = list(_pairs(recipe.data.test, "test", left_out, mixed))
    dropped.update({reason: count for reason, count in left_out.items() if reason != LIMITED})
    return found


def _dev(
    recipe: Recipe, pairs: Iterable[Pair], test: Sequence[Pair], judged: Findings, mixed: list[tuple[str, MixUp]]
) -> DevSet:
    """The dev set; nothing if the recipe names none. Of a share of the training pairs, those that `judged` finds in a
    test are left out.
    """
    dev, dropped = recipe.data.dev, Counter[str]()
    if dev is None:
        return DevSet()
    if dev.share is not None:
        named = recipe.data.train.corpus if recipe.data.train else None
        grammar = named == "lab"
        chosen = []
        for pair in pairs:
            if dev_pairs.is_held_out(pair, dev):
                if reason := judged.reason("data.train", f"{named or 'files'} {pair.direction}", pair):
                    dropped[reason] += 1
                else:
                    chosen.append(pair)
    elif dev.corpus == "lab":
        grammar = True
        chosen = dev_pairs.of_the_lab(dev, dev.directions or LAB_DIRECTIONS, dev.limit or LAB_DEV, test)
    else:
        grammar = False
        chosen = list(_pairs(dev, dev_pairs.role_of(dev), dropped, mixed))
    del dropped[LIMITED]
    if not chosen:
        advice = "raise the share" if dev.share else "name others"
        raise DataError(f"nothing is left to validate on (data.dev), {advice}; left out: {_listed(dropped)}")
    return dev_pairs.dev_set(chosen, test, dropped, grammar)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items()) or "nothing"


def text_pairs(mixed: list[tuple[str, MixUp]], known: Mapping[Corpus, Iterable[Pair]] | None = None) -> ReadPairs:
    """Reads the pairs that texts are made of, each choice once; those that are `known` are not read again."""
    found = dict(known or {})

    def pairs(corpus: Corpus, dropped: Counter[str]) -> Iterable[Pair]:
        if corpus not in found:
            found[corpus] = _pairs(corpus, "train", dropped, mixed, "texts")
        return found[corpus]

    return pairs


def _pairs(
    corpus: Corpus | None,
    role: catalog.Role,
    dropped: Counter[str],
    mixed: list[tuple[str, MixUp]],
    field: str = "",
) -> Iterable[Pair]:
    if corpus is None:
        return ()
    if corpus.corpus == "lab":
        count, directions = corpus.limit or LAB_PAIRS, corpus.directions or LAB_DIRECTIONS
        rules = replace(Rules.of(corpus, role), limit=count)
        more = SPARE if corpus.disjoint or corpus.max_characters or corpus.drop_copies else 1
        made = world.pairs("test" if role == "test" else "train", directions, more * count, corpus.seed)
        return choose(made, directions, rules, Counter()) if more > 1 else made
    loaded = load(corpus, role, HERE)
    dropped.update(loaded.dropped)
    if corpus.files:
        for text, sample in zip(loaded.texts, loaded.samples, strict=True):
            place = f"data.{field or ('dev' if isinstance(corpus, Dev) else role)}, {', '.join(map(str, text.paths))}"
            mixed += [(place, found) for found in mix_ups(sample, copies_left_out=corpus.drop_copies)]
    return loaded
