"""`dragoman score --task`: reads answers to a benchmark's questions, and judgements in the published files' formats."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dragoman.corpora.formats.outputs import matched, read_outputs, read_records
from dragoman.corpora.formats.text import decoded, whole
from dragoman.corpora.records import Question
from dragoman.errors import DataError, refuse
from dragoman.json_values import as_text
from dragoman.scoring.saved_outputs import SystemScore, graded_score, mean_score, pooled_score, signature
from dragoman.scoring.scorecard.abilities import TAKEN
from dragoman.suites import Graded, Item
from dragoman.suites.alpaca_eval import published as alpaca_eval
from dragoman.suites.bbh.questions import bbh_questions
from dragoman.suites.harness.gsm8k import INVALID, READINGS, VERSION, equal, strict
from dragoman.suites.harness.ifeval import followed, harness_version, read_ifeval
from dragoman.suites.humaneval.pass_at_k import judged_programs
from dragoman.suites.humaneval.problems import humaneval
from dragoman.suites.mmlu.questions import mmlu_questions
from dragoman.suites.mt_bench import published as mt_bench
from dragoman.suites.questions.checks import check
from dragoman.suites.questions.qa import normalisation
from dragoman.suites.squad.questions import squad_files, squad_questions

ANSWERED = ("xquad", "mlqa", "mmlu", "bbh", "gsm8k", "humaneval", "ifeval")
JUDGED = ("mt-bench", "alpaca-eval")
TASKS = (*ANSWERED, *JUDGED)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a benchmark's outputs are to be scored; an empty field means the benchmark's default."""

    task: str
    data: Path
    language: str = ""
    context: str = ""
    originals: Path | None = None
    extract: str = ""
    ks: tuple[int, ...] = (1,)


def task_scores(asked: Asked, systems: Mapping[str, Path], tell: Tell) -> list[SystemScore]:
    """Every metric of the task for every system, from these files of outputs; `tell` is told what went wrong."""
    if asked.task == "gsm8k":
        return _gsm8k(asked, systems, tell)
    if asked.task == "ifeval":
        return _ifeval(asked, systems)
    if asked.task == "humaneval":
        return _humaneval(asked, systems, tell)
    return _by_rule(asked, systems, tell)


def judged_scores(task: str, files: Sequence[Path], questions: Path | None, tell: Tell) -> list[SystemScore]:
    """Scores from published judgements: one per model; for MT-Bench also one per turn and category."""
    if task == "mt-bench":
        return [score for graded in mt_bench.published(files, questions) for score in _mt_bench(graded, tell)]

    found = [graded for file in files for graded in alpaca_eval.published(file)]
    for graded in found:
        _notes(graded, tell)
    return [graded_score(graded, _system(graded)) for graded in found]


def _mt_bench(graded: Graded, tell: Tell) -> list[SystemScore]:
    _notes(graded, tell)
    system = _system(graded)
    found = [graded_score(graded, system)]
    for turn in sorted({item.told["turn"] for item in graded.items}):
        found.append(graded_score(graded, system, f"{graded.name}/turn-{turn}", _of("turn", turn)))
    for subject in dict.fromkeys(item.subject for item in graded.items if item.subject):
        found.append(graded_score(graded, system, f"{graded.name}/{subject}", _of("subject", subject)))
    return found


def _of(part: Literal["turn", "subject"], wanted: object) -> Callable[[Item], bool]:
    return lambda item: (item.subject if part == "subject" else item.told["turn"]) == wanted


def _system(graded: Graded) -> str:
    return str(graded.facts.get("system", graded.name))


def _notes(graded: Graded, tell: Tell, system: str = "") -> None:
    for note, count in graded.notes.items():
        tell(f"{system or _system(graded)}: {note}: {count:,}")


# Questions with a rule


def _by_rule(asked: Asked, systems: Mapping[str, Path], tell: Tell) -> list[SystemScore]:

    questions, notes = _questions(asked, tell)
    for note, count in (+notes).items():
        tell(f"{asked.data}: {note}: {count:,}")
    left_out = sum(count for note, count in notes.items() if "left out" in note)
    ids = [question.id for question in questions]
    rows = _places(asked, questions, left_out) if left_out else ()
    told = _told(asked, questions)
    found: list[SystemScore] = []
    for system, path in systems.items():
        outputs = matched(path, read_outputs(path), ids, str(asked.data), left_out=left_out, rows=rows)
        verdicts = [check(question.check, text) for question, (text,) in zip(questions, outputs, strict=True)]
        _unread(system, sum(not verdict.extracted for verdict in verdicts), len(verdicts), tell)
        name = "exact_match" if asked.task in ("xquad", "mlqa") else "accuracy"
        passed = [100.0 * verdict.passed for verdict in verdicts]
        found.append(mean_score(name, system, passed, signature(name, **told)))
        if name == "exact_match":
            found.append(mean_score("f1", system, [100 * one.credit for one in verdicts], signature("f1", **told)))
    return found


def _questions(asked: Asked, tell: Tell) -> tuple[list[Question], Counter[str]]:
    if asked.task in ("xquad", "mlqa"):
        language, context = languages(asked, tell)
        extract = asked.extract or None
        return squad_questions(
            asked.task, asked.task, asked.data, language, context, originals=asked.originals, extract=extract
        )

    read = mmlu_questions if asked.task == "mmlu" else bbh_questions
    return read(
        asked.task, asked.data, asked.language or "en", originals=asked.originals, extract=asked.extract or None
    )


def _places(asked: Asked, questions: Sequence[Question], left_out: int) -> list[int]:
    """The row (below the header) of each question in a CSV table; empty if that cannot be told."""
    if asked.task not in ("xquad", "mlqa"):
        return []

    (table,) = squad_files(asked.task, asked.data, *languages(asked, lambda _: None))
    text = io.StringIO(decoded(whole(table), str(table)), newline="")
    rows = [{field.lstrip("\ufeff") for field in fields} for fields in csv.reader(text) if fields][1:]
    if len(rows) != len(questions) + left_out:
        return []
    left = iter(enumerate(rows))  # questions are in the order of the rows
    return [next(place for place, fields in left if {*question.texts} <= fields) for question in questions]


_NAMED = (
    re.compile(r"context-(?P<context>[a-z]{2})-question-(?P<question>[a-z]{2})"),
    re.compile(r"(?:xquad[._]|mlqa_|^test-)(?P<context>[a-z]{2})(?:\.json|\.csv)$", re.IGNORECASE),
)


def languages(asked: Asked, tell: Tell) -> tuple[str, str | None]:
    """The languages of questions and texts: as given, otherwise from the file's name, otherwise English."""
    named = next((found.groupdict() for pattern in _NAMED if (found := pattern.search(asked.data.name))), {})
    context = asked.context or asked.language or named.get("context", "en").lower()
    language = asked.language or named.get("question", context).lower()
    if named and named["context"].lower() != context:
        tell(f"{asked.data} is called as if its texts were in {named['context']}; answers are read as {context}")
    return language, context if context != language else None


def _told(asked: Asked, questions: Sequence[Question]) -> dict[str, str]:
    """For the signature: how answers were extracted and compared."""
    found = [question.check for question in questions]
    names = sorted({check.name for check in found})
    norms = {normalisation(as_text(check.arguments["language"])) for check in found if check.name == "squad"}
    taken = {as_text(check.arguments.get("extract", TAKEN[check.name])) for check in found if check.name in TAKEN}
    return {
        "task": asked.task,
        "lang": "+".join(sorted({question.language for question in questions})),
        "check": "+".join(names),
        "norm": "+".join(sorted(norms)),
        "extract": "+".join(sorted(taken)),
    }


def _unread(system: str, count: int, asked: int, tell: Tell) -> None:
    if count:
        tell(f"{system}: in {count:,} of {asked:,} outputs there was no answer to be found; they count as wrong")


# GSM8K, IFEval, HumanEval


def _gsm8k(asked: Asked, systems: Mapping[str, Path], tell: Tell) -> list[SystemScore]:

    golds: list[str] = []
    ids: list[str] = []
    faults: list[str] = []
    for number, record in read_records(asked.data):
        gold = record.get("answer")
        if not isinstance(gold, str) or strict(gold) == INVALID:
            faults.append(f"{asked.data}, line {number}: 'answer' must be a solution that ends in '#### NUMBER'")
        ids.append(str(number))
        golds.append(str(gold))
    refuse(faults)
    found = []
    for system, path in systems.items():
        outputs = matched(path, read_outputs(path), ids, str(asked.data))
        for name, reading in READINGS.items():
            given = [reading(text) for (text,) in outputs]
            right = [100.0 * equal(one, gold) for one, gold in zip(given, golds, strict=True)]
            _unread(f"{system}, {name}", given.count(INVALID), len(given), tell)
            told = signature(name, task=asked.task, rule=f"lm-eval-gsm8k-{VERSION}")
            found.append(mean_score(name, system, right, told))
    return found


def _ifeval(asked: Asked, systems: Mapping[str, Path]) -> list[SystemScore]:

    questions = read_ifeval(asked.data)
    ids = [question.key for question in questions]
    found = []
    for system, path in systems.items():
        read = read_outputs(path, ("id", "key"), ("output", "response"))
        outputs = matched(path, read, ids, str(asked.data))
        for name, verdicts in followed(questions, [text for (text,) in outputs]).items():
            told = signature(name, task=asked.task, rule=f"lm-eval-{harness_version()}", langdetect="seed-0")
            if name.startswith("inst_level"):
                found.append(pooled_score(name, system, verdicts, told))
            else:
                found.append(mean_score(name, system, [100.0 * verdict for (verdict,) in verdicts], told))
    return found


def _humaneval(asked: Asked, systems: Mapping[str, Path], tell: Tell) -> list[SystemScore]:

    questions = humaneval(asked.data)
    ids = [question.id for question in questions]
    if not all(ids):
        ids = [str(number) for number in range(1, len(questions) + 1)]
    found = []
    for system, path in systems.items():
        read = read_outputs(path, ("id", "task_id"), ("output", "completion"))
        outputs = matched(path, read, ids, str(asked.data), several=True)
        if (most := max(asked.ks)) > (fewest := min(map(len, outputs))):
            short = next(name for name, texts in zip(ids, outputs, strict=True) if len(texts) == fewest)
            raise DataError(
                f"{path}: pass@{most} needs {most} outputs of each question, and {short} has {fewest}: a smaller --k?"
            )
        tell(f"{system}: running {sum(map(len, outputs)):,} programs")
        judged = judged_programs(questions, outputs, asked.ks)
        _notes(judged[0], tell, system)
        found += [graded_score(graded, system, f"pass@{graded.facts['k']}") for graded in judged]
    return found
