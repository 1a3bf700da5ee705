"""MT-Bench: conversations of two turns; a judge rates each answer from 1 to 10.

It follows its authors: the temperature depends on the category; the second turn is asked after the model's own first
answer; the judge, at temperature 0, sees only the first turn or both, with a reference answer in mathematics,
reasoning and coding. A number holds only for its judge: ratings by different judges are not comparable.

An answer without a rating, for whatever reason, has no value. The reason is counted, and nothing replaces the rating.
"""

import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from dragoman import __version__
from dragoman.corpora.records import Turn, content_key
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.recipe.judging import Evaluation
from dragoman.suites._graded import Graded, Item
from dragoman.suites._judge import HIGHEST, asked, counted, judge_name, judge_prompt, rating
from dragoman.suites._suite import Asking, JudgedOptions, JudgedSuite, Speaker
from dragoman.suites.mt_bench.files import WITH_REFERENCE, Conversations, Question, Wording, read
from dragoman.suites.mt_bench.published import NAME, TASK, turns

TEMPERATURES: Mapping[str, float] = {"writing": 0.7, "roleplay": 0.7, "stem": 0.1, "humanities": 0.1} | dict.fromkeys(
    ("extraction", "math", "coding", "reasoning"), 0.0
)
"""Temperatures of answers by category, as published."""
OTHER_TEMPERATURE = 0.7
"""The temperature for categories that are not among the published ones."""
ANSWER_TOKENS, JUDGEMENT_TOKENS = 1024, 2048
"""At most, as published."""

Place = tuple[int, int]
"""Of a question, and its turn."""
Answering = Generator[Ask, list[Completion], tuple[dict[Place, Completion], dict[Place, str]]]
"""What was said at each place; and for the other places, why nothing was."""


class MtBench(JudgedSuite[Conversations]):
    """Asks the model all first turns, then all second ones, then the judge about every answer."""

    kind = NAME
    title = "MT-Bench"
    saved = (TASK,)
    side = "instruction"
    heading, rank = "instructions", 4
    takes = JudgedOptions
    entry = "mt-bench"
    judged_by = "judge"
    drawn = True

    def read(self, files: Sequence[Path]) -> Conversations:
        return read(files)

    def ask(self, model: str, material: Conversations, speak: Speaker, settings: Evaluation) -> Asking:
        questions = self.chosen(material["questions"], settings, lambda question: str(question["id"]))
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
        judgements, reasons = yield from _judgements(
            material["prompts"], questions, answers, speak.of("judge"), settings
        )
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
        facts = turns(items) | _lengths(items)
        return [Graded(NAME, self.side, signature, items, "/10", notes=counted(notes), facts=facts)]


SUITES = (MtBench,)


def judge_text(prompts: Mapping[str, Wording], question: Question, answers: Sequence[str]) -> tuple[str, str]:
    """System prompt and text for the judge, about the last of the answers; there is one answer per turn so far."""
    by_reference = question["category"] in WITH_REFERENCE
    name = ("single-math-v1" if by_reference else "single-v1") + ("-multi-turn" if len(answers) > 1 else "")
    fields = {"question": question["turns"][0], "answer": answers[0]}
    for number, (turn, answer) in enumerate(zip(question["turns"], answers, strict=False), start=1):
        fields |= {f"question_{number}": turn, f"answer_{number}": answer}
    for number, reference in enumerate(question["reference"] if by_reference else (), start=1):
        fields[f"ref_answer_{number}"] = reference
    return prompts[name]["system"], prompts[name]["template"].format(**fields)


def _answers(
    model: str,
    talks: Mapping[Place, tuple[Turn, ...]],
    questions: Sequence[Question],
    speak: Speaker,
    settings: Evaluation,
) -> Answering:
    """The answers, in one ask for each temperature; in place of a missing one, the reason."""
    answers: dict[Place, Completion] = {}
    why: dict[Place, str] = {}
    apart: dict[float, list[Place]] = {}
    for place in talks:
        temperature = TEMPERATURES.get(questions[place[0]]["category"], OTHER_TEMPERATURE)
        apart.setdefault(temperature, []).append(place)
    for temperature, places in apart.items():
        sampling = Sampling(
            max_tokens=_longest(settings),
            stop=speak.stop,
            temperature=temperature,
            seed=settings.seed if temperature else 0,
        )
        prompts = [speak.turns(talks[place]) for place in places]
        completions = yield from asked(model, prompts, speak, sampling, "MT-Bench, answers")
        for place, completion in zip(places, completions, strict=True):
            if completion is None or completion.finish == "failed":
                why[place] = "no answer" if completion else "no room for an answer"
            else:
                answers[place] = completion
    return answers, why


def _judgements(
    wordings: Mapping[str, Wording],
    questions: Sequence[Question],
    answers: Mapping[Place, Completion],
    judge: Speaker,
    settings: Evaluation,
) -> Answering:
    """The judge's words on each answer, in one ask; in place of a missing one, the reason."""
    prompts: dict[Place, Ids] = {}
    for at, turn in sorted(answers):
        given = [answers[at, earlier].text.strip() for earlier in range(1, turn + 1)]
        prompts[at, turn] = judge_prompt(judge, *judge_text(wordings, questions[at], given))
    sampling = Sampling(max_tokens=_longest_judgement(settings), stop=judge.stop)
    said = yield from asked("judge", list(prompts.values()), judge, sampling, "MT-Bench, judgements")
    found = dict(zip(prompts, said, strict=True))
    why = {place: "no room for the judge" for place, judgement in found.items() if judgement is None}
    return {place: judgement for place, judgement in found.items() if judgement}, why


def _item(question: Question, turn: int, answer: Completion | None, judgement: Completion | None, why: str) -> Item:
    value = None
    if judgement is not None:
        value = rating(judgement.text)
        if judgement.finish == "failed":
            value, why = None, "judge failed"
        elif value is None:
            why = "no judgement"
        elif value > HIGHEST:
            value, why = None, "off the scale"
    told: dict[str, object] = {"turn": turn, "question": question["turns"][turn - 1]}
    if answer is not None:
        told |= {"answer": answer.text.strip(), "cut_off": answer.finish == "length"}
    if judgement is not None and judgement.finish != "failed":
        told["judgement"] = judgement.text
    if why:
        told["why"] = why
    return Item(f"{question['id']}-{turn}", value, question["category"], told, group=str(question["id"]))


def _lengths(items: Sequence[Item]) -> dict[str, float]:
    """How long the answers are: ratings tend to rise with length."""
    answers = [item.told["answer"] for item in items if "answer" in item.told]
    if not answers:
        return {}
    characters, words = sum(map(len, answers)), sum(len(answer.split()) for answer in answers)
    return {"characters": characters / len(answers), "words": words / len(answers)}


def _longest(settings: Evaluation) -> int:
    return max(settings.max_tokens, ANSWER_TOKENS)


def _longest_judgement(settings: Evaluation) -> int:
    return settings.judge.max_tokens if settings.judge else JUDGEMENT_TOKENS


def _digest(prompts: Mapping[str, Wording]) -> str:
    """A few letters that identify the wording of the judge's prompts."""
    return content_key(json.dumps(prompts, sort_keys=True))[:6]
