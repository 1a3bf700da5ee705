import json
import socket
from pathlib import Path

import pytest

from dragoman.errors import DataError, EngineError
from dragoman.suites.harness.ifeval import ACCURACIES, CUT, Instructed, followed, read_ifeval

pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
pytest.importorskip("langdetect", reason="what its IFEval needs is not installed")

COMMA, WORDS, GERMAN = "punctuation:no_comma", "length_constraints:number_words", "language:response_language"
LONG = {"relation": "at least", "num_words": 4, "language": None}
QUESTIONS = [
    Instructed("1", "Write.", (COMMA, WORDS), ({}, LONG)),
    Instructed("2", "Write in German.", (GERMAN,), ({"language": "de"},)),
    Instructed("3", "Write.", (COMMA,), ({},)),
]
ANSWERS = ["Sure, here it is:\none two three four", "Das ist ein kurzer deutscher Satz.", ""]


def test_four_accuracies(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("nothing may be downloaded"))
    found = followed(QUESTIONS, ANSWERS)
    assert tuple(found) == ACCURACIES
    assert found["prompt_level_strict_acc"] == [(False,), (True,), (False,)]
    assert found["inst_level_strict_acc"] == [(False, True), (True,), (False,)]
    assert found["prompt_level_loose_acc"] == [(True,), (True,), (False,)]  # without the first line
    assert found["inst_level_loose_acc"] == [(True, True), (True,), (False,)]
    assert capsys.readouterr().out == ""


def test_what_nltk_must_cut_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import nltk

    monkeypatch.setattr(nltk.data, "path", [])
    cut = Instructed("9", "Write.", (CUT[0],), ({"relation": "at least", "num_sentences": 2},))
    with pytest.raises(EngineError, match=r"1 of 4 questions of IFEval \(key 9 .* nltk.downloader punkt_tab"):
        followed([*QUESTIONS, cut], [*ANSWERS, "One. Two."])


def test_files_that_are_not_ifevals(tmp_path: Path) -> None:
    path = tmp_path / "input_data.jsonl"
    rows = [
        {"key": 1000, "prompt": "Write.", "instruction_id_list": [COMMA], "kwargs": [{}]},
        {"key": 1001, "prompt": "Write.", "instruction_id_list": [COMMA, WORDS], "kwargs": [{}]},
        {"id": 1002, "prompt": "Write."},
    ]
    path.write_text(json.dumps(rows[0]) + "\n", encoding="utf-8")
    assert read_ifeval(path) == [Instructed("1000", "Write.", (COMMA,), ({},))]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(DataError) as fault:
        read_ifeval(path)
    assert f"{path}, line 2: 'instruction_id_list' and 'kwargs' must be lists of the same length" in str(fault.value)
    assert f"{path}, line 3: 'key' and 'prompt' are needed" in str(fault.value)
    with pytest.raises(DataError, match="unknown instructions of IFEval: en:x"):
        followed([Instructed("1", "Write.", ("en:x",), ({},))], [""])


def test_an_answer_that_breaks_a_checker_does_not_follow_that_instruction() -> None:
    json_format = "detectable_format:json_format"
    questions = [Instructed("1", "Write.", (COMMA, json_format), ({}, {})), *QUESTIONS[1:]]
    found = followed(questions, ["[" * 100_000, *ANSWERS[1:]])
    assert found["inst_level_strict_acc"] == found["inst_level_loose_acc"] == [(True, False), (True,), (False,)]
    assert found["prompt_level_strict_acc"] == found["prompt_level_loose_acc"] == [(False,), (True,), (False,)]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (WORDS, {"relation": "at lest", "num_words": 3}),
        (WORDS, {"relation": "at least", "num_words": "x"}),
        (WORDS, {"foo": 3}),
        (GERMAN, {"language": "xx"}),
        ("keywords:existence", {"keywords": [3]}),
        ("detectable_format:number_highlighted_sections", {"num_highlights": "3"}),
    ],
    ids=str,
)
def test_arguments_that_a_checker_does_not_take(tmp_path: Path, name: str, arguments: dict[str, object]) -> None:
    path = tmp_path / "input_data.jsonl"
    record = {"key": 1, "prompt": "Write.", "instruction_id_list": [COMMA, name], "kwargs": [{}, arguments]}
    path.write_text("\n" + json.dumps(record), encoding="utf-8")
    with pytest.raises(DataError) as fault:
        followed(read_ifeval(path), [""])
    message = str(fault.value)
    assert message.startswith(f"{path}, line 2: {name} can't be checked with the arguments {json.dumps(arguments)} (")
