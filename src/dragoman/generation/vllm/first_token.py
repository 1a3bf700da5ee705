"""Rules for the first tokens of an answer, and a watch on the owner; runs inside vLLM's own processes.

vLLM can allow or ban token ids at every step, but not at the first ones alone. A logits processor does that; it costs
nothing while no request has rules left. vLLM's processes also outlive an owner that was killed, and would keep the
accelerator's memory: they end with it here.
"""

import os
import select
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from vllm import SamplingParams
from vllm.config import VllmConfig
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor, process_dict_updates

from dragoman.generation.vllm.startup import OWNER

RULES = "dragoman_rules"  # among a request's extra arguments: one rule for each of the first tokens
Kind = Literal["only", "not"]
Rule = tuple[Kind, bytes]


def rule(kind: Kind, ids: Sequence[int]) -> Rule:
    """A rule that a token must be one of these ids, or none of them; as bytes, since there can be many thousands."""
    return kind, np.asarray(ids, dtype="<i4").tobytes()


class FirstTokens(LogitsProcessor):  # type: ignore[misc]  # vllm is not looked into
    """Applies each request's rules, one for each of its first tokens."""

    def __init__(self, vllm_config: VllmConfig, device: torch.device, is_pin_memory: bool):
        self.device = device
        # place in the batch -> the request's generated tokens (a list that vLLM appends to) and its rules
        self.requests: dict[int, tuple[list[int], Sequence[Rule]]] = {}
        if OWNER in os.environ:
            end_with(int(os.environ[OWNER]))

    def is_argmax_invariant(self) -> bool:
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Called before every step. Progress is told by a request's own tokens, since a prompt may take several
        steps.
        """
        process_dict_updates(self.requests, batch_update, _unfinished)
        for place in [place for place, (written, rules) in self.requests.items() if len(written) >= len(rules)]:
            del self.requests[place]

    def apply(self, logits: torch.Tensor) -> torch.Tensor:  # [requests, vocab]
        for place, (written, rules) in self.requests.items():
            kind, packed = rules[len(written)]
            ids, row = _tensor(packed, self.device), logits[place]
            if kind == "not":
                row[ids] = -torch.inf
            else:
                kept = row[ids]
                row.fill_(-torch.inf)
                row[ids] = kept
        return logits


def end_with(owner: int) -> None:
    """Ends this process when the owner ends, however that happens. vLLM then ends its other processes."""
    try:
        handle = os.pidfd_open(owner)
    except ProcessLookupError:
        os._exit(1)

    def watch() -> None:
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        ended.poll()
        os._exit(1)

    threading.Thread(target=watch, name="end-with-owner", daemon=True).start()


def _unfinished(
    params: SamplingParams, prompt: list[int] | None, written: list[int]
) -> tuple[list[int], Sequence[Rule]] | None:
    rules = (params.extra_args or {}).get(RULES, ())
    return (written, rules) if len(written) < len(rules) else None


@lru_cache(maxsize=1024)
def _tensor(packed: bytes, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(packed, dtype="<i4").astype(np.int64)).to(device)
