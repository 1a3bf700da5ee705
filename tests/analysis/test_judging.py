"""Judges: what they are asked, how their answers are read, and real ones through engines."""

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dragoman.analysis.judging import judged, parse, prompt_for
from dragoman.analysis.rationales import Sampled
from dragoman.corpora.records import Turn
from dragoman.generation.ask import Ask, Completion
from dragoman.lab import BACKBONE
from dragoman.pipeline.analyses.topics import AskJudge, Judge
from dragoman.pipeline.models.cast import Model
from dragoman.recipe.schema import Recipe

REMARK = "Note: “Hund” is a noun and means “dog”."


def about(rationale: str) -> Sampled:
    request = "Translate this sentence from German to English.\nDer {Hund} bellt."
    return Sampled(rationale, "de-en", "Der {Hund} bellt.", request, "The dog barks.", rationale)


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ('["A", "C"]', "words grammar"),
        ('```json\n[\n  "A",\n  "C"\n]\n```', "words grammar"),
        ('{"categories": ["H"]}', "other"),
        ("[a, F]", "words style"),
        ('["grammar", "Style and Register"]', "grammar style"),
        ('["C. grammar", "D) sentence meaning"]', "grammar meaning"),
        ('It explains words. My first thought was ["B"].\nAnswer: ["A"]', "words"),
        ("<think>Perhaps [B]? No.</think>\n[A]", "words"),
        ("A, C and F.", "words grammar style"),
        ("**B**", "alternative"),
        ("A C", "words grammar"),
        ("The rationale gives another wording.\n\nFinal answer: B, E", "alternative facts"),
        ("The categories are:\n- A. word or phrase translation\n- G: cultural or usage notes", "words usage"),
        ("D\nE\n", "meaning facts"),
        ("C: Grammar", "grammar"),
    ],
)
def test_answers_that_can_be_read(answer: str, labels: str) -> None:
    assert parse(answer) == frozenset(labels.split())


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        '["A", "K"]',  # there is no K
        '["A", "poetry"]',
        '["A", "C"',  # cut off
        '["A"] or ["B", "D"]',  # which one?
        '{"A": true, "B": false}',
        "A: no\nB: yes",
        "<think>The rationale explains words, so [A]",
        "A remark about words.",
        "It explains grammar and style.",
        "The word 'Hund' is a noun.",
        "I",
    ],
)
def test_answers_that_are_none(answer: str) -> None:
    assert parse(answer) is None


def test_a_judge_is_told_all_it_needs() -> None:
    prompt = prompt_for(about(f"\n\n{REMARK}"))
    assert "A. word or phrase translation: says what single words" in prompt
    assert "\nH. other: " in prompt
    assert "\n\n[Request]\nTranslate this sentence from German to English.\nDer {Hund} bellt.\n\n" in prompt
    assert f"[Translation]\nThe dog barks.\n\n[Rationale]\n{REMARK}\n\n[End]" in prompt
    assert prompt.endswith('such as ["A"] or ["B", "D"].')


class Spelling:
    """Letters are tokens."""

    stop = (0,)

    def prompt(self, turns: Sequence[Turn]) -> tuple[int, ...]:
        return tuple(map(ord, turns[0].text))


def test_each_verdict_goes_with_its_rationale() -> None:
    sampled = [about("one"), about(" \n"), about("three"), about("four")]
    asking = judged(sampled, Spelling(), max_tokens=9)
    asked = next(asking)
    assert isinstance(asked, Ask)
    assert (asked.sampling.temperature, asked.sampling.max_tokens, asked.sampling.stop) == (0, 9, (0,))
    assert ["".join(map(chr, prompt)) for prompt in asked.prompts] == [
        prompt_for(one) for one in sampled if not one.blank
    ]
    answers = [
        Completion((1, 0), '["A"]', "stop"),
        Completion((), "", "failed", why="refused"),
        Completion((1,), "Hm", "length"),
    ]
    with pytest.raises(StopIteration) as end:
        asking.send(answers)
    first, blank, refused, unread = end.value.value
    assert (first.labels, first.answer) == ({"words"}, '["A"]')
    assert blank is None
    assert (refused.labels, refused.answer) == (None, "(failed: refused)")
    assert (unread.labels, unread.answer) == (None, "Hm")


RECIPE = Recipe.model_validate(
    {
        "name": "judged",
        "backbone": "lab",
        "data": {"train": {"corpus": "lab"}, "test": {"corpus": "lab"}},
        "methods": [{"radis": {}}],
        "generation": {"openai": {"retries": 0, "timeout": 20}},
    }
)
LAB = Model("lab", BACKBONE, "lab")


def test_a_small_model_says_something_and_none_of_it_is_taken_for_a_verdict(tmp_path: Path) -> None:
    sampled = [about(REMARK), about(" "), about("Overall, the sentence means: “The dog barks.”")]
    found = AskJudge(RECIPE, Judge("lab", "hf", max_tokens=24), LAB, sampled, tmp_path).run()
    assert [one and one.labels for one in found] == [None, None, None]
    assert found[1] is None
    assert all(one.answer.strip() for one in (found[0], found[2]))
    assert len(list(tmp_path.rglob("*.parquet"))) == 1  # kept like all that is generated


class _Serving(BaseHTTPRequestHandler):
    """A chat server with one model, which looks at the rationale for a word."""

    protocol_version = "HTTP/1.1"
    asked: list[dict[str, Any]]

    def log_message(self, *parts: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.send({"object": "list", "data": [{"id": "some/judge"}, {"id": "another"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({**body, "path": self.path})
        said = body["messages"][-1]["content"].partition("[Rationale]")[2].partition("[End]")[0]
        answer = '["A", "C"]' if "noun" in said else "It means something." if "means" in said else '["H"]'
        self.send({"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": answer}}]})

    def send(self, found: dict[str, Any]) -> None:
        data = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    _Serving.asked = []
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Serving)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield http
    http.shutdown()
    http.server_close()


def test_a_judge_on_a_server_needs_no_tokenizer_here(tmp_path: Path, server: ThreadingHTTPServer) -> None:
    address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    sampled = [about(REMARK), about("Overall, it means: “The dog barks.”"), about("Anything else?")]
    judge = Judge("some/judge", "openai", address)
    found = AskJudge(RECIPE, judge, LAB, sampled, tmp_path).run()
    assert [one.labels for one in found] == [{"words", "grammar"}, None, {"other"}]
    assert found[1].answer == "It means something."
    greeting, *asked = _Serving.asked
    assert greeting["max_tokens"] == 1
    assert {body["path"] for body in asked} == {"/v1/chat/completions"}
    assert {body["model"] for body in asked} == {"some/judge"}
    assert {body["temperature"] for body in asked} == {0}
    assert sorted(body["messages"][0]["content"] for body in asked) == sorted(prompt_for(one) for one in sampled)
    again = AskJudge(RECIPE, judge, LAB, sampled, tmp_path).run()
    assert again == found
    assert len(_Serving.asked) == 5  # one more greeting, and all else from the cache
