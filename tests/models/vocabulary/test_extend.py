"""A larger vocabulary: old pieces stay what they are, new text takes fewer tokens, and the model is as it was."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from dragoman.errors import DataError
from dragoman.models.vocabulary.extend import extend
from dragoman.models.vocabulary.merge import merge_pieces
from dragoman.models.vocabulary.pieces import train_pieces
from dragoman.prompts.render import Renderer
from tests.models.vocabulary.extended import OLD, PERSIAN, behind_real, cut, of_old, read, tiny

KINDS = ("llama-2-like", "mistral-like", "smollm-like", "llama-3-like", "qwen-2.5-like")
TIED = pytest.mark.parametrize("tied", [False, True], ids=["two matrices", "one"])
REAL = ("llama-2-7b-chat", "mistral-7b-instruct-v0.2", "smollm2-135m-instruct")


@pytest.mark.parametrize("kind", KINDS)
def test_new_text_takes_fewer_tokens_and_old_text_the_same(kind: str, tmp_path: Path) -> None:
    model, out = tiny(tmp_path / "model", kind), tmp_path / "out"
    before = AutoTokenizer.from_pretrained(model)
    pieces = train_pieces(before, PERSIAN[::2], 60)
    made = extend(model, out, PERSIAN[::2], 60)
    after = AutoTokenizer.from_pretrained(out)
    assert made.first == len(before) == len(after) - 60
    assert {text: after.get_vocab()[text] for text in before.get_vocab()} == before.get_vocab()
    assert made.tokens_after < 0.6 * made.tokens_before
    for text in (OLD, *PERSIAN[1::2]):
        old, new = cut(model, text), cut(out, text)
        assert of_old(new, made.first, pieces.old) == old
        assert after.decode(new, clean_up_tokenization_spaces=False) == text
    assert cut(out, OLD) == cut(model, OLD)
    assert Renderer.load(out).converses  # which tries the template out
    assert read(out / "config.json")["new_tokens"] == [made.first, made.first + 60]


@TIED
def test_each_row_starts_as_the_mean_of_its_old_pieces(tied: bool, tmp_path: Path) -> None:
    model, out = (
        tiny(tmp_path / "model", "smollm-like", tie_word_embeddings=tied, dtype=torch.bfloat16),
        tmp_path / "out",
    )
    made = extend(model, out, PERSIAN, 40, multiple=64)
    pieces = train_pieces(AutoTokenizer.from_pretrained(model), PERSIAN, 40)
    old, new = (load_file(folder / "model.safetensors") for folder in (model, out))
    names = ["model.embed_tokens.weight", *(["lm_head.weight"] if not tied else [])]
    assert ("lm_head.weight" in new) != tied
    for name in names:
        assert new[name].dtype == torch.bfloat16
        assert torch.equal(new[name][: made.first], old[name])
        for place, parts in enumerate(pieces.old):
            expected = old[name][list(parts)].float().mean(0).bfloat16()
            assert torch.equal(new[name][made.first + place], expected)
        assert made.rows_after == len(new[name])
        assert made.rows_after % 64 == 0
        assert torch.equal(new[name][-1], old[name].float().mean(0).bfloat16())
    assert all(torch.equal(new[name], weight) for name, weight in old.items() if name not in names)


def test_a_row_can_start_as_the_mean_of_all(tmp_path: Path) -> None:
    model, out = tiny(tmp_path / "model", "mistral-like"), tmp_path / "out"
    made = extend(model, out, PERSIAN, 20, start="mean")
    old, new = (load_file(folder / "model.safetensors")["lm_head.weight"] for folder in (model, out))
    torch.testing.assert_close(new[made.first :], old.mean(0).expand(20, -1))


def test_rows_that_no_token_had_are_used_first(tmp_path: Path) -> None:
    model, out = tiny(tmp_path / "model", "smollm-like", rows=1600), tmp_path / "out"
    made = extend(model, out, PERSIAN, 40)
    assert (made.rows_before, made.rows_after) == (1600, 1600)
    assert made.first < 1600 - 40


@TIED
@torch.no_grad()
def test_the_model_says_of_old_text_what_it_said(tied: bool, tmp_path: Path) -> None:
    model, out = tiny(tmp_path / "model", "llama-2-like", tie_word_embeddings=tied), tmp_path / "out"
    made = extend(model, out, PERSIAN, 40)
    ids = torch.tensor([cut(model, OLD)])
    before, after = (AutoModelForCausalLM.from_pretrained(folder)(ids).logits for folder in (model, out))
    torch.testing.assert_close(after[..., : made.first], before)
    assert after.shape[-1] == made.first + 40


@pytest.mark.parametrize("name", REAL)
def test_real_tokenizers(name: str, real_data: Path, tmp_path: Path) -> None:
    files = real_data / "tokenizers" / name
    lines = (real_data / "ntrex" / "NTREX-128" / "newstest2019-ref.arb.txt").read_text(encoding="utf-8").splitlines()
    tokenizer, out = AutoTokenizer.from_pretrained(files), tmp_path / "out"
    pieces = train_pieces(tokenizer, lines[:400], 200)
    shutil.copytree(files, out, copy_function=shutil.copyfile)
    (out / "config.json").write_text('{"model_type": "llama", "transformers_version": "5.16.0"}')
    first = merge_pieces(tokenizer, files, pieces, out)
    for line in lines[400:480]:
        assert of_old(cut(out, line), first, pieces.old) == cut(files, line)
    assert sum(len(cut(out, line)) for line in lines[400:480]) < 0.8 * sum(
        len(cut(files, line)) for line in lines[400:480]
    )
    if (files / "tokenizer.model").is_file():
        library = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
        plain = library.SentencePieceProcessor(model_file=str(out / "tokenizer.model"))
        assert plain.get_piece_size() == first + 200
        for line in (OLD.replace("\n", " "), *lines[400:480]):
            assert plain.encode(line) == cut(out, line)


def test_a_real_model_of_llama_is_extended_whole(real_data: Path, tmp_path: Path) -> None:
    model = behind_real(tmp_path / "model", real_data / "tokenizers" / "llama-2-7b-chat", tie_word_embeddings=False)
    made = extend(model, tmp_path / "out", PERSIAN, 30)
    assert (made.first, made.rows_after) == (32000, 32030)
    assert (tmp_path / "out" / "tokenizer.model").is_file()


def test_files_beside_tokenizer_json_grow_with_it(tmp_path: Path) -> None:
    model, out = tiny(tmp_path / "model", "qwen-2.5-like"), tmp_path / "out"
    said = read(model / "tokenizer.json")["model"]
    (model / "vocab.json").write_text(json.dumps(said["vocab"]))
    (model / "merges.txt").write_text("#version: 0.2\n" + "\n".join(map(" ".join, said["merges"])) + "\n")
    (model / "tokenizer.model").write_bytes(b"IQ== 0\nIg== 1\n")  # tiktoken's, whose ranks can have no gaps
    made = extend(model, out, PERSIAN, 20)
    assert len(read(out / "vocab.json")) == made.first + 20
    merges = (out / "merges.txt").read_text(encoding="utf-8").splitlines()
    assert merges[1:] == [" ".join(pair) for pair in read(out / "tokenizer.json")["model"]["merges"]]
    assert not (out / "tokenizer.model").exists()


@pytest.mark.parametrize(
    ("texts", "count", "said"),
    [
        ((), 10, "there is no text"),
        (("", " \n"), 10, "there is no text"),
        (("a b c d",), 10, "add nothing: all that occurs twice in the text is one token already"),
        (PERSIAN[:8], 1000, r"1,000 pieces are asked for, and the text yields \d+ that occur at least twice"),
    ],
)
@pytest.mark.parametrize("kind", ["llama-2-like", "smollm-like"])
def test_text_that_is_too_small(kind: str, texts: tuple[str, ...], count: int, said: str, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny(tmp_path, kind))
    with pytest.raises(DataError, match=said):
        train_pieces(tokenizer, texts, count)


def test_the_number_that_a_text_yields_is_the_number_that_can_be_had(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny(tmp_path, "smollm-like"))
    with pytest.raises(DataError) as told:
        train_pieces(tokenizer, PERSIAN[:8], 1000)
    most = int(str(told.value).rpartition("pieces: ")[2].rstrip("`."))
    assert len(train_pieces(tokenizer, PERSIAN[:8], most).texts) == most


def test_other_kinds_of_tokenizers_are_refused_by_name(tmp_path: Path) -> None:
    words = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))
    with pytest.raises(DataError, match=r"of the kind WordLevel.*Llama-2"):
        train_pieces(words, PERSIAN, 10)
