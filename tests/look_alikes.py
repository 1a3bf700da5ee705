"""Vocabularies and chat templates of our own, of the kinds that real backbones have; each takes a moment to make.

A test that needs a kind of vocabulary, not a particular one, runs with these as well as with the real ones, and so says
something where the real ones are not at hand. What is typical of each kind is kept: SentencePiece's space before a text
and its bytes for rare characters; full stops that take the line breaks after them along; prompts that end in a space,
and ones that end in a bracket; system prompts that are put in, set apart, or refused; thoughts that are left empty.
"""

import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from dragoman.lab import world

LINES = """\
{% for m in messages %}
{% if loop.first and m['role'] != 'system' %}
{{ '<|im_start|>system\\nYou are a look-alike. You answer briefly.<|im_end|>\\n' }}
{% endif %}
{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}
{% endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""
THOUGHTS = """\
{% for m in messages %}
{{ '<|im_start|>' + m['role'] + '\\n' }}
{% if loop.last and m['role'] == 'assistant' %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}
{{ m['content'] + '<|im_end|>\\n' }}
{% endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""
HEADERS = """\
{% for m in messages %}
{% if loop.first %}{{ bos_token }}{% endif %}
{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + '<|eot_id|>' }}
{% endfor %}
{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
"""
# The brackets of Llama 2, around a system prompt too, and an answer between spaces.
BRACKETS = """\
{% set system = messages[0]['content'] if messages[0]['role'] == 'system' else none %}
{% for m in (messages if system is none else messages[1:]) %}
{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must take turns.') }}{% endif %}
{% set about = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' if loop.first and system is not none else '' %}
{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + (about + m['content']).strip() + ' [/INST]' }}
{% else %}{{ ' ' + m['content'].strip() + ' ' + eos_token }}{% endif %}
{% endfor %}
"""
# As Mistral has them: one beginning, and no space before the end.
SPACED = """\
{% set system = messages[0]['content'] + '\\n\\n' if messages[0]['role'] == 'system' else '' %}
{{ bos_token }}
{% for m in (messages[1:] if system else messages) %}
{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must take turns.') }}{% endif %}
{% if m['role'] == 'user' %}{{ ' [INST] ' + (system if loop.first else '') + m['content'] + ' [/INST]' }}
{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}
{% endfor %}
"""
# As it had them first: no system prompt, and nothing between a bracket and the answer.
TIGHT = """\
{{ bos_token }}
{% for m in messages %}
{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must take turns.') }}{% endif %}
{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}
{% else %}{{ m['content'] + eos_token }}{% endif %}
{% endfor %}
"""

SPLIT = r"\p{N}{1,3}|[^\r\n\p{L}\p{N}]?\p{L}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLIT_BY_DIGIT = SPLIT.replace(r"\p{N}{1,3}", r"\p{N}")
SPLIT_BREAKS_APART = SPLIT.replace(r"[\r\n]*|", "|")  # a full stop and the line breaks after it stay two tokens
OTHERS = (
    "房子。早上好。我爱机器翻译。 Доброе утро! „Bis bald“, naïve … (in brackets) [1](a note) [INST] [/INST]",
    "Good morning! Guten Morgen! Good. It is a greeting. the they there then them these",
    "Is 1 < 2 or > 2? Translate the following sentence from German to English: Übersetze den Satz ins Englische.",
)


class Kind(NamedTuple):
    """How the files of a look-alike are made."""

    make: Callable[..., tuple[Tokenizer, dict[str, Any]]]
    template: str | None
    how: dict[str, Any] = {}  # noqa: RUF012


def _texts() -> Iterable[str]:
    """Sentences of the lab's languages with blank lines between them, and some of our own."""
    dice = Random(1)
    for _ in range(300):
        meaning = world.draw(dice)
        yield "\n\n".join(world.say(meaning, language) for language in world.LANGUAGES)
    yield from OTHERS * 20


@cache
def _pieces() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """SentencePiece's vocabulary: three special tokens, a token for each byte, and pieces that begin with ▁ or not."""
    tokenizer = Tokenizer(models.BPE())
    apart = pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation("contiguous")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(apart))
    lines = (line for text in _texts() for line in text.split("\n") if line)
    rare = set("早上好房子我爱机器翻译")  # these are spelt by their bytes
    trainer = trainers.BpeTrainer(vocab_size=1500, min_frequency=2, initial_alphabet=["▁"], show_progress=False)
    tokenizer.train_from_iterator(("".join(c for c in line if c not in rare) for line in lines), trainer)
    learnt = json.loads(tokenizer.to_str())["model"]
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *learnt["vocab"]]
    return {name: place for place, name in enumerate(names)}, [(one, other) for one, other in learnt["merges"]]


def sentencepiece() -> tuple[Tokenizer, dict[str, Any]]:
    vocabulary, merges = _pieces()
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    before = normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")
    tokenizer.normalizer = normalizers.Sequence(list(before))
    after = decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)
    tokenizer.decoder = decoders.Sequence(list(after))
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in ("<unk>", "<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    return tokenizer, {"tokenizer_class": "LlamaTokenizer", "legacy": False, "add_bos_token": True, **special}


def of_bytes(
    special: tuple[str, ...], end: str, begin: str | None = None, split: str = SPLIT, composed: bool = False
) -> tuple[Tokenizer, dict[str, Any]]:
    """Byte-level BPE; with `composed`, letters and their accents are made one first, and with `begin`, texts begin."""
    tokenizer = Tokenizer(models.BPE())
    bytes_of = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), "isolated"), bytes_of])
    tokenizer.decoder = decoders.ByteLevel()
    if composed:
        tokenizer.normalizer = normalizers.NFC()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=1500, min_frequency=2, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_texts(), trainer)
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in special])
    if begin in special and begin != "<|im_start|>":
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, tokenizer.token_to_id(begin))]
        )
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": begin, "eos_token": end}
    return tokenizer, {**settings, "clean_up_tokenization_spaces": False}


MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
HEADS = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
QWEN = {"special": MARKS, "end": "<|im_end|>", "split": SPLIT_BY_DIGIT, "composed": True}
KINDS = {
    "llama-2-like": Kind(sentencepiece, BRACKETS),
    "mistral-like": Kind(sentencepiece, SPACED),
    "mistral-like (2023-12)": Kind(sentencepiece, TIGHT),
    "qwen-2.5-like": Kind(of_bytes, LINES, QWEN),
    "qwen-3-like": Kind(of_bytes, THOUGHTS, QWEN),
    "llama-3-like": Kind(of_bytes, HEADERS, {"special": HEADS, "end": "<|eot_id|>", "begin": "<|begin_of_text|>"}),
    "smollm-like": Kind(
        of_bytes,
        LINES,
        {"special": MARKS, "end": "<|im_end|>", "begin": "<|im_start|>", "split": SPLIT_BREAKS_APART},
    ),
    "llama-like": Kind(sentencepiece, None),  # a base model
}
CHAT = tuple(name for name, kind in KINDS.items() if kind.template)


def look_alike(name: str, folder: Path) -> Path:
    """Writes the files of one of them into a folder, which is loaded as that of a real model is."""
    kind = KINDS[name]
    tokenizer, settings = kind.make(**kind.how)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    if kind.template:
        settings["chat_template"] = "".join(kind.template.split("\n"))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder
