"""What the suites of a recipe ask, by their names."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dragoman import suites
from dragoman.cli import app
from dragoman.commands.recipes import recipe as loaded
from dragoman.errors import DataError, RecipeError
from dragoman.lab import abilities
from dragoman.pipeline.data.make_data import data_inputs, make_data, missing
from dragoman.pipeline.data.questions import asked, spelled_out, wanted
from dragoman.pipeline.data.record_files import read_questions
from dragoman.pipeline.forecast.question_counts import questions
from dragoman.pipeline.stages.data import told
from dragoman.recipe.schema import Recipe
from dragoman.recipe.write import resolved
from dragoman.store import Digests
from dragoman.suites import Count, find
from tests.described import described


def recipe(*evaluate: str, benchmarks: dict[str, Any] | None = None, **evaluation: Any) -> Recipe:
    settings = {
        "name": "x",
        "backbone": "lab",
        "data": {"lessons": [{"corpus": "lab-programs", "limit": 5}]},
        "methods": [{"vanilla": {}}],
        "evaluate": evaluate,
        "benchmarks": described(benchmarks or {}),
        "evaluation": {"questions": 4, "noise_seeds": 2, **evaluation},
    }
    return Recipe.model_validate(settings)


def count(chosen: Recipe) -> Count | None:
    (suite,) = suites.of(chosen)
    return suite.count(chosen.evaluation)


@pytest.fixture
def mirror(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    return real_data


@pytest.mark.parametrize(
    ("name", "kind", "language", "context"),
    [
        ("xquad-de", "xquad", "de", None),
        ("mlqa-de-en", "mlqa", "en", "de"),
        ("mlqa-de-de", "mlqa", "de", None),
        ("mmlu-it", "mmlu", "it", None),
        ("bbh-ar", "bbh", "ar", None),
    ],
)
def test_benchmarks_written_short(name: str, kind: str, language: str, context: str | None) -> None:
    found = find(name)
    assert found is not None
    assert (found.kind, found.options.language, getattr(found.options, "context", None)) == (kind, language, context)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("xquad-it", "XQuAD is in ar, de, el"),
        ("mlqa-de-tr", "MLQA is in ar, de, en, es, hi, vi, zh"),
        ("bbh-xxxx", "say in which language"),
        ("mmlu-de-en", "say in which language"),
        ("xquadde", "did you mean 'xquad-de'?"),
        ("mein", "did you mean 'meins'?"),
        ("weather", "ifeval, lab, lab-languages, meins, mgsm"),
    ],
)
def test_names_that_stand_for_nothing(name: str, said: str) -> None:
    assert find(name) is None
    assert said in str(suites.fault(name, ["meins"]))


def test_a_recipe_spelled_out_says_how_each_benchmark_is_put_and_read(tmp_path: Path) -> None:
    own = {"mine": {"kind": "mmlu", "path": "mine.csv", "instruction": "Choose."}, "unused": {"kind": "bbh"}}
    written = recipe("xquad-de", "mine", "lab", benchmarks=own)
    found = spelled_out(written)
    assert list(found.benchmarks) == ["mine", "unused", "xquad-de"]
    mine, xquad = found.benchmarks["mine"].model_dump(), found.benchmarks["xquad-de"].model_dump()
    assert mine["instruction"] == "Choose."
    assert (mine["input"], mine["extract"]) == ("{question}\n{options}", "letter")
    assert xquad["input"] == "{context}\n\nQuestion: {question}"
    assert xquad["extract"] == "first_line"
    assert found.benchmarks["unused"] == written.benchmarks["unused"]
    (tmp_path / "found.yaml").write_text(resolved(found), encoding="utf-8")
    again = loaded(tmp_path / "found.yaml")
    assert (again.benchmarks, again.evaluate) == (found.benchmarks, found.evaluate)


def test_benchmarks_are_asked_once_and_families_of_the_lab_anew(mirror: Path) -> None:
    chosen = recipe("xquad-de", "lab-languages", skills=["*-de", "*-it"])
    drawn = asked(chosen)
    first, *others = drawn.draws
    assert len(first) == 1190 + 4 * len(abilities.LANGUAGE_FAMILIES)
    english = [family for family in abilities.LANGUAGE_FAMILIES if family.endswith("-en")]
    assert [len(drawn) for drawn in others] == [4 * len(english)] * 2  # what is to be learnt has no noise floor
    assert {question.family for drawn in others for question in drawn} == set(english)
    assert {one.key for one in others[0]} != {one.key for one in others[1]}
    counted = questions(chosen, None)
    assert (counted.once, counted.backbone) == (len(first), sum(map(len, drawn.draws)))
    assert counted.characters == sum(len(text) for one in first for text in one.texts) > 1_000_000


def test_a_benchmark_of_ones_own_with_a_limit(mirror: Path, tmp_path: Path) -> None:
    own = {"kind": "xquad", "language": "it", "path": str(mirror / "crossalpaca/data/Italian/XQUAD"), "limit": 20}
    chosen = recipe("mine", benchmarks={"mine": own})
    facts = make_data(chosen, tmp_path)
    assert facts["questions"] == {"mine": 20}
    assert facts["suites"]["mine"]["rows whose answers cannot be read, left out"] == 5
    assert "mine: 5 rows whose answers cannot be read, left out" in ", ".join(told(facts))
    ((*kept,),) = read_questions(tmp_path / "questions.jsonl")
    assert [one.key for one in kept] == [one.key for one in asked(chosen).draws[0]]
    assert kept == asked(chosen).draws[0]
    other = asked(recipe("mine", benchmarks={"mine": own}, seed=1)).draws[0]
    assert {one.key for one in other} != {one.key for one in kept}


def test_inputs_name_the_files_and_the_wording(mirror: Path, tmp_path: Path) -> None:
    digests = Digests(tmp_path / "digests.json")
    plain = data_inputs(recipe("xquad-de"), digests)["benchmark xquad-de"]
    crossed = data_inputs(recipe("xquad-de-en"), digests)["benchmark xquad-de-en"]
    assert len(plain["contents"]) == 1
    assert crossed["contents"][0] == plain["contents"][0]
    assert len(crossed["contents"]) == 2
    worded = {"kind": "xquad", "language": "de", "instruction": "Antworte."}
    other = data_inputs(recipe("xquad-de", benchmarks={"xquad-de": worded}), digests)["benchmark xquad-de"]
    assert (other["contents"], other["instruction"]) == (plain["contents"], "Antworte.")


def test_what_is_not_there_is_told_or_refused(mirror: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path))
    assert missing(recipe("xquad-de", "xquad-ru", "mlqa-de")) == ("xquad", "mlqa")
    assert count(recipe("xquad-ru")) == Count(1190)
    assert count(recipe("mlqa-de")) == Count(4517)
    assert count(recipe("mlqa-es-de")) == Count(4517)  # at most: the fewer of the two
    with pytest.raises(DataError, match=r"HF_HUB_OFFLINE forbids"):
        asked(recipe("mlqa-de"))
    with pytest.raises(DataError, match=r"mine: there is no file or folder nowhere"):
        asked(recipe("mine", benchmarks={"mine": {"kind": "mlqa", "path": "nowhere"}}))
    with pytest.raises(DataError, match=r"language code 'dex' is not known"):
        asked(recipe("mine", benchmarks={"mine": {"kind": "mlqa", "language": "dex", "path": "nowhere"}}))
    with pytest.raises(DataError, match=r"language code 'dee' is not known.*Nearest are de "):
        wanted(recipe("mine", benchmarks={"mine": {"kind": "mlqa", "language": "dee"}}))  # nothing to be fetched


def test_a_translation_of_bbh_comes_with_the_originals_that_repair_it(real_data: Path) -> None:
    files = {entry.name: len(paths) for entry, paths in wanted(recipe("bbh-de", "mmlu-de", "mmlu-en"))}
    assert files == {"crossalpaca-bbh": 27, "bbh": 27, "global-mmlu": 1, "mmlu": 1}
    told = real_data / "crossalpaca" / "data"
    english = {"originals": str(told / "English" / "BBH")}
    spanish = {"kind": "bbh", "language": "es", "path": str(told / "Spanish" / "BBH" / "navigate.csv"), **english}
    (navigate,) = asked(recipe("own", benchmarks={"own": spanish}, noise_seeds=0)).draws
    assert [question.subject for question in navigate] == ["navigate"] * 250
    places = {"path": str(told / "Arabic" / "MMLU"), "originals": str(told / "English" / "MMLU")}
    arabic = {"kind": "mmlu", "language": "ar", "limit": 100, **places}
    repaired = asked(recipe("own", benchmarks={"own": arabic}))
    assert len(repaired.draws[0]) == 100
    assert repaired.notes["own"]["rows repaired"] == 73


def test_a_judged_suite_may_be_described_under_its_own_name(tmp_path: Path) -> None:
    said = "name: x\nbackbone: lab\nevaluate: [xstest]\nbenchmarks: {xstest: {kind: %s, path: a.csv, limit: 3}}\n"
    (tmp_path / "right.yaml").write_text(said % "xstest")
    (suite,) = suites.of(loaded(tmp_path / "right.yaml"))
    assert (suite.kind, suite.options.path, suite.options.limit) == ("xstest", "a.csv", 3)
    (tmp_path / "wrong.yaml").write_text(said % "safety")
    with pytest.raises(RecipeError, match="'xstest' is a suite already"):
        loaded(tmp_path / "wrong.yaml")


def test_draws_of_a_file_share_no_question_and_a_small_file_is_a_fixed_set(tmp_path: Path) -> None:
    """The same questions again would give a noise floor of nothing."""
    asks = [("many", at) for at in range(12)] + [("few", at) for at in range(11)]
    check = {"name": "number", "arguments": {"value": 1}}
    lines = [{"family": family, "prompt": f"{family} {at}?", "check": check} for family, at in asks]
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    chosen = recipe(str(path))
    first, *others = asked(chosen).draws
    assert Counter(one.family for one in first) == {"many": 4, "few": 4}
    assert [Counter(one.family for one in drawn) for drawn in others] == [{"many": 4}] * 2
    keys = [one.key for drawn in (first, *others) for one in drawn if one.family == "many"]
    assert len(set(keys)) == len(keys) == 12
    assert count(chosen) == Count(8, 4)


def own_file(path: Path, *asks: tuple[str, str]) -> Path:
    check = {"name": "number", "arguments": {"value": 1}}
    lines = [{"family": family, "prompt": prompt, "check": check} for family, prompt in asks]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_repeated_questions_count_once_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    sums = [("sums", f"{at}?") for at in range(6)]
    path = own_file(tmp_path / "own.jsonl", *sums, *sums[:2], ("odd", "1?"))
    chosen = recipe(str(path))
    facts = make_data(chosen, tmp_path)
    assert facts["questions"] == {"sums": 4, "odd": 1}
    assert facts["suites"] == {
        str(path): {
            "left out of sums: repeats of the same question": 2,
            "left out of sums: more than evaluation.questions (4)": 2,
        }
    }
    assert f"{path}: 2 left out of sums: more than evaluation.questions (4)" in told(facts)
    assert suites.notes(chosen) == facts["suites"]
    assert len({one.key for one in asked(chosen).draws[0]}) == 5
    assert count(chosen) == Count(5, 0)


def test_what_the_noise_floor_takes_is_not_left_out(tmp_path: Path) -> None:
    path = own_file(tmp_path / "own.jsonl", *[("sums", f"{at}?") for at in range(15)])
    assert suites.notes(recipe(str(path)))[str(path)] == {
        "of sums asked of the backbone alone for its noise floor": 8,
        "left out of sums: more than evaluation.questions (4)": 3,
    }
    assert suites.notes(recipe(str(path), noise_seeds=0))[str(path)].total() == 11
    assert suites.notes(recipe(str(path), questions=15, noise_seeds=0))[str(path)] == {}


def test_a_question_that_stands_in_two_files_counts_once(tmp_path: Path) -> None:
    one = own_file(tmp_path / "one.jsonl", ("sums", "1?"), ("sums", "2?"))
    two = own_file(tmp_path / "two.jsonl", ("sums", "2?"), ("sums", "3?"), ("other", "1?"))
    found = asked(recipe(str(one), str(two), noise_seeds=0))
    assert sorted((one.family, one.turns[0].text) for one in found.draws[0]) == [
        ("other", "1?"),
        ("sums", "1?"),
        ("sums", "2?"),
        ("sums", "3?"),
    ]
    assert found.notes == {str(two): {f"left out: {one} asks the same": 1}}


@pytest.mark.parametrize("command", ["show", "run --dry-run", "run", "evaluate", "report"])
def test_a_faulty_question_file_is_told_before_anything_runs(command: str, tmp_path: Path) -> None:
    question = {"family": "sums", "prompt": "1?", "check": {"name": "numbr"}}
    (tmp_path / "own.jsonl").write_text(json.dumps(question) + "\n", encoding="utf-8")
    said = f"name: x\nbackbone: lab\nevaluate: [{tmp_path / 'own.jsonl'}]\nruns: {tmp_path}\n"
    (tmp_path / "recipe.yaml").write_text(said, encoding="utf-8")
    first, *options = command.split()
    result = CliRunner().invoke(app, [first, str(tmp_path / "recipe.yaml"), *options])
    assert result.exit_code == 2
    assert f"{tmp_path / 'own.jsonl'}, line 1: There is no check 'numbr'. Did you mean 'number'?" in result.output
    assert not (tmp_path / "x").exists()


def test_a_dry_run_tells_what_is_left_out(tmp_path: Path) -> None:
    path = own_file(tmp_path / "own.jsonl", *[("sums", f"{at}?") for at in range(6)], ("sums", "1?"))
    said = f"name: x\nbackbone: lab\nevaluate: [{path}]\nevaluation: {{questions: 4}}\nruns: {tmp_path}\n"
    (tmp_path / "recipe.yaml").write_text(said, encoding="utf-8")
    result = CliRunner().invoke(app, ["run", str(tmp_path / "recipe.yaml"), "--dry-run"])
    assert f"{path}: 1 left out of sums: repeats of the same question." in result.output
    assert f"{path}: 2 left out of sums: more than evaluation.questions (4)." in result.output


def test_a_family_that_is_called_like_a_suite_is_refused(tmp_path: Path, mirror: Path) -> None:
    """Its score would be lost behind the other's."""
    question = {"family": "safety", "prompt": "1?", "check": {"name": "number", "arguments": {"value": 1}}}
    (tmp_path / "own.jsonl").write_text(json.dumps(question) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="questions of a family safety, and a suite of that name"):
        make_data(recipe(str(tmp_path / "own.jsonl"), "safety", guard={"model": "lab"}), tmp_path)
