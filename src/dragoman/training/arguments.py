"""What transformers' `Trainer` is told of a training: its steps, schedule, optimizer and checkpoints."""

from pathlib import Path

from transformers import TrainingArguments

from dragoman.models.loading import pick_device
from dragoman.recipe.training import Training


def arguments_of(settings: Training, folder: Path, examples: int, *, autocast: bool) -> TrainingArguments:
    """The arguments of a training on so many examples, its checkpoints in `folder`."""
    schedule, said = _schedule(settings)
    steps = settings.steps(examples)
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        max_steps=-1 if settings.max_steps is None else steps,
        gradient_accumulation_steps=1,  # a step contains its micro-batches
        learning_rate=settings.learning_rate,
        lr_scheduler_type=schedule,
        lr_scheduler_kwargs=said,
        warmup_steps=round(settings.warmup * steps),
        weight_decay=settings.weight_decay,
        adam_beta1=settings.adam_betas[0],
        adam_beta2=settings.adam_betas[1],
        max_grad_norm=settings.max_grad_norm,
        seed=settings.seed,
        gradient_checkpointing=settings.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        bf16=autocast,
        ddp_find_unused_parameters=False,
        use_cpu=pick_device().type == "cpu",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=settings.save_every or steps,
        save_total_limit=None if settings.lora is None or settings.keep == "best" else 2,
        report_to=list(settings.report_to),
        disable_tqdm=True,
        log_level="error",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # several devices are for torchrun: DataParallel cannot do this loss
    arguments.per_device_train_batch_size = max(1, settings.batch_size // arguments.world_size)
    return arguments


def _schedule(settings: Training) -> tuple[str, dict[str, float] | None]:
    """The schedule by transformers' name, with its own settings."""
    if settings.min_learning_rate is not None:
        return "cosine_with_min_lr", {"min_lr": settings.min_learning_rate}
    return {"constant": "constant_with_warmup"}.get(settings.schedule, settings.schedule), None
