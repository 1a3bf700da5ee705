"""Tasks in three languages: the same in each, taught apart from what is asked, and none without an answer."""

import re
from collections import Counter
from random import Random

import pytest

from dragoman.errors import DataError
from dragoman.json_values import as_text, as_texts
from dragoman.lab import abilities, terse
from dragoman.lab.tongues import choice, qa, reads, reasoning, tables
from dragoman.lab.tongues.alpaca import alpaca
from dragoman.suites.questions.checks import check

LANGUAGES = ("en", "de", "it")


def test_the_families_are_nine_and_not_among_the_others() -> None:
    kinds = ("qa", "choice", "reasoning")
    assert list(abilities.LANGUAGE_FAMILIES) == [f"{kind}-{language}" for kind in kinds for language in LANGUAGES]
    assert not {*abilities.FAMILIES, *abilities.SKILLS} & {*abilities.LANGUAGE_FAMILIES}


@pytest.mark.parametrize("family", abilities.LANGUAGE_FAMILIES)
def test_an_answer_passes_its_check_and_what_is_asked_is_held_out(family: str) -> None:
    asked = abilities.questions(family, 150, 1)
    assert asked == abilities.questions(family, 150, 1) != abilities.questions(family, 150, 2)
    assert all(abilities.is_held_out(question) and question.language == family[-2:] for question in asked)
    rng = Random(2)
    failed = []
    for task in (abilities.task(family, rng) for _ in range(400)):
        if not check(task.question.check, task.answer).passed or check(task.question.check, "").extracted:
            failed.append(task)
    assert failed == []


def test_a_choice_is_the_same_in_every_language() -> None:
    said = {fact.answer: fact for facts in choice.SUBJECTS.values() for fact in facts}
    english = {(language, words[at]): words[0] for words in said for at, language in enumerate(LANGUAGES)}
    for number in range(300):
        tasks = [choice.task(Random(number), language) for language in LANGUAGES]  # type: ignore[arg-type]
        assert len({task.question.subject for task in tasks}) == 1
        for task, language in zip(tasks, LANGUAGES, strict=True):
            arguments = task.question.check.arguments
            options, letter = as_texts(arguments["options"]), as_text(arguments["value"])
            assert len(set(options)) == 4
            assert task.answer == options["ABCD".index(letter)]
            assert english[language, task.answer] == tasks[0].answer
            assert f"{letter}) {task.answer}" in task.question.turns[0].text
            assert check(task.question.check, letter).passed  # a letter will do as well
            assert not check(task.question.check, options["BCDA".index(letter)]).passed


def test_only_one_option_is_right() -> None:
    for facts in choice.SUBJECTS.values():
        for fact in facts:
            assert len(fact.wrong) >= 3
            assert fact.answer not in fact.wrong
    sweet = [fact for fact in choice.SUBJECTS["opposites"] if fact.asked[0] == "What is the opposite of fast?"]
    assert [fact.answer for fact in sweet] == [("slow", "langsam", "lento")]


def test_reasoning_is_right() -> None:
    rng, seen = Random(4), Counter[str]()
    numbers = [word for word, _, _ in tables.NUMBERS]
    for _ in range(600):
        task = reasoning.task(rng, "en")
        prompt, answer = task.question.turns[0].text, task.answer
        seen[task.question.subject] += 1
        if task.question.subject == "boolean":
            (formula,) = re.findall(r"\( .*(?:true|false)", prompt)
            assert str(eval(formula.replace("true", "True").replace("false", "False"))).lower() == answer
        elif task.question.subject == "sums":
            first, second = (numbers.index(word) + 1 for word in re.findall(r"\w+", prompt) if word in numbers)
            assert numbers.index(answer) + 1 == (first + second if "more" in prompt else first - second)
        elif task.question.subject == "ordering":
            beaten = set(re.findall(r"than (\w+)", prompt))
            assert set(re.findall(r"(\w+) is \w+ than", prompt)) - beaten == {answer}
        elif task.question.subject == "sorting":
            assert sorted(re.findall(r"\w+", prompt.partition(":")[2]), key=numbers.index) == answer.split(", ")
    assert set(seen) == set(reasoning.SUBJECTS)
    assert min(seen.values()) > 50


def test_the_answer_to_a_question_stands_in_its_text() -> None:
    for language in LANGUAGES:
        for number in range(200):
            task = qa.task(Random(number), language)  # type: ignore[arg-type]
            assert task.answer.casefold() in task.question.turns[0].text.casefold()


def test_what_is_asked_in_german_and_italian_was_never_taught_in_them() -> None:
    for language in ("de", "it"):
        at = LANGUAGES.index(language)
        lessons = " \n".join(one.turns[0].text for one in alpaca(language, 1500, 0))
        asked = {choice.task(Random(number), language, "asked").question.turns[0].text for number in range(800)}
        facts = {fact.asked[at] for name, facts in choice.SUBJECTS.items() for fact in facts if name != "examples"}
        taught_facts = {fact for fact in facts if fact in lessons}
        asked_facts = {fact for fact in facts if fact in "\n".join(asked)}
        assert not taught_facts & asked_facts
        assert len(taught_facts) > 0.35 * len(facts) < 2.9 * len(asked_facts)
        # Nor are nouns sorted by their kinds that are asked about.
        asked_nouns = choice.sorted_nouns("asked")["animal"]
        odd = [
            text for text in lessons.splitlines() if text.startswith(("Welches Wort passt nicht", "Quale parola non"))
        ]
        assert odd
        assert not [noun for noun in asked_nouns if re.search(rf"\b{choice.named(noun)[at]}\b", "\n".join(odd))]
    assert {fact.taught for fact in choice.SUBJECTS["kinds"]} == {True, False}


@pytest.mark.parametrize("language", LANGUAGES)
def test_instructions_are_different_of_three_kinds_and_not_held_out(language: str) -> None:
    made = alpaca(language, 900, 3)
    assert made[:100] == alpaca(language, 100, 3) != alpaca(language, 100, 4)
    assert len({one.key for one in made}) == 900
    assert {(one.language, one.origin) for one in made} == {(language, f"lab-alpaca-{language}")}
    held = {
        q.turns for kind in ("qa", "choice", "reasoning") for q in abilities.questions(f"{kind}-{language}", 300, 3)
    }
    assert not held & {one.turns[:-1] for one in made}
    choices = sum("\nD) " in one.turns[0].text for one in made)
    assert 0.25 < choices / 900 < 0.4


def test_more_than_there_are_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abilities, "PATIENCE", 1)
    with pytest.raises(DataError, match="lab-alpaca has only about"):
        alpaca("de", 5000, 0)
    with pytest.raises(DataError, match="lab-instructions has only about"):
        terse.instructions(5000, 0)
    with pytest.raises(DataError, match="has them in en, de, it"):
        alpaca("fr", 3, 0)


def test_the_english_model_reads_lessons_in_english_alone() -> None:
    drawn = [reads.document(5, number) for number in (*range(300), *range(58_000, 58_300))]
    assert drawn[7] == reads.document(5, 7)
    for language, text in drawn:
        assert language == "en" or "<|user|>" not in text
        assert not re.search(r"\b(?:translat\w+|into (?:German|Italian)|in (?:German|Italian))\b", text), text
    shares = Counter((language, "<|user|>" in text) for language, text in drawn)
    assert 0.78 < shares["en", True] / 600 < 0.86
    assert 0.02 < shares["de", False] / 600 < 0.08
    shown = {part.partition("<|user|>")[2] for _, text in drawn for part in text.split("<|end|>")}
    assert all(one.start % 4096 == 0 for one in reads.STAGES)  # documents are packed so many at a time
    asked = {q.turns[0].text for f in ("qa-en", "choice-en", "reasoning-en") for q in abilities.questions(f, 300, 0)}
    assert not asked & shown
