"""The engine for accelerators: vLLM, which schedules prompts itself and serves adapters unmerged.

It runs in a process of its own, which ends with `close` and with ours, so that its memory is freed.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import EngineEnded, EngineError
from dragoman.generation.ask import Completion, Finish, Ids, Sampling
from dragoman.generation.seeds import row_key
from dragoman.generation.token_budget import check_ids, rooms
from dragoman.generation.vllm.startup import (
    GIB,
    Output,
    accelerator_memory,
    check_memory,
    installed,
    quietly,
    reason,
    weights,
)
from dragoman.models.adapters import check_adapter
from dragoman.models.loading import Precision, locate, pick_device, pick_dtype
from dragoman.models.outline import UnknownKind, outline
from dragoman.models.weights import weight_files
from dragoman.recipe.engines import Vllm

if TYPE_CHECKING:
    from vllm import RequestOutput, SamplingParams
    from vllm.logprobs import FlatLogprobs
    from vllm.lora.request import LoRARequest
    from vllm.outputs import CompletionOutput
    from vllm.v1.engine.core_client import EngineCoreClient

    from dragoman.generation.vllm.first_token import Rule

AHEAD = 2  # requests that vLLM is given, for one that it works on: it never waits, and we hold few
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # ranks that vLLM supports


class VllmEngine:
    """Completes prompts with vLLM.

    `model` is a directory or a name on the hub. `decode` turns ids into text; `extensions` returns all tokens whose
    text begins with a given token's text (without it, nothing can be healed). A PEFT `adapter` is served beside the
    model, not merged into it. An EngineError says why vLLM could not start, and what to change.
    """

    streams = True

    def __init__(
        self,
        model: Path | str,
        *,
        decode: Callable[[Sequence[int]], str],
        extensions: Callable[[int], Ids] | None = None,
        settings: Vllm,
        precision: Precision = "auto",
        adapter: Path | None = None,
        trust_remote_code: bool = False,
        bin_weights: bool = False,
    ):
        device = pick_device()
        installed(accelerator=device.type != "cpu")
        if settings.data_parallel > 1:
            raise EngineError(
                f"generation.vllm.data_parallel is {settings.data_parallel}, but one vLLM engine holds one copy of the "
                "model. Take engine: ray with ray.engine: vllm, which runs as many as ray.actors says."
            )
        folder = locate(model, None, trust_remote_code, bin_weights=bin_weights)
        files = weight_files(folder, bin_weights, str(model))
        try:  # vLLM itself looks only at some of the weights
            outline(folder, trust_remote_code=trust_remote_code, bin_weights=bin_weights, adapter=adapter)
        except UnknownKind:  # it knows some that transformers doesn't
            if adapter is not None:
                check_adapter(folder, adapter)
        self.decode = decode
        self.extensions = extensions
        self.settings = settings
        self._output = Output()
        self._count = 0
        self._rules: dict[int, Rule] = {}
        dtype = pick_dtype(precision, device)
        size = weights(folder, dtype.itemsize)
        eager = device.type == "cpu" if settings.eager is None else settings.eager
        arguments: dict[str, object] = {
            "model": str(folder),
            "skip_tokenizer_init": True,
            "trust_remote_code": trust_remote_code,
            "load_format": "safetensors" if files[0].suffix == ".safetensors" else "hf",
            "use_tqdm_on_load": False,
            "dtype": str(dtype).removeprefix("torch."),
            "generation_config": "vllm",  # no default sampling of the model's own
            "max_model_len": settings.max_length,
            "max_num_seqs": settings.sequences,
            "tensor_parallel_size": settings.tensor_parallel,
            "enable_prefix_caching": True,
            "enforce_eager": eager,
            "max_logprobs": -1,
            "logprobs_mode": "raw_logprobs",
            "seed": 0,
            "logits_processors": ["dragoman.generation.vllm.first_token:FirstTokens"],
        }
        if device.type == "cpu":
            arguments["kv_cache_memory_bytes"] = settings.cpu_cache * GIB  # VLLM_CPU_KVCACHE_SPACE comes before it
            # Drawing where it has read only a part of a prompt, vLLM turns the generator back, and those of processors
            # can't be turned back: it would end. It takes no longer to read prompts whole.
            arguments["enable_chunked_prefill"] = False
        else:
            arguments["gpu_memory_utilization"] = settings.memory
        if adapter is not None:
            arguments |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": _rank(adapter)}
        with quietly(self._output, compiling=not eager):
            try:  # whatever is wrong with a machine or with somebody's files becomes a sentence
                from vllm import LLM

                memory = None if device.type == "cpu" else accelerator_memory(settings.tensor_parallel)
                if memory is not None:
                    check_memory(size, memory, settings)
                self._llm: LLM = LLM(**arguments)
            except EngineError:
                raise
            except Exception as error:
                written = self._output.tail()
                raise EngineError(
                    reason(error, written, settings, size, lambda: accelerator_memory(settings.tensor_parallel))
                ) from error
        if self._output.file is not None:
            logging.getLogger("vllm").setLevel(logging.CRITICAL)  # we report its errors ourselves
        core = self._llm.llm_engine.engine_core
        threading.Thread(target=_tell_of_its_end, args=(core,), daemon=True).start()
        # ends vLLM's processes at this one's end, before it would wait for them
        self._end = Finalize(self, core.shutdown, exitpriority=100)
        self.context: int = self._llm.model_config.max_model_len
        self._vocabulary: int = self._llm.model_config.get_vocab_size()
        self._adapter = None if adapter is None else self._load(adapter)

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Yields (index of the prompt, completion) as completions finish.

        Prompts are handed to vLLM in order, a bounded number at a time. A prompt that leaves no room in the context
        raises an EngineError; one that leaves room for fewer than `max_tokens` gets a shorter answer. `seconds`
        counts from when vLLM receives a prompt, including its waiting there.
        """
        if sampling.heal and self.extensions is None:
            raise EngineError(
                "This engine was not told which tokens begin with which, so it cannot heal the last token of a prompt. "
                "Give it `extensions`, or set `boundary: exact`."
            )
        check_ids(prompts, self._vocabulary)  # vLLM would end
        limits = rooms(prompts, self.context, sampling.max_tokens, heal=sampling.heal)
        waiting = iter(range(len(prompts)))
        started: dict[str, tuple[int, float]] = {}
        try:
            while True:
                for index in islice(waiting, AHEAD * self.settings.sequences - len(started)):
                    self._count += 1
                    name = str(self._count)
                    self._add(name, prompts[index], sampling, limits[index])
                    started[name] = index, time.monotonic()
                if not started:
                    return
                for output in self._step():
                    if output.finished:
                        index, start = started.pop(output.request_id)
                        yield index, self._completion(output.outputs[0], sampling, time.monotonic() - start)
        finally:
            if started and self._llm is not None and not self._dead:
                self._llm.llm_engine.abort_request(list(started))

    def close(self) -> None:
        """Ends vLLM's processes, which frees all their memory."""
        self._llm = None
        self._end()
        self._output.close()

    @property
    def _dead(self) -> bool:
        return bool(self._llm.llm_engine.engine_core.resources.engine_dead)

    def _load(self, adapter: Path) -> "LoRARequest":
        from vllm.lora.request import LoRARequest

        request = LoRARequest(adapter.name or "adapter", 1, str(adapter))
        try:  # whether it fits the backbone shows here
            self._llm.llm_engine.add_lora(request)
        except Exception as error:
            self.close()
            raise EngineError(f"vLLM could not load the adapter {adapter} onto this backbone: {error}") from error
        return request

    def _add(self, name: str, prompt: Ids, sampling: Sampling, limit: int) -> None:
        from vllm.inputs import tokens_input

        sent = prompt[:-1] if sampling.heal else prompt
        try:
            params = self._params(prompt, sampling, limit)
            self._llm.llm_engine.add_request(name, tokens_input(list(sent)), params, lora_request=self._adapter)
        except Exception as error:  # the class depends on vLLM's version
            if self._dead:
                raise self._ended() from error
            raise EngineError(f"vLLM refuses a request: {error}") from error

    def _params(self, prompt: Ids, sampling: Sampling, limit: int) -> "SamplingParams":
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            seed=None if sampling.temperature == 0 else row_key(sampling.seed, prompt) >> 1,
            max_tokens=limit,
            stop_token_ids=list(sampling.stop),
            ignore_eos=True,
            logprobs=sampling.logprobs or None,
            flat_logprobs=True,
            detokenize=False,
            skip_special_tokens=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
            skip_clone=True,
            extra_args=self._first(prompt, sampling),
        )

    def _first(self, prompt: Ids, sampling: Sampling) -> dict[str, list["Rule"]] | None:
        """The rules for the first tokens, in the form that vLLM's processes receive."""
        from dragoman.generation.vllm.first_token import RULES, rule

        rules = []
        if sampling.heal:
            assert self.extensions is not None
            token = prompt[-1]
            if token not in self._rules:
                self._rules[token] = rule("only", self.extensions(token) or (token,))
            rules.append(self._rules[token])
        if sampling.ban_first:
            rules += [rule("not", sampling.ban_first)] * sampling.ban_tokens
        return {RULES: rules} if rules else None

    def _step(self) -> list["RequestOutput"]:
        from vllm.v1.engine.exceptions import EngineDeadError

        try:
            return list(self._llm.llm_engine.step())
        except EngineDeadError as error:
            self._llm.llm_engine.engine_core.resources.engine_dead = True  # vLLM may not have noticed yet
            raise self._ended() from error

    def _ended(self) -> EngineEnded:
        lines = self._output.tail().strip().splitlines()
        why = f" The last it wrote was: {lines[-1]}." if lines else " It wrote nothing; memory may have run out."
        return EngineEnded(f"vLLM ended unexpectedly in the middle of its work.{why} What was finished is kept.")

    def _completion(self, output: "CompletionOutput", sampling: Sampling, seconds: float) -> Completion:
        ids = tuple(output.token_ids)
        finish: Finish = "stop" if output.finish_reason == "stop" else "length"
        if output.finish_reason not in ("stop", "length"):
            raise EngineError(f"vLLM gave a request up: {output.finish_reason}.")
        text = self.decode(ids[:-1] if finish == "stop" else ids)
        logprobs = _most_likely(output.logprobs, sampling.logprobs) if sampling.logprobs else None
        return Completion(ids, text, finish, logprobs, seconds)


def _tell_of_its_end(core: "EngineCoreClient") -> None:
    """Notices the death of a vLLM process, for instance when memory runs out; vLLM itself would wait for ever."""
    from vllm.v1.engine.exceptions import EngineDeadError

    wait(core.resources.engine_manager.sentinels())
    core.outputs_queue.put_nowait(EngineDeadError())


def _most_likely(flat: "FlatLogprobs", count: int) -> tuple[tuple[tuple[int, float], ...], ...]:
    """The most likely tokens of each step. vLLM puts the generated token before them."""
    steps = zip(flat.start_indices, flat.end_indices, strict=True)
    return tuple(
        tuple(zip(flat.token_ids[start + 1 : end], flat.logprobs[start + 1 : end], strict=True))[:count]
        for start, end in steps
    )


def _rank(adapter: Path) -> int:
    """The smallest rank that vLLM can make room for and that fits the adapter; EngineError if none does, or if more
    than an adapter was trained.
    """
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    if config.get("modules_to_save") or config.get("trainable_token_indices"):
        raise EngineError(
            f"With the adapter {adapter} embeddings were trained, and vLLM serves an adapter alone. Merge it first; in "
            "a recipe take `engine: hf`, or leave `refresh` out."
        )
    rank = max([int(config["r"]), *map(int, (config.get("rank_pattern") or {}).values())])
    room = next((room for room in _RANKS if room >= rank), None)
    if room is None:
        raise EngineError(f"The adapter {adapter} has rank {rank}; vLLM serves at most {_RANKS[-1]}. Merge it first.")
    return room
