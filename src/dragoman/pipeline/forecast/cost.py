"""The cost of the stages that are still to do: examples, tokens, steps, time and memory.

Time is what the same kind of stage took before, in this store and with the same backbone, scaled by the work. If
nothing was measured and an accelerator is named, it is estimated by arithmetic (`estimate.py`); if none is named, by
what this machine was tried out with (`calibration.py`). Both are marked as estimates.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dragoman.corpora.amounts import Amounts, Volume, joined
from dragoman.generation.ask import Asking
from dragoman.methods import Forecast
from dragoman.pipeline.data.dev_pairs import role_of
from dragoman.pipeline.forecast.amounts import (
    Vocabulary,
    mixed_in,
    of_dialogues,
    of_pairs,
    of_prompts,
    written,
    written_parts,
)
from dragoman.pipeline.forecast.amounts.preferences import judged_in_words, of_judged
from dragoman.pipeline.forecast.amounts.ratings import of_directions
from dragoman.pipeline.forecast.amounts.texts import of_texts, texts_in_words
from dragoman.pipeline.forecast.calibration import Calibration
from dragoman.pipeline.forecast.estimate import Estimate, generation, training
from dragoman.pipeline.forecast.geometry import accelerator, geometry_of
from dragoman.pipeline.forecast.per_method import intervals, learning, measured_length, replay_length
from dragoman.pipeline.forecast.question_counts import Questions, questions
from dragoman.pipeline.forecast.trial import Trial
from dragoman.pipeline.models.cast import Model, writer
from dragoman.pipeline.plan import Plan, kind_of_work
from dragoman.pipeline.rows import (
    learn_of,
    limit_of,
    method_of,
    rounds,
    rows,
    scale_of,
    settings_of,
    start_in_words,
    training_of,
    validated_on,
)
from dragoman.pipeline.stages.data import MakeData
from dragoman.pipeline.stages.examples import MakeExamples
from dragoman.pipeline.stages.extend import foretold
from dragoman.pipeline.stages.replay import held_out
from dragoman.pipeline.stages.stage import Kind, Stage, finished
from dragoman.recipe.data.conversations import ReplayData
from dragoman.recipe.engines import Hardware
from dragoman.recipe.training import Training, strength_words
from dragoman.training.validation import FORWARD, moments

LOGPROB_BYTES = 8  # an id and a number; what the cache compresses comes off


@dataclass(frozen=True, slots=True)
class Cost:
    """The work in words, its amount in units, and seconds if an earlier run or an estimate tells."""

    work: str
    units: float | None = None
    seconds: float | None = None
    measured: bool = False
    """Whether the seconds come from an earlier run on this machine."""
    estimate: Estimate | None = None


class Reckoning:
    """Looks once at what a recipe has to learn and to answer; then tells each stage's cost."""

    def __init__(self, plan: Plan, hardware: Hardware | None = None):
        self.plan, self.recipe = plan, plan.recipe
        self.hardware = hardware or self.recipe.hardware
        self.gpu = accelerator(self.hardware) if self.hardware else None
        self.geometry = geometry_of(plan.backbone.name, plan.backbone.folder)
        self.vocabulary = Vocabulary(plan.backbone, self.geometry)
        self.finished = finished(plan.store)
        self.data = next(step.artifact for step in plan.steps if step.stage.kind == "data")
        self.parts = self._parts()
        self.learnt, self.mixed, self.test = self._volumes()
        self.texts, self.dev_texts = self._texts()
        self.judged = of_judged(self.recipe, self.vocabulary, self.data)
        self.dev = self._dev()
        self.questions = questions(self.recipe, self.data)
        self.rows = {row: self._learning(row) for row in rows(self.recipe)}
        self.asked_before = self._asked_before()
        self.calibration: Calibration | None = None
        """What is known of this machine's speed; whoever wants times by it sets it."""

    def cost(self, stage: Stage) -> Cost:
        """The cost of a stage that is not done."""
        costs: Mapping[Kind, Callable[[Stage], Cost]] = {
            "data": self._data,
            "extend": self._extend,
            "replay": self._replay,
            "examples": self._examples,
            "train": self._train,
            "recover": self._recover,
            "merge": self._merge,
            "evaluate": self._evaluate,
            "report": self._report,
        }
        found = costs[stage.kind](stage)
        rate = self._seconds_a_unit(stage)
        if rate is not None and found.units is not None:
            return Cost(found.work, found.units, rate * found.units, True, found.estimate)
        return replace(found, seconds=found.estimate.seconds if found.estimate else None, measured=False)

    def trial(self) -> Trial | None:
        """What to try out on this machine for the stages that were never measured; None if nothing can be."""
        undone = [step.stage for step in self.plan.steps if not step.artifact]
        unknown = [stage for stage in undone if stage.kind not in ("data", "report") and not self.cost(stage).measured]
        learning = [found for found in self.rows.values() if found and found.examples]
        if self.gpu or not self.geometry or not unknown or not learning:
            return None
        examples, read = sum(one.examples for one in learning), sum(one.tokens for one in learning)
        asks = [one.asking for one in learning if one.asking and one.asking.prompts]
        asks += [asked] if (asked := self.questions.of(True)) and asked.prompts else []
        prompts = sum(one.prompts for one in asks) or 1
        backbone = self.plan.backbone
        return Trial(
            self.geometry,
            backbone.folder,
            training_of(self.recipe, next(iter(self.rows))),
            self.recipe.generation,
            max(2, round(read / examples)),
            max(2, round(sum(one.asked for one in asks) / prompts)),
            max(2, round(sum(one.answered for one in asks) / prompts)),
            backbone.trust_remote_code,
            backbone.bin_weights,
        )

    def to_learn(self, row: str) -> Amounts | None:
        """The pairs and conversations that a row learns from, before its limit; None if unknown."""
        learn = learn_of(self.recipe, row)
        if learn is None or self.parts is None:
            return self.learnt
        return joined(part for name, part in self.parts.items() if name in (*learn.directions, *learn.lessons))

    def _parts(self) -> dict[str, Amounts] | None:
        """What there is to learn, by direction and by source of conversations; None if unknown."""
        said, vocabulary = self.recipe.data, self.vocabulary
        if self.data:
            return written_parts(self.data, "train", vocabulary)
        pairs = of_pairs(said.train, "train", vocabulary) if said.train else Amounts()
        lessons = [(choice.name, of_dialogues(choice, vocabulary)) for choice in said.lessons]
        if pairs is None:
            return None
        found = {f"{kind.source}-{kind.target}": Amounts({kind: volume}) for kind, volume in pairs.volumes.items()}
        for name, amounts in lessons:
            if amounts is None:
                return None
            found[name] = found.get(name, Amounts()) + amounts
        return found

    def _volumes(self) -> tuple[Amounts | None, Amounts | None, Volume]:
        """The amounts to learn, to mix in, and to test on; None if unknown."""
        said, vocabulary = self.recipe.data, self.vocabulary
        summed = None if self.parts is None else joined(self.parts.values())
        if self.data:
            mixed = written(self.data, "instructions", vocabulary)
            return summed, mixed, written(self.data, "test", vocabulary).total
        others = summed and mixed_in(said.instructions, summed.total.records, vocabulary)
        judged = of_pairs(said.test, "test", vocabulary) if said.test else None
        return summed, others, judged.total if judged else Volume()

    def _dev(self) -> Volume | None:
        """The amount to validate on; None if there is nothing, or it is unknown."""
        said, dev = self.recipe.data, self.recipe.data.dev
        if dev is None:
            return None
        if self.data:
            return written(self.data, "dev", self.vocabulary).total
        named = said.train if dev.share else dev
        found = named and of_pairs(named, "train" if dev.share else role_of(dev), self.vocabulary)
        return found.total.of((dev.share or 1) * found.total.records) if found else None

    def _texts(self) -> tuple[Amounts | None, Volume]:
        """The texts to learn, and to validate on; None if unknown."""
        if self.data and self.recipe.data.texts:
            held_out = sum(MakeData.facts(self.data).get("dev_texts", {}).values())
            learnt = written(self.data, "texts", self.vocabulary)
            return learnt, learnt.total.of(held_out)
        return of_texts(self.recipe, self.vocabulary) or (None, Volume())

    def _validations(self, stage: Stage, settings: Training, examples: float) -> tuple[str, Volume]:
        """How often a training is validated and on what, and the amount that goes through the model in all: twice, if
        with and without an adapter.
        """
        general = self._general() if settings.replay and settings.lora else Volume()
        on = validated_on(self.recipe, stage.row)
        once = general + ((self.dev_texts if on == "texts" else self.dev) or Volume())
        if not once.records:
            return "", Volume()
        times = len(moments(settings, round(examples), round(once.records)))
        times = max(1, times // rounds(self.recipe, stage.row))
        kinds = {on or "": once.records - general.records, "general prompts": general.records}
        texts = " and ".join(f"{count:,.0f} {kind}" for kind, count in kinds.items() if count)
        passes = times * (1 if settings.lora is None else 2)
        return f"{times:,} validations on {texts}", once.of(passes * once.records)

    def _general(self) -> Volume:
        """The replay examples that drift is measured on; none if how many there are is unknown."""
        found = self.recipe.data.replay and self._prompts(self.recipe.data.replay)
        return found.of(held_out(round(found.records))) if found else Volume()

    def _prompts(self, said: ReplayData) -> Volume | None:
        return of_prompts(said, self.vocabulary, replay_length(self.finished, self.plan.backbone.digest))

    def _learning(self, row: str) -> Forecast | None:
        """What a row learns, as its method forecasts; None if the amounts are unknown."""
        method, options = method_of(self.recipe, row), rows(self.recipe)[row][1]
        others = {"instructions": self.mixed, "texts": self.texts}
        others |= {name: of_directions(some, learn_of(self.recipe, row)) for name, some in self.judged.items()}
        seen = [Amounts() if method.only else self.to_learn(row)]
        seen += [others[name] for name in method.sees if name in others]
        known = [amounts for amounts in seen if amounts is not None]
        if len(known) < len(seen):
            return None
        learnt, *mixed = known
        limit = limit_of(self.recipe, row)
        mixed = [amounts.each_atmost(limit) for amounts in mixed] if method.only else mixed
        some = learnt.each_atmost(limit)
        share = some.total.records / learnt.total.records if learnt.total.records else 1
        measured = measured_length(self.finished, method.name, self.plan.backbone.digest)
        return learning(method, options, joined([some, *(amounts.times(share) for amounts in mixed)]), measured)

    def _asked_before(self) -> dict[str, float]:
        """For each row, how many answers are cached once the rows above it are done, which ask the same."""
        seen: dict[tuple[str, str, str], float] = {}
        found = {}
        for row, (method, _) in rows(self.recipe).items():
            foreseen = self.rows[row]
            learn = learn_of(self.recipe, row)
            asks = (method, foreseen.alike if foreseen else "", f"{start_in_words(self.recipe, row)} {learn}")
            prompts = foreseen.asking.prompts if foreseen and foreseen.asking else 0.0
            found[row] = min(prompts, seen.get(asks, 0.0))
            seen[asks] = max(prompts, seen.get(asks, 0.0))
        return found

    def _data(self, stage: Stage) -> Cost:
        parts = ["pairs", "conversations", "questions", *texts_in_words(self.recipe, self.texts)]
        parts += judged_in_words(self.judged)
        measured = ", measured" if any(text.max_perplexity for text in self.recipe.data.texts) else ""
        return Cost(f"{', '.join(parts[:-1])} and {parts[-1]}, read and checked{measured}", 1)

    def _replay(self, stage: Stage) -> Cost:
        said = self.recipe.data.replay
        found = self._prompts(said) if said else None
        if found is None:
            return Cost("how many prompts is not known until the corpora are here")
        by = start_in_words(self.recipe, stage.row)
        work = f"{found.records:,.0f} prompts at most, {tokens(found.answered)} of answers by {by}"
        asking = Asking(found.records, found.asked, found.answered)
        work += _logprobs(said.keep_logprobs, found.records * said.max_tokens) if said else ""
        return Cost(work, math.ceil(found.records), estimate=self._asked(asking, None))

    def _extend(self, stage: Stage) -> Cost:
        return Cost(foretold(self.recipe, stage.row), 1)

    def _report(self, stage: Stage) -> Cost:
        return Cost("tables, page and scorecard", 1)

    def _merge(self, stage: Stage) -> Cost:
        whole = settings_of(self.recipe, stage.row).lora is None
        work = f"one model, compared with {'what was trained' if whole else 'its adapter'}"
        work += f" at {strength_words(scale)}" if (scale := scale_of(self.recipe, stage.row)) != 1 else ""
        return Cost(work, 1, estimate=self.calibration.merging() if self.calibration else None)

    def _examples(self, stage: Stage) -> Cost:
        row, found = stage.row, self.rows[stage.row]
        if found is None:
            return Cost("how many examples is not known until the corpora are here")
        work = f"{found.examples:,.0f} examples, {tokens(found.tokens)}"
        options = rows(self.recipe)[row][1]
        if found.asking is None or not found.asking.prompts:
            return Cost(work + (", nothing to generate" if found.known else ""), found.examples)
        after = (stage.round or rounds(self.recipe, row)) - 1
        work += f"; {found.asking.prompts:,.0f} {found.what}, {tokens(found.asking.answered)}"
        who = writer(options) or start_in_words(self.recipe, row)
        work += f", by {who}" + (f" as it is after epoch {after}" if after else "")
        before = 0.0 if after else self.asked_before[row]
        kept = options.get("rationale") or {}
        work += f", of which {before:,.0f} are there by then" if before else ""
        return Cost(
            work + _logprobs(kept.get("keep_logprobs", 0), found.asking.prompts * kept.get("max_tokens", 0)),
            found.examples,
            estimate=self._asked(found.asking.less(before), self.plan.others.get(writer(options) or "")),
        )

    def _train(self, stage: Stage) -> Cost:
        found, settings = self._made(stage), training_of(self.recipe, stage.row, stage.seed)
        epochs = settings.passes(found.examples if found else 0) if rounds(self.recipe, stage.row) == 1 else 1
        settings = settings.model_copy(update={"epochs": epochs})
        beside = 1 / (1 - settings.replay.share) if settings.replay else 1  # times the tokens of the task
        measures, validated = self._validations(stage, settings, found.examples) if found else ("", Volume())
        share = FORWARD[settings.lora is None]  # of what a step's backward pass takes as well
        amounts = None
        if found:
            amounts = (
                epochs * found.examples + share * validated.records,
                beside * epochs * found.tokens + share * (validated.asked + validated.answered),
                beside * epochs * found.trained + share * validated.answered,
            )
        estimate = self.calibration.training(settings, amounts) if self.calibration and amounts else None
        if self.gpu and self.geometry:
            estimate = training(self.geometry, settings, self.gpu, amounts)
        if found is None:
            most = f", {settings.max_steps:,} steps at most" if settings.max_steps else ""
            return Cost(f"{epochs:g} epochs in batches of {settings.batch_size}{most}", estimate=estimate)
        steps = settings.steps(found.examples)
        work = f"{steps:,} steps of {settings.batch_size} examples, {tokens(beside * epochs * found.tokens)}"
        work += f", {settings.replay.share:.0%} of them replay" if settings.replay else ""
        learnt = self.to_learn(stage.row) if settings.curriculum else None
        work += intervals(self.recipe, stage.row, learnt) if learnt else ""
        work += f"; {measures}, {tokens(validated.asked + validated.answered)}" if measures else ""
        return Cost(work, math.ceil(epochs * found.examples), estimate=estimate)

    def _recover(self, stage: Stage) -> Cost:
        settings, said = training_of(self.recipe, stage.row, stage.seed), self.recipe.data.replay
        recovery, prompts = settings.recovery, self._prompts(said) if said else None
        assert recovery is not None, "there is no such stage without it"
        count = recovery.rounds * recovery.answers
        work = f"{recovery.steps} steps on {count:,} answers of its own, in {recovery.rounds} rounds"
        if prompts is None or not prompts.records:
            return Cost(work, count)
        asked, each = prompts.asked / prompts.records * count, prompts.answered / prompts.records
        answered = min(recovery.max_tokens, each) * count
        generated = self._asked(Asking(count, asked, answered), None)
        amounts = (float(count), asked + answered, answered)
        settings = settings.recovering(recovery)
        trained = self.calibration.training(settings, amounts) if self.calibration else None
        if self.gpu and self.geometry:
            trained = training(self.geometry, settings, self.gpu, amounts)
        work += f", {tokens(answered)}"
        if not (generated and trained) or generated.seconds is None or trained.seconds is None:
            return Cost(work, count, estimate=trained)
        return Cost(work, count, estimate=replace(trained, seconds=generated.seconds + trained.seconds))

    def _evaluate(self, stage: Stage) -> Cost:
        asked, row = self.questions.of(stage.row == "backbone"), self.rows.get(stage.row)
        if asked is None:
            return Cost(", ".join(self.recipe.evaluate))
        longer = row.longer if row else Questions.BACKBONE
        most = self.recipe.evaluation.translation_tokens * self.test.records
        test = Asking(self.test.records, self.test.asked, min(most, self.test.answered * longer))
        both = Asking(test.prompts + asked.prompts, test.asked + asked.asked, test.answered + asked.answered)
        work = f"{both.prompts:,.0f} answers, {tokens(both.answered)}"
        return Cost(work, both.prompts, estimate=self._asked(both, self.plan.cast.finished.get(stage.row)))

    def _made(self, stage: Stage) -> Forecast | None:
        """What a training learns from: as counted if its examples exist, otherwise as forecast."""
        artifacts = {step.stage.title: step.artifact for step in self.plan.steps}
        made = artifacts.get(stage.needs[0])
        if made is None:
            return self.rows[stage.row]
        facts = MakeExamples.facts(made)
        return Forecast(facts["examples"], facts["tokens"], sum(facts["trained"].values()))

    def _asked(self, asking: Asking, other: Model | None) -> Estimate | None:
        """The cost of a model's answers (the backbone's, or another's). None if it can't be told."""
        if not asking.prompts:
            return Estimate(0.0, 0.0, 1)
        geometry = geometry_of(other.name, other.folder) if other else self.geometry
        if self.calibration and geometry:
            return self.calibration.generation(geometry, asking)
        engine = self.recipe.generation.engine
        reckoned = engine in ("auto", "vllm") or (engine == "ray" and self.recipe.generation.ray.engine != "hf")
        if not (self.gpu and self.hardware and geometry and reckoned):
            return None
        return generation(geometry, self.recipe.generation, self.gpu, self.hardware.count, asking)

    def _seconds_a_unit(self, stage: Stage) -> float | None:
        """From the newest finished stage of the same kind and method with this backbone."""
        work = kind_of_work(self.recipe, stage, self.plan.cast.voice(stage.row))
        known = [facts for facts in self.finished if facts["rate"]["of"] == work]
        newest = max(known, key=lambda facts: facts["finished"], default=None)
        return None if newest is None else newest["seconds"] / newest["rate"]["units"]


def tokens(count: float) -> str:
    """For instance, 14.9 M tokens."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:,.1f} {letter} tokens"
    return f"{count:,.0f} tokens"


def _logprobs(kept: int, count: float) -> str:
    """The size of the log-probabilities that are kept with so many tokens."""
    if not kept:
        return ""
    size = count * kept * LOGPROB_BYTES
    weight = f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
    return f"; {kept} log-probabilities a token, at most {weight}"
