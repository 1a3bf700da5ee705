"""Rows after rows: what each starts from, what is done when, and what a changed first row means for those after it."""

from pathlib import Path

import pytest

from dragoman.commands.recipes import recipe as load
from dragoman.errors import RecipeError
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.plan import plan, stages
from dragoman.pipeline.rows import after_of, in_order, rows, settings_apart
from dragoman.pipeline.run import run
from dragoman.pipeline.scale.frontier import at_strengths
from dragoman.pipeline.tune.search import cut_down, only
from dragoman.recipe.schema import Recipe

CHAIN = """\
name: chain
backbone: lab
runs: {folder}/runs
data: {{train: {{corpus: lab}}, test: {{corpus: lab}}}}
methods:
{methods}
"""


def read(folder: Path, *methods: str, more: str = "") -> Recipe:
    path = folder / "chain.yaml"
    path.write_text(CHAIN.format(folder=folder, methods="\n".join(f"  - {method}" for method in methods)) + more)
    return load(path)


def titles(recipe: Recipe) -> list[str]:
    return [stage.title for stage in stages(recipe)]


def needs(recipe: Recipe, title: str) -> tuple[str, ...]:
    return next(stage.needs for stage in stages(recipe) if stage.title == title)


def test_rows_are_done_in_the_order_of_need(tmp_path: Path) -> None:
    recipe = read(
        tmp_path,
        "radis: {label: last, after: second}",
        "vanilla: {label: second, after: first}",
        "keep: {label: first}",
        "vanilla: {label: second-half, after: first, scale: 0.5}",
    )
    assert in_order(recipe) == ["first", "second", "last", "second-half"]
    every = titles(recipe)
    assert every.index("merge-first") < every.index("examples-second") < every.index("merge-second")
    assert every.index("merge-second") < every.index("examples-last")
    assert needs(recipe, "examples-last") == ("data", "merge-second")
    assert needs(recipe, "train-second") == ("examples-second", "merge-first")
    assert needs(recipe, "merge-second-half") == ("train-second", "merge-first")
    assert "train-second-half" not in every


def test_replay_of_a_row_is_what_its_start_answers(tmp_path: Path) -> None:
    recipe = read(tmp_path, "keep", "keep: {label: after-keep, after: keep}", "vanilla: {label: plain, after: keep}")
    assert [title for title in titles(recipe) if title.startswith("replay")] == ["replay", "replay-after-keep"]
    assert needs(recipe, "replay-after-keep") == ("data", "merge-keep")
    assert needs(recipe, "train-after-keep") == ("examples-after-keep", "replay-after-keep", "merge-keep")
    alone = read(tmp_path, "vanilla", "keep: {after: vanilla}")
    assert [title for title in titles(alone) if title.startswith("replay")] == ["replay-keep"]


def test_each_seed_goes_on_from_the_same_seed(tmp_path: Path) -> None:
    recipe = read(tmp_path, "vanilla", "keep: {after: vanilla}", more="seeds: [0, 1]\n")
    assert needs(recipe, "examples-keep~1") == ("data", "merge-vanilla~1")
    assert needs(recipe, "replay-keep~0") == ("data", "merge-vanilla~0")
    assert needs(recipe, "merge-keep~1") == ("train-keep~1", "merge-vanilla~1")
    assert "examples-vanilla" in titles(recipe)


def test_a_recovery_and_rounds_start_from_the_row_before(tmp_path: Path) -> None:
    recipe = read(
        tmp_path, "vanilla", "radis: {after: vanilla, refresh: true, training: {epochs: 2, recovery: {steps: 3}}}"
    )
    assert needs(recipe, "examples-radis@1") == ("data", "merge-vanilla")
    assert needs(recipe, "examples-radis") == ("data", "train-radis@1", "merge-vanilla")
    assert needs(recipe, "recover-radis") == ("train-radis", "replay-radis", "merge-vanilla")
    assert needs(recipe, "merge-radis") == ("recover-radis", "merge-vanilla")


@pytest.mark.parametrize(
    ("methods", "line", "said"),
    [
        (["radis: {after: vanila}", "vanilla"], 6, "no row 'vanila' to start from; did you mean 'vanilla'?"),
        (["radis: {after: radis}"], 6, "can't start from what it becomes itself"),
        (["radis: {after: vanilla}", "vanilla: {after: radis}"], 6, "radis comes after vanilla comes after radis"),
        (["vanilla: {learn: {lessons: [alpaca]}}"], 6, "data.lessons has no 'alpaca'; there are none"),
        (["vanilla: {learn: {}}"], 6, "names nothing; give directions, lessons, or both"),
        (["radis: {after: backbone}"], 6, "rows start from the backbone by themselves"),
        (["vanilla", "radis: {after: 3}"], 7, "should be text, not 3"),
        (["radis: {after: {recipe: x.yaml}}"], 6, "after.row: is missing"),
    ],
)
def test_a_start_that_is_none_is_a_fault_with_its_place(
    tmp_path: Path, methods: list[str], line: int, said: str
) -> None:
    with pytest.raises(RecipeError) as fault:
        read(tmp_path, *methods)
    assert said in str(fault.value)
    assert f"chain.yaml:{line}" in str(fault.value)
    assert str(fault.value).count("chain.yaml:") == 1


def test_a_row_that_names_none_keeps_its_stages(tmp_path: Path) -> None:
    """A row after another changes nothing of those that start from the backbone."""
    alone, beside = read(tmp_path, "vanilla"), read(tmp_path, "vanilla", "radis: {after: vanilla}")
    names = [{step.stage.title: step.name for step in plan(one).steps} for one in (alone, beside)]
    assert {title: name for title, name in names[1].items() if title in names[0]} == names[0]


def test_a_row_of_another_recipe_has_to_be_done(tmp_path: Path) -> None:
    read(tmp_path, "vanilla")
    first = tmp_path / "chain.yaml"
    first.rename(tmp_path / "first.yaml")
    elsewhere = f"{{recipe: {tmp_path / 'first.yaml'}, row: %s}}"
    with pytest.raises(RecipeError, match=r"keep comes after vanila of .*first.yaml: it has no row 'vanila'; did you"):
        plan(read(tmp_path, f"keep: {{after: {elsewhere % 'vanila'}}}"))
    with pytest.raises(
        RecipeError, match=r"not trained yet \(data is to do\). Run it first: `dragoman run .*first.yam"
    ):
        plan(read(tmp_path, f"keep: {{after: {elsewhere % 'vanilla'}}}"))
    with pytest.raises(RecipeError, match=r"chain.yaml:6: .*: there is no file gone.yaml"):
        read(tmp_path, "keep: {after: {recipe: gone.yaml, row: vanilla}}")


def test_recipes_that_come_after_each_other_are_refused(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{other}.yaml").touch()
        read(tmp_path, f"vanilla: {{after: {{recipe: {tmp_path / other}.yaml, row: vanilla}}}}")
        (tmp_path / "chain.yaml").rename(tmp_path / f"{name}.yaml")
    with pytest.raises(RecipeError, match="each of these recipes comes after the other"):
        plan(load(tmp_path / "a.yaml"))


def test_what_rows_start_from_and_learn_is_told(tmp_path: Path) -> None:
    german = "learn: {directions: [de-en, en-de]}"
    recipe = read(tmp_path, f"vanilla: {{{german}}}", "keep: {after: vanilla}")
    found = settings_apart(recipe)
    assert (found["vanilla"]["after"], found["keep"]["after"]) == (None, "vanilla")
    assert (found["vanilla"]["learn"], found["keep"]["learn"]) == ("de-en, en-de", None)
    assert "after" not in settings_apart(read(tmp_path, "vanilla", "keep"))["keep"]


def test_a_forecast_counts_what_a_row_learns(tmp_path: Path) -> None:
    recipe = read(tmp_path, "vanilla: {learn: {directions: [de-en]}, limit: 300}", "seq_kd: {after: vanilla}")
    reckoning = Reckoning(plan(recipe))
    examples = {row: found.examples for row, found in reckoning.rows.items() if found}
    assert examples == {"vanilla": 300, "seq_kd": 2 * 4 * 2000}
    works = {stage.title: reckoning.cost(stage).work for stage in stages(recipe)}
    assert "by what vanilla became" in works["examples-seq_kd"]


def test_strengths_and_rates_of_a_row_come_after_what_it_starts_from(tmp_path: Path) -> None:
    recipe = read(
        tmp_path, "vanilla", "keep: {after: vanilla}", "radis: {after: keep}", more="evaluate: [translation, lab]\n"
    )
    at = at_strengths(recipe, "keep", (0.5, 1.0))
    assert list(rows(at)) == ["vanilla", "keep-scale=0", "keep-scale=0.5", "keep-scale=1"]
    alone, row = only(recipe, "radis")
    assert (list(rows(alone)), row) == (["vanilla", "keep", "radis"], "radis")
    cut = cut_down(alone, row, 100, 1e-3)
    assert cut
    assert list(rows(cut.at(4)))[:2] == ["vanilla", "keep"]
    assert after_of(cut.at(4), cut.label(4)) == "keep"


def test_a_row_after_another_is_not_generated_in_parts(tmp_path: Path) -> None:
    recipe = read(tmp_path, "vanilla", "radis: {after: vanilla}")
    with pytest.raises(RecipeError, match="radis comes after vanilla, whose training needs the examples of all parts"):
        run(recipe, upto="examples", part=(1, 2))
