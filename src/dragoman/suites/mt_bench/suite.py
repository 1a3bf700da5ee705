"""MT-Bench: conversations of two turns, each answer rated from 1 to 10 by another model.

Made as its authors made it: what is drawn at which temperature depends on the category; the second turn is asked after
the model's own first answer; the judge, at temperature 0, sees the first turn alone or both, with a reference answer
in mathematics, reasoning and coding. A number holds for its judge alone: ratings of different judges do not compare.

An answer that gets no rating, for whatever reason, has no value. The reason is counted, and nothing stands in for it.
"""

import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dragoman import __version__
from dragoman.corpora.formats.values import json_records
from dragoman.corpora.records import Turn, content_key, draw
from dragoman.errors import DataError, refuse
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.json_values import as_number, as_text
from dragoman.recipe.judging import Evaluation
from dragoman.suites.graded import Graded, Item
from dragoman.suites.mt_bench.files import WITH_REFERENCE, categories
from dragoman.suites.verdicts import HIGHEST, fits, judge_name, judge_prompt, rating

NAME = "mt-bench"
TEMPERATURES: Mapping[str, float] = {"writing": 0.7, "roleplay": 0.7, "stem": 0.1, "humanities": 0.1} | dict.fromkeys(
    ("extraction", "math", "coding", "reasoning"), 0.0
)
"""Of answers, by category, as published."""
OTHER_TEMPERATURE = 0.7
"""Of a category that is none of the published ones."""
ANSWER_TOKENS, JUDGEMENT_TOKENS = 1024, 2048
"""At most, as published."""

Place = tuple[int, int]  # of a question, and its turn


def mt_bench(
    model: str, material: Mapping[str, Any], speak: Any, settings: Evaluation
) -> Generator[Ask, list[Completion], list[Graded]]:
    """Asks the model all first turns, then all second ones, then the judge about every answer.

    Of more questions than the material's `limit` those are taken that the seed draws.
    """
    questions: Sequence[Mapping[str, Any]] = _drawn(material["questions"], material.get("limit"), settings.seed)
    talks: dict[Place, tuple[Turn, ...]] = {
        (at, 1): (Turn("user", question["turns"][0]),) for at, question in enumerate(questions)
    }
    answers, why = yield from _answers(model, talks, questions, speak, settings)
    follow_ups: dict[Place, tuple[Turn, ...]] = {}
    for at, question in enumerate(questions):
        if len(question["turns"]) < 2:
            continue
        if (at, 1) in answers:
            said = Turn("assistant", answers[at, 1].text.strip())
            follow_ups[at, 2] = (*talks[at, 1], said, Turn("user", question["turns"][1]))
        else:
            why[at, 2] = "no first answer"
    more, reasons = yield from _answers(model, follow_ups, questions, speak, settings)
    answers, why = answers | more, why | reasons
    judgements, reasons = yield from _judgements(material["prompts"], questions, answers, speak.of("judge"), settings)
    why |= reasons
    items = tuple(
        _item(question, turn, answers.get((at, turn)), judgements.get((at, turn)), why.get((at, turn), ""))
        for at, question in enumerate(questions)
        for turn in range(1, len(question["turns"]) + 1)
    )
    signature = (
        f"{NAME}|judge:{judge_name(settings.judge)}|prompts:single-v1-{_digest(material['prompts'])}"
        f"|answer:{_longest(settings)}|judgement:{_longest_judgement(settings)}|seed:{settings.seed}|version:dragoman-{__version__}"
    )
    notes = Counter(item.told["why"] for item in items if item.value is None)
    notes["cut off"] = sum(answer.finish == "length" for answer in answers.values())
    notes["empty"] = sum(not answer.text.strip() for answer in answers.values())
    return [
        Graded(NAME, "instruction", signature, items, "/10", notes=_some(notes), facts=_turns(items) | _lengths(items))
    ]


def judge_text(
    prompts: Mapping[str, Mapping[str, str]], question: Mapping[str, Any], answers: Sequence[str]
) -> tuple[str, str]:
    """System prompt and text for the judge, about the last of the answers; there is one to each turn so far."""
    by_reference = question["category"] in WITH_REFERENCE
    name = ("single-math-v1" if by_reference else "single-v1") + ("-multi-turn" if len(answers) > 1 else "")
    fields = {"question": question["turns"][0], "answer": answers[0]}
    for number, (turn, answer) in enumerate(zip(question["turns"], answers, strict=False), start=1):
        fields |= {f"question_{number}": turn, f"answer_{number}": answer}
    for number, reference in enumerate(question["reference"] if by_reference else (), start=1):
        fields[f"ref_answer_{number}"] = reference
    return prompts[name]["system"], prompts[name]["template"].format(**fields)


def published(files: Sequence[Path], questions: Path | None = None) -> list[Graded]:
    """Every model that some judgements are about, from files as FastChat writes them (`MODEL_single.jsonl`).

    Scores are taken as they stand there, -1 for no judgement; `facts` has the model under `system`. Items have a
    category where the file of questions is given. `DataError` where a line is no such judgement.
    """
    subjects = categories(questions) if questions else {}
    found: dict[tuple[str, str], list[tuple[Any, int, Mapping[str, Any]]]] = {}
    faults: list[str] = []
    for place, record in (one for file in files for one in json_records(file)):
        if wrong := _judgement_faults(record):
            faults.append(f"{place}: {wrong}")
            continue
        judge = record.get("judge", "unknown")
        judge = str(judge[0] if isinstance(judge, list) and judge else judge)
        found.setdefault((as_text(record["model"]), judge), []).append(
            (record["question_id"], int(as_number(record["turn"])), record)
        )
    refuse(faults)
    if not found:
        raise DataError(f"there are no judgements in {', '.join(map(str, files)) or 'no file'}")
    return [_published(system, judge, records, subjects) for (system, judge), records in found.items()]


def _drawn(questions: Sequence[Mapping[str, Any]], limit: int | None, seed: int) -> Sequence[Mapping[str, Any]]:
    kept = sorted(questions, key=lambda question: draw(str(question["id"]), "asked", seed))[:limit]
    return [question for question in questions if question in kept]


def _answers(
    model: str,
    talks: Mapping[Place, tuple[Turn, ...]],
    questions: Sequence[Mapping[str, Any]],
    speak: Any,
    settings: Evaluation,
) -> Generator[Ask, list[Completion], tuple[dict[Place, Completion], dict[Place, str]]]:
    """The answers, one ask for each temperature, and why there is none where that is so."""
    answers: dict[Place, Completion] = {}
    why: dict[Place, str] = {}
    drawn: dict[float, dict[Place, Ids]] = {}
    for place, talk in talks.items():
        temperature = TEMPERATURES.get(questions[place[0]]["category"], OTHER_TEMPERATURE)
        prompt = speak.turns(talk)
        if fits(speak, prompt):
            drawn.setdefault(temperature, {})[place] = prompt
        else:
            why[place] = "no room for an answer"
    for temperature, prompts in drawn.items():
        sampling = Sampling(
            max_tokens=_longest(settings),
            stop=speak.stop,
            temperature=temperature,
            seed=settings.seed if temperature else 0,
        )
        completions = yield Ask(model, list(prompts.values()), sampling, "MT-Bench, answers")
        for place, completion in zip(prompts, completions, strict=True):
            if completion.finish == "failed":
                why[place] = "no answer"
            else:
                answers[place] = completion
    return answers, why


def _judgements(
    wordings: Mapping[str, Mapping[str, str]],
    questions: Sequence[Mapping[str, Any]],
    answers: Mapping[Place, Completion],
    judge: Any,
    settings: Evaluation,
) -> Generator[Ask, list[Completion], tuple[dict[Place, Completion], dict[Place, str]]]:
    """What the judge says of each answer, in one ask, and why it is not asked where that is so."""
    prompts: dict[Place, Ids] = {}
    why: dict[Place, str] = {}
    for at, turn in sorted(answers):
        given = [answers[at, earlier].text.strip() for earlier in range(1, turn + 1)]
        prompt = judge_prompt(judge, *judge_text(wordings, questions[at], given))
        if fits(judge, prompt):
            prompts[at, turn] = prompt
        else:
            why[at, turn] = "no room for the judge"
    if not prompts:
        return {}, why
    sampling = Sampling(max_tokens=_longest_judgement(settings), stop=judge.stop)
    judged = yield Ask("judge", list(prompts.values()), sampling, "MT-Bench, judgements")
    return dict(zip(prompts, judged, strict=True)), why


def _item(
    question: Mapping[str, Any], turn: int, answer: Completion | None, judgement: Completion | None, why: str
) -> Item:
    value = None
    if judgement is not None:
        value = rating(judgement.text)
        if judgement.finish == "failed":
            value, why = None, "judge failed"
        elif value is None:
            why = "no judgement"
        elif value > HIGHEST:
            value, why = None, "off the scale"
    told: dict[str, Any] = {"turn": turn, "question": question["turns"][turn - 1]}
    if answer is not None:
        told |= {"answer": answer.text.strip(), "cut_off": answer.finish == "length"}
    if judgement is not None and judgement.finish != "failed":
        told["judgement"] = judgement.text
    if why:
        told["why"] = why
    return Item(f"{question['id']}-{turn}", value, question["category"], told, group=str(question["id"]))


def _turns(items: Sequence[Item]) -> dict[str, float]:
    """The mean rating of each turn."""
    rated: dict[int, list[float]] = {}
    for item in items:
        if item.value is not None:
            rated.setdefault(item.told["turn"], []).append(item.value)
    return {f"turn {turn}": sum(values) / len(values) for turn, values in sorted(rated.items())}


def _lengths(items: Sequence[Item]) -> dict[str, float]:
    """How long the answers are: ratings tend to rise with it."""
    answers = [item.told["answer"] for item in items if "answer" in item.told]
    if not answers:
        return {}
    characters, words = sum(map(len, answers)), sum(len(answer.split()) for answer in answers)
    return {"characters": characters / len(answers), "words": words / len(answers)}


def _published(
    system: str, judge: str, records: Sequence[tuple[Any, int, Mapping[str, Any]]], subjects: Mapping[Any, str]
) -> Graded:
    items, seen, notes = [], Counter[str](), Counter[str]()
    for question, turn, record in sorted(records, key=lambda one: (str(one[0]).zfill(9), one[1])):
        key = f"{question}-{turn}"
        seen[key] += 1
        score, judgement = float(record["score"]), record.get("judgment", "")
        value = None if score == -1 else score
        notes["no judgement"] += value is None
        notes["rating differs from the judgement"] += bool(judgement) and rating(judgement) != value
        told = {"turn": turn, "judgement": judgement}
        name = f"{key}#{seen[key]}" if seen[key] > 1 else key
        items.append(Item(name, value, subjects.get(question, ""), told, group=str(question)))
    notes["judged twice"] = seen.total() - len(seen)
    signature = f"{NAME}|judge:{judge}|judgements:given|version:dragoman-{__version__}"
    facts = {"system": system, **_turns(items)}
    return Graded(NAME, "instruction", signature, tuple(items), "/10", notes=_some(notes), facts=facts)


def _judgement_faults(record: Mapping[str, Any]) -> str:
    if "g1_winner" in record or "winner" in record:
        return "this compares two models; ratings of single answers are needed (the file's name ends in _single.jsonl)"
    missing = [key for key in ("question_id", "model", "turn", "score") if key not in record]
    if missing:
        return f"no judgement of FastChat's; {', '.join(map(repr, missing))} missing"
    if not isinstance(record["model"], str) or not isinstance(record["question_id"], int | str):
        return "'model' must be a name, and 'question_id' a number or a name"
    numbers = isinstance(record["turn"], int) and isinstance(record["score"], int | float)
    if not numbers or isinstance(record["turn"], bool) or isinstance(record["score"], bool):
        return "'turn' and 'score' must be numbers"
    if record["score"] != -1 and not 0 <= record["score"] <= HIGHEST:
        return f"a score of {record['score']}, where ratings go to {HIGHEST:g}, and -1 is no judgement"
    return "" if isinstance(record.get("judgment", ""), str) else "'judgment' must be text"


def _longest(settings: Evaluation) -> int:
    return max(settings.max_tokens, ANSWER_TOKENS)


def _longest_judgement(settings: Evaluation) -> int:
    return settings.judge.max_tokens if settings.judge else JUDGEMENT_TOKENS


def _digest(prompts: Mapping[str, Mapping[str, str]]) -> str:
    """Some letters that stand for the wording of the judge's prompts."""
    return content_key(json.dumps(prompts, sort_keys=True))[:6]


def _some(notes: Mapping[str, int]) -> dict[str, int]:
    return {note: count for note, count in notes.items() if count}
