"""Files into another language, with written answers in a model's place; and one real run that is killed."""

import csv
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.corpora.formats.conversations.dialogues import DialogueFile
from dragoman.corpora.formats.conversations.dialogues import read as read_dialogues
from dragoman.corpora.records import Pair
from dragoman.corpora.translatable.content import Mark
from dragoman.corpora.translatable.detect import recognised
from dragoman.errors import DataError
from dragoman.generation.ask import Completion, Ids
from dragoman.pipeline.translate_file.acceptance import Wanted, foreign, judged
from dragoman.pipeline.translate_file.entries import Outcome, translated
from dragoman.suites.questions.question_files import read_questions
from tests.pipeline.running import alive, start

Answers = dict[str, str] | Callable[[str], str]
STOP = (0x110000,)


class Voice:
    """Speaks in code points; `again` tells the two wordings apart."""

    stop = STOP

    def __init__(self, again: bool = False):
        self.again = again

    def translate(self, pair: Pair) -> Ids:
        return tuple(map(ord, f"{pair.direction} {'again ' * self.again}{pair.source}"))


def answered(text: str, **changes: Any) -> Completion:
    return Completion((1,), text, changes.get("finish", "stop"))


def run(path: Path, answers: Answers, direction: str = "en-de", **settings: Any) -> tuple[Outcome, str, list[str]]:
    """What comes of a file, the file that is written, and what was asked for in the model's place."""
    content = recognised(path)
    source, target = direction.split("-")
    making = translated(content, source, target, (Voice(), Voice(again=True)), max_tokens=50, **settings)
    asked: list[str] = []
    ask = next(making)
    while True:
        prompts = ["".join(map(chr, prompt)).partition(" ")[2] for prompt in ask.prompts]
        asked += prompts
        said = [answers(text) if callable(answers) else answers.get(text, "") for text in prompts]
        try:
            ask = making.send([answered(text) for text in said])
        except StopIteration as end:
            return end.value, content.written(end.value.done, Mark("tester", source, target)), asked


def german(text: str) -> str:
    """A translation that keeps lines and what must stay in them."""
    return text.replace("again ", "").replace("the", "das").replace("is", "ist").replace("Name", "Nenne")


def written(path: Path, *records: Any) -> Path:
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    path.write_text("".join(f"{line}\n" for line in lines) if path.suffix == ".jsonl" else f"[{', '.join(lines)}]")
    return path


def test_alpaca_keeps_its_order_its_keys_and_its_code(tmp_path: Path) -> None:
    code = "```python\nprint('the end')\n```"
    records = [
        {"instruction": "Name the town.", "input": "", "output": "This is the town.", "id": 7},
        {"instruction": "Say 12.", "input": "12", "output": f"Here is the code:\n\n{code}\n\nThe end is near."},
        {"instruction": "Name the town.", "input": "42", "output": "3.5"},
    ]
    answers = {
        "Name the town.": "Nenne die Stadt.",
        "This is the town.": 'Translation: "Das ist die Stadt."\n\nNote: "town" is feminine.',
        "Say 12.": "Sag 21.",
        "again Say 12.": "Sage 12.",
        "Here is the code:": "Hier ist der Code:",
        "The end is near.": "Das Ende ist nah.",
    }
    outcome, text, asked = run(written(tmp_path / "a.json", *records), answers)
    assert json.loads(text) == [
        {"instruction": "Nenne die Stadt.", "input": "", "output": "Das ist die Stadt.", "id": 7}
        | {"translated_by": "tester"},
        {"instruction": "Sage 12.", "input": "12", "output": f"Hier ist der Code:\n\n{code}\n\nDas Ende ist nah."}
        | {"translated_by": "tester"},
        {"instruction": "Nenne die Stadt.", "input": "42", "output": "3.5", "translated_by": "tester"},
    ]
    assert asked == [
        *("Name the town.", "This is the town.", "Say 12.", "Here is the code:", "The end is near.", "again Say 12."),
    ]
    assert (outcome.counts.asked, outcome.counts.asked_again, outcome.counts.translated) == (5, 1, 3)
    path = tmp_path / "b.json"
    path.write_text(text)
    assert [turn.text for turn in next(read_dialogues(DialogueFile(path, "b"))).turns][1] == "Das ist die Stadt."


def test_what_fails_is_set_aside_and_counted(tmp_path: Path) -> None:
    records = [{"instruction": f"Name the town {name}.", "output": "42"} for name in ("1", "B", "C", "D")]
    answers = {
        "Name the town 1.": "Nenne die Stadt 2.",
        "again Name the town 1.": "Nenne sie.",
        "Name the town B.": "Nenne die Stadt B.",
        "Name the town C.": "Name the town C.",
        "again Name the town C.": "Name the town C.",
    }
    outcome, text, _ = run(written(tmp_path / "a.jsonl", *records), answers)
    assert [json.loads(line)["instruction"] for line in text.splitlines()] == ["Nenne die Stadt B."]
    assert outcome.counts.set_aside == {"number changed": 1, "copied": 1, "empty": 1}
    assert outcome.counts.translated + outcome.counts.set_aside.total() == outcome.counts.entries == 4
    first = outcome.aside[0]
    assert first["record"] == records[0]
    assert first["place"].endswith("a.jsonl, line 1")
    assert first["failures"] == [
        {"field": "instruction", "reason": "number changed", "detail": "number: 1 is missing"}
        | {"source": "Name the town 1.", "said": "Nenne sie."}
    ]


def test_conversations_dolly_and_the_language_of_a_record(tmp_path: Path) -> None:
    talk = {"messages": [{"role": "user", "content": "Name the sea."}, {"role": "assistant", "content": "the sea"}]}
    _, text, _ = run(written(tmp_path / "a.jsonl", talk | {"lang": "en"}), german)
    assert json.loads(text) == {
        "messages": [{"role": "user", "content": "Nenne das sea."}, {"role": "assistant", "content": "das sea"}],
        "lang": "de",
        "translated_by": "tester",
    }
    shared = {"id": "x", "conversations": [{"from": "human", "value": "Name the sea."}]}
    _, text, _ = run(written(tmp_path / "b.json", shared), german)
    assert json.loads(text)[0]["conversations"] == [{"from": "human", "value": "Nenne das sea."}]
    dolly = {"instruction": "Name the sea.", "context": "the", "response": "the Baltic", "category": "the"}
    _, text, _ = run(written(tmp_path / "c.jsonl", dolly), german)
    assert json.loads(text) == dolly | {"instruction": "Nenne das sea.", "context": "das", "response": "das Baltic"} | {
        "translated_by": "tester"
    }


def test_own_questions_keep_their_check_and_stay_readable(tmp_path: Path) -> None:
    check = {"name": "contains", "arguments": {"any": ["the sea"]}}
    path = written(tmp_path / "q.jsonl", {"family": "seas", "prompt": "Name the sea.", "check": check})
    _, text, _ = run(path, german)
    path.write_text(text)
    (question,) = read_questions(path)
    assert (question.turns[0].text, question.language) == ("Nenne das sea.", "de")
    assert question.check.arguments == {"any": ["the sea"]}


def test_lines_stay_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("the first\n\n12\nthe last line\n")
    _, text, asked = run(path, german)
    assert text == "das first\n\n12\ndas last line\n"
    assert asked == ["the first", "the last line"]


def squad(context: str, *asked: tuple[str, str]) -> dict[str, Any]:
    qas = [
        {"id": f"q{number}", "question": question, "answers": [{"text": said, "answer_start": context.index(said)}]}
        for number, (question, said) in enumerate(asked)
    ]
    return {"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context": context, "qas": qas}]}]}


def test_an_answer_is_found_again_in_its_context_or_set_aside(tmp_path: Path) -> None:
    context = "The dog sleeps. A cat of 3 years sleeps. The dog eats."
    asked = [("Who eats?", "The dog"), ("Who sleeps?", "A cat"), ("How old is it?", "3")]
    whole = squad(context, *asked)
    whole["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] = context.rindex("The dog")
    path = tmp_path / "s.json"
    path.write_text(json.dumps(whole))
    answers = {
        context: "Der Hund schläft. Eine Katze von 3 Jahren schläft. Der Hund frisst.",
        "Who eats?": "Wer frisst?",
        "Who sleeps?": "Wer schläft?",
        "How old is it?": "Wie alt ist sie?",
        "The dog": "der Hund.",
        "A cat": "Ein Kater",
    }
    outcome, text, _ = run(path, answers)
    made = json.loads(text)
    (paragraph,) = made["data"][0]["paragraphs"]
    assert (made["version"], made["translated_by"]) == ("1.1", "tester")
    assert [(one["id"], one["question"]) for one in paragraph["qas"]] == [
        ("q0", "Wer frisst?"),
        ("q2", "Wie alt ist sie?"),
    ]
    for one, said in zip(paragraph["qas"], ("Der Hund", "3"), strict=True):
        (answer,) = one["answers"]
        assert answer["text"] == said
        assert paragraph["context"][answer["answer_start"] :].startswith(said)
    assert paragraph["qas"][0]["answers"][0]["answer_start"] == answers[context].rindex("Der Hund")
    assert outcome.counts.set_aside == {"the answer is not in the context": 1}


def test_the_real_xquad_comes_back_as_it_was(tmp_path: Path, real_data: Path) -> None:
    """With the German XQuAD's own sentences in the model's place: contexts, questions and answers keep their places."""
    english, target = (json.loads((real_data / "xquad" / f"xquad.{code}.json").read_text()) for code in ("en", "de"))
    for whole in (english, target):
        whole["data"] = whole["data"][:3]
    answers: dict[str, str] = {}
    for source, other in zip(english["data"], target["data"], strict=True):
        for before, after in zip(source["paragraphs"], other["paragraphs"], strict=True):
            answers[before["context"].strip()] = after["context"]
            for one, two in zip(before["qas"], after["qas"], strict=True):
                answers[one["question"].strip()] = two["question"]
                answers[one["answers"][0]["text"].strip()] = two["answers"][0]["text"]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(english))
    outcome, text, _ = run(path, lambda text: answers[text.removeprefix("again ")])
    wanted = {
        one["id"]: (about["context"], one["question"])
        for article in target["data"]
        for about in article["paragraphs"]
        for one in about["qas"]
    }
    made = [
        (about, one) for article in json.loads(text)["data"] for about in article["paragraphs"] for one in about["qas"]
    ]
    assert len(made) == outcome.counts.translated
    assert len(made) + outcome.counts.set_aside.total() == len(wanted)
    assert len(made) > 20
    for about, one in made:
        context, question = wanted[one["id"]]
        assert " ".join(about["context"].split()) == " ".join(context.split())
        assert one["question"] == question.strip()
        for answer in one["answers"]:
            assert about["context"][answer["answer_start"] :].startswith(answer["text"])


def test_an_answer_s_letter_stays_and_options_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    rows = [
        ["What is red, or blue?", "the sky", "5", "blood, it is", "none", "C"],
        ["Who?", "she", "her", "he", "I", "A"],
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    answers = {
        "What is red, or blue?": "Was ist rot, oder blau?",
        "the sky": "der Himmel",
        "blood, it is": "Blut, das ist es",
        "none": "nichts",
        "Who?": "Wer?",
        "she": "sie",
        "her": "Sie",
        "he": "er",
    }
    outcome, text, asked = run(path, answers)
    assert text == "What,".replace("What,", '"Was ist rot, oder blau?",der Himmel,5,"Blut, das ist es",nichts,C\n')
    assert outcome.counts.set_aside == {"two options became alike": 1}
    assert {"5", "C", "I"}.isdisjoint(asked)


def test_labels_of_bbh_stay_and_so_do_the_lines_that_offer_them(tmp_path: Path) -> None:
    examples = [
        {"input": "Do you go back?\nOptions:\n- Yes\n- No", "target": "No"},
        {"input": "not ( True ) and True is", "target": "False"},
        {"input": "Sort: pear apple", "target": "apple pear"},
        {"input": "Which is it?\nOptions:\n(A) pear\n(B) apple", "target": "(B)"},
        {"input": "What is it?", "target": "dearth and fire"},
    ]
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"canary": "c", "examples": examples}))
    answers = {
        "Do you go back?\nOptions:": "Gehst du zurück?\nMöglichkeiten:",
        "not ( True ) and True is": "nicht ( Wahr ) und Wahr ist",
        "again not ( True ) and True is": "nicht ( True ) und True ist",
        "Sort: pear apple": "Sortiere: Birne Apfel",
        "apple pear": "Apfel Birne",
        "Which is it?\nOptions:\n(A) pear\n(B) apple": "Was ist es?\nMöglichkeiten:\n(A) Birne\n(B) Apfel",
        "What is it?": "Was ist es?",
        "dearth and fire": "Dürre und Feuer",
    }
    outcome, text, _ = run(path, answers)
    made = json.loads(text)
    assert (made["canary"], made["translated_by"]) == ("c", "tester")
    assert made["examples"] == [
        {"input": "Gehst du zurück?\nMöglichkeiten:\n- Yes\n- No", "target": "No"},
        {"input": "nicht ( True ) und True ist", "target": "False"},
        {"input": "Was ist es?\nMöglichkeiten:\n(A) Birne\n(B) Apfel", "target": "(B)"},
        {"input": "Was ist es?", "target": "Dürre und Feuer"},
    ]
    assert outcome.counts.set_aside == {"the answer is made of the question's own words": 1}


def test_what_leaves_no_room_is_not_asked_and_a_limit_takes_the_first(tmp_path: Path) -> None:
    records = [{"instruction": "the " * 9, "output": "1"}, {"instruction": "the", "output": "1"}]
    path = written(tmp_path / "a.jsonl", *records)
    outcome, text, asked = run(path, german, context=30)
    assert asked == ["the"]
    assert outcome.counts.set_aside == {"too long for the model": 1}
    outcome, text, _ = run(path, german, limit=1)
    assert json.loads(text)["instruction"] == german("the " * 9)
    assert outcome.counts.entries == 1


@pytest.mark.parametrize(
    ("text", "answer", "direction", "fault"),
    [
        ("The plants were watered.", "Die Kleider waren wütender als die Gärtner.", "en-de", ""),
        ("The plants were watered.", "She sleeps, but the pig steals wine.", "en-de", "wrong language"),
        ("The plants were watered.", "Ci sono una volpe e un cane nel bosco.", "en-de", "wrong language"),
        ("The plants were watered.", "花被浇了水，而且长得很好。", "en-zh", ""),
        ("The plants were watered.", "Die Pflanzen wurden gegossen.", "en-zh", "wrong language"),
        ("The plants were watered.", "Planterne blev vandet, og det var godt.", "en-da", ""),
        ("The plants were watered.", "The plants were watered!", "en-da", "copied"),
        ("Name three colours.", "Name three colours.", "en-de", "copied"),
        ("Isaac Newton, Marie Curie.", "Isaac Newton, Marie Curie.", "en-de", ""),
        ("Jane Austen", "Jane Austen", "en-de", ""),
        ("red\nblue", "rot", "en-de", "lines lost"),
        ("Name it.", "I'm sorry, but I cannot translate that.", "en-de", "no translation in the answer"),
        ("Name it.", "   ", "en-de", "empty"),
    ],
)
def test_faults_of_a_translation(text: str, answer: str, direction: str, fault: str) -> None:
    assert judged(Wanted(text), answered(answer), *direction.split("-")).fault == fault


def test_an_answer_that_was_cut_off_is_no_translation() -> None:
    assert judged(Wanted("Name it."), answered("Nenne", finish="length"), "en", "de").fault == "cut off"


def test_a_text_in_another_language_is_no_mistake(tmp_path: Path) -> None:
    said = "Le soleil brillait dans le ciel et sur la mer."
    assert foreign(said, "en")
    assert not foreign(f"Translate this from French to English, and say what it is: {said}", "en")
    assert not foreign("Die Kleider waren wütender als die Gärtner.", "de")
    path = written(tmp_path / "a.jsonl", {"instruction": "Name the French for it.", "output": said})
    outcome, text, _ = run(path, german)
    assert json.loads(text)["output"] == said
    assert outcome.counts.foreign == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '{"rows": []}', "it has the keys 'rows'. Known are Alpaca's"),
        ("a.jsonl", '{"instruction": "x", "instances": 1}', "it has the keys 'instruction', 'instances'"),
        ("a.jsonl", '{"instruction": "x", "output": "y"}\n{"text": 1}', "line 2: no record of a form that is known"),
        ("a.jsonl", '{"instruction": "x", "output": 3}', "line 1: 'output' must be text, not 3"),
        ("a.json", '[{"messages": ["x"]}]', "record 1: 'messages' must be a list of turns, each with 'content'"),
        ("a.csv", "one,two\n1,2\n", "no format that is known; it begins 'one,two"),
        ("a.txt", " \n", "is empty"),
        (
            "s.json",
            '{"data": [{"paragraphs": [{"context": 3, "qas": [{}]}]}]}',
            "'context' must be text, not 3",
        ),
        (
            "s.json",
            '{"data": [{"paragraphs": [{"context": "x"}]}]}',
            "'qas' must be a list, as in SQuAD's",
        ),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        recognised(path)
    assert said in str(caught.value)


def test_a_killed_run_goes_on_from_its_cache_and_ends_as_if_never_killed(tmp_path: Path) -> None:
    records = [
        {"instruction": f"The {dog} sleeps{' 12 hours' * (n == 5)}.", "output": f"{n}" * (n % 3 == 0)}
        for n, dog in enumerate(WORDS)
    ]
    file = written(tmp_path / "a.jsonl", *records)

    def arguments(name: str) -> list[str]:
        options = ["--to", "de", "--model", "lab", "--max-tokens", "96", "shard=4", "precision=fp32"]
        folders = ["--output", tmp_path / name, "--runs", tmp_path / f"runs-{name}"]
        return [*map(str, ["data", "translate", file, *folders]), *options]

    assert CliRunner().invoke(app, arguments("whole.jsonl")).exit_code == 0
    process = start(*arguments("cut.jsonl"))
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "runs-cut.jsonl").rglob("*.parquet"))) < 2:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while alive(process.pid):
        time.sleep(0.05)
    assert not (tmp_path / "cut.jsonl").exists()
    result = CliRunner().invoke(app, arguments("cut.jsonl"))
    assert "were in the cache; going on from there" in result.stderr
    assert "of 24 entries in" in result.stdout
    for end in ("", ".set-aside.jsonl"):
        assert (tmp_path / f"cut.jsonl{end}").read_bytes() == (tmp_path / f"whole.jsonl{end}").read_bytes()
    about = [json.loads((tmp_path / f"{name}.jsonl.translation.json").read_text()) for name in ("cut", "whole")]
    assert about[0] | {"date": ""} == about[1] | {"date": ""}


WORDS = (
    *("dog", "cat", "fox", "bear", "wolf", "teacher", "waiter", "doctor", "farmer", "pilot", "neighbour", "child"),
    *("man", "woman", "king", "queen", "cook", "thief", "guest", "uncle", "aunt", "nurse", "tourist", "gardener"),
)
