"""Topics of a recipe's rationales: samples a row's examples, and has a judge or a rule sort them.

Reads the row's finished examples (and makes them if they are missing), asks the judge through the door, and writes
`analysis/rationales.{json,md,svg}` to the recipe's results.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dragoman.analysis.judging import LONGEST, PROMPT, judged
from dragoman.analysis.rationales import Sampled, Verdict, sample, tabulate
from dragoman.analysis.results import JudgeNamed, TopicsResult
from dragoman.corpora.records import Pair
from dragoman.errors import EngineError, RecipeError
from dragoman.generation.door import drive
from dragoman.lab.remarks import kinds_of
from dragoman.methods import available
from dragoman.pipeline.data.record_files import read_records
from dragoman.pipeline.models.cast import Model, find_folder, writer
from dragoman.pipeline.models.engines import ModelSpec, open_door
from dragoman.pipeline.plan import Plan, plan
from dragoman.pipeline.process import in_own_process
from dragoman.pipeline.rows import learnt, method_of, rows, trainings
from dragoman.pipeline.run import run
from dragoman.pipeline.verify_inputs import require_whole
from dragoman.prompts.examples import ExampleTable
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Generation
from dragoman.recipe.schema import Recipe
from dragoman.report.analyses.topics import markdown, picture
from dragoman.store import Artifact, write_atomic

Engine = Literal["auto", "hf", "vllm", "openai"]
RULE = "rule"


@dataclass(frozen=True, slots=True)
class Judge:
    """Who classifies: a model by name or folder, and the engine that asks it; or the lab's rule."""

    name: str
    engine: Engine = "auto"
    address: str | None = None
    max_tokens: int = LONGEST


@dataclass(frozen=True, slots=True)
class Taken:
    """The drawn rationales; and for each direction, how many examples there are, and how many have a rationale."""

    sampled: list[Sampled]
    examples: Counter[str]
    rationales: Counter[str]


def rationales(
    recipe: Recipe, *, row: str | None = None, count: int = 25, seed: int = 0, judge: Judge | None = None
) -> tuple[TopicsResult, Path]:
    """The table of categories, and the folder that it was written to.

    RecipeError if the row has no rationales, or nobody is named who could judge them; both before anything is
    generated.
    """
    row = _row(recipe, row)
    judge = judge or _by_default(recipe)
    found = plan(recipe)
    if _made(found, row) is None:
        run(recipe, upto="examples")
        found = plan(recipe)
    data = next(step.artifact for step in found.steps if step.stage.kind == "data")
    examples = _made(found, row)
    assert data is not None
    assert examples is not None, "a run makes them, or tells why not"
    require_whole(found.store, [data, examples], [], "the table")
    taken = take(recipe, found.backbone, data.folder, examples.folder, count, seed)
    if not taken.sampled:
        raise RecipeError(
            f"the examples of {row} have no rationale of a translation; categories are those of remarks on "
            "translations. Name another row with --row, or look at rationale_fraction and filters in the recipe."
        )
    verdicts = _verdicts(recipe, found, judge, taken.sampled)
    table: TopicsResult = {
        **tabulate(taken.sampled, verdicts),
        "recipe": recipe.name,
        "row": row,
        "backbone": recipe.backbone,
        "writer": writer(rows(recipe)[row][1]),
        "count": count,
        "seed": seed,
        "judge": _named(judge),
    }
    for direction, counts in table["directions"].items():
        counts["examples"] = taken.examples[direction]
        counts["with_rationale"] = taken.rationales[direction]
    folder = Path(recipe.runs) / recipe.name / "analysis"
    write_atomic(folder / "rationales.json", json.dumps(table, ensure_ascii=False, indent=1) + "\n")
    write_atomic(folder / "rationales.md", markdown(table))
    (folder / "rationales.svg").unlink(missing_ok=True)
    if drawn := picture(table):
        write_atomic(folder / "rationales.svg", drawn + "\n")
    return table, folder


def take(recipe: Recipe, backbone: Model, data: Path, examples: Path, count: int, seed: int) -> Taken:
    """Draws `count` rationales of each direction from a row's examples, with the pairs that they belong to."""
    records = data / "train.jsonl"
    directions = {record.key: record.direction for record in read_records(records) if isinstance(record, Pair)}
    table = ExampleTable(examples / "examples")
    segment = table.names.index("rationale") if "rationale" in table.names else -1
    places: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for place, (key, made) in enumerate(zip(table.keys, table, strict=True)):
        if direction := directions.get(_record(key)):
            seen[direction] += 1
            if (made.segments == segment).any():
                places[key] = place
    drawn = sample(((key, directions[_record(key)]) for key in places), count, seed)
    wanted = {_record(key) for keys in drawn.values() for key in keys}
    pairs = {record.key: record for record in read_records(records) if record.key in wanted}
    speak = Speaker(backbone.renderer(recipe.system))

    def sampled(key: str) -> Sampled:
        pair, made = pairs[_record(key)], table[places[key]]
        assert isinstance(pair, Pair)
        request, reference = speak.texts(pair)
        said = speak.decode(made.ids[made.segments == segment].tolist())
        return Sampled(key, pair.direction, pair.source, request, reference, said)

    return Taken(
        [sampled(key) for keys in drawn.values() for key in keys],
        seen,
        Counter(directions[_record(key)] for key in places),
    )


def by_rule(sampled: Sequence[Sampled]) -> list[Verdict | None]:
    """The lab rule's verdict on each rationale; None for a blank one."""
    return [None if one.blank else _ruled(kinds_of(one.rationale)) for one in sampled]


def _ruled(kinds: Mapping[str, str]) -> Verdict:
    return Verdict(frozenset(kinds or {"other"}), passages=kinds)


@dataclass(frozen=True, slots=True)
class AskJudge:
    """The verdicts of a judge, a model asked through an engine. EngineError if that is impossible."""

    recipe: Recipe
    judge: Judge
    backbone: Model
    sampled: Sequence[Sampled]
    cache: Path

    def run(self) -> list[Verdict | None]:
        spec, settings = asked_of(self.recipe, self.judge, self.backbone)
        with open_door(settings, self.cache, {"judge": spec}, served="judge") as door:
            return drive(judged(self.sampled, spec.renderer(), max_tokens=self.judge.max_tokens), door)


def asked_of(recipe: Recipe, judge: Judge, backbone: Model) -> tuple[ModelSpec, Generation]:
    """The judge's weights and chat format, and the settings with which it is asked.

    A server may serve a judge whose tokenizer is not here. It is then sent text, and the backbone's chat format only
    carries the text to the request.
    """
    server = judge.engine == "openai"
    folder, api = backbone.path, "chat"
    try:
        folder = find_folder(
            judge.name, None, recipe.trust_remote_code, bin_weights=recipe.bin_weights, fetch=not server
        )
        api = recipe.generation.openai.api
    except EngineError:
        if not server:
            raise
    changed: dict[str, object] = {"api": api, "address": judge.address or recipe.generation.openai.address}
    if not (judge.name == "lab" or Path(judge.name).is_dir()):
        changed["model"] = judge.name  # the name that the server has for it
    settings = recipe.generation.model_copy(
        update={"engine": judge.engine, "openai": recipe.generation.openai.model_copy(update=changed)}
    )
    return ModelSpec(folder, folder, None, recipe.trust_remote_code, bin_weights=recipe.bin_weights), settings


def _verdicts(recipe: Recipe, found: Plan, judge: Judge, sampled: Sequence[Sampled]) -> list[Verdict | None]:
    if judge.name == RULE:
        return by_rule(sampled)
    cache = found.store.folder / "completions"
    return in_own_process(AskJudge(recipe, judge, found.backbone, sampled, cache), f"the judge {judge.name}").result


def _named(judge: Judge) -> JudgeNamed:
    if judge.name == RULE:
        return {"by": "rule"}
    prompt = hashlib.sha256(PROMPT.encode()).hexdigest()[:16]
    return {"by": "model", "model": judge.name, "engine": judge.engine, "prompt": prompt}


def _row(recipe: Recipe, row: str | None) -> str:
    """The named row, or the first that is taught with rationales."""
    known = rows(recipe)
    if row is None:
        row = next((name for name in known if method_of(recipe, name).rationales), None)
    if row is None:
        wanted = " or ".join(name for name, method in available().items() if method.rationales)
        raise RecipeError(f"{recipe.name} has no rationales to look at: none of {', '.join(known)} is {wanted}.")
    if row not in known:
        raise RecipeError(f"--row: {recipe.name} has no row '{row}'; it has {', '.join(known)}.")
    return row


def _by_default(recipe: Recipe) -> Judge:
    """The lab's remarks are sorted by rule; all others need a judge."""
    corpus = recipe.data.train.corpus if recipe.data.train else None
    if "lab" in (recipe.backbone, corpus):
        return Judge(RULE)
    raise RecipeError(
        f"who shall classify the rationales of {recipe.backbone}? Name a judge: --judge with an instruct model (a "
        "directory or a name of the hub), and --engine hf or vllm; or --engine openai --address "
        "http://localhost:8000/v1 --judge with its name on that server. The rule that the lab has (--judge rule) "
        "knows the lab's own remarks."
    )


def _made(found: Plan, row: str) -> Artifact | None:
    """The row's finished examples; if rationales are rewritten each epoch, the first ones."""
    title = learnt(found.recipe, row, trainings(found.recipe)[0])[0]
    return next((step.artifact for step in found.steps if step.stage.title == title), None)


def _record(key: str) -> str:
    """The key of the record that an example was made from; further samples have a number after it."""
    return key.partition("#")[0]
