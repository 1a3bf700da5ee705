"""Optimizer steps: transformers' `Trainer`, extended to take a whole step at a time.

The Trainer believes that every batch is a step of its own (accumulation 1). A batch here is a `Step`: all
micro-batches of one optimizer step, with the sum of weights that its mean divides by. So the mean is right whatever
the number of micro-batches and devices.
"""

import contextlib
import json
import math
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from dragoman.errors import Diverged, TrainingError
from dragoman.progress import Bar
from dragoman.prompts.examples import ExampleRow, ExampleTable
from dragoman.recipe.training import Training
from dragoman.training import checkpoints, validation
from dragoman.training.batching import Batcher, Micro, Mixture, Order, Step, micros
from dragoman.training.losses import gates
from dragoman.training.losses.preference import prefer

# Steps by whose pace it is decided how many lie between checkpoints.
PACE_STEPS = 5

PREFERENCE = ("preference/loss", "preference/right", "preference/ahead")


class MetricsLog:
    """`metrics.jsonl`, one line per step and one for what is measured after some. On resuming, lines of what will be
    repeated are removed.
    """

    def __init__(self, path: Path, done: int, writes: bool):
        self.path, self.writes = path, writes
        self.tokens = 0
        self.loss = math.nan
        kept: list[dict[str, float]] = []
        if done and path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            whole = (json.loads(line) for line in lines if line.endswith("}"))
            kept = [line for line in whole if line["step"] <= done]
        self.validation, self.drift = validation.losses(kept), validation.drift(kept)
        if steps := [line for line in kept if "loss" in line]:
            self.tokens, self.loss = int(steps[-1]["tokens"]), steps[-1]["loss"]
        if writes:
            beside = path.with_suffix(".beside")
            beside.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
            beside.replace(path)

    @property
    def best(self) -> int | None:
        """The step after which the validation loss was lowest; the start does not count, before anything is learnt."""
        after = {step: loss for step, loss in self.validation.items() if step}
        return min(after, key=lambda step: (after[step], step), default=None)

    def write(self, line: dict[str, float]) -> None:
        if self.writes:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def measured(self, step: int, found: Mapping[str, float]) -> None:
        """Writes what was measured after a step: the validation loss, and drift."""
        line = {"step": step, **found}
        self.validation |= validation.losses([line])
        for kind, values in validation.drift([line]).items():
            self.drift.setdefault(kind, {}).update(values)
        self.write(line)


class LoadResult(Protocol):
    """What torch says of loading a checkpoint's weights into a model."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class StepLoader(DataLoader[ExampleRow]):
    """Passes the number of the epoch to the order of examples."""

    batch_sampler: Order

    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)


class Schedule(TrainerCallback):  # type: ignore[misc]
    """Measures after some steps, and stops training after one, with a checkpoint; the learning rate's schedule stays
    that of the whole training.
    """

    def __init__(self, until: int, validated: Container[int]):
        self.until, self.validated = until, validated

    def on_step_end(
        self, arguments: TrainingArguments, state: TrainerState, control: TrainerControl, **others: object
    ) -> None:
        control.should_evaluate = state.global_step in self.validated
        if state.global_step >= self.until:
            control.should_save = control.should_training_stop = True


class StepTrainer(Trainer):  # type: ignore[misc]
    """Trains on `Step`s. The model's forward pass returns the loss of each trained token (`loss.teach_forward`).

    After the steps in `validated`, the loss on the examples of `dev` is measured, and with an adapter drift on them and
    on the replay examples of `general`. That changes nothing in the training, unless drift is over the budget. A
    training whose validation loss rises to more than `give_up` times the first is stopped by a `Diverged`.
    Checkpoints are `apart` seconds from each other; if that is None, as many steps as the arguments say. With
    `newest_only`, a checkpoint is deleted as soon as the next is finished. With `keep_best`, there is one after the
    step with the lowest validation loss, and it stays. With `reverse`, soft labels are learnt by KL(model || backbone);
    drift is measured as ever.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        arguments: TrainingArguments,
        examples: Mixture,
        *,
        order: Order,
        batcher: Batcher,
        apart: float | None,
        newest_only: bool,
        log: MetricsLog,
        bar: Bar | None,
        until: int,
        dev: ExampleTable | None = None,
        general: ExampleTable | None = None,
        validated: Container[int] = (),
        reverse: bool = False,
        settings: Training,
    ):
        self.dev, self.general, self.settings = dev, general, settings
        self.keep_best, self.reverse = settings.keep == "best", reverse
        self.control: TrainerControl
        self.examples, self.order, self.batcher = examples, order, batcher
        self.apart, self.newest_only = apart, newest_only
        self.metrics_log, self.bar = log, bar
        self.gates = gates.in_loss(examples)
        self.sums = torch.zeros(4, len(examples.names), device=arguments.device)
        self.preferred = torch.zeros(3, device=arguments.device)
        self.step_tokens, self.step_total, self.step_preferences = 0, 0.0, 0
        self.clock = 0.0
        self.first: tuple[int, float] | None = None
        self.intervals = 0
        super().__init__(model=model, args=arguments, train_dataset=examples)
        self.remove_callback(PrinterCallback)
        self.add_callback(Schedule(until, validated))

    def get_train_dataloader(self) -> StepLoader:
        return StepLoader(cast(Dataset[ExampleRow], self.examples), batch_sampler=self.order, collate_fn=self.batcher)

    def get_batch_samples(
        self, epoch_iterator: Iterator[Step], num_batches: int, device: torch.device
    ) -> tuple[list[Step], float | None]:
        """The next step, and the sum of weights that its mean divides by."""
        self.clock = time.monotonic()
        step = next(epoch_iterator)
        return [step], step.total

    def training_step(self, model: torch.nn.Module, inputs: Step, num_items_in_batch: object = None) -> torch.Tensor:
        """Forward and backward through all micro-batches; devices exchange gradients with the last one."""
        model.train()
        scale = self.args.world_size / inputs.total  # gradients are averaged over devices afterwards
        loss = torch.zeros((), device=self.args.device)
        for number, micro in enumerate(inputs.micros, 1):
            last = number == len(inputs.micros)
            self.accelerator.gradient_state._set_sync_gradients(last)
            with contextlib.nullcontext() if last else self.accelerator.no_sync(model):
                loss += self._micro_step(model, micro.to(self.args.device), scale, inputs.preferences)
        self.step_tokens, self.step_total, self.step_preferences = inputs.tokens, inputs.total, inputs.preferences
        return loss

    def _micro_step(self, model: torch.nn.Module, micro: Micro, scale: float, preferences: int) -> torch.Tensor:
        """The loss of a micro-batch, backward included: every trained token's loss times its segment's weight, and
        what comes of preferences, of which the step has so many.
        """
        losses: torch.Tensor = model(
            input_ids=micro.ids,
            position_ids=micro.places,
            positions=micro.positions,
            targets=micro.targets,
            soft=micro.soft,
            stored=micro.stored,
            segments=micro.segments if self.gates else None,
            reverse=self.reverse,
        )
        learnt, plain, gate = losses.unbind(-1) if self.gates else (losses, losses, torch.zeros_like(losses))
        weighted, preferred = learnt * micro.weights, losses.new_zeros(())
        if micro.branches is not None and self.settings.preference:
            preferred, own, counts = prefer(plain, micro.branches, self.settings.preference)
            weighted = weighted * own
            self.preferred += counts
        loss: torch.Tensor = weighted.sum() * scale + preferred * (self.args.world_size / max(1, preferences))
        self.accelerator.backward(loss)
        live = (micro.weights > 0).float()
        parts = torch.stack([live, plain.detach() * live, weighted.detach(), gate.detach() * live])
        self.sums.index_add_(1, micro.segments, parts)
        return loss.detach()

    def floating_point_ops(self, inputs: Step) -> int:
        """Not counted: it would cost more than it is worth."""
        return 0

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds the losses per segment, and writes the line of the step."""
        if "loss" not in logs:
            super().log(logs, start_time)
            return
        step, loss = self.state.global_step, logs["loss"]
        if not math.isfinite(loss) or not math.isfinite(logs.get("grad_norm", 0.0)):
            norm = logs.get("grad_norm", math.nan)
            raise self._not_a_number(f"The loss of step {step} is {loss:.3f}, the norm of its gradient {norm:.3f}.")
        sums = self.accelerator.reduce(self.sums, reduction="sum").tolist()
        self.sums.zero_()
        for at, (name, count, nll, weighted, gate) in enumerate(zip(self.examples.names, *sums, strict=True)):
            if count:
                logs[f"loss/{name}"] = nll / count
                logs[f"term/{name}"] = weighted / self.step_total
                logs |= {f"gate/{name}": gate / count} if at in self.gates else {}
        if count := self.step_preferences:
            preferred = self.accelerator.reduce(self.preferred, reduction="sum") / count
            self.preferred.zero_()
            logs |= dict(zip(PREFERENCE, preferred.tolist(), strict=True))
        seconds = time.monotonic() - self.clock
        self.metrics_log.tokens += self.step_tokens
        self.metrics_log.loss = loss
        if self.order.course:
            starts = self.order.course.starts(self.order.batch_size)
            logs["intervals"] = self.intervals = sum(start <= step for start in starts)
        logs |= {"tokens": self.metrics_log.tokens, "tokens_per_second": round(self.step_tokens / seconds, 1)}
        super().log(logs, start_time)
        self.metrics_log.write({"step": step, **logs})
        if self.bar is not None:
            self.bar.advance(1, tokens=self.step_tokens, remark=self._remark())
        self._set_pace(step)

    def _remark(self) -> str:
        """The newest losses and drift, for the progress line."""
        log = self.metrics_log
        parts = [] if math.isnan(log.loss) else [f"loss {log.loss:.3f}"]
        parts += [f"validation {loss:.3f}" for loss in list(log.validation.values())[-1:]]
        newest = {kind: list(values.values())[-1] for kind, values in log.drift.items()}
        parts += [
            f"drift {'' if kind == 'general' else 'on the dev set '}{value:.3f}" for kind, value in newest.items()
        ]
        if self.intervals:
            parts.append(f"directions of interval {self.intervals} in play")
        return ", ".join(parts)

    def evaluate(self, *_: object, **__: object) -> dict[str, float]:
        """Measures what there is to measure, into the log: the validation loss, and drift from the backbone."""
        step = self.state.global_step
        if self.bar is not None:
            self.bar.advance(0, remark=", ".join(part for part in (self._remark(), "validating") if part))
        measured = self._measure()
        for name, value in measured.items():
            if not math.isfinite(value):
                what = "validation loss" if name == validation.NAME else name
                raise self._not_a_number(f"The {what} after step {step} is {value}.")
        self._give_up(step, measured.get(validation.NAME, 0.0))
        self.metrics_log.measured(step, measured)
        if self.bar is not None:
            self.bar.advance(0, remark=self._remark())
        if self.keep_best and step == self.metrics_log.best:
            self.control.should_save = True
        found = {"eval_loss" if name == validation.NAME else f"eval_{name}": value for name, value in measured.items()}
        super().log(dict(found))  # to trackers
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, found)
        self._brake(step)
        return found

    def _measure(self) -> dict[str, float]:
        """The validation loss, and drift if all but an adapter is frozen."""
        found: dict[str, float] = {}
        drift, adapter = validation.DRIFT, self.settings.lora is not None
        if self.dev:
            loss, *moved = self._means(self.dev, [False, True] if adapter else [False])
            found[validation.NAME] = loss
            found |= {f"{drift}translation": value for value in moved}
        if self.general and adapter:
            (found[f"{drift}general"],) = self._means(self.general, [True])
        return found

    @torch.no_grad()
    def _means(self, examples: ExampleTable, soft: Sequence[bool]) -> list[float]:
        """The mean over all trained tokens and all devices of the loss with hard or with soft labels, or of both: the
        latter is KL(backbone || model). Draws no random numbers, and drops nothing out.
        """
        model = self.model_wrapped
        model.eval()
        sums = [torch.zeros(len(soft) + 1, device=self.args.device)]
        for micro in micros(examples, replace(self.batcher, soft=None, stored=None, rejected=None), self.args.device):
            each = torch.tensor(soft, device=self.args.device).repeat_interleave(len(micro.targets))
            losses = model(
                input_ids=micro.ids,
                position_ids=micro.places,
                positions=micro.positions.repeat(len(soft)),
                targets=micro.targets.repeat(len(soft)),
                soft=each if any(soft) else None,
            )
            live = (micro.weights > 0).float()
            parts = losses.chunk(len(soft))
            sums.append(torch.stack([*((part * live).sum() for part in parts), live.sum()]))
        model.train()
        *totals, count = self.accelerator.reduce(torch.stack(sums).sum(0), reduction="sum").tolist()
        return [float(total / count) for total in totals]

    def _give_up(self, step: int, loss: float) -> None:
        first, most = self.metrics_log.validation.get(0, math.inf), self.settings.give_up
        if most is not None and loss > most * first:
            raise Diverged(
                f"The validation loss after step {step} is {loss:.3f}, over {most:g} times the {first:.3f} "
                "before training: it is given up (training.give_up). Lower training.learning_rate."
            )

    def _brake(self, step: int) -> None:
        """Ends the training, or halves the learning rate of all steps to come, where drift is over the budget.

        A TrainingError if it is so before the first step, where there is none but by rounding.
        """
        budget, drift = self.settings.budget, self.metrics_log.drift
        if budget is None or step not in validation.over(drift, budget):
            return
        if step == 0:
            raise TrainingError(
                f"training.budget.drift is {budget.drift:g}, and rounding alone makes more before the first step. Name "
                "a larger one, such as 0.05."
            )
        if budget.then == "stop":
            self.control.should_save = self.control.should_training_stop = True
            return
        schedule = self.lr_scheduler
        schedule.base_lrs = [rate / 2 for rate in schedule.base_lrs]
        schedule._last_lr = [rate / 2 for rate in schedule._last_lr]
        for group in self.optimizer.param_groups:
            group["lr"] /= 2

    def _not_a_number(self, what: str) -> Diverged:
        return Diverged(
            f"{what} Lower training.learning_rate, now {self.args.learning_rate:g}, or set training.precision: fp32. "
            "The last checkpoint is from before."
        )

    def _set_pace(self, step: int) -> None:
        """After a few steps, decides how many steps lie between checkpoints; the first device decides for all."""
        if self.apart is None:
            return
        if self.first is None:
            self.first = step, time.monotonic()
        elif step == self.first[0] + PACE_STEPS:
            seconds = (time.monotonic() - self.first[1]) / PACE_STEPS
            every = torch.tensor([max(1, round(self.apart / seconds))], device=self.args.device)
            if self.args.world_size > 1:
                torch.distributed.broadcast(every, src=0)
            self.state.save_steps = int(every)

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            folder, best = Path(self.args.output_dir), self.metrics_log.best if self.keep_best else None
            checkpoint = checkpoints.at(folder, self.state.global_step)
            checkpoints.seal(checkpoint)
            if self.newest_only:
                checkpoints.clear(folder, {checkpoint, *([] if best is None else [checkpoints.at(folder, best)])})

    def _issue_warnings_after_load(self, load_result: LoadResult) -> None:
        """Refuses a checkpoint whose weights differ from the model's; a warning is not enough."""
        state = self.model.state_dict()
        there = {weight.data_ptr() for name, weight in state.items() if name not in load_result.missing_keys}
        missing = [name for name in load_result.missing_keys if state[name].data_ptr() not in there]  # except tied ones
        if wrong := [*missing, *load_result.unexpected_keys]:
            raise TrainingError(
                f"The checkpoint in {self.args.output_dir} has not the weights of this model: {len(wrong)} differ in "
                f"name, such as {wrong[0]}. Take that folder away and train anew."
            )
