"""Evaluating one model without a recipe; and comparing two that were judged before."""

import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.commands import recipes
from dragoman.commands.files import parallel_text
from dragoman.errors import DataError, RecipeError, from_here
from dragoman.json_values import JsonObject
from dragoman.pipeline.data import contamination
from dragoman.pipeline.data.make_data import test_pairs
from dragoman.pipeline.data.questions import asked, materials, prompts
from dragoman.recipe.schema import Recipe
from dragoman.report.terminal import show
from dragoman.scoring.results import RowResults
from dragoman.scoring.scorecard.card import About, scorecard
from dragoman.scoring.scorecard.differences import MAIN
from dragoman.screen import console
from dragoman.terminal import put

BOOTSTRAP = 1000
LONGEST = 120  # characters of a folder's name


def is_recipe(target: str) -> bool:
    """Whether the target of `evaluate` is a recipe rather than a model."""
    return Path(target).suffix in (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class JudgedOn:
    """Pairs to judge translation on: a set of the catalogue, or files of one's own. `both`: the other way round too."""

    name: str = ""
    source: Path | None = None
    target: Path | None = None
    table: Path | None = None
    directions: Sequence[str] = ()
    both: bool = False

    @property
    def given(self) -> bool:
        return bool(self.name or self.source or self.target or self.table)

    def read(self) -> tuple[JsonObject, str]:
        """What `data.test` says of it, and a word for a folder's name. DataError if it is not clear what is meant."""
        if not (self.source or self.target or self.table):
            if self.both and not self.directions:
                raise DataError("--both needs a --direction, whose other way round it adds; without, all are judged")
            ways = [way for one in self.directions for way in (one, *(["-".join(one.split("-")[::-1])] * self.both))]
            return {"corpus": self.name, "directions": list(dict.fromkeys(ways))}, self.name
        if self.name:
            raise DataError("--test names a set of the catalogue, --source and --table your own files; keep one")
        if len(self.directions) > 1:
            raise DataError("the files have one direction; --both judges the other way round as well")
        text = parallel_text(self.source, self.target, self.table, "".join(self.directions))
        paths = {"source": text.source, "target": text.target, "table": text.table}
        files: JsonObject = {name: str(path) for name, path in paths.items() if path}
        word = "-".join(dict.fromkeys([text.paths[0].name.partition(".")[0], text.direction, *["both"] * self.both]))
        return {"files": [{**files, "direction": text.direction, "both": self.both}]}, word


def refuse_options(recipe: str, named: Sequence[str], test: JudgedOn, prompt: str) -> None:
    """RecipeError if what is for a model alone is said beside a recipe, where it would do nothing."""
    if named or prompt or test != JudgedOn():
        raise RecipeError(
            f"{recipe} is a recipe, and says itself what its models are judged by (evaluate, data.test, prompt): write "
            "it there, or after it as in evaluate=[gsm8k]. --suite, --test, --source and the like are for a model alone"
        )


def alone(model: str, named: Sequence[str], test: JudgedOn, prompt: str, overrides: Sequence[str]) -> Recipe:
    """A recipe that trains nothing and judges one model; by translation if there is a test.

    RecipeError or DataError if that is impossible.
    """
    if test.given and "translation" not in named:
        named = ["translation", *named]
    if not named:
        raise RecipeError(
            f"{model} is no recipe (a .yaml file), so it is taken for a model; say what to judge it by, as in "
            "--source test.de --target test.en, --test wmt22, or --suite gsm8k --suite ifeval"
        )
    if "translation" in named and not test.given and not any(said.startswith("data.test") for said in overrides):
        raise RecipeError(
            "--suite translation needs pairs: files of your own, as in --source test.de --target test.en or "
            "--table test.tsv --direction de-en, or a test set of the catalogue (`dragoman data list`), as in "
            "--test wmt22 --direction de-en"
        )
    if not test.given and (test.directions or test.both):
        raise RecipeError("--direction and --both are of a test: name one (--source and --target, --table, or --test)")
    pairs, word = test.read() if test.given else ({}, "")
    said = [f"name={_name(model, named, word, prompt)}", f"evaluate={json.dumps(list(named))}"]
    if pairs:
        said.append(f"data.test={json.dumps(pairs)}")
    if prompt:
        said.append(f"prompt={prompt}")
    recipe = recipes.of_model(model, [*said, *overrides])
    _refuse_what_was_learnt(model, recipe)
    return recipe


def compared(first: str, second: str, form: str | None = None) -> None:
    """Prints how the second model differs from the first, and which suites did not judge both in the same way.

    DataError if they were not judged on the same items.
    """
    if first == second:
        raise DataError(f"{first} is compared with itself; name two models.")
    one, other, apart = alike(_read(first), _read(second))
    left = "\n".join(f"Not compared: {what} ({why})." for what, why in apart.items())
    if not (one.translation or one.abilities or one.graded or one.drift):
        raise DataError(f"{first} and {second} have nothing in common that could be compared.\n{left}".strip())
    about = {first: About("backbone" if _is_backbone_of(first, second) else "finished"), second: About("finished")}
    card = scorecard({first: one, second: other}, bootstrap=BOOTSTRAP, backbone=first, about=about)
    if form == "json":
        put(json.dumps({**card, "left_out": apart}, ensure_ascii=False, indent=1))
        return
    screen = console()
    show(card, screen)
    if left:
        screen.print(left, highlight=False, soft_wrap=True)


def _is_backbone_of(first: str, second: str) -> bool:
    """Whether the first is the backbone of the run that the second belongs to, so that a share of it can be kept."""
    one, other = _results(first), _results(second)
    return one.name == "backbone.json" and one.resolve().parent == other.resolve().parent


def alike(one: RowResults, other: RowResults) -> tuple[RowResults, RowResults, dict[str, str]]:
    """Two rows reduced to what both were judged on in the same way, and what was left out, with the reason.

    A comparison with a backbone says nothing about another model, and a judge's number holds only for that judge.
    """
    left: dict[str, str] = {}
    signed: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for found, row in zip(signed, (one, other), strict=True):
        for graded in row.graded:
            found[graded.name] = _bare(graded.signature)
        if row.drift:
            found["drift"] = _bare(row.drift.signature)
        if row.translation:
            for metrics in row.translation.signatures.values():
                for metric, signature in metrics.items():
                    found[metric] = found.get(metric, "") + _bare(signature)
    for name in dict.fromkeys([*signed[0], *signed[1]]):
        if name not in signed[0] or name not in signed[1]:
            left[name] = f"only the {'first' if name in signed[0] else 'second'} was judged by it"
        elif signed[0][name] != signed[1][name]:
            left[name] = f"judged in other ways: {signed[0][name]} and {signed[1][name]}"
    for graded in one.graded:
        if not graded.kept and graded.side != "skill":
            left[graded.name] = "each against its own backbone"
    return _without(one, left), _without(other, left), left


def _without(row: RowResults, left: Collection[str]) -> RowResults:
    translated = None if MAIN in left else row.translation
    if translated:
        signatures = {
            direction: {metric: signature for metric, signature in metrics.items() if metric not in left}
            for direction, metrics in translated.signatures.items()
        }
        translated = replace(translated, signatures=signatures)
    graded = tuple(one for one in row.graded if one.name not in left)
    return replace(row, translation=translated, graded=graded, drift=None if "drift" in left else row.drift)


def _bare(signature: str) -> str:
    """A signature without this package's version: another version does not by itself judge differently."""
    return "|".join(part for part in signature.split("|") if not part.startswith("version:dragoman-"))


def _read(name: str) -> RowResults:
    path = _results(name)
    try:  # a file from outside
        return RowResults.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path} holds no results of a row; they lie in runs/NAME/results, one file a row.") from error


def _results(name: str) -> Path:
    """The results of a row: a file, or `runs/NAME` (its backbone), or `runs/NAME/ROW`."""
    path = Path(name)
    for found in (path, path / "results" / "backbone.json", path.parent / "results" / f"{path.name}.json"):
        if found.is_file():
            return found
    folder = next((one for one in (path, path.parent) if (one / "results").is_dir()), None)
    there = ", ".join(sorted(one.stem for one in (folder / "results").iterdir())) if folder else ""
    told = f"{folder} has: {there}" if folder else "such folders are made by `dragoman run` and `dragoman evaluate`"
    raise DataError(
        f"there are no results {name}{from_here(name)}; write runs/NAME for a backbone, or runs/NAME/ROW, as in "
        f"`dragoman report --compare runs/de-en/vanilla runs/de-en/radis`; {told}"
    )


def _name(model: str, named: Sequence[str], test: str, prompt: str) -> str:
    """A folder's name for a model and its suites; for a model that a recipe made, the recipe's and the row's names."""
    path = Path(model)
    part = f"{path.parts[-3]}-{path.name}" if path.parent.name == "models" and len(path.parts) > 2 else path.name
    judged = [*(Path(suite).stem for suite in named), *filter(None, (test, prompt))]
    whole = "-".join(["evaluate", part, *judged])
    return re.sub(r"[^A-Za-z0-9._-]", "-", whole)[:LONGEST]


def _refuse_what_was_learnt(model: str, recipe: Recipe) -> None:
    """Raises DataError if a recipe here trained the model on what it is to be judged on."""
    folder = Path(model).parent.parent
    data = folder / "data"
    if Path(model).parent.name != "models" or not data.is_dir():
        return
    questions = asked(recipe).draws[0]
    texts = prompts(recipe, materials(recipe))
    of_the_lab = recipe.data.test is not None and recipe.data.test.corpus == "lab"
    overlaps = contamination.trained_on(
        data, pairs=test_pairs(recipe, Counter(), []), questions=questions, prompts=texts, one_grammar=of_the_lab
    )
    contamination.refuse_trained_on(overlaps, f"{folder} trained {model}. Judge it on something else.")
