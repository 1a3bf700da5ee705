"""The tokenizer of a GGUF file gives the ids that the model's own tokenizer.json gives."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from dragoman.corpora.records import Turn
from dragoman.models.gguf.header import read_header
from dragoman.models.gguf.tokenizer import write_tokenizer
from dragoman.prompts.render import Renderer
from tests.gguf_files import CUTS, write_gguf
from tests.look_alikes import look_alike

OTHERS = (
    "",
    " ",
    "In 12345 steps, it's 1990's.\n\n1. one\n\n2. two\n   3.5 %",
    "a  1  b\t2\n\n\n 3 ½ ² ٣ 四 x1y2z3",
    "👩‍🔬🏳️‍🌈 e\u0301 é ﬁ Ａ — „so“ …\u00a0!",
    "早上好！这是一句话。Доброе утро; مرحبا हिन्दी 한국어",
    "<|im_start|>user\nHi<|im_end|>\n<|endoftext|> </s> <s> [INST] <|eot_id|> <|begin_of_text|><unk>",
    "def f(x):\n    return {x: [1, 2]}\t# ok\r\n\r\n\r",
    "'s 'S 'll 'RE don't WE'VE",
)
REAL = {
    "smollm-like": "smollm2-135m-instruct",
    "llama-3-like": "llama-3-8b-instruct",
    "llama-2-like": "llama-2-7b-chat",
    "mistral-like": "mistral-7b-instruct-v0.2",
}


def rebuilt(file: Path, out: Path) -> Tokenizer:
    out.mkdir()
    write_tokenizer(read_header(file), out)
    return Tokenizer.from_file(str(out / "tokenizer.json"))


def texts(data: Path) -> Iterator[str]:
    """Real text of several languages, code, and conversations."""
    for name in ("train.de-en.de", "train.de-en.en"):
        lines = (data / "alma" / "human_written_data" / "deen" / name).read_text(encoding="utf-8").split("\n")
        yield from lines[::40]
        yield "\n\n".join(f"{place}. {line}" for place, line in enumerate(lines[:40]))
    for path in sorted((data / "alma" / "human_written_data").glob("*/valid.*.json")):
        for line in path.read_text(encoding="utf-8").split("\n")[::20]:
            yield line
    with gzip.open(data / "humaneval" / "HumanEval.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)["prompt"] + json.loads(line)["canonical_solution"]
    yield from OTHERS


def differing(ours: Tokenizer, theirs: Tokenizer, some: Iterator[str]) -> list[str]:
    return [text for text in some if ours.encode(text).ids != theirs.encode(text).ids]


def real_file(data: Path, kind: str, file: Path) -> Path:
    """Writes a GGUF file with a real vocabulary, and returns the folder that it is from."""
    folder = data / "tokenizers" / REAL[kind]
    scores = None
    if kind not in CUTS:
        pieces = pytest.importorskip("sentencepiece").SentencePieceProcessor(str(folder / "tokenizer.model"))
        scores = [pieces.get_score(at) for at in range(pieces.get_piece_size())]
    write_gguf(file, kind, real=folder, tokenizer__ggml__scores=scores)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", REAL)
def test_ids_are_those_of_the_real_tokenizer(tmp_path: Path, real_data: Path, kind: str) -> None:
    folder = real_file(real_data, kind, tmp_path / "model.gguf")
    ours = rebuilt(tmp_path / "model.gguf", tmp_path / "made")
    published = Tokenizer.from_file(str(folder / "tokenizer.json"))
    read = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    some = list(texts(real_data))
    assert len(some) > 800
    assert differing(ours, published if kind in CUTS else read, iter(some)) == []
    if kind == "smollm-like":  # transformers leaves out that digits are apart
        assert differing(published, read, iter(some)) != []
    renderer, real = Renderer.load(tmp_path / "made"), Renderer.load(folder)
    turns = [Turn("user", "Who are you?"), Turn("assistant", "Yes."), Turn("user", "And then?")]
    assert renderer.prompt(turns) == real.prompt(turns)
    assert renderer.stop == real.stop


@pytest.mark.slow
def test_ids_are_those_that_llama_cpp_publishes(tmp_path: Path, real_data: Path) -> None:
    vectors = real_data / "tokenizers" / "vectors"
    real_file(real_data, "llama-3-like", tmp_path / "model.gguf")
    ours = rebuilt(tmp_path / "model.gguf", tmp_path / "made")
    asked = (vectors / "ggml-vocab.gguf.inp").read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    told = (vectors / "ggml-vocab-llama-bpe.gguf.out").read_text(encoding="utf-8").split("\n")
    expected = [[int(number) for number in line.split()] for line in told]
    found = [ours.encode(text, add_special_tokens=False).ids for text in asked]
    assert len(asked) > 40
    assert [text for text, ids, want in zip(asked, found, expected, strict=False) if ids != want] == []


@pytest.mark.parametrize("kind", ["smollm-like", "llama-3-like", "qwen-2.5-like", "llama-2-like"])
def test_the_files_are_read_back_as_written(tmp_path: Path, kind: str) -> None:
    """transformers replaces parts of a tokenizer by those of its own class, where a class is named."""
    write_gguf(tmp_path / "model.gguf", kind)
    ours = rebuilt(tmp_path / "model.gguf", tmp_path / "made")
    read = AutoTokenizer.from_pretrained(tmp_path / "made").backend_tokenizer
    parts = [json.loads(one.to_str()) for one in (read, ours)]
    for part in parts:
        part.pop("post_processor")  # where there is none, transformers puts one that adds nothing
    assert parts[0] == parts[1]
    assert differing(read, ours, iter(OTHERS)) == []
    theirs = Tokenizer.from_file(str(look_alike(kind, tmp_path / "real") / "tokenizer.json"))
    assert ours.get_vocab() == theirs.get_vocab()


def test_digits_are_apart_where_the_file_says_so(tmp_path: Path) -> None:
    """`smollm` is unknown to transformers, which would take the line breaks before a digit apart."""
    write_gguf(tmp_path / "model.gguf")
    ours = rebuilt(tmp_path / "model.gguf", tmp_path / "made")
    pieces = ours.pre_tokenizer.pre_tokenize_str("a\n\n12")
    assert [text for text, _ in pieces] == ["a", "ĊĊ", "1", "2"]
