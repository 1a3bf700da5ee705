"""MT-Bench's files (FastChat's): questions of two turns, the judge's prompts, and reference answers.

    question.jsonl                 {"question_id": 81, "category": "writing", "turns": ["…", "…"]}
    judge_prompts.jsonl            {"name": "single-v1", "system_prompt": "…", "prompt_template": "…"}
    reference_answer/gpt-4.jsonl   {"question_id": 101, "choices": [{"turns": ["…", "…"]}]}

The user's own questions have the same form. Without judge prompts, they are judged with the published ones; questions
on mathematics, reasoning and coding need a reference answer, as the published ones do.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

from dragoman.corpora.catalog import find, local
from dragoman.corpora.formats.values import json_records
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json, as_text, as_texts
from dragoman.suites._suite import Material

WITH_REFERENCE = ("math", "reasoning", "coding")
"""Categories in which the judge is shown a reference answer."""
PROMPTS: Mapping[str, tuple[str, ...]] = {
    "single-v1": ("question", "answer"),
    "single-math-v1": ("question", "answer", "ref_answer_1"),
    "single-v1-multi-turn": ("question_1", "answer_1", "question_2", "answer_2"),
    "single-math-v1-multi-turn": ("question_1", "answer_1", "question_2", "answer_2", "ref_answer_1", "ref_answer_2"),
}
"""The judge's prompts, and the fields that fill each."""
_QUESTIONS, _PROMPTS, _REFERENCES = ("question.jsonl", "questions.jsonl"), "judge_prompts.jsonl", "reference_answer"


class Question(TypedDict):
    """A question of one or two turns."""

    id: int | str
    category: str
    turns: list[str]
    reference: NotRequired[list[str]]
    """A reference answer to each turn, if the category is judged with one."""


class Wording(TypedDict):
    """A judge's prompt."""

    system: str
    template: str


class Conversations(Material):
    """What MT-Bench asks, and the judge's prompts by name."""

    questions: list[Question]
    prompts: dict[str, Wording]


def read(place: Sequence[Path]) -> Conversations:
    """Reads what the suite is made of.

    `place` is the files, a folder that contains them somewhere, or a file of questions alone. `DataError` says what
    is missing or invalid, line by line.
    """
    files = [file for path in place for file in (sorted(path.rglob("*.jsonl")) if path.is_dir() else [path])]
    asked = files if len(place) == 1 and place[0].is_file() else [file for file in files if file.name in _QUESTIONS]
    if len(asked) != 1:
        there = ", ".join(map(str, asked)) or "none"
        where = ", ".join(map(str, place))
        raise DataError(f"MT-Bench needs one file of questions, {_QUESTIONS[0]}; in {where} there is {there}")
    told = next((file for file in files if file.name == _PROMPTS), None) or local(find("mt-bench"), _PROMPTS)
    questions = _with_references(asked[0], _questions(asked[0]), _references(files))
    return {
        "texts": [turn for question in questions for turn in question["turns"]],
        "questions": questions,
        "prompts": _prompts(told),
    }


def categories(path: Path) -> dict[int | str, str]:
    """The category of each question in a file, by its number."""
    return {question["id"]: question["category"] for question in _questions(path)}


def number(value: Json) -> int | str:
    """A question's number, which may be a name."""
    return value if isinstance(value, int) else str(value)


def _questions(path: Path) -> list[Question]:
    questions: dict[int | str, Question] = {}
    faults = []
    for place, record in json_records(path):
        key, category, turns = record.get("question_id", ""), record.get("category"), record.get("turns")
        if found := _question_faults(key, category, turns):
            faults += [f"{place}: {fault}" for fault in found]
        elif number(key) in questions:
            faults.append(f"{place}: a second question has the question_id {key}")
        else:
            questions[number(key)] = {"id": number(key), "category": as_text(category), "turns": as_texts(turns)}
    refuse(faults)
    if not questions:
        raise DataError(f"{path} has no questions in it")
    return list(questions.values())


def _with_references(
    path: Path, questions: Sequence[Question], references: Mapping[int | str, list[str]]
) -> list[Question]:
    """The questions, with a reference answer to each turn for those that are judged by one."""
    needed = [question for question in questions if question["category"] in WITH_REFERENCE]
    refuse(
        [
            f"{path}: question {question['id']} is on {question['category']}, which is judged by a reference answer, "
            f"and there is none for each of its turns; put one into {_REFERENCES}/gpt-4.jsonl, in a folder with the "
            "questions"
            for question in needed
            if len(references.get(question["id"], ())) < len(question["turns"])
        ]
    )
    return [_with_reference(question, references) for question in questions]


def _with_reference(question: Question, references: Mapping[int | str, list[str]]) -> Question:
    if question["category"] not in WITH_REFERENCE:
        return question
    return {**question, "reference": references[question["id"]]}


def _question_faults(key: object, category: object, turns: object) -> list[str]:
    faults = []
    if not isinstance(key, int | str) or isinstance(key, bool) or key == "":
        faults.append("'question_id' must be a number or a name")
    if not isinstance(category, str) or not category:
        faults.append("'category' must be some text, such as 'writing'")
    if not isinstance(turns, list) or len(turns) not in (1, 2) or not all(_is_text(turn) for turn in turns):
        faults.append("'turns' must be a list of one or two texts, the user's turns")
    return faults


def _references(files: Iterable[Path]) -> dict[int | str, list[str]]:
    """The reference answers by question: GPT-4's, or those of the only file."""
    there = [file for file in files if file.parent.name == _REFERENCES]
    chosen = [file for file in there if file.name == "gpt-4.jsonl"] or there
    if len(chosen) > 1:
        raise DataError(f"several files of reference answers ({', '.join(map(str, chosen))}); leave one of them")
    answers: dict[int | str, list[str]] = {}
    faults: list[str] = []
    for place, record in (found for file in chosen for found in json_records(file)):
        turns = _answer_turns(record)
        if turns is None:
            faults.append(f"{place}: no answer as FastChat has them: 'choices' with 'turns', a list of texts")
        else:
            answers[number(record.get("question_id", ""))] = turns
    refuse(faults)
    return answers


def _answer_turns(record: Mapping[str, Json]) -> list[str] | None:
    choices = record.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    turns = first.get("turns") if isinstance(first, dict) else None
    texts = [turn for turn in turns if isinstance(turn, str)] if isinstance(turns, list) else None
    return texts if texts is not None and texts == turns else None


def _prompts(path: Path) -> dict[str, Wording]:
    found: dict[str, Wording] = {}
    for place, record in json_records(path):
        name = record.get("name", "")
        if not isinstance(name, str) or name not in PROMPTS:
            continue
        system, template = record.get("system_prompt"), record.get("prompt_template")
        if not isinstance(system, str) or not isinstance(template, str):
            raise DataError(f"{place}: 'system_prompt' and 'prompt_template' must be text")
        try:
            template.format(**dict.fromkeys(PROMPTS[name], ""))
        except (KeyError, IndexError, ValueError) as error:
            fields = ", ".join(f"{{{field}}}" for field in PROMPTS[name])
            raise DataError(
                f"{place}: the template of {name} can't be filled ({error}); it may have the fields {fields}, and "
                "any other brace is written twice"
            ) from error
        found[name] = {"system": system, "template": template}
    if missing := [name for name in PROMPTS if name not in found]:
        raise DataError(f"{path} has no judge prompt {', '.join(missing)}")
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
