"""Optimizer steps: transformers' `Trainer`, extended to take a whole step at a time.

The Trainer believes that every batch is a step of its own (accumulation 1). A batch here is a `Step`: all
micro-batches of one optimizer step, with the sum of weights that its mean divides by. So the mean is right whatever
the number of micro-batches and devices.
"""

import contextlib
import json
import math
import time
from collections.abc import Container, Iterator
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
from dragoman.training import checkpoints, validation
from dragoman.training.batching import Batcher, Micro, Mixture, Order, Step, micros

# Steps by whose pace it is decided how many lie between checkpoints.
PACE_STEPS = 5


class MetricsLog:
    """`metrics.jsonl`, one line per step and one for each validation. On resuming, lines of what will be repeated are
    removed.
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
        self.validation = validation.losses(kept)
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

    def validated(self, step: int, loss: float) -> None:
        """Writes the validation loss after a step."""
        self.validation[step] = loss
        self.write({"step": step, validation.NAME: loss})


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
    """Validates after some steps, and stops training after one, with a checkpoint; the learning rate's schedule stays
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

    After the steps in `validated`, the loss on the examples of `dev` is measured; this changes nothing in the training.
    A training whose validation loss rises to more than `give_up` times the first is stopped by a `Diverged`.
    Checkpoints are `apart` seconds from each other; if that is None, as many steps as the arguments say. With
    `newest_only`, a checkpoint is deleted as soon as the next is finished. With `keep_best`, there is one after the
    step with the lowest validation loss, and it stays.
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
        validated: Container[int] = (),
        keep_best: bool = False,
        give_up: float | None = None,
    ):
        self.dev, self.keep_best, self.give_up = dev, keep_best, give_up
        self.control: TrainerControl
        self.examples, self.order, self.batcher = examples, order, batcher
        self.apart, self.newest_only = apart, newest_only
        self.metrics_log, self.bar = log, bar
        self.sums = torch.zeros(3, len(examples.names), device=arguments.device)
        self.step_tokens, self.step_total = 0, 0.0
        self.clock = 0.0
        self.first: tuple[int, float] | None = None
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
                loss += self._micro_step(model, micro.to(self.args.device), scale)
        self.step_tokens, self.step_total = inputs.tokens, inputs.total
        return loss

    def _micro_step(self, model: torch.nn.Module, micro: Micro, scale: float) -> torch.Tensor:
        """The loss of a micro-batch, backward included: every trained token's loss times its segment's weight."""
        losses: torch.Tensor = model(
            input_ids=micro.ids,
            position_ids=micro.places,
            positions=micro.positions,
            targets=micro.targets,
            soft=micro.soft,
        )
        weighted = losses * micro.weights
        loss: torch.Tensor = weighted.sum() * scale
        self.accelerator.backward(loss)
        live = (micro.weights > 0).float()
        parts = torch.stack([live, losses.detach() * live, weighted.detach()])
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
        for name, count, nll, weighted in zip(self.examples.names, *sums, strict=True):
            if count:
                logs[f"loss/{name}"] = nll / count
                logs[f"term/{name}"] = weighted / self.step_total
        seconds = time.monotonic() - self.clock
        self.metrics_log.tokens += self.step_tokens
        self.metrics_log.loss = loss
        logs |= {"tokens": self.metrics_log.tokens, "tokens_per_second": round(self.step_tokens / seconds, 1)}
        super().log(logs, start_time)
        self.metrics_log.write({"step": step, **logs})
        if self.bar is not None:
            self.bar.advance(1, tokens=self.step_tokens, remark=self._remark())
        self._set_pace(step)

    def _remark(self) -> str:
        """The newest losses, for the progress line."""
        log = self.metrics_log
        parts = [] if math.isnan(log.loss) else [f"loss {log.loss:.3f}"]
        return ", ".join([*parts, *(f"validation {loss:.3f}" for loss in list(log.validation.values())[-1:])])

    def evaluate(self, *_: object, **__: object) -> dict[str, float]:
        """The validation loss, which goes to the log: the mean over all trained tokens of the dev examples."""
        assert self.dev is not None
        step = self.state.global_step
        if self.bar is not None:
            self.bar.advance(0, remark=", ".join(part for part in (self._remark(), "validating") if part))
        loss = self._validate(self.dev)
        if not math.isfinite(loss):
            raise self._not_a_number(f"The validation loss after step {step} is {loss}.")
        first = self.metrics_log.validation.get(0, math.inf)
        if self.give_up is not None and loss > self.give_up * first:
            raise Diverged(
                f"The validation loss after step {step} is {loss:.3f}, over {self.give_up:g} times the {first:.3f} "
                "before training: it is given up (training.give_up). Lower training.learning_rate."
            )
        self.metrics_log.validated(step, loss)
        if self.bar is not None:
            self.bar.advance(0, remark=self._remark())
        if self.keep_best and step == self.metrics_log.best:
            self.control.should_save = True
        found = {"eval_loss": loss}
        super().log(dict(found))  # to trackers
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, found)
        return found

    @torch.no_grad()
    def _validate(self, dev: ExampleTable) -> float:
        """The mean loss of all trained tokens, over all devices. Draws no random numbers, and drops nothing out."""
        model = self.model_wrapped
        model.eval()
        sums = [torch.zeros(2, device=self.args.device)]
        for micro in micros(dev, replace(self.batcher, soft=None), self.args.device):
            losses = model(
                input_ids=micro.ids, position_ids=micro.places, positions=micro.positions, targets=micro.targets
            )
            live = (micro.weights > 0).float()
            sums.append(torch.stack([(losses * live).sum(), live.sum()]))
        model.train()
        total, count = self.accelerator.reduce(torch.stack(sums).sum(0), reduction="sum").tolist()
        return float(total / count)

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
