"""What the suites of a recipe ask: where their questions come from, how many there are, and those of each draw.

Questions of the lab are drawn anew for the noise floor, and those of one's own files as far as there are enough that no
draw has any of another; skills and published benchmarks are fixed sets, asked once.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dragoman.lab
from dragoman.corpora import catalog
from dragoman.corpora.formats import question_files
from dragoman.corpora.records import Question, draw
from dragoman.errors import DataError
from dragoman.lab import abilities
from dragoman.pipeline import judged
from dragoman.prompts.languages import language_name
from dragoman.recipe.judging import Benchmark
from dragoman.recipe.paths import below, existing, there
from dragoman.recipe.schema import Recipe
from dragoman.recipe.suites import CHATS, CROSSED, SUITES, TITLES, shorthand
from dragoman.store import Digests, sha256
from dragoman.suites.bbh import questions as bbh
from dragoman.suites.humaneval import problems as benchmarks
from dragoman.suites.mmlu import questions as mmlu
from dragoman.suites.questions.suite import is_skill
from dragoman.suites.squad import questions as squad

__all__ = [
    "SUITES",
    "Asked",
    "Count",
    "asked",
    "benchmark",
    "count",
    "existing",
    "inputs",
    "is_fixed",
    "lab_digest",
    "require_files",
    "spelled_out",
    "wanted",
]

Notes = Counter[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """The draws of questions, the one that counts first, and what each suite had to repair or leave out."""

    draws: list[list[Question]]
    notes: dict[str, dict[str, int]] = field(default_factory=dict)


def benchmark(recipe: Recipe, suite: str) -> Benchmark | None:
    """What a suite's name stands for: the recipe's own description first. None where it is no benchmark with a rule."""
    found = recipe.benchmarks.get(suite) or shorthand(suite)
    return None if found is None or found.kind in CHATS else found


WORDINGS = {
    "xquad": (squad.INSTRUCTION, squad.INPUT, squad.EXTRACT),
    "mlqa": (squad.INSTRUCTION, squad.INPUT, squad.EXTRACT),
    "mmlu": (mmlu.INSTRUCTION, mmlu.INPUT, "letter"),
    "bbh": (bbh.INSTRUCTION, bbh.INPUT, None),  # by task
}
"""How a benchmark is put and read where a recipe does not say: instruction, input, extraction."""


def spelled_out(recipe: Recipe) -> Recipe:
    """The recipe with every benchmark that it asks written under `benchmarks`, wording and extraction included."""
    found = dict(recipe.benchmarks)
    for suite in recipe.evaluate:
        if described := benchmark(recipe, suite):
            instruction, input, extract = WORDINGS[described.kind]
            said = {"instruction": instruction, "input": input, "extract": extract}
            missing = {key: value for key, value in said.items() if getattr(described, key) is None}
            found[suite] = described.model_copy(update=missing)
    return recipe.model_copy(update={"benchmarks": found})


def is_fixed(recipe: Recipe, suite: str) -> bool:
    """Whether a suite is one set of questions, asked once, or no part of what is kept: then there is no noise draw."""
    known = suite in ("translation", "programs", "humaneval") or suite in judged.harness_tasks(recipe)
    return known or judged.elsewhere(recipe, suite) or benchmark(recipe, suite) is not None


def inputs(recipe: Recipe, digests: Digests) -> dict[str, Any]:
    """All that determines the questions, by contents; files of the catalogue are fetched where they must be.

    Raises DataError where a file is missing.
    """
    found: dict[str, Any] = {}
    for suite in recipe.evaluate:
        described = benchmark(recipe, suite)
        if described:
            contents = [digests.of(path) for path in _files(suite, described)]
            found[f"benchmark {suite}"] = {**described.model_dump(exclude={"judge"}), "contents": contents}
        elif described := judged.chat(recipe, suite):
            files = [file for path in judged.files(suite, described) for file in below(path)]
            found[f"judged {suite}"] = {
                **described.model_dump(exclude={"judge"}),
                "contents": [digests.of(file) for file in files],
            }
        elif suite in ("lab", "lab-languages", "programs"):
            found[suite] = lab_digest()
        elif suite == "humaneval":
            found[suite] = digests.of(_humaneval())
        elif suite != "translation" and not judged.elsewhere(recipe, suite):
            found[suite] = digests.of(existing(Path(suite)))
    return found


def asked(recipe: Recipe) -> Asked:
    """The questions that every model is asked, and the other draws for the backbone's noise floor.

    The others ask for abilities that can be drawn anew: skills are no part of what is kept, and benchmarks
    are fixed sets.
    """
    settings = recipe.evaluation
    notes: dict[str, dict[str, int]] = {}
    draws: list[list[Question]] = []
    for number in range(1 + settings.noise_seeds):
        drawn: list[Question] = []
        for suite in recipe.evaluate:
            if suite == "translation" or judged.elsewhere(recipe, suite) or (number and is_fixed(recipe, suite)):
                continue
            questions, told = _questions(recipe, suite, number)
            drawn += [one for one in questions if not (number and is_skill(one.family, settings.skills))]
            if kept := {what: many for what, many in told.items() if many}:
                notes[suite] = kept
        draws.append(drawn)
    return Asked(draws, notes)


@dataclass(frozen=True, slots=True)
class Count:
    """How many questions a suite asks of every model, and in each draw for the noise floor."""

    once: int
    again: int = 0
    characters: int = 0
    """Of the texts, questions and options that a benchmark puts into its prompts."""


def count(recipe: Recipe, suite: str) -> Count | None:
    """How much a suite asks; None where that can't be told before its files are here."""
    settings = recipe.evaluation
    if described := benchmark(recipe, suite):
        return _count(suite, described)
    if suite == "translation" or suite in judged.harness_tasks(recipe):  # what the harness takes is not reckoned
        return Count(0)
    if described := judged.chat(recipe, suite):
        many, texts = judged.count(suite, described)
        return None if many is None else Count(many, characters=sum(map(len, texts)))
    if suite == "programs":
        return Count(settings.questions)
    if suite == "humaneval":
        return Count(sum(part.records or 0 for part in catalog.find(suite).of("questions")))
    if suite in ("lab", "lab-languages"):
        families = dict.fromkeys(_lab_families(suite), settings.questions)
    elif Path(suite).is_file():
        there = Counter(question.family for question in question_files.read_questions(Path(suite)))
        families = {family: min(settings.questions, many) for family, many in there.items()}
        drawn = {family: many for family, many in families.items() if there[family] >= _needed(recipe)}
        kept = sum(many for family, many in drawn.items() if not is_skill(family, settings.skills))
        return Count(sum(families.values()), kept)
    else:
        return None
    again = (many for family, many in families.items() if not is_skill(family, settings.skills))
    return Count(sum(families.values()), sum(again))


def require_files(recipe: Recipe) -> None:
    """Raises DataError where files that suites name are not there: before anything is fetched."""
    named = [("evaluate", suite) for suite in recipe.evaluate if suite.endswith(".jsonl")]
    for suite in recipe.evaluate:
        if described := recipe.benchmarks.get(suite):
            named += [
                (f"benchmarks.{suite}.{key}", path)
                for key, path in (("path", described.path), ("originals", described.originals))
                if path is not None
            ]
    if missing := [f"{where}: there is no {path}" for where, path in named if not Path(path).exists()]:
        raise DataError("\n".join([*missing, f"Paths in a recipe count from the folder you are in: {Path.cwd()}"]))


def wanted(recipe: Recipe) -> list[tuple[catalog.Entry, tuple[str, ...]]]:
    """The files of the catalogue that the suites need."""
    found = []
    for suite in recipe.evaluate:
        described = benchmark(recipe, suite)
        if described and described.path is None:
            found += [part for part in (_catalogued(suite, described), _original(described)) if part]
        elif (told := judged.chat(recipe, suite)) and told.path is None:
            entry = catalog.find(judged.KINDS[told.kind].entry)
            found.append((entry, tuple(entry.files)))
        elif not described and suite == "humaneval":
            entry = catalog.find(suite)
            found.append((entry, tuple(entry.files)))
    return found


def lab_digest() -> list[str]:
    """The lab's corpora are its code: they change when a file of the world changes."""
    return [sha256(path) for path in sorted(Path(dragoman.lab.__file__).parent.rglob("*.py"))]


def _questions(recipe: Recipe, suite: str, number: int) -> tuple[list[Question], Notes]:
    each, seed = recipe.evaluation.questions, recipe.evaluation.seed + number
    if described := benchmark(recipe, suite):
        return _of_benchmark(suite, described, recipe.evaluation.seed)
    if suite in ("lab", "lab-languages"):
        drawn = [abilities.questions(family, each, seed) for family in _lab_families(suite)]
        return [question for questions in drawn for question in questions], Counter()
    if suite == "programs":
        return abilities.questions(suite, each, seed), Counter()
    if suite == "humaneval":
        return benchmarks.humaneval(_humaneval()), Counter()
    return _from_file(existing(Path(suite)), recipe, number), Counter()


def _lab_families(suite: str) -> Sequence[str]:
    return abilities.FAMILIES if suite == "lab" else abilities.LANGUAGE_FAMILIES


def _from_file(path: Path, recipe: Recipe, number: int) -> list[Question]:
    """So many questions of each family as the recipe says, drawn by its seed; of another draw none of the first's."""
    count, seed = recipe.evaluation.questions, recipe.evaluation.seed
    families: dict[str, list[Question]] = {}
    for question in question_files.read_questions(path):
        families.setdefault(question.family, []).append(question)
    found = []
    for questions in families.values():
        if not number or len(questions) >= _needed(recipe):
            ordered = sorted(questions, key=lambda one: draw(one.key, "asked", seed))
            found += ordered[number * count : (number + 1) * count]
    return found


def _needed(recipe: Recipe) -> int:
    """Questions of a family that are enough for all draws."""
    return (1 + recipe.evaluation.noise_seeds) * recipe.evaluation.questions


# Published benchmarks


def _of_benchmark(suite: str, described: Benchmark, seed: int) -> tuple[list[Question], Notes]:
    questions, notes = READERS[described.kind](suite, described)
    if described.limit is not None and described.limit < len(questions):
        kept = set(
            sorted(range(len(questions)), key=lambda at: draw(questions[at].key, "asked", seed))[: described.limit]
        )
        questions = [question for at, question in enumerate(questions) if at in kept]
    if not questions:
        raise DataError(f"no question of the suite {suite} is left; left out: {dict(notes) or 'nothing'}")
    return questions, notes


def _squad(suite: str, described: Benchmark) -> tuple[list[Question], Notes]:
    return squad.squad_questions(
        suite,
        described.kind,
        _place(suite, described),
        described.language,
        described.context,
        originals=_optional(described.originals),
        instruction=described.instruction,
        input=described.input,
        extract=described.extract,
    )


def _choices(suite: str, described: Benchmark) -> tuple[list[Question], Notes]:
    read = mmlu.mmlu_questions if described.kind == "mmlu" else bbh.bbh_questions
    return read(
        suite,
        _place(suite, described),
        described.language,
        originals=_originals(described),
        instruction=described.instruction,
        input=described.input,
        extract=described.extract,
    )


ENTRIES = {"mmlu": ("mmlu", "global-mmlu"), "bbh": ("bbh", "crossalpaca-bbh")}
"""What the catalogue calls a benchmark and its translations, where that is not the benchmark's name."""

Reader = Callable[[str, Benchmark], tuple[list[Question], Notes]]
READERS: Mapping[str, Reader] = {"xquad": _squad, "mlqa": _squad, "mmlu": _choices, "bbh": _choices}


def _count(suite: str, described: Benchmark) -> Count | None:
    if described.path is None:
        entry, paths = _catalogued(suite, described)
        if not all(catalog.here(entry, path) for path in paths):
            parts = [part for part in entry.of("questions") if set(part.paths) & set(paths)]
            counted = [part.records for part in parts if (part.language or "en") in _languages(described)]
            if None in counted:
                return None
            known = [many or 0 for many in counted]
            # what is asked in two languages is at most what there is in either
            most = min(known) if described.kind in CROSSED else sum(known)
            return Count(min(most, described.limit or most))
    elif not Path(described.path).exists():
        return None
    questions, _ = _of_benchmark(suite, described, 0)
    return Count(len(questions), characters=sum(len(text) for one in questions for text in one.texts))


def _files(suite: str, described: Benchmark) -> list[Path]:
    """Every file that a benchmark's questions are read from."""
    place = _place(suite, described)
    original = _originals(described)
    if described.kind in CROSSED:
        found = list(squad.squad_files(described.kind, place, described.language, described.context))
    else:
        found = below(place)
    return [*found, *(below(original) if original else ())]


def _place(suite: str, described: Benchmark) -> Path | list[Path]:
    """The benchmark's file, folder or archive, or the files of the catalogue, fetched where they must be."""
    for code in (described.language, described.context):
        if code is not None:
            language_name(code)  # an unknown one is refused with the nearest
    if described.path is not None:
        return there(Path(described.path), suite)
    entry, paths = _catalogued(suite, described)
    return [catalog.local(entry, path) for path in paths]


def _languages(described: Benchmark) -> set[str]:
    """Of texts and questions."""
    return {described.context or described.language, described.language}


def _catalogued(suite: str, described: Benchmark) -> tuple[catalog.Entry, tuple[str, ...]]:
    """The entry of a benchmark and those of its files that are needed."""
    languages = _languages(described)
    for entry in map(catalog.find, ENTRIES.get(described.kind, (described.kind,))):
        everything = described.kind == "mlqa"  # one archive for all languages
        parts = [part for part in entry.of("questions") if everything or (part.language or "en") in languages]
        if everything or {part.language or "en" for part in parts} == languages:
            return entry, tuple(dict.fromkeys(path for part in parts for path in part.paths))
    own = f"{{kind: {described.kind}, language: {described.language}, path: …}}"
    told = f"{TITLES[described.kind]} in {' and '.join(sorted(languages))}"
    raise DataError(
        f"the catalogue has no {told}, which the suite {suite} asks for. Name a file of your own: "
        f"`benchmarks: {{{suite}: {own}}}`"
    )


def _original(described: Benchmark) -> tuple[catalog.Entry, tuple[str, ...]] | None:
    """What the catalogue's translations of BBH are repaired by."""
    if described.kind != "bbh" or described.path or described.originals or described.language == "en":
        return None
    entry = catalog.find("bbh")
    return entry, tuple(entry.files)


def _originals(described: Benchmark) -> Path | list[Path] | None:
    """The English originals of a translation: the recipe's own, or the catalogue's of its translations."""
    if found := _original(described):
        entry, paths = found
        return [catalog.local(entry, path) for path in paths]
    return _optional(described.originals)


def _optional(path: str | None) -> Path | None:
    return None if path is None else there(Path(path), "originals")


def _humaneval() -> Path:
    """HumanEval's file, fetched where it must be."""
    entry = catalog.find("humaneval")
    (part,) = entry.of("questions")
    return catalog.local(entry, part.paths[0])
