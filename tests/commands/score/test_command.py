"""`dragoman score` as a user meets it: JSON on standard output, and sentences for what does not fit."""

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dragoman import cli

KEYS = ["metric", "system", "score", "interval", "n", "signature", "segments"]
Run = Callable[..., Result]
Scores = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli.app, ["score", *map(str, words)])


@pytest.fixture
def scores(run: Run) -> Scores:
    """What the command prints, which ends well."""

    def printed(*words: object) -> list[dict[str, Any]]:
        result = run(*words)
        assert result.exit_code == 0, result.stderr
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found

    return printed


def lines(path: str, *texts: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes("".join(f"{text}\n" for text in texts).encode())
    return path


def records(path: str, rows: Sequence[Any]) -> str:
    return lines(path, *(json.dumps(row, ensure_ascii=False) for row in rows))


def test_systems_are_scored_and_compared(run: Run) -> None:
    for system in ("a", "b"):
        lines(f"{system}/out.de", "Der Hund\u2028schläft.", "Es regnet." if system == "a" else "Es schneit.")
    lines("ref.de", "Der Hund schläft.", "Es regnet.")
    words = ("--metric", "chrf,ter", "--ref", "ref.de", "--hyp", "a/out.de", "b/out.de", "--segments")
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert [list(entry) for entry in found] == [KEYS] * 4
    assert [(entry["metric"], entry["system"]) for entry in found] == [
        ("chrf", "a/out"),
        ("chrf", "b/out"),
        ("ter", "a/out"),
        ("ter", "b/out"),
    ]
    assert [entry["score"] for entry in found] == [100, pytest.approx(71.9958, abs=1e-4), 0, 20]
    assert found[0]["segments"] == [100, 100]
    assert found[0]["n"] == 2
    assert "ter (lower is better)" in result.stderr
    (table,) = [line for line in result.stderr.splitlines() if line.startswith("chrf") and "b/out" in line]
    assert "-28.0042" in table
    compared = json.loads(run(*words, "--compare").stdout)
    assert [entry["paired"] and entry["paired"]["against"] for entry in compared] == [None, "a/out", None, "a/out"]


def test_one_jsonl_has_it_all(scores: Scores) -> None:
    rows = [
        {"src": "Hallo", "mt": "Hello you", "ref": ["Hello", "Hello you"]},
        {"src": "Ja", "mt": "Yes", "ref": ["Yes", "Yes"]},
    ]
    path = records("a.jsonl", rows)
    for option in ("--hyp", "--data", "--src"):
        (found,) = scores("--metric", "chrf", option, path)
        assert (found["system"], found["score"], found["n"], found["segments"]) == ("a", 100, 2, None)
        assert "|nrefs:2|" in found["signature"]


@pytest.mark.parametrize(
    ("options", "tokenizer"),
    [
        ((), "zh"),
        (("--target-language", "de"), "13a"),
        (("--direction", "zh-en"), "13a"),
        (("--direction", "en-zh"), "zh"),
        (("--target-language", "zh-Hans"), "zh"),
        (("--target-language", "cmn_Hans"), "zh"),
    ],
)
def test_tokenizer_is_told_or_read_from_names(scores: Scores, options: tuple[str, ...], tokenizer: str) -> None:
    text = lines("out.zh", "今天下雨。"), lines("ref.txt", "今天下雨。")
    (found,) = scores("--metric", "bleu", "--hyp", text[0], "--ref", text[1], *options)
    assert f"|tok:{tokenizer}|" in found["signature"]


@pytest.mark.parametrize(
    ("hyp", "ref", "tokenizer", "note"),
    [
        ("s.zh.gz", "r.zh.gz", "zh", "as files' names end in it"),
        ("s.en-zh", "r.ZH", "zh", "as files' names end in it"),
        ("s.zh-TW", "r.zho", "zh", "as files' names end in it"),
        ("s.zh", "r.en", "13a", "as files' names end in en, zh; if these are texts in zh: --target-language zh"),
        ("s.txt", "r.txt", "13a", "no file's name ends in a language; if these are texts in zh"),
        ("s.de", "r.txt", "13a", ""),
    ],
)
def test_names_that_tell_the_language(run: Run, hyp: str, ref: str, tokenizer: str, note: str) -> None:
    for name in (hyp, ref):
        data = "今天下雨。\n".encode()
        Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    result = run("--metric", "bleu", "--hyp", hyp, "--ref", ref)
    (found,) = json.loads(result.stdout)
    assert (found["system"], f"|tok:{tokenizer}|" in found["signature"]) == ("s", True)
    assert note in result.stderr if note else result.stderr == ""


def test_a_name_that_is_no_utf_8(scores: Scores) -> None:
    Path("\udcff.de").write_bytes(b"Ja.\n")
    (found,) = scores("--metric", "chrf", "--hyp", "\udcff.de", "--ref", "\udcff.de")
    assert found["system"] == "\udcff"


@pytest.mark.parametrize("name", ["a.json", "a.txt", "a"])
def test_records_are_known_by_what_is_in_them(scores: Scores, run: Run, name: str) -> None:
    rows = [{"src": "Ja", "mt": "Yes, it is so.", "ref": "Yes, it is so."}]
    (found,) = scores("--metric", "bleu", "--hyp", records(name, rows))
    assert found["score"] == pytest.approx(100)
    for text in (json.dumps(rows), *([json.dumps(rows, indent=1)] if name == "a.json" else [])):
        refused = run("--metric", "bleu", "--hyp", lines(name, text))
        assert refused.exit_code == 2
        assert "If the file is one JSON list, put each object of it on a line of its own" in refused.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--metric", "bleu", "--hyp", "two.txt", "--ref", "three.txt"), "two.txt has 2 lines, and three.txt has 3:"),
        (("--metric", "bleu", "--hyp", "two.txt"), "bleu needs --ref"),
        (("--metric", "blue", "--hyp", "two.txt"), "no metric 'blue': did you mean 'bleu'?"),
        (("--metric", "comet", "--hyp", "two.txt"), "comet needs --checkpoint"),
        (("--metric", "bleu", "--hyp", "none.txt"), "there is no file none.txt"),
        (("--metric", "bleu", "--hyp", "empty.txt"), "empty.txt is empty"),
        (("--metric", "bleu", "--hyp", "latin.txt"), "latin.txt, line 2: not valid UTF-8"),
        (("--metric", "bleu", "--hyp", "two.txt", "two.txt"), "two.txt is given more than once"),
        (("--metric", "bleu"), "--hyp is missing"),
        (("--metric", "bleu", "--hyp", "-"), "- is no file but a pipe or a device"),
        (("--metric", "bleu", "--hyp", "two.txt", "--target-language", "Chinese"), "'Chinese': did you mean 'zh'?"),
        (("--metric", "bleu", "--hyp", "two.txt", "--target-language", "xx"), "no language 'xx': write it as ISO 639"),
        (("--metric", "bleu", "--hyp", "two.txt", "--direction", "en-cn"), "no language 'cn': did you mean 'zh'?"),
        (("--metric", "bleu", "--hyp", "bad.jsonl"), "bad.jsonl, line 1: should be an object"),
        ((), "say either --metric (for translations) or --task"),
        (("--metric", ",", "--hyp", "two.txt", "--ref", "two.txt"), "--metric names none; there are bleu,"),
        (("--metric", "", "--hyp", "two.txt", "--ref", "two.txt"), "--metric names none; there are bleu,"),
        (("--metric", "comet", "--checkpoint", "x", "./x"), "--checkpoint has one name more than once"),
        (("--task", "alpaca-eval", "--annotations", "x", "x"), "--annotations has one name more than once"),
        (("--task", "gsm8k", "--hyp", "a", "--checkpoint", "x"), "--hyp, --checkpoint: only with --metric"),
        (("--metric", "bleu", "--predictions", "a", "--k", "2"), "--predictions, --k: only with --task"),
        (("--task", "gsm9k"), "no task 'gsm9k' to score: did you mean 'gsm8k'?"),
        (("--task", "gsm8k"), "--task gsm8k needs --data and --predictions"),
        (("--task", "mt-bench"), "--task mt-bench needs --judgements"),
        (("--task", "humaneval", "--k", "0"), "--k is one number or more"),
        (("--task", "mmlu", "--data", "none", "--predictions", "bad.jsonl"), "there is no file or folder none"),
    ],
)
def test_what_does_not_fit_is_told(run: Run, words: tuple[str, ...], told: str) -> None:
    lines("two.txt", "a", "b")
    lines("three.txt", "a", "b", "c")
    lines("empty.txt")
    lines("bad.jsonl", "[1]")
    Path("latin.txt").write_bytes(b"a\n\xe4\n")
    result = run(*words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


@pytest.fixture(params=["ours", "official"])
def comets(request: pytest.FixtureRequest) -> Path:
    """COMET models of ours, and ones with the scores of the official package."""
    if request.param == "ours":
        return Path(request.getfixturevalue("our_comet"))
    return Path(request.getfixturevalue("real_data")) / "comet_tiny"


def test_comet_scores_are_the_official_ones(scores: Scores, comets: Path) -> None:
    place = comets
    words = ("--metric", "comet", "--encoder", place / "encoder", "--hyp", place / "triples.jsonl", "--segments")
    for name in ("regression", "unified_qe"):
        rows = (place / f"expected/{name}.jsonl").read_text("utf-8").split("\n")
        expected = [json.loads(row)["score_bs1"] for row in rows if row]
        (found,) = scores(*words, "--checkpoint", place / name)
        assert found["segments"] == pytest.approx(expected, abs=1e-4)
        assert found["score"] == pytest.approx(sum(expected) / len(expected), abs=1e-5)
        assert f"|model:{name}|" in found["signature"]


def test_comet_of_several_references_is_the_mean(scores: Scores, our_comet: Path) -> None:
    place = our_comet
    words = ("--metric", "comet", "--encoder", place / "encoder", "--checkpoint", place / "regression", "--segments")
    texts = lines("src.de", "Guten Morgen!", "Ja."), lines("mt.en", "Good morning!", "Yes.")
    refs = lines("a.en", "Morning!", "Yes."), lines("b.en", "Good day.", "Yeah.")
    given = (*words, "--src", texts[0], "--hyp", texts[1], "--ref")
    (one,), (other,), (both,) = scores(*given, refs[0]), scores(*given, refs[1]), scores(*given, *refs)
    means = [(a + b) / 2 for a, b in zip(one["segments"], other["segments"], strict=True)]
    assert both["segments"] == pytest.approx(means, abs=1e-6)
    assert "|references:mean-of-2|" in both["signature"]


def test_answers_from_a_text(scores: Scores, any_data: Path) -> None:
    data = any_data / "xquad/xquad.de.json"
    asked = [
        entry
        for article in json.loads(data.read_text("utf-8"))["data"]
        for paragraph in article["paragraphs"]
        for entry in paragraph["qas"]
    ]
    right = [{"id": entry["id"], "output": entry["answers"][0]["text"]} for entry in asked]
    told = records("right.jsonl", right[::-1])
    half = records("half.jsonl", [{"output": row["output"] if at % 2 else "nichts"} for at, row in enumerate(right)])
    found = scores("--task", "xquad", "--data", data, "--predictions", told, half)
    assert [(entry["metric"], entry["system"], entry["score"], entry["n"]) for entry in found] == [
        ("exact_match", "right", 100, len(asked)),
        ("f1", "right", 100, len(asked)),
        ("exact_match", "half", 50, len(asked)),
        ("f1", "half", 50, len(asked)),
    ]
    assert "|norm:mlqa-de|extract:first_line|" in found[0]["signature"]  # the language stands in the file's name


def test_choices_go_by_subject_and_number(scores: Scores, real_data: Path) -> None:
    folder = real_data / "crossalpaca/data/English/MMLU"
    first = (folder / "abstract_algebra_test.csv").read_text("utf-8").splitlines()[0][-1]
    rows = [
        {"id": f"abstract_algebra/{number}", "output": f"{first}." if number == 1 else "?"} for number in range(1, 101)
    ]
    given = records("out.jsonl", rows)
    (found,) = scores("--task", "mmlu", "--data", folder / "abstract_algebra_test.csv", "--predictions", given)
    assert (found["metric"], found["score"], found["n"]) == ("accuracy", 1, 100)
    assert found["signature"].startswith("accuracy|task:mmlu|lang:en|check:letter|extract:letter|")


def test_rows_left_out_of_a_damaged_translation(run: Run, scores: Scores, real_data: Path) -> None:
    place = real_data / "crossalpaca/data/German/BBH"
    names = [path.stem for path in sorted(place.glob("*.csv"))]
    english = {name: json.loads((real_data / f"bbh/bbh/{name}.json").read_text("utf-8"))["examples"] for name in names}
    rows = [
        {"id": f"{name}/{number}", "output": "Die Antwort ist " + entry["target"]}
        for name in names
        for number, entry in enumerate(english[name], start=1)
    ]
    words = (
        "--task",
        "bbh",
        "--data",
        place,
        "--originals",
        real_data / "bbh/bbh",
        "--language",
        "de",
        "--predictions",
    )
    (found,) = scores(*words, records("out.jsonl", rows))
    assert found["n"] == len(rows) - 2
    assert 80 < found["score"] < 95  # all but the sorted words, which are English here
    without = records("none.jsonl", [{"output": row["output"]} for row in rows])
    assert "2 rows of" in run(*words, without).stderr


def test_a_table_whose_ids_are_broken_goes_by_its_rows(scores: Scores, run: Run) -> None:
    """As MLQA's, of which a translation service changed the ids, and answers so that their rows are left out."""
    held = (("Rome", "0"), ("Paris", "1"), ("Oslo", "0"), ("Bern", "2"))
    with Path("mlqa_EN.csv").open("w", encoding="utf-8", newline="") as file:
        table = [
            ("In " + town, "Where?", str({"text": [town if town != "Paris" else "gone"]}), id) for town, id in held
        ]
        csv.writer(file).writerows([("context", "question", "answers", "id"), *table])
    words = ("--task", "mlqa", "--data", "mlqa_EN.csv", "--predictions")
    rows = [{"id": id, "output": town} for town, id in held]
    for given in (rows, [{"output": row["output"]} for row in rows]):
        assert [(entry["score"], entry["n"]) for entry in scores(*words, records("a.jsonl", given))] == [(100, 3)] * 2
    assert "one for each of its 4 rows" in run(*words, records("a.jsonl", rows[1:])).stderr
    assert "has 3 outputs and mlqa_EN.csv has 4 rows" in run(*words, records("a.jsonl", [{"output": "x"}] * 3)).stderr


def test_gsm8k_is_read_twice(scores: Scores, any_data: Path) -> None:
    data = any_data / "gsm8k/test.jsonl"
    gold = [json.loads(line)["answer"] for line in data.read_text("utf-8").split("\n") if line]
    said = [text if at % 2 else "It is $" + text.split("#### ")[1] + "." for at, text in enumerate(gold)]
    found = scores(
        "--task", "gsm8k", "--data", data, "--predictions", records("out.jsonl", [{"output": s} for s in said])
    )
    assert [(entry["metric"], entry["score"]) for entry in found] == [
        ("strict-match", pytest.approx(100 * (len(gold) // 2) / len(gold))),
        ("flexible-extract", 100),
    ]


def test_ifeval_gives_four_accuracies(scores: Scores) -> None:
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
    comma = {"instruction_id_list": ["punctuation:no_comma"] * 2, "kwargs": [{}, {}]}
    data = records("data.jsonl", [{"key": key, "prompt": "Write.", **comma} for key in (7, 8)])
    given = records("out.jsonl", [{"key": 8, "response": "a"}, {"key": 7, "response": "b, c"}])
    found = scores("--task", "ifeval", "--data", data, "--predictions", given, "--segments")
    assert [entry["metric"].split("_")[0] for entry in found] == ["prompt", "inst", "prompt", "inst"]
    assert [(entry["score"], entry["n"], entry["segments"]) for entry in found[:2]] == [
        (50, 2, [0, 100]),
        (50, 4, [0, 100]),
    ]


def test_programs_are_run(scores: Scores, run: Run) -> None:
    problem = {"prompt": "def one():\n", "entry_point": "one", "test": "def check(f):\n    assert f() == 1"}
    data = records("problems.jsonl", [{"task_id": "t/0", **problem}, {"task_id": "t/1", **problem}])
    bodies = {"t/0": ("    return 1", "    return 2"), "t/1": ("    return 2", "    return 2")}
    rows = [{"task_id": name, "completion": body} for name, held in bodies.items() for body in held]
    given = records("samples.jsonl", rows)
    found = scores("--task", "humaneval", "--data", data, "--predictions", given, "--k", "1,2", "--segments")
    assert [(entry["metric"], entry["score"], entry["n"], entry["segments"]) for entry in found] == [
        ("pass@1", 25, 2, [50, 0]),
        ("pass@2", 50, 2, [100, 0]),
    ]
    few = run("--task", "humaneval", "--data", data, "--predictions", given, "--k", "10")
    assert few.exit_code == 2
    assert "pass@10 needs 10 outputs of each question, and t/0 has 2" in few.stderr


def test_published_judgements(scores: Scores, real_data: Path) -> None:
    place = real_data / "mt_bench/mt_bench"
    judgements = place / "model_judgment/gpt-4_single.jsonl"
    found = scores("--task", "mt-bench", "--judgements", judgements, "--data", place / "question.jsonl")
    named = {entry["metric"]: entry["score"] for entry in found}
    assert {entry["system"] for entry in found} == {"Meta-Llama-3-8B-Instruct-Griffin"}
    assert (named["mt-bench"], named["mt-bench/turn-1"], named["mt-bench/turn-2"]) == (2.7, 3.1375, 2.2625)
    assert len(named) == 3 + 8
    (rate,) = scores(
        "--task",
        "alpaca-eval",
        "--annotations",
        real_data / "alpaca_eval/results/alpaca-7b/alpaca_eval_gpt4/annotations.json",
    )
    assert (rate["system"], rate["n"]) == ("alpaca-7b", 805)
    assert rate["score"] == pytest.approx(26.459627329192543, abs=1e-12)
