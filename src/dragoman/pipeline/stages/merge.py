"""The merge stage: backbone and adapter become one model, published only if it does what the two did."""

import shutil
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar, Self, TypedDict, cast

from dragoman.corpora.records import Text
from dragoman.pipeline.data.limit import beside
from dragoman.pipeline.data.record_files import read_learnt, read_pairs, read_questions, read_records
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.models.speakers import speaker
from dragoman.pipeline.rows import scale_of, starts_apart, teaches_alone
from dragoman.pipeline.stages.stage import Inputs, Made, RunState, Stage, StageJob
from dragoman.prompts.examples import Ids
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import Rising
from dragoman.store import Artifact

PROBES = 16  # prompts on which a merged model is compared with its adapter
BEGINNING = 32  # tokens of a text


class MergeFacts(TypedDict):
    """How far the merged model is from the trained one: `training.merge.Parity`."""

    prompts: int
    tokens: int
    spread: float
    fp32_max: float
    fp32_mean: float
    cast: str
    cast_max: float
    cast_mean: float
    agreement: float


@dataclass(frozen=True, slots=True)
class Merge(StageJob[MergeFacts]):
    """Makes one model from what a row started from and what was trained."""

    made_by: ClassVar = 1

    recipe: Recipe
    start: Model
    adapter: Path
    data: Path
    out: Path
    scale: float | Rising = 1.0
    alone: bool = False
    """Whether it learnt to give the translation alone where it is asked to."""
    named: str | None = None
    """What it started from, for the model's card, where that is another row."""

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        adapter = state.done[stage.needs[0]].folder / "adapter"
        scale, alone = scale_of(state.recipe, stage.row), teaches_alone(state.recipe, stage.row)
        start = state.spoken(stage.row, stage.seed)
        named = start.name if starts_apart(state.recipe, stage.row) else None
        return cls(state.recipe, start, adapter, state.data, out, scale, alone, named)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        scale = scale_of(state.recipe, stage.row)
        said = scale.model_dump() if isinstance(scale, Rising) else scale
        inputs: Inputs = {"scale": said} if scale != 1 else {}  # absent in the names from before there was any
        if teaches_alone(state.recipe, stage.row):
            inputs["alone"] = True
        adapter = state.done[stage.needs[0]].digest("adapter/*")
        return inputs | {"adapter": adapter, "backbone": state.spoken(stage.row, stage.seed).digest}

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        return state.opened(stage)

    def run(self) -> Made[MergeFacts]:
        from dragoman.training.merge import merge

        speak = speaker(self.recipe, self.start)
        shutil.rmtree(self.out / "model", ignore_errors=True)  # of a run that was cut off before it published this
        parity = merge(
            self.start.path,
            self.adapter,
            self.out / "model",
            _probes(self.data, speak),
            scale=self.scale,
            alone=self.alone,
            trust_remote_code=self.start.trust_remote_code,
            bin_weights=self.start.bin_weights,
            named=self.named,
            chat=None if self.start.chat == "own" else speak.renderer.tokenizer.chat_template,
        )
        return Made(cast(MergeFacts, asdict(parity)))

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        return [f"{Merge.facts(artifact)['agreement']:.0%} of greedy tokens as it was trained"]


def _probes(data: Path, speak: Speaker) -> list[Ids]:
    """Prompts to compare a merged model on: test sentences, otherwise questions, otherwise training requests or the
    beginnings of texts.
    """
    found = [speak.translate(pair) for pair in islice(read_pairs(data / "test.jsonl"), PROBES)]
    if not found:
        draws = read_questions(data / "questions.jsonl")
        found = [speak.question(question) for question in draws[0][:PROBES]] if draws else []
    found = found or [speak.request(record) for record in islice(read_records(data / "train.jsonl"), PROBES)]
    if not found and (texts := data / beside("texts")).is_file():
        learnt = (record for record in read_learnt(texts) if isinstance(record, Text))
        found = [speak.plain(record.text)[:BEGINNING] for record in islice(learnt, PROBES)]
    return found
