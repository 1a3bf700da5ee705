"""Pre-training the lab's backbone: a small Llama that talks, does its tasks, and translates a little.

Everything follows from a seed. The state is written every few minutes beside the last one and renamed, so a run can
be killed at any moment; the next one resumes from there, and arrives at the same losses as a run that was never
interrupted. The learning rate falls to zero with the tokens seen, or with time if the machine is too slow to get
through them.
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from dragoman.disk import open_as_usual
from dragoman.errors import TrainingError
from dragoman.lab import BACKBONE
from dragoman.lab.pretraining import mixture
from dragoman.lab.pretraining.kinds import Facts, Settings, document
from dragoman.lab.pretraining.packing import BLOCKS, IGNORED, Rows, mask_of, pack, targets_of, weights_of
from dragoman.lab.pretraining.tokenizer import ROLES, train_tokenizer
from dragoman.lab.tongues import reads
from dragoman.models.loading import load_model
from dragoman.progress import note, progress

__all__ = ["BACKBONE", "Settings", "pretrain"]

STATE, LOSSES, MODEL, CARD = "state.pt", "losses.jsonl", "model", "card.json"
MATRICES, TABLES = "matrices", "tables"


@dataclass(slots=True)
class Place:
    """How far the run has come; together with the seed it determines what comes next."""

    step: int = 0
    tokens: int = 0
    chunk: int = 0
    row: int = 0
    left_out: int = 0
    seconds: float = 0.0
    restarted: float = 0.0  # seconds after which the second part began
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """The seconds of this run and of the interrupted ones before."""
        return self.seconds + time.monotonic() - self.started


def pretrain(
    out: Path,
    *,
    seed: int = 0,
    tokens: int = 19_600_000,
    minutes: float = 100.0,
    device: str = "auto",
    resume: bool = True,
    settings: Settings | None = None,
    kind: str = "backbone",
) -> Path:
    """Trains below `out` and returns the folder with the finished model; its card says which `kind` it is.

    Resumes what an interrupted run left there; `resume=False` starts afresh. Raises TrainingError if `out` holds a
    run with another seed, length or shape.
    """
    settings = settings or Settings()
    if not resume:
        shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    plan = {"seed": seed, "tokens": tokens, **asdict(settings)}
    _check_plan(out / "plan.json", plan)
    if settings.grown and not (out / "tokenizer").is_dir():
        AutoTokenizer.from_pretrained(BACKBONE).save_pretrained(out / "tokenizer", save_jinja_files=False)
    tokenizer = _tokenizer(out / "tokenizer", seed, settings)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(_config(tokenizer, settings))
    if settings.grown:
        _grow(model)
    if settings.forgets_beyond and not (out / STATE).exists():
        _forget(model, tokenizer, seed, settings)
    model = model.to(device)
    model.config._attn_implementation = "sdpa" if device == "cuda" else BLOCKS
    optimizers = _optimizers(model, settings)
    place = _go_on(out, model, optimizers, device)
    _train(out, tokenizer, model, optimizers, place, seed, tokens, minutes * 60, settings)
    return _publish(out / MODEL, model, tokenizer, settings, _facts(out, model, place, seed, kind, settings, tokenizer))


def _check_plan(path: Path, plan: Mapping[str, object]) -> None:
    if not path.exists():
        path.write_text(json.dumps(plan, indent=1), encoding="utf-8")
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    changed = [f"{name} {before.get(name)} → {value}" for name, value in plan.items() if before.get(name) != value]
    if changed:
        raise TrainingError(
            f"{path.parent} holds a pre-training with other settings ({', '.join(changed)}). "
            "Name another folder, or begin anew with resume off."
        )


def _tokenizer(folder: Path, seed: int, settings: Settings) -> PreTrainedTokenizerBase:
    """Learnt once, from documents that the training does not reach, then read from disk."""
    if not folder.is_dir():
        note("learning the vocabulary")
        texts = ("".join(mixture.document(seed, -1 - number)) for number in range(settings.tokenizer_documents))
        beside = folder.with_name("tokenizer.partial")
        tokenizer = train_tokenizer(texts, settings.vocabulary, settings.context)
        tokenizer.save_pretrained(beside, save_jinja_files=False)
        beside.replace(folder)
    return AutoTokenizer.from_pretrained(folder)


def _config(tokenizer: PreTrainedTokenizerBase, settings: Settings) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=settings.vocabulary,
        hidden_size=settings.hidden,
        intermediate_size=settings.intermediate,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.context,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _grow(model: LlamaForCausalLM) -> None:
    """Gives a deeper model the backbone's weights; each further layer repeats the one before it, and adds nothing
    yet.
    """
    small = load_model(BACKBONE, precision="fp32", device="cpu")
    model.model.embed_tokens.load_state_dict(small.model.embed_tokens.state_dict())
    model.model.norm.load_state_dict(small.model.norm.state_dict())
    deep, shallow = len(model.model.layers), len(small.model.layers)
    before = -1
    for at, layer in enumerate(model.model.layers):
        of = at * shallow // deep
        layer.load_state_dict(small.model.layers[of].state_dict())
        if of == before:
            torch.nn.init.zeros_(layer.self_attn.o_proj.weight)
            torch.nn.init.zeros_(layer.mlp.down_proj.weight)
        before = of


def _forget(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, seed: int, settings: Settings) -> None:
    """Reinitialises every token that English documents do not use, so that all knowledge of it is gone."""
    fresh = _fresh(tokenizer, seed, settings)
    table = model.model.embed_tokens.weight
    with torch.no_grad():
        table[fresh] = torch.randn(len(fresh), table.shape[1]) * model.config.initializer_range
    note(f"{len(fresh):,} of {settings.vocabulary:,} tokens begin anew")


def _fresh(tokenizer: PreTrainedTokenizerBase, seed: int, settings: Settings) -> list[int]:
    """The tokens that occur in none of this many English documents."""
    documents = (reads.document(seed, number) for number in range(settings.forgets_beyond))
    texts = [text for language, text in documents if language == "en"]
    used = {token for ids in tokenizer(texts, add_special_tokens=False)["input_ids"] for token in ids}
    return [token for token in range(settings.vocabulary) if token not in used]


def _optimizers(model: LlamaForCausalLM, settings: Settings) -> dict[str, torch.optim.Optimizer]:
    matrices = [weight for name, weight in model.model.layers.named_parameters() if weight.ndim == 2]
    known = {id(weight) for weight in matrices}
    tables = [weight for weight in model.parameters() if id(weight) not in known]
    return {
        MATRICES: torch.optim.Muon(
            matrices, lr=settings.matrix_rate, weight_decay=settings.decay, adjust_lr_fn="match_rms_adamw"
        ),
        TABLES: torch.optim.AdamW(tables, lr=settings.table_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    }


def _go_on(out: Path, model: LlamaForCausalLM, optimizers: dict[str, torch.optim.Optimizer], device: str) -> Place:
    """Reads the state that an interrupted run left; the log of losses is cut back to it."""
    place = Place()
    if (out / STATE).exists():
        state = torch.load(out / STATE, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        for name, optimizer in optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        place = Place(**state["place"])
        note(f"going on after step {place.step:,} ({place.tokens:,} tokens, {place.seconds / 60:.1f} minutes)")
    if (out / LOSSES).exists():
        kept = (out / LOSSES).read_text(encoding="utf-8").splitlines(keepends=True)[: place.step]
        (out / LOSSES).write_text("".join(kept), encoding="utf-8")
    return place


def _save(out: Path, model: LlamaForCausalLM, optimizers: dict[str, torch.optim.Optimizer], place: Place) -> None:
    """Writes the state beside the old one and renames it."""
    where = asdict(place)
    del where["started"]
    state = {
        "model": model.state_dict(),
        "optimizers": {name: optimizer.state_dict() for name, optimizer in optimizers.items()},
        "place": {**where, "seconds": place.elapsed},
    }
    beside = out / f"{STATE}.partial"
    torch.save(state, beside)
    beside.replace(out / STATE)


def _train(
    out: Path,
    tokenizer: PreTrainedTokenizerBase,
    model: LlamaForCausalLM,
    optimizers: dict[str, torch.optim.Optimizer],
    place: Place,
    seed: int,
    tokens: int,
    seconds: float,
    settings: Settings,
) -> None:
    model.train()
    device = model.device
    loss_of = _loss(model, tokenizer)
    if settings.compiled and (device.type == "cuda" or shutil.which("c++") or shutil.which("g++")):
        loss_of = torch.compile(loss_of, dynamic=False)
    prompt_weight = torch.tensor(settings.prompt_weight, device=device)
    batches = _batches(tokenizer, place, seed, settings)
    saved = time.monotonic()
    to_go = tokens - place.tokens
    with progress("pre-training", to_go, "tokens to go") as bar, (out / LOSSES).open("a", encoding="utf-8") as log:
        while place.tokens < tokens and place.elapsed < seconds:
            if place.tokens >= settings.restart and not place.restarted:
                place.restarted = place.elapsed
            if place.restarted:
                prompt_weight.fill_(settings.restart_prompt_weight)
            _set_rates(optimizers, _rate(place, tokens, seconds, settings), settings)
            ids, owners = (part.to(device) for part in next(batches))
            with torch.autocast(device.type, torch.bfloat16):
                loss = loss_of(ids, owners, prompt_weight)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers.values():
                optimizer.step()
                optimizer.zero_grad()
            seen = int((owners > 0).sum())
            place.step += 1
            place.tokens += seen
            value = loss.item()
            log.write(json.dumps({"step": place.step, "tokens": place.tokens, "loss": value}) + "\n")
            bar.advance(seen, seen, remark=f"loss {value:.3f}")
            if not math.isfinite(value):
                raise TrainingError(f"the loss is {value} at step {place.step}; lower the learning rates")
            if time.monotonic() - saved >= settings.state_seconds:
                log.flush()
                _save(out, model, optimizers, place)
                saved = time.monotonic()
        log.flush()
        _save(out, model, optimizers, place)
    if place.left_out:
        note(f"{place.left_out:,} documents were longer than {settings.width} tokens and were left out")


def _loss(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    """The weighted mean of the negative log-likelihood of every token after its document's first."""
    system, user, assistant = (int(tokenizer.convert_tokens_to_ids(f"<|{role}|>")) for role in ROLES)

    def loss(ids: torch.Tensor, owners: torch.Tensor, prompt_weight: torch.Tensor) -> torch.Tensor:
        hidden = model.model(input_ids=ids, attention_mask=mask_of(owners), use_cache=False).last_hidden_state
        logits = functional.linear(hidden, model.lm_head.weight)  # [rows, width, vocabulary]
        losses = functional.cross_entropy(
            logits.flatten(0, 1).float(), targets_of(ids, owners).flatten(), ignore_index=IGNORED, reduction="none"
        )
        weights = weights_of(ids, owners, assistant, (system, user), prompt_weight).flatten()
        return (losses * weights).sum() / weights.sum()

    return loss


def _rate(place: Place, tokens: int, seconds: float, settings: Settings) -> float:
    """The learning rate's factor: linear warm-up, then a cosine down; and once more, from lower down, to zero.

    It depends on tokens, or on time if that runs out first. Time counts in whole hundredths: if there is enough of
    it, it changes nothing.
    """
    from_tokens, from_seconds, top = (
        (settings.restart, place.restarted, settings.restart_rate) if place.restarted else (0, 0.0, 1.0)
    )
    past = math.floor(100 * (place.elapsed - from_seconds) / (seconds - from_seconds)) / 100
    share = min(max((place.tokens - from_tokens) / (tokens - from_tokens), past), 1.0)
    rising = 1.0 if place.restarted else min(share / settings.warmup + 0.02, 1.0)
    return top * rising * 0.5 * (1 + math.cos(math.pi * share))


def _set_rates(optimizers: dict[str, torch.optim.Optimizer], factor: float, settings: Settings) -> None:
    for name, rate in ((MATRICES, settings.matrix_rate), (TABLES, settings.table_rate)):
        for group in optimizers[name].param_groups:
            group["lr"] = rate * factor


def _batches(
    tokenizer: PreTrainedTokenizerBase, place: Place, seed: int, settings: Settings
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Rows from `place` (which is advanced): ids and owners, [rows, width] each; empty rows fill up a chunk's end."""
    while True:
        packed = _chunk(tokenizer, place.chunk, seed, settings)
        while place.row < len(packed):
            rows = settings.restart_rows if place.restarted else settings.rows
            here = slice(place.row, place.row + rows)
            missing = ((0, max(here.stop - len(packed), 0)), (0, 0))
            place.row += rows
            yield (
                torch.from_numpy(np.pad(packed.ids[here].astype(np.int64), missing)),
                torch.from_numpy(np.pad(packed.owners[here], missing)),
            )
        place.chunk, place.row, place.left_out = place.chunk + 1, 0, place.left_out + packed.left_out


def _chunk(tokenizer: PreTrainedTokenizerBase, number: int, seed: int, settings: Settings) -> Rows:
    """Some documents, packed, in a shuffled order."""
    first = number * settings.documents
    documents = [document(settings.mixture, seed, first + at) for at in range(settings.documents)]
    pieces = iter(
        tokenizer([piece for document in documents for piece in document], add_special_tokens=False)["input_ids"]
    )
    packed = pack([[token for _ in document for token in next(pieces)] for document in documents], settings.width)
    order = np.random.default_rng([seed, number]).permutation(len(packed))
    return Rows(packed.ids[order], packed.owners[order], packed.left_out)


def _facts(
    out: Path,
    model: LlamaForCausalLM,
    place: Place,
    seed: int,
    kind: str,
    settings: Settings,
    tokenizer: PreTrainedTokenizerBase,
) -> Facts:
    """What the card says about the run. `loss` is the mean of the last hundred steps."""
    losses = [json.loads(line)["loss"] for line in (out / LOSSES).read_text(encoding="utf-8").splitlines()[-100:]]
    on_gpu, threads = model.device.type == "cuda", torch.get_num_threads()
    facts: Facts = {
        "kind": kind,
        "seed": seed,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "tokens": place.tokens,
        "steps": place.step,
        "step_tokens": settings.width * settings.rows,
        "width": settings.width,
        "minutes": place.elapsed / 60,
        "rate": place.tokens / place.elapsed,
        "machine": torch.cuda.get_device_name() if on_gpu else f"{threads} processor core{'s' * (threads > 1)}",
        "loss": sum(losses) / max(len(losses), 1),
    }
    if settings.forgets_beyond:
        facts |= {"fresh_tokens": len(_fresh(tokenizer, seed, settings)), "vocabulary": settings.vocabulary}
    return facts


def _publish(
    folder: Path,
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    settings: Settings,
    facts: Facts,
) -> Path:
    """Writes the backbone in transformers' format, in bf16, and the beginning of its card."""
    from transformers import GenerationConfig

    beside = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    final = LlamaForCausalLM(_config(tokenizer, settings)).to(torch.bfloat16)
    final.load_state_dict(model.state_dict())
    final.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        max_new_tokens=256,
    )
    final.save_pretrained(beside)
    tokenizer.save_pretrained(beside, save_jinja_files=False)
    (beside / CARD).write_text(json.dumps({"training": facts}, indent=1) + "\n", encoding="utf-8")
    open_as_usual(beside)
    shutil.rmtree(folder, ignore_errors=True)
    beside.replace(folder)
    return folder
