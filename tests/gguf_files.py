"""Small GGUF files of our own: a Llama of two layers with one of the vocabularies of `look_alikes`.

They are written as llama.cpp's converter writes them: queries and keys with the halves of each head interleaved, a
type for each token, and the way to cut texts by name.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, quants
from tokenizers import Tokenizer

from tests.look_alikes import KINDS
from tests.tiny_models import llama

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
CUTS = {"smollm-like": "smollm", "llama-3-like": "llama-bpe", "qwen-2.5-like": "qwen2", "qwen-3-like": "qwen2"}


def write_gguf(
    path: Path,
    kind: str = "smollm-like",
    *,
    stored: GGMLQuantizationType = GGMLQuantizationType.F32,
    tensors: dict[str, Any] | None = None,
    real: Path | None = None,
    **metadata: Any,
) -> "LlamaForCausalLM":
    """Writes a file, and returns the model whose weights are in it.

    With `real`, the vocabulary is that of a real model's folder, of the same kind. Entries of `metadata` replace those
    of the same name, with two underscores for each dot; None leaves one out. `tensors` are put in besides, or instead
    of those of that name; None leaves one out.
    """
    tokenizer, settings = _of(real) if real else KINDS[kind].make(**KINDS[kind].how)
    described = json.loads(tokenizer.to_str())
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    tokens = [token for token, _ in vocabulary]
    special = {one["content"] for one in described["added_tokens"]}
    model = llama(len(tokens), tie_word_embeddings=True, max_position_embeddings=512)
    config = model.config
    writer = GGUFWriter(path, metadata.get("general__architecture", "llama"))
    said: dict[str, Any] = {
        "general.name": "A look-alike",
        "llama.context_length": config.max_position_embeddings,
        "llama.embedding_length": config.hidden_size,
        "llama.block_count": config.num_hidden_layers,
        "llama.feed_forward_length": config.intermediate_size,
        "llama.rope.dimension_count": config.hidden_size // config.num_attention_heads,
        "llama.rope.freq_base": 10000.0,
        "llama.attention.head_count": config.num_attention_heads,
        "llama.attention.head_count_kv": config.num_key_value_heads,
        "llama.attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "llama.vocab_size": len(tokens),
        "tokenizer.ggml.model": "gpt2" if kind in CUTS else "llama",
        "tokenizer.ggml.pre": CUTS.get(kind, "default"),
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [_type(token, special, kind) for token in tokens],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in described["model"]["merges"]] if kind in CUTS else None,
        "tokenizer.ggml.scores": None if kind in CUTS else [-float(at) for at in range(len(tokens))],
        "tokenizer.ggml.eos_token_id": tokens.index(settings["eos_token"]),
        "tokenizer.chat_template": settings.get("chat_template") or "".join((KINDS[kind].template or "").split("\n")),
    }
    if begin := settings.get("bos_token"):
        said["tokenizer.ggml.bos_token_id"] = tokens.index(begin)
    said |= {key.replace("__", "."): value for key, value in metadata.items()}
    for key, value in said.items():
        if value is not None and key != "general.architecture":
            _add(writer, key, value)
    for name, array in (_arrays(model) | (tensors or {})).items():
        if array is None:
            continue
        if array.ndim == 1 or stored == GGMLQuantizationType.F32:
            writer.add_tensor(name, array)
        else:
            writer.add_tensor(name, quants.quantize(array, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


def _of(folder: Path) -> tuple[Tokenizer, dict[str, Any]]:
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    named = {key: value.get("content") if isinstance(value, dict) else value for key, value in settings.items()}
    return Tokenizer.from_file(str(folder / "tokenizer.json")), named


def _arrays(model: "LlamaForCausalLM") -> dict[str, Any]:
    """The model's tensors under GGUF's names."""
    found: dict[str, Any] = {}
    heads = {"attn_q": model.config.num_attention_heads, "attn_k": model.config.num_key_value_heads}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        array = tensor.float().numpy()
        layer = name.split(".")[2] if ".layers." in name else None
        inner = name.removesuffix(".weight").partition(f".{layer}.")[2] if layer else name.removesuffix(".weight")
        if count := heads.get(NAMES[inner]):  # the halves of each head, which are turned together, become neighbours
            parts = array.reshape(count, 2, array.shape[0] // count // 2, array.shape[1])
            array = np.ascontiguousarray(parts.swapaxes(1, 2)).reshape(array.shape)
        found[f"blk.{layer}.{NAMES[inner]}.weight" if layer else f"{NAMES[inner]}.weight"] = array
    return found


def _type(token: str, special: set[str], kind: str) -> int:
    if token in special:
        return TokenType.UNKNOWN if token == "<unk>" else TokenType.CONTROL
    return TokenType.BYTE if kind not in CUTS and token.startswith("<0x") else TokenType.NORMAL


def _add(writer: GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)
