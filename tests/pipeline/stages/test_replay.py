"""The replay stage with a written backbone, and in a plan."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate

from dragoman.commands.data.examples import made_of
from dragoman.commands.recipes import recipe as loaded
from dragoman.corpora.formats.conversations.prompts import read
from dragoman.errors import DataError
from dragoman.generation.ask import Ask, Completion
from dragoman.lab import BACKBONE, abilities
from dragoman.pipeline.data.make_data import make_data, missing
from dragoman.pipeline.models.cast import Model, find_cast
from dragoman.pipeline.plan import stages
from dragoman.pipeline.run import made
from dragoman.pipeline.stages import replay
from dragoman.pipeline.stages.replay import MakeReplay, ReplayFacts
from dragoman.pipeline.stages.stage import RunState, Stage
from dragoman.pipeline.stages.train import Train
from dragoman.prompts.examples import ExampleTable
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.data.pairs import Corpus
from dragoman.recipe.schema import Recipe
from dragoman.scoring.scorecard.json_schema import FILE
from dragoman.scoring.scorecard.read import read_scorecard
from dragoman.store import Artifact, Store

YES = Completion((25, 2), "4", "stop")
PAIRS = {"corpus": "lab", "directions": ["de-en"], "limit": 4}


def recipe(prompts: list[dict[str, Any]], contamination: str = "auto", **more: Any) -> Recipe:
    data = {"train": PAIRS, "test": PAIRS, "contamination": contamination}
    return Recipe.model_validate(
        {
            "name": "x",
            "backbone": "lab",
            "data": {**data, "replay": {"prompts": prompts, **more}},
            "methods": ({"vanilla": {}},),
            "training": {"replay": {}},
            "evaluate": ("translation", "lab"),
            "evaluation": {"questions": 12, "noise_seeds": 0},
        }
    )


class Written:
    """A door whose backbone says what a function says to each prompt."""

    def __init__(self, answer: Callable[[Ask], list[Completion]]):
        self.asks: list[Ask] = []
        self.says = answer

    def answer(self, ask: Ask) -> list[Completion]:
        self.asks.append(ask)
        return self.says(ask)


def answered(ask: Ask) -> list[Completion]:
    return [YES] * len(ask.prompts)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ReplayFacts]:
    """Runs the stage on the lab's data with written answers."""

    def ran(
        said: Recipe, answer: Callable[[Ask], list[Completion]] = answered, door: Written | None = None
    ) -> ReplayFacts:
        written = door or Written(answer)

        @contextmanager
        def opened(*_: Any, **__: Any) -> Iterator[Written]:
            yield written

        monkeypatch.setattr(replay, "open_door", opened)
        data, out = tmp_path / "data", tmp_path / "out"
        data.mkdir(exist_ok=True)
        out.mkdir(exist_ok=True)
        make_data(said, data)
        return MakeReplay(said, Model("lab", BACKBONE, "digest"), data, out, tmp_path).run().facts

    return ran


def written(folder: Path, *texts: str) -> dict[str, str]:
    path = folder / "mine.txt"
    path.write_text("".join(f"{text}\n" for text in texts))
    return {"file": str(path)}


def test_prompts_of_a_file_become_examples(tmp_path: Path, run: Callable[..., ReplayFacts]) -> None:
    door = Written(answered)
    facts = run(
        recipe([written(tmp_path, "Sing!", "sing!", "Dance!")], max_tokens=9, temperature=0.5, seed=3), door=door
    )
    (ask,) = door.asks
    assert (ask.sampling.max_tokens, ask.sampling.temperature, ask.sampling.seed) == (9, 0.5, 3)
    assert (facts["examples"], facts["prompts"]) == (2, {"mine.txt": {"": 2}})
    assert facts["left_out"] == {"duplicate": 1}
    assert facts["trained"] == {"prompt": 0, "replay": 2, "end": 2}
    assert facts["generated"]["answers"] == 2
    assert len(ExampleTable(tmp_path / "out" / "examples")) == 2
    again = read(tmp_path / "out" / "prompts.jsonl", "mine.txt", Counter())  # in a form that a recipe may name
    assert [one.turns[0].text for one in again] == ["Sing!", "Dance!"]
    assert len(json.loads((tmp_path / "out" / "samples.json").read_text())) == 2


def test_log_probabilities_are_kept_with_the_answers_where_they_are_asked_for(
    tmp_path: Path, run: Callable[..., ReplayFacts]
) -> None:
    door = Written(lambda ask: [replace(YES, logprobs=(((25, -0.5), (26, -1.0)), ((2, 0.0), (25, -9.0))))])
    run(recipe([written(tmp_path, "Sing!")], keep_logprobs=2), door=door)
    assert [ask.sampling.logprobs for ask in door.asks] == [2]
    table = ExampleTable(tmp_path / "out" / "examples")
    assert table.with_logprobs() == {"prompt": 0, "replay": 1, "end": 1}
    assert table[0].likely is not None
    assert table[0].likely.ids.tolist() == [[25, 26], [2, 25]]


def test_replay_without_log_probabilities_has_the_name_that_it_had(tmp_path: Path) -> None:
    said = recipe([written(tmp_path, "Sing!")])
    done = {"data": Artifact("data-1", tmp_path, {}, {})}
    inputs = [
        MakeReplay.inputs(Stage("replay", ""), RunState(one, find_cast(one, store.digests), store, done))
        for store in [Store(tmp_path / "store")]
        for one in (said, recipe([written(tmp_path, "Sing!")], keep_logprobs=20))
    ]
    assert "keep_logprobs" not in inputs[0]["replay"]
    assert inputs[1]["replay"] == {**inputs[0]["replay"], "keep_logprobs": 20}


def test_a_tenth_of_the_examples_is_held_out_but_few_of_many(tmp_path: Path, run: Callable[..., ReplayFacts]) -> None:
    said = [written(tmp_path, *(f"Say {number}." for number in range(25)))]
    facts = run(recipe(said, seed=1))
    assert (facts["examples"], facts["held_out"]) == (23, 2)
    keys = [set(ExampleTable(tmp_path / "out" / name).keys) for name in ("examples", "held_out")]
    assert len(keys[0] | keys[1]) == 25
    assert (replay.held_out(9), replay.held_out(10), replay.held_out(5000)) == (0, 1, 32)


def test_a_finished_chunk_is_not_asked_again(
    tmp_path: Path, run: Callable[..., ReplayFacts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 2)
    said = recipe([written(tmp_path, *(f"Say {number}." for number in range(5)))])
    first = run(said)
    for path in ("examples/000001", "notes/000001.json"):
        place = tmp_path / "out" / path
        place.rename(place.with_name("gone"))
    door = Written(answered)
    (tmp_path / "out" / "examples" / "gone").rename(tmp_path / "gone")
    (tmp_path / "out" / "notes" / "gone").rename(tmp_path / "gone.json")
    assert run(said, door=door) == first
    assert [len(ask.prompts) for ask in door.asks] == [2]


def test_what_is_asked_is_left_out_and_listed(tmp_path: Path, run: Callable[..., ReplayFacts]) -> None:
    question = abilities.questions("arithmetic", 1, 0)[0].turns[-1].text
    facts = run(recipe([written(tmp_path, "Sing!", question.upper())]))
    assert facts["prompts"] == {"mine.txt": {"": 1}}
    assert facts["left_out"] == {"also in the test set": 1}
    assert facts["contamination"] == {"mine.txt": {"arithmetic": {"whole": 1}}}
    (line,) = (tmp_path / "out" / "contamination.jsonl").read_text().splitlines()
    assert json.loads(line)["record"]["turns"][0]["text"] == question.upper()
    with pytest.raises(DataError, match=r"1 of the records .*data.contamination is `refuse`"):
        run(recipe([written(tmp_path, "Sing!", question)], "refuse"))


def test_much_of_a_test_is_no_accident(tmp_path: Path, run: Callable[..., ReplayFacts]) -> None:
    questions = [one.turns[-1].text for one in abilities.questions("arithmetic", 12, 0)]
    with pytest.raises(DataError, match="arithmetic: 12 of 12"):
        run(recipe([written(tmp_path, "Sing!", *questions)]))
    assert run(recipe([written(tmp_path, "Sing!", *questions)], "remove"))["examples"] == 1


def test_a_prompt_around_a_sentence_of_the_test_is_left_out(tmp_path: Path, run: Callable[..., ReplayFacts]) -> None:
    source = "Der alte Hund schläft heute lieber unter dem großen Baum."
    (tmp_path / "test.tsv").write_text(f"{source}\tThe old dog would rather sleep under the big tree today.\n")
    said = recipe([written(tmp_path, "Sing!", f"Put the next sentence into English. {source}", source)])
    test = Corpus.model_validate({"files": [{"table": str(tmp_path / "test.tsv"), "direction": "de-en"}]})
    facts = run(said.model_copy(update={"data": said.data.model_copy(update={"test": test})}))
    assert facts["prompts"] == {"mine.txt": {"": 1}}
    assert facts["left_out"] == {"with a sentence of the test set": 2}
    assert set(facts["contamination"]["mine.txt"]) == {"translation de-en"}


def test_a_prompt_of_a_suite_is_left_out(tmp_path: Path, run: Callable[..., ReplayFacts]) -> None:
    said = recipe([written(tmp_path, "Sing!")]).model_copy(update={"evaluate": ("translation", "probes")})
    run(said)
    (asked, *_) = [json.loads(line) for line in (tmp_path / "data" / "questions.jsonl").read_text().splitlines()]
    path = tmp_path / "mine.jsonl"
    prompts = ("Sing!", asked["turns"][-1]["text"])
    path.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in prompts))
    facts = run(said.model_copy(update={"data": recipe([{"file": str(path)}]).data}))
    assert facts["prompts"] == {"mine.jsonl": {"": 1}}
    assert facts["left_out"] == {"also in the test set": 1}
    assert list(facts["contamination"]["mine.jsonl"]) == [asked["family"]]
    assert MakeReplay.told(Artifact("replay-1", tmp_path, {}, json.loads(json.dumps(facts))))[-2:] == [
        "left out: 1 also in the test set",
        "those that share text with what is judged on are listed in contamination.jsonl",
    ]
    assert len((tmp_path / "out" / "contamination.jsonl").read_text().splitlines()) == 1


def test_kinds_that_evaluation_asks_are_left_out_unless_wanted(run: Callable[..., ReplayFacts]) -> None:
    lab = {"corpus": "lab-requests", "limit": 9}
    facts = run(recipe([lab]))
    assert facts["prompts"] == {"lab-requests": {"copying": 9}}
    assert set(facts["near"]) == set(abilities.FAMILIES)
    wanted = run(recipe([{**lab, "kinds": ["facts", "copying"]}], near=True))
    assert set(wanted["prompts"]["lab-requests"]) == {"facts", "copying"}
    assert wanted["near"] == {"facts": 0}


def test_a_suite_says_which_kinds_are_near_it(tmp_path: Path, run: Callable[..., ReplayFacts]) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"prompt": "2+2?", "kind": "maths"}\n{"prompt": "Sing!", "kind": "song"}\n')
    facts = run(recipe([{"file": str(path)}]))
    assert (facts["prompts"], facts["near"]) == ({"mine.jsonl": {"song": 1}}, {"maths": 1})


def test_nothing_left_is_refused(run: Callable[..., ReplayFacts]) -> None:
    with pytest.raises(DataError, match=r"no prompts are left for replay; left out: .* With `near: true`"):
        run(recipe([{"corpus": "lab-requests", "kinds": ["facts"], "limit": 3}]))


def test_an_unknown_kind_is_refused(tmp_path: Path, run: Callable[..., ReplayFacts]) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"prompt": "Sing!", "kind": "song"}\n{"prompt": "Hi", "kind": "talk"}\n')
    with pytest.raises(DataError, match=r"mine.jsonl has no prompts of the kind poem; it has song, talk"):
        run(recipe([{"file": str(path), "kinds": ["song", "poem"]}]))


def test_a_backbone_that_answers_nothing_is_refused(tmp_path: Path, run: Callable[..., ReplayFacts]) -> None:
    with pytest.raises(DataError, match=r"lab answered none of the 1 replay prompts.*1 answered with nothing"):
        run(recipe([written(tmp_path, "Sing!")]), lambda ask: [Completion((2,), "", "stop")] * len(ask.prompts))


def test_a_backbone_without_prompts_of_its_own_is_refused(run: Callable[..., ReplayFacts]) -> None:
    def nothing(ask: Ask) -> list[Completion]:
        return [Completion((2,), "", "stop", (((2, 0.0),),))] * len(ask.prompts)

    with pytest.raises(DataError, match=r"of 8 prompts that lab drew itself .* none is any good: 8 own prompts: empty"):
        run(recipe([{"own": 8}]), nothing)


def test_a_backbone_that_answers_nothing_to_its_own_prompts_is_refused(run: Callable[..., ReplayFacts]) -> None:
    """It draws prompts well enough, and then has nothing to say to any."""
    speak = Speaker(Renderer.load(BACKBONE))
    begins = tuple((speak.renderer.encode(letter)[0], math.log(1 / 4)) for letter in "ABCD")

    def silent(ask: Ask) -> list[Completion]:
        if ask.sampling.logprobs:
            return [Completion((1,), "", "length", (begins,))] * len(ask.prompts)
        if ask.purpose == "its own prompts":
            return [Completion((*speak.renderer.encode(" is it?"), speak.stop[0]), " is it?", "stop")] * len(
                ask.prompts
            )
        return [Completion((2,), "", "stop")] * len(ask.prompts)

    with pytest.raises(DataError, match=r"lab answered none of the \d replay prompts.*\d answered with nothing"):
        run(recipe([{"own": 8}]), silent)


def test_rows_that_take_replay_wait_for_it(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: x\nbackbone: lab\n"
        "data:\n  train: {corpus: lab}\n  test: {corpus: lab}\n  replay: {prompts: [{corpus: lab-requests}]}\n"
        "methods: [vanilla, {vanilla: {label: kept, training: {replay: {share: 0.2}}}}]\n"
    )
    needs = {stage.title: stage.needs for stage in stages(loaded(path))}
    assert list(needs)[:2] == ["data", "replay"]
    assert needs["train-vanilla"] == ("examples-vanilla",)
    assert needs["train-kept"] == ("examples-kept", "replay")
    assert "replay" in needs["report"]
    assert missing(loaded(path)) == ()


def test_prompts_that_are_not_there_are_told_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.replay: there is no /nowhere/mine.txt"):
        made(recipe([{"file": "/nowhere/mine.txt"}]).model_copy(update={"runs": str(tmp_path)}), say=lambda _: None)
    assert not list(tmp_path.rglob("data-*"))


def test_a_run_learns_them_and_the_scorecard_says_so(small_recipe: Callable[[Path], Path], tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    rows = "methods=[vanilla, {vanilla: {label: kept, training: {replay: {share: 0.3}}}}]"
    kinds = "{corpus: lab-requests, kinds: [copying], limit: 8}, {corpus: lab-requests, kinds: [arithmetic], limit: 4}"
    prompts = f"data.replay={{prompts: [{kinds}], max_tokens: 8, near: true}}"
    alone = made(loaded(path, ["methods=[vanilla]"]), "train", say=lambda _: None)
    done = made(loaded(path, [rows, prompts]), say=lambda _: None)
    assert done["train-vanilla"].name == alone["train-vanilla"].name
    assert done["train-kept"].digest("adapter/*") != done["train-vanilla"].digest("adapter/*")
    assert '"loss/replay"' in (done["train-kept"].folder / "metrics.jsonl").read_text()
    facts = MakeReplay.facts(done["replay"])
    assert facts["prompts"] == {"lab-requests": {"copying": 8, "arithmetic": 4}}
    assert MakeReplay.told(done["replay"])[2] == "12 prompts of lab-requests"
    assert (facts["examples"], facts["held_out"]) == (11, 1)
    assert MakeReplay.told(done["replay"])[3] == "held out to measure drift: 1"
    drift = Train.facts(done["train-kept"])["drift"]
    assert [step for step, _ in drift["general"]] == [0, 2, 3, 4, 6, 8, 9, 10, 12]
    assert drift["general"][-1][1] > drift["general"][0][1]
    assert "drift" not in Train.facts(done["train-vanilla"])
    card = read_scorecard(done["report"].folder / "report" / "scorecard.json")
    _, plain, kept = card["rows"]
    assert "replay" not in plain
    assert kept["replay"] == {
        "prompts": facts["prompts"],
        "near": facts["near"],
        "near_families": ["arithmetic"],
        "overlapping": 0,
        "share": 0.3,
    }
    assert not {"near", "far"} & kept.keys()
    assert kept["cost"]
    assert kept["cost"]["generated_tokens"] == facts["generated"]["tokens"] > 0
    validate(json.loads(json.dumps(card)), json.loads(FILE.read_text()))
    shown = [one for one in made_of(loaded(path, [rows, prompts]), 2) if one.row == "replay"]
    assert [[part.name for part in one.parts][:2] for one in shown] == [["prompt", "replay"]] * 2
    page = (done["report"].folder / "report" / "report.html").read_text()
    assert "12 of lab-requests, of the kinds copying, which evaluation does not ask" in page
    assert "Evaluation asks the kinds arithmetic too" in page
    assert "<h3>replay</h3>" in page
