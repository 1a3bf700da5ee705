"""`dragoman evaluate MODEL`, and `dragoman report --compare A B`: what two models were both judged by."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.commands.evaluate import JudgedOn, alike, alone, compared, refuse_options
from dragoman.corpora.records import Pair
from dragoman.errors import DataError, RecipeError
from dragoman.generation.ask import Completion
from dragoman.scoring.results import RowResults
from dragoman.suites import Graded, Item
from dragoman.suites.drift.suite import DriftResult
from dragoman.suites.translation.suite import judge
from tests.plain_card import scorecard

PAIRS = [Pair("Das ist gut.", "This is good.", "de", "en"), Pair("Der Fluss ist alt.", "The river is old.", "de", "en")]


def row(*graded: Graded, comet: str = "") -> RowResults:
    translated = judge(PAIRS, [Completion((1,), "This is good.", "stop"), Completion((2,), "The river is.", "stop")])
    if comet:
        translated = translated.with_metric("comet:m", [(80.0, 1.0)] * 2, {"de-en": comet})
    return RowResults(translated, None, graded)


def rated(name: str, signature: str, kept: bool = True) -> Graded:
    return Graded(name, "instruction", signature, (Item("a", 50.0), Item("b", 70.0)), kept=kept)


def test_what_one_of_them_was_not_judged_by_is_left_out_and_told() -> None:
    for rows in ((row(comet="c|precision:fp32"), row()), (row(), row(comet="c|precision:fp32"))):
        one, other, left = alike(*rows)
        assert list(left) == ["comet:m"]
        assert "was judged by it" in left["comet:m"]
        card = scorecard({"A": one, "B": other}, bootstrap=10, backbone="A")
        assert list(card["rows"][1]["translation"]["all"]) == ["directions", "chrf++", "bleu"]


def test_a_number_holds_for_its_judge_alone() -> None:
    first = row(
        rated("mt-bench", "mt-bench|judge:gpt-4|version:dragoman-1"), comet="c|precision:fp32|version:dragoman-1"
    )
    second = row(
        rated("mt-bench", "mt-bench|judge:lab|version:dragoman-1"), comet="c|precision:bf16|version:dragoman-1"
    )
    one, other, left = alike(first, second)
    assert list(left) == ["mt-bench", "comet:m"]
    assert "judge:gpt-4" in left["mt-bench"]
    assert (one.graded, other.graded) == ((), ())
    newer = row(rated("mt-bench", "mt-bench|judge:gpt-4|version:dragoman-2"))
    assert not alike(row(rated("mt-bench", "mt-bench|judge:gpt-4|version:dragoman-1")), newer)[2]


def test_a_comparison_with_ones_own_backbone_is_none_with_another_model() -> None:
    first, second = (row(rated("pairwise", "pairwise|judge:lab", kept=False)) for _ in range(2))
    one, other, left = alike(first, second)
    assert left == {"pairwise": "each against its own backbone"}
    assert (one.graded, other.graded) == ((), ())


def test_drift_is_compared_on_the_same_texts_alone() -> None:
    def drifted(signature: str) -> RowResults:
        return replace(row(), drift=DriftResult(signature, {"general": {"a": (2.0, 1.0, 1.0)}}))

    one, other, left = alike(drifted("KL|contents:a|version:dragoman-1"), drifted("KL|contents:a|version:dragoman-2"))
    assert not left
    assert one.drift
    assert other.drift
    one, other, left = alike(drifted("KL|contents:a"), drifted("KL|contents:b"))
    assert left == {"drift": "judged in other ways: KL|contents:a and KL|contents:b"}
    assert (one.drift, other.drift) == (None, None)


def test_what_is_no_result_and_what_can_not_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, card = (tmp_path / f"{name}.json" for name in "abc")
    first.write_text(json.dumps(RowResults(None, None, (rated("m", "m|judge:x"),)).to_json()))
    second.write_text(json.dumps(RowResults(None, None, (rated("m", "m|judge:y"),)).to_json()))
    card.write_text(json.dumps({"schema": 3, "rows": []}))
    for names, said in (
        ((first, card), "holds no results of a row"),
        ((first, first), "compared with itself"),
        ((first, second), "nothing in common that could be compared.\nNot compared: m .*judge:x and m"),
    ):
        with pytest.raises(DataError, match=said):
            compared(*map(str, names))
    second.write_text(first.read_text())
    compared(str(first), str(second), "json")
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"][1]["abilities"]["m"]["delta"], found["left_out"]) == (0, {})


def test_a_share_is_kept_of_the_backbone_of_the_same_run_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    model = json.dumps(RowResults(None, None, (rated("m", "m|judge:x"),)).to_json())
    for run in ("one", "two"):
        (tmp_path / run / "results").mkdir(parents=True)
        for name in ("backbone", "radis"):
            (tmp_path / run / "results" / f"{name}.json").write_text(model)
    compared("one", "one/radis")
    said = capsys.readouterr().out
    assert "differs from the backbone" in said
    assert "one/radis kept 100 % of its abilities" in said
    for first, second in (("one", "two/radis"), ("one/radis", "two/radis"), ("one/radis", "one")):
        compared(first, second)
        said = capsys.readouterr().out
        assert f"differs from {first}" in said
        assert f"{second} was not found to differ at m (±0.0)" in said
        for word in ("the backbone", "kept", "RP"):
            assert word not in said


def test_translations_without_their_main_metric_are_not_compared() -> None:
    second = row()
    assert second.translation is not None
    changed = {"de-en": {**second.translation.signatures["de-en"], "chrf++": "chrf++|nrefs:1|version:9"}}
    second = replace(second, translation=replace(second.translation, signatures=changed))
    one, other, left = alike(row(), second)
    assert (one.translation, other.translation, list(left)) == (None, None, ["chrf++"])


def test_files_of_ones_own_are_judged_by_translation() -> None:
    two = JudgedOn(source=Path("my/test.de"), target=Path("my/test.en"), both=True)
    recipe = alone("lab", [], two, "", [])
    assert (recipe.name, recipe.evaluate) == ("evaluate-lab-translation-test-de-en-both", ("translation",))
    assert recipe.data.test is not None
    (files,) = recipe.data.test.files
    assert (files.source, files.target, files.direction, files.both) == ("my/test.de", "my/test.en", "de-en", True)
    table = JudgedOn(table=Path("memory.tmx"), directions=["en-it"])
    recipe = alone("lab", ["lab"], table, "", ["evaluation.questions=3"])
    assert (recipe.name, recipe.evaluate) == ("evaluate-lab-translation-lab-memory-en-it", ("translation", "lab"))
    assert recipe.data.test is not None
    assert (recipe.data.test.files[0].table, recipe.evaluation.questions) == ("memory.tmx", 3)


def test_both_ways_of_a_test_set() -> None:
    recipe = alone("lab", [], JudgedOn("lab", directions=["de-en", "en-it"], both=True), "", [])
    assert recipe.data.test is not None
    assert recipe.data.test.directions == ("de-en", "en-de", "en-it", "it-en")
    assert alone("lab", ["translation"], JudgedOn("lab"), "", []).data.test.directions == ()


@pytest.mark.parametrize(
    ("named", "test", "said"),
    [
        ([], JudgedOn(), "say what to judge it by, as in --source test.de"),
        (["translation"], JudgedOn(), "--suite translation needs pairs: files of your own"),
        (["lab"], JudgedOn(directions=["de-en"]), "--direction and --both are of a test"),
        ([], JudgedOn("lab", both=True), "--both needs a --direction"),
        ([], JudgedOn("lab", source=Path("a.de"), target=Path("a.en")), "keep one"),
        ([], JudgedOn(source=Path("a.de")), "Name --source and --target"),
        ([], JudgedOn(source=Path("a"), target=Path("b")), "which languages are these?"),
        ([], JudgedOn(table=Path("a.tsv"), directions=["de-en", "en-de"]), "the files have one direction"),
    ],
)
def test_a_test_that_is_not_clear(named: list[str], test: JudgedOn, said: str) -> None:
    with pytest.raises((DataError, RecipeError), match=said):
        alone("lab", named, test, "", [])


@pytest.mark.parametrize(
    ("named", "test", "prompt"),
    [
        (["gsm8k"], JudgedOn(), ""),
        ([], JudgedOn("wmt22"), ""),
        ([], JudgedOn(directions=["de-en"]), ""),
        ([], JudgedOn(both=True), ""),
        ([], JudgedOn(), "alma"),
    ],
)
def test_what_is_for_a_model_alone_is_refused_beside_a_recipe(named: list[str], test: JudgedOn, prompt: str) -> None:
    refuse_options("recipe.yaml", [], JudgedOn(), "")
    with pytest.raises(RecipeError, match="is a recipe, and says itself what its models are judged by"):
        refuse_options("recipe.yaml", named, test, prompt)
