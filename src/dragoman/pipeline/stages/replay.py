"""The replay stage: the backbone answers general prompts, once for all rows that learn them beside their task."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import ClassVar, Self, TypedDict

from dragoman import suites
from dragoman.corpora.contamination import index
from dragoman.corpora.formats.conversations.prompts import as_line
from dragoman.corpora.records import Request, draw
from dragoman.errors import DataError
from dragoman.generation.ask import Sampling
from dragoman.generation.door import Door, drive, drive_all
from dragoman.models.config import context_of
from dragoman.pipeline.data import contamination, questions
from dragoman.pipeline.data.contamination import Findings
from dragoman.pipeline.data.questions import StoredMaterial
from dragoman.pipeline.data.record_files import chunks, read_pairs, read_questions, write_lines
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.models.engines import answering, open_door
from dragoman.pipeline.models.metered import Metered
from dragoman.pipeline.models.speakers import speaker, spec_of
from dragoman.pipeline.replay.answers import answers
from dragoman.pipeline.replay.own import own_prompts
from dragoman.pipeline.replay.prompts import Gathering, named, prompt_inputs
from dragoman.pipeline.stages.examples import CHUNK, longest_prefix, samples, together_of
from dragoman.pipeline.stages.stage import Inputs, Made, RunState, Stage, StageJob
from dragoman.prompts.examples import Example, ExampleTable, write_examples
from dragoman.prompts.speak import Speaker
from dragoman.recipe.data.conversations import Prompts, ReplayData
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact, write_atomic

HELD_OUT = "held_out"
"""The folder of examples that no row learns; drift is measured on them while training."""
MOST, SHARE = 32, 10  # held out: at most so many, and at most one in so many
JUDGED = ("test.jsonl", "questions.jsonl", "judged.json")  # of the data stage


class ReplayFacts(TypedDict):
    """What the manifest of the replay says."""

    examples: int
    tokens: int
    trained: dict[str, int]
    """Trained tokens of each segment."""
    prompts: dict[str, dict[str, int]]
    """How many prompts were taken, by source and kind; the kind is empty where none is known."""
    near: dict[str, int]
    """Kinds that evaluation asks as well, and how many prompts of each were left out for it."""
    left_out: dict[str, int]
    """Prompts without an example, by reason."""
    held_out: int
    """Examples that are not trained; they are none of the above."""
    cut_off: int
    """Answers that ended at the limit."""
    generated: dict[str, float]
    """Answers, their tokens, and the engine's seconds."""
    contamination: dict[str, dict[str, dict[str, int]]]


@dataclass(frozen=True, slots=True)
class MakeReplay(StageJob[ReplayFacts]):
    """The backbone's answers to general prompts, as examples. A finished chunk is not made again."""

    made_by: ClassVar = (
        *("corpora", "prompts", "pipeline/data/contamination.py", "pipeline/models/speakers.py", "pipeline/replay"),
        "pipeline/stages/replay.py",
    )

    recipe: Recipe
    start: Model
    data: Path
    out: Path
    cache: Path

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        return cls(state.recipe, state.start(stage.row, stage.seed), state.data, out, state.cache)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        recipe, replay = state.recipe, _wanted(state.recipe)
        return {
            "prompts": prompt_inputs(replay, state.store.digests),
            "replay": replay.model_dump(exclude={"prompts", *([] if replay.keep_logprobs else ["keep_logprobs"])}),
            "judged": {name: state.done["data"].digest(name) for name in JUDGED},
            "suites": questions.inputs(recipe, state.store.digests),
            "near": sorted(suites.near(recipe)),
            "contamination": recipe.data.contamination,
            "backbone": state.start(stage.row, stage.seed).digest,
            "system": recipe.system,
            "engine": answering(recipe.generation),
            "precision": recipe.generation.precision,
            "max_tokens": recipe.data.max_tokens,
        }

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        return state.opened(stage)

    def run(self) -> Made[ReplayFacts]:
        recipe, replay = self.recipe, _wanted(self.recipe)
        speak = speaker(recipe, self.start)
        longest = longest_prefix(recipe, context_of(self.start.path), speak)
        models = {"backbone": spec_of(self.start, recipe.system)}
        with open_door(recipe.generation, self.cache, models, served="backbone") as door:
            gathered = self._gather(replay, speak, door)
            numbered = enumerate(chunks(list(gathered.taken.values()), CHUNK))
            todo = (one for one in numbered if not _counted(self.out, one[0]).exists())
            apart = _drawn(gathered.taken, replay.seed)
            for together in chunks(todo, together_of(recipe)):
                self._answer(together, apart, speak, longest, door)
        return self._made(gathered)

    def _gather(self, replay: ReplayData, speak: Speaker, door: Door) -> Gathering:
        """The prompts of all sources, the backbone's own last, without what models are judged on, which is listed."""
        gathered = _gathering(self.recipe, replay, self.data)
        for source in replay.prompts:
            if not source.own:
                gathered.take(source, replay.seed, named(source, replay.seed, gathered.dropped))
        policy = self.recipe.data.contamination
        if policy == "refuse":
            gathered.findings.refuse()
        elif policy == "auto":
            contamination.refuse_trained_on(gathered.findings.overlaps(), contamination.REMOVE)
        for source in replay.prompts:
            if source.own:
                self._draw_own(source, source.own, replay.seed, gathered, speak, door)
        write_lines(self.out / "prompts.jsonl", map(as_line, gathered.taken.values()))
        write_lines(self.out / contamination.FILE, (found.as_line() for found in gathered.findings.found.values()))
        if not gathered.taken:
            kept = " With `near: true` there, prompts of the kinds that evaluation asks stay." * bool(
                gathered.near_counts
            )
            raise DataError(
                f"no prompts are left for replay; left out: {_listed(gathered.dropped)}. Name others under data.replay."
                + kept
            )
        return gathered

    def _draw_own(
        self, source: Prompts, count: int, seed: int, gathered: Gathering, speak: Speaker, door: Door
    ) -> None:
        """Adds the backbone's own prompts. DataError if none is any good."""
        before = len(gathered.taken)
        asking = Metered(own_prompts(count, seed, speak, gathered.dropped))
        gathered.take(source, seed, drive(asking, door))
        gathered.spent.update(asking.spent)
        if len(gathered.taken) == before:
            raise DataError(
                f"of {count:,} prompts that {self.start.name} drew itself (data.replay, own) none is any good: "
                f"{_listed(gathered.dropped)}. It was never taught what users write, or `chat` is not its format. Name "
                "a corpus or a file there instead."
            )

    def _answer(
        self,
        together: Sequence[tuple[int, Sequence[Request]]],
        apart: Collection[str],
        speak: Speaker,
        longest: int,
        door: Door,
    ) -> None:
        """Asks the prompts of some chunks, and writes each chunk's examples and counts; those held out apart."""
        replay = _wanted(self.recipe)
        sampling = Sampling(
            replay.max_tokens, speak.stop, replay.temperature, seed=replay.seed, logprobs=replay.keep_logprobs
        )
        asking = {number: Metered(answers(chunk, speak, sampling, longest)) for number, chunk in together}
        for number, answered in drive_all(asking, door).items():
            for folder, part in _parted(answered.examples, apart).items():
                write_examples(self.out / folder, number, part)
            if answered.examples and not (self.out / "samples.json").exists():
                some = samples(answered.examples, speak)
                write_atomic(self.out / "samples.json", json.dumps(some, ensure_ascii=False))
            counts = {"left_out": answered.left_out, "cut_off": answered.cut_off, "generated": asking[number].spent}
            write_atomic(_counted(self.out, number), json.dumps(counts))

    def _made(self, gathered: Gathering) -> Made[ReplayFacts]:
        """All counts together. DataError if the backbone answered nothing."""
        left_out, generated, cut_off = Counter(gathered.dropped), Counter(gathered.spent), 0
        for path in sorted((self.out / "notes").glob("*.json")):
            counts = json.loads(path.read_text(encoding="utf-8"))
            left_out.update(counts["left_out"])
            generated.update(counts["generated"])
            cut_off += counts["cut_off"]
        if not (self.out / "examples").is_dir():
            raise DataError(
                f"{self.start.name} answered none of the {len(gathered.taken):,} replay prompts, so there is "
                f"nothing of its own to keep ({_listed(left_out)}). Is it an instruct model, and is `chat` its format? "
                "If so, name other prompts under data.replay, or take replay out."
            )
        table = ExampleTable(self.out / "examples")
        trained, _ = table.trained()
        apart = self.out / HELD_OUT
        facts = ReplayFacts(
            examples=len(table),
            tokens=int(table.lengths.sum()),
            trained=trained,
            prompts=gathered.counts,
            near=dict(gathered.near_counts),
            left_out={reason: count for reason, count in left_out.items() if count},
            held_out=len(ExampleTable(apart)) if apart.is_dir() else 0,
            cut_off=cut_off,
            generated=dict(generated),
            contamination=contamination.counts(gathered.findings.found.values()),
        )
        return Made(facts, len(gathered.taken))

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        facts = MakeReplay.facts(artifact)
        parts = [f"{facts['examples']:,} examples", f"{facts['tokens']:,} tokens"]
        parts += [f"{sum(kinds.values()):,} prompts of {name}" for name, kinds in facts["prompts"].items()]
        parts += [f"held out to measure drift: {facts['held_out']:,}"] * bool(facts["held_out"])
        parts += [f"{facts['cut_off']:,} answers cut off at the limit"] * bool(facts["cut_off"])
        parts += [f"left out: {count:,} {reason}" for reason, count in facts["left_out"].items()]
        if facts["near"]:
            parts.append(f"of kinds that evaluation asks: {', '.join(facts['near'])}")
        if facts["contamination"]:
            parts.append(f"those that share text with what is judged on are listed in {contamination.FILE}")
        return parts


def _wanted(recipe: Recipe) -> ReplayData:
    assert recipe.data.replay is not None, "there is no replay stage without it"
    return recipe.data.replay


def _gathering(recipe: Recipe, replay: ReplayData, data: Path) -> Gathering:
    """Compares prompts with what the data stage wrote for models to be judged on."""
    draws = read_questions(data / "questions.jsonl")
    by_judges: dict[str, StoredMaterial] = json.loads((data / "judged.json").read_text(encoding="utf-8"))
    test = recipe.data.test
    judged = index(
        chain.from_iterable(draws),
        read_pairs(data / "test.jsonl"),
        one_grammar=test is not None and test.corpus == "lab",
        prompts=questions.prompts(recipe, by_judges),
    )
    asked = suites.near(recipe) | {question.family for question in chain.from_iterable(draws)}
    return Gathering(Findings(judged), asked, replay.near)


def held_out(examples: int) -> int:
    """How many of so many examples no row learns."""
    return min(MOST, examples // SHARE)


def _drawn(keys: Collection[str], seed: int) -> set[str]:
    """The prompts whose answers are not learnt, drawn by the seed."""
    return set(sorted(keys, key=lambda key: draw(key, HELD_OUT, seed))[: held_out(len(keys))])


def _parted(examples: Sequence[Example], apart: Collection[str]) -> dict[str, list[Example]]:
    """Folder → the examples in it, where there are any."""
    parts = {
        "examples": [example for example in examples if example.key not in apart],
        HELD_OUT: [example for example in examples if example.key in apart],
    }
    return {folder: some for folder, some in parts.items() if some}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items() if count) or "nothing"


def _counted(out: Path, number: int) -> Path:
    """The chunk's file of counts, written last, so that its presence means that the chunk is done."""
    return out / "notes" / f"{number:06d}.json"
