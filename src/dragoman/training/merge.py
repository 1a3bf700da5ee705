"""Merging an adapter into its backbone, and proving that the result is the same model.

The sum is computed in fp32 and then cast to the backbone's precision. If all weights were trained there is nothing to
merge, and only the cast has to be shown harmless. The merged model is read back from disk before it is published, so
that what is checked is what a user gets.
"""

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from dragoman.errors import StoreError, TrainingError
from dragoman.models.config import ORIGIN, TAUGHT_ALONE, read_config
from dragoman.models.loading import load_model, locate
from dragoman.models.scale import interpolate, scale_adapter
from dragoman.models.weights import companions
from dragoman.prompts.examples import Ids
from dragoman.prompts.translation import ALONE
from dragoman.recipe.training import Rising, strength_words
from dragoman.training.checkpoints import is_model

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PretrainedConfig, PreTrainedModel

# In fp32 merging only changes the order of sums: 1e-5 of the spread of the logits is usual.
FP32_LIMIT = 1e-3
# Rounding weights to bf16 turns a near tie here and there, about one token in a hundred. One in ten
# is not rounding any more.
AGREEMENT_LIMIT = 0.9
NEW_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the merged model is from the trained one. Differences are of logits; `spread` is their deviation."""

    prompts: int
    tokens: int
    spread: float
    fp32_max: float
    fp32_mean: float
    cast: str
    cast_max: float
    cast_mean: float
    agreement: float  # share of the trained model's greedy tokens that the merged model picks at the same place


def merge(
    backbone: str | Path,
    adapter: Path,
    out: Path,
    prompts: Sequence[Ids],
    *,
    scale: float | Rising = 1.0,
    alone: bool = False,
    trust_remote_code: bool = False,
    bin_weights: bool = False,
    revision: str | None = None,
    chat: str | None = None,
    named: str | None = None,
) -> Parity:
    """Writes the merged model to `out`, with its parity in `parity.json` and in its model card.

    `adapter` is what training left: an adapter, or a model if all weights were trained. Such a model is cast to the
    backbone's precision and gets the backbone's tokenizer. `chat` is the chat template that the merged model carries
    if it was not taught in the backbone's own. At a `scale` other than 1 what was trained is taken at that strength; an
    adapter so scaled is left in `adapter` beside `out`, and is what the merged model is compared with. `alone` says
    that it learnt to give the translation alone where it is asked to: its configuration and its card say so too. The
    card calls the backbone as it is `named`, or by its folder.

    Raises a TrainingError with the numbers if the merged model is not the same model; `out` then does not exist.
    Raises a StoreError if the disk has no room.
    """
    if not prompts:
        raise TrainingError("A merge is checked on prompts, and none was given.")
    if out.exists():
        raise TrainingError(f"{out} exists already. Take it away, or merge into another folder.")
    folder = locate(backbone, revision, trust_remote_code, bin_weights=bin_weights)
    whole = is_model(adapter)
    if whole:
        _check_sizes(folder, adapter)
    elif scale != 1:
        layers = _config(folder, trust_remote_code).get_text_config().num_hidden_layers
        adapter = scale_adapter(adapter, out.with_name("adapter"), scale, layers)
    model = load_model(
        adapter if whole else folder,
        precision="fp32",
        device="cpu",
        adapter=None if whole else adapter,
        trust_remote_code=trust_remote_code,
        bin_weights=bin_weights and not whole,
    )
    cast = _own_dtype(folder, trust_remote_code)
    _check_room(out, model, cast)
    if whole and scale != 1:
        start = load_model(
            folder,
            precision="bf16" if cast == torch.bfloat16 else "fp32",
            device="cpu",
            trust_remote_code=trust_remote_code,
            bin_weights=bin_weights,
        )
        interpolate(model, start, scale)
        del start
    answers = [_greedy(model, prompt) for prompt in prompts]
    texts = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    expected = [_logits(model, text) for text in texts]

    merged = model if whole else _fold(model)
    fp32 = [_apart(_logits(merged, text), logits) for text, logits in zip(texts, expected, strict=True)]
    if alone:
        setattr(merged.config, TAUGHT_ALONE, True)
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    merged.to(cast).save_pretrained(beside)
    copy_companions(folder, beside, trust_remote_code)
    if chat is not None:
        _write_template(beside, chat)
    del model, merged

    again = load_model(beside, precision="fp32", device="cpu", trust_remote_code=trust_remote_code)
    after, same = [], []
    for text, logits, prompt, answer in zip(texts, expected, prompts, answers, strict=True):
        found = _logits(again, text)  # one text at a time: with a wide vocabulary logits are what takes memory
        after.append(_apart(found, logits))
        same.append(found[len(prompt) - 1 : -1].argmax(-1) == torch.tensor(answer))
    parity = Parity(
        prompts=len(prompts),
        tokens=sum(len(answer) for answer in answers),
        spread=_spread(expected),
        fp32_max=max(part.largest for part in fp32),
        fp32_mean=sum(part.total for part in fp32) / sum(part.entries for part in fp32),
        cast=str(cast).removeprefix("torch."),
        cast_max=max(part.largest for part in after),
        cast_mean=sum(part.total for part in after) / sum(part.entries for part in after),
        agreement=float(torch.cat(same).float().mean()),
    )
    if not (parity.fp32_max <= FP32_LIMIT * parity.spread and parity.agreement >= AGREEMENT_LIMIT):
        shutil.rmtree(beside)
        raise TrainingError(
            f"The merged model is not what was trained, so it was not published. In fp32 the logits differ by up to "
            f"{parity.fp32_max:.3g} (allowed: {FP32_LIMIT:g} of their spread of {parity.spread:.3g}); "
            f"after the cast to {parity.cast} {parity.agreement:.1%} of {parity.tokens} greedy tokens are the same "
            f"(at least {AGREEMENT_LIMIT:.0%} are asked for). Was {adapter} trained on {backbone}?"
        )
    (beside / "parity.json").write_text(json.dumps(asdict(parity), indent=2) + "\n", encoding="utf-8")
    card = _card(named or backbone, parity, whole, scale, read_config(folder).get(ORIGIN), alone)
    (beside / "README.md").write_text(card, encoding="utf-8")
    beside.rename(out)
    return parity


class _Apart(NamedTuple):
    """Differences between the logits of texts: the largest, their sum, and their number."""

    largest: float
    total: float
    entries: int


def _apart(found: torch.Tensor, expected: torch.Tensor) -> _Apart:
    differences = (found - expected).abs_()
    return _Apart(float(differences.max()), float(differences.sum(dtype=torch.float64)), differences.numel())


def _spread(logits: Sequence[torch.Tensor]) -> float:
    """The standard deviation over all texts."""
    count = sum(part.numel() for part in logits)
    mean = sum(float(part.sum(dtype=torch.float64)) for part in logits) / count
    squares = sum(float((part - mean).square_().sum(dtype=torch.float64)) for part in logits)
    return math.sqrt(squares / max(1, count - 1))


def _fold(model: "PeftModel") -> "PreTrainedModel":
    return model.merge_and_unload(safe_merge=True)


def _check_sizes(folder: Path, trained: Path) -> None:
    """TrainingError if the trained model's sizes differ from the backbone's, whose tokenizer it would get."""
    ours, theirs = (read_config(place) for place in (folder, trained))
    for name in ("model_type", "hidden_size", "num_hidden_layers", "vocab_size"):
        if ours.get(name) != theirs.get(name):
            raise TrainingError(
                f"{trained} was not trained from {folder}: its {name} is {theirs.get(name)}, not {ours.get(name)}. "
                "Take the backbone that it was trained from."
            )


def _config(folder: Path, trust_remote_code: bool) -> "PretrainedConfig":
    from transformers import AutoConfig

    config: PretrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    return config


def _own_dtype(folder: Path, trust_remote_code: bool) -> torch.dtype:
    dtype = _config(folder, trust_remote_code).dtype
    return dtype if isinstance(dtype, torch.dtype) else torch.float32


def _check_room(out: Path, model: "PreTrainedModel", cast: torch.dtype) -> None:
    needed = sum(weight.numel() for weight in model.parameters()) * cast.itemsize
    nearest = next(parent for parent in out.absolute().parents if parent.is_dir())
    free = shutil.disk_usage(nearest).free
    if free < 1.05 * needed:
        raise StoreError(f"The merged model takes {needed / 1e9:.1f} GB, and {nearest} has {free / 1e9:.1f} GB left.")


def copy_companions(folder: Path, beside: Path, trust_remote_code: bool = False) -> None:
    """Copies the tokenizer, the chat template and what else stands beside a model's weights."""
    for path in companions(folder, "*.py") if trust_remote_code else companions(folder):
        shutil.copyfile(path, beside / path.name)


def _write_template(model: Path, chat: str) -> None:
    """Writes this chat template to a model's folder and removes any other."""
    for path in model.glob("*.jinja"):
        path.unlink()
    (model / "chat_template.jinja").write_text(chat, encoding="utf-8")
    config = model / "tokenizer_config.json"
    settings = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
    if settings.pop("chat_template", None) is not None:
        config.write_text(json.dumps(settings, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


@torch.inference_mode()
def _logits(model: "PreTrainedModel", ids: Ids) -> torch.Tensor:
    """[tokens, vocabulary] in fp32."""
    logits: torch.Tensor = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float()
    return logits


@torch.inference_mode()
def _greedy(model: "PreTrainedModel", prompt: Ids) -> Ids:
    answer: Ids = ()
    cache, ids = None, torch.tensor([prompt])
    for _ in range(NEW_TOKENS):
        step = model(input_ids=ids, past_key_values=cache, use_cache=True)
        cache, ids = step.past_key_values, step.logits[:, -1].argmax(-1, keepdim=True)
        answer += (int(ids),)
    return answer


def _card(backbone: str | Path, parity: Parity, whole: bool, scale: float | Rising, origin: object, alone: bool) -> str:
    path = Path(backbone).expanduser()
    name = path.resolve().name if path.is_dir() else str(backbone)
    after = f"| {parity.cast_max:.3g} | {parity.cast_mean:.3g} |"
    if whole:
        title = f"{name}, fully fine-tuned"
        making = f"Made with Dragoman: all weights were trained, in fp32, and cast to {parity.cast} afterwards."
        held = "the weights as trained" if scale == 1 else f"those weights at {strength_words(scale)}"
        lines = [f"| after the cast to {parity.cast} {after}"]
    else:
        title = f"{name}, with an adapter merged in"
        making = f"Made with Dragoman: the adapter was added to the weights in fp32, and the sum cast to {parity.cast}."
        held = "the backbone with its adapter"
        lines = [
            f"| merged, before the cast | {parity.fp32_max:.3g} | {parity.fp32_mean:.3g} |",
            f"| merged, after the cast to {parity.cast} {after}",
        ]
    if scale != 1:
        what = "each weight's way from the backbone's" if whole else "the adapter's second factor"
        making += f" It is taken at {strength_words(scale)}: before that, {what} was multiplied by it."
    if origin:
        making += f" The backbone's own weights were dequantised from {origin}."
    if alone:
        wording = f"Translate from German to English{ALONE}:"
        making += f' Asked as in "{wording}" it gives the translation alone, which `dragoman translate` does by itself.'
    table = "\n".join(["| | largest difference of logits | mean difference |", "|---|---|---|", *lines])
    return f"""---
base_model: {json.dumps(name)}
library_name: transformers
pipeline_tag: text-generation
tags: [dragoman, translation]
---

# {title}

{making}

Held against {held}, in fp32, on {parity.prompts} prompts and {parity.tokens} greedy tokens:

{table}

The logits spread by {parity.spread:.3g} (standard deviation). Greedy agreement after the cast: {parity.agreement:.1%}.
"""
