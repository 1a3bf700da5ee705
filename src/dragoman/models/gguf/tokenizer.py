"""The tokenizer that a GGUF file describes, as a tokenizer.json that is read back unchanged.

The file has a vocabulary, what is merged, and a name for how texts are cut before that (`tokenizer.ggml.pre`). It is
built here and not by transformers, which adds tokens of its own to some vocabularies, and cuts as GPT-2 does, without a
word, where it does not know the name.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import EngineError, TemplateError
from dragoman.models.gguf.header import Header
from dragoman.models.outline import readable

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.pre_tokenizers import PreTokenizer

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
    if kind not in (BYTES, PIECES):
        raise EngineError(
            f"{header.path} has a tokenizer of the kind {kind!r}; known are {BYTES} (BPE over bytes) and {PIECES} "
            "(SentencePiece)."
        )
    with readable(header.path):
        tokenizer = _of_bytes(header, cut) if kind == BYTES else _of_pieces(header)
        _add_special(tokenizer, header)
        if begin := _begin(header, kind, cut):
            _begin_with(tokenizer, begin)
        tokenizer.save(str(folder / "tokenizer.json"))
    said = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": header.metadata.get(f"{header.architecture}.context_length"),
        **{name: _token(header, place) for name, place in SPECIAL.items()},
        "chat_template": template,
    }
    kept = {name: value for name, value in said.items() if value is not None}
    (folder / "tokenizer_config.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False), encoding="utf-8")


def _of_bytes(header: Header, cut: str) -> "Tokenizer":
    from tokenizers import Tokenizer, decoders, models, normalizers

    vocabulary = {token: at for at, token in enumerate(header.tokens)}
    merges = [(left, right) for left, _, right in (merge.partition(" ") for merge in header.merges)]
    made = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=cut in AS_LLAMA_3))
    made.pre_tokenizer = _cutter(header, cut)
    made.decoder = decoders.ByteLevel()
    if cut in COMPOSED:
        made.normalizer = normalizers.NFC()
    return made


def _cutter(header: Header, cut: str) -> "PreTokenizer":
    """How texts are cut before tokens are merged. EngineError if the name is not known."""
    from tokenizers import Regex, pre_tokenizers
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS as SPLITS

    spelt = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if cut in AS_GPT2:
        return spelt
    if cut in BY_DIGIT:
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), spelt])
    if cut not in SPLITS:
        raise EngineError(
            f"{header.path} cuts texts in a way that is not known here (tokenizer.ggml.pre: {cut or 'missing'!r}), so "
            f"its token ids would be wrong. Known are {', '.join(sorted({*SPLITS, *AS_GPT2, *BY_DIGIT}))}."
        )
    split = pre_tokenizers.Split(Regex(SPLITS[cut]), "isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def _of_pieces(header: Header) -> "Tokenizer":
    """As transformers reads such vocabularies: a text begins with a space, what follows a special token does not."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers.tokenization_utils_base import generate_merges

    vocabulary = {token: at for at, token in enumerate(header.tokens)}
    merges = generate_merges(vocabulary, dict(zip(header.tokens, header.scores, strict=True)))
    unknown = _token(header, "unknown") or next((token for token in header.tokens if token == "<unk>"), None)
    made = Tokenizer(models.BPE(vocabulary, merges, unk_token=unknown, fuse_unk=True, byte_fallback=True))
    space = header.metadata.get("tokenizer.ggml.add_space_prefix", True)
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first" if space else "never", split=False)
    strip = [decoders.Strip(" ", 1, 0)] if space else []
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    return made


def _add_special(tokenizer: "Tokenizer", header: Header) -> None:
    """Tokens that are matched whole in a text: those that mark something, and those that a user defined."""
    from gguf import TokenType
    from tokenizers import AddedToken

    marks = (TokenType.CONTROL, TokenType.UNKNOWN)
    for token, kind in zip(header.tokens, header.kinds, strict=True):
        if kind in marks:
            tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True)])
        elif kind == TokenType.USER_DEFINED:
            tokenizer.add_tokens([AddedToken(token, normalized=False)])


def _begin_with(tokenizer: "Tokenizer", begin: str) -> None:
    from tokenizers import processors

    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A",
        pair=f"{begin} $A {begin}:1 $B:1",
        special_tokens=[(begin, tokenizer.token_to_id(begin))],
    )


def _begin(header: Header, kind: str, cut: str) -> str | None:
    """The token that every text begins with, if any; the file may say so, or else its kind."""
    said = header.metadata.get("tokenizer.ggml.add_bos_token")
    wanted = said if isinstance(said, bool) else kind == PIECES or cut in AS_LLAMA_3
    return _token(header, "bos") if wanted else None


def _token(header: Header, place: str) -> str | None:
    at = header.metadata.get(f"tokenizer.ggml.{place}_token_id")
    return header.tokens[at] if isinstance(at, int) and 0 <= at < len(header.tokens) else None
