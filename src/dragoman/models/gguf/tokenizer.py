"""The tokenizer that a GGUF file describes, as files that transformers reads back unchanged.

transformers builds one from the vocabulary and the merges. How a text is cut before merging is only named in the file
(`tokenizer.ggml.pre`); where transformers does not know the name it cuts as GPT-2 does, without a word. So names are
looked up here first, and an unknown one is refused.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import EngineError, TemplateError
from dragoman.models.gguf.header import Header
from dragoman.models.outline import quiet, readable

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BYTES, PIECES = "gpt2", "llama"
"""`tokenizer.ggml.model`: BPE over bytes, and SentencePiece's."""
AS_GPT2 = ("gpt-2", "mpt", "olmo", "jais", "trillion", "granite-docling")
BY_DIGIT = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")
"""Cut as GPT-2 does, after every digit has become a piece of its own."""
AS_LLAMA_3 = ("llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral")
"""Cut as Llama-3 does. A piece that is a token as a whole is not merged, and texts begin with a token."""
COMPOSED = ("qwen2", "qwen35")
"""Letters and their accents are made one character first."""
SPECIAL = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}


def write_tokenizer(header: Header, folder: Path) -> None:
    """Writes tokenizer.json and tokenizer_config.json, with the chat template, into a folder.

    EngineError if the file has no tokenizer, or one of a kind that is not known; TemplateError if it has no chat
    template.
    """
    kind, cut = header.text("tokenizer.ggml.model"), header.text("tokenizer.ggml.pre")
    if not header.tokens or not kind:
        raise EngineError(
            f"{header.path} holds no tokenizer, and without one no text becomes token ids. Take a file that was made "
            "with its vocabulary."
        )
    if not (template := header.text("tokenizer.chat_template")):
        raise TemplateError(
            f"{header.path} has no chat template (tokenizer.chat_template), so there is no telling how it expects a "
            "question. Take the instruct or chat version of this model."
        )
    if kind == BYTES and cut not in _known():
        raise EngineError(
            f"{header.path} cuts texts in a way that is not known here (tokenizer.ggml.pre: {cut or 'missing'!r}), so "
            f"its token ids would be wrong. Known are {', '.join(sorted(_known()))}."
        )
    if kind not in (BYTES, PIECES):
        raise EngineError(
            f"{header.path} has a tokenizer of the kind {kind!r}; known are {BYTES} (BPE over bytes) and {PIECES} "
            "(SentencePiece)."
        )
    from transformers import AutoTokenizer

    with readable(header.path), quiet():
        tokenizer = AutoTokenizer.from_pretrained(header.path.parent, gguf_file=header.path.name)
        backend: Tokenizer = tokenizer.backend_tokenizer
        _mend(backend, kind, cut, _begin(header, kind, cut))
        backend.save(str(folder / "tokenizer.json"))
    said = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": header.metadata.get(f"{header.architecture}.context_length"),
        **{name: _token(header, place) for name, place in SPECIAL.items()},
        "chat_template": template,
    }
    kept = {name: value for name, value in said.items() if value is not None}
    (folder / "tokenizer_config.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False), encoding="utf-8")


def _known() -> set[str]:
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    return {*GGUF_PRE_TOKENIZER_SPLITS, *AS_GPT2, *BY_DIGIT}


def _mend(backend: "Tokenizer", kind: str, cut: str, begin: str | None) -> None:
    """Does what transformers leaves out."""
    from tokenizers import normalizers, pre_tokenizers, processors

    if kind == BYTES and cut in BY_DIGIT:
        digits, spelt = pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.pre_tokenizer = pre_tokenizers.Sequence([digits, spelt])
    if kind == BYTES and cut in COMPOSED:
        backend.normalizer = normalizers.NFC()
    if kind == BYTES and cut in AS_LLAMA_3:
        backend.model.ignore_merges = True
    if begin is not None:
        backend.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A",
            pair=f"{begin} $A {begin}:1 $B:1",
            special_tokens=[(begin, backend.token_to_id(begin))],
        )


def _begin(header: Header, kind: str, cut: str) -> str | None:
    """The token that every text begins with, if any; the file may say so, or else its kind."""
    said = header.metadata.get("tokenizer.ggml.add_bos_token")
    wanted = said if isinstance(said, bool) else kind == PIECES or cut in AS_LLAMA_3
    return _token(header, "bos") if wanted else None


def _token(header: Header, place: str) -> str | None:
    at = header.metadata.get(f"tokenizer.ggml.{place}_token_id")
    return header.tokens[at] if isinstance(at, int) and 0 <= at < len(header.tokens) else None
