"""Llamas of a few thousand random weights: their answers mean nothing, but every number in them is exact."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.lab import BACKBONE

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM


def llama(vocabulary: int, *, seed: int | None = 0, **settings: Any) -> "LlamaForCausalLM":
    """Two layers of grouped heads unless the settings say otherwise; without a seed, weights as they come.

    They are spread more widely than usual, so that the model is sure of something and greedy paths differ.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    usual = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "initializer_range": 0.3,
    }
    if seed is not None:
        torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, **{**usual, **settings})).eval()


def lab_llama(folder: Path, dtype: "torch.dtype | None" = None, **settings: Any) -> Path:
    """Saves one behind the lab's tokenizer and chat template: a backbone that a recipe can name."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(BACKBONE)
    tokenizer.save_pretrained(folder, save_jinja_files=False)
    special = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    usual = {"num_attention_heads": 2, "max_position_embeddings": 512, "initializer_range": 0.02}
    model = llama(len(tokenizer), **{**usual, **special, **settings})
    model.to(dtype).save_pretrained(folder)
    return folder
