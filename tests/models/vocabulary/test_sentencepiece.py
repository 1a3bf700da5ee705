"""The pieces of a tokenizer.model, and the same file made longer."""

from pathlib import Path

import pytest

from dragoman.models.vocabulary.sentencepiece import append_pieces, pieces_of


def test_pieces_that_were_added_later_get_their_place(real_data: Path) -> None:
    model = (real_data / "tokenizers" / "llama-2-7b-chat" / "tokenizer.model").read_bytes()
    there = pieces_of(model)
    assert there
    assert there[:3] == [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)]
    old = {text: place for place, (text, _) in enumerate(there)} | {"<pad>": 32000, "<own>": 32001}
    larger = append_pieces(model, old, {32000}, ["▁Zqv", "zqvv"])
    assert larger
    assert larger.startswith(model)
    after = pieces_of(larger)
    assert after
    assert after[: len(there)] == there
    assert [text for text, _ in after[32000:]] == ["<pad>", "<own>", "▁Zqv", "zqvv"]
    assert after[-1][1] < after[-2][1] < min(score for _, score in there)

    library = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    plain = library.SentencePieceProcessor(model_proto=larger)
    assert plain.get_piece_size() == 32004
    assert [plain.is_control(token) for token in (32000, 32001, 32002)] == [True, False, False]
    assert append_pieces(model, {**old, "▁else": 5}, set(), ["x"]) is None


@pytest.mark.parametrize("model", [b"", b"IQ== 0\nIg== 1\n", b"\x0a\xff\xff", b"\x0a\x02\x0a", bytes(range(256))])
def test_other_files_are_not_taken_for_its_own(model: bytes) -> None:
    assert pieces_of(model) is None
    assert append_pieces(model, {"a": 0}, set(), ["b"]) is None
