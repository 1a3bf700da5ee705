"""Pretraining: every token of a document, in pieces kept apart or in blocks across documents."""

from itertools import pairwise

import pytest

from dragoman.corpora.amounts import Amounts, Kind, Volume
from dragoman.corpora.records import Learnt, Text
from dragoman.errors import DataError
from dragoman.methods import Expected
from dragoman.methods.pretrain import Options, forecast, pretrain
from dragoman.prompts.speak import Speaker
from tests.methods.method_kit import PAIR, Known, told

TEXTS: list[Learnt] = [
    Text("The dog sleeps.", "en"),
    Text("Der Hund schläft. <|end|></s>", "de"),
    Text("The dog sleeps. The dog sleeps again, and the dog sleeps well.", "en"),
]


def whole(speak: Speaker, text: Learnt) -> tuple[int, ...]:
    """A document's ids with those of a tokenizer that begins and ends texts."""
    assert isinstance(text, Text)
    tokenizer = speak.renderer.tokenizer
    ids = tokenizer(text.text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return (tokenizer.bos_token_id, *ids, tokenizer.eos_token_id)


def test_every_document_is_an_example_of_its_own(vocabulary: tuple[Speaker, Known]) -> None:
    speak, _ = vocabulary
    asks, lesson = told(pretrain([*TEXTS, PAIR], speak, Options()))
    assert not asks
    assert [example.ids for example in lesson.examples] == [whole(speak, text) for text in TEXTS]
    for example in lesson.examples:
        assert [(segment.name, segment.weight) for segment in example.segments] == [("text", 1.0), ("end", 1.0)]
        assert example.segments[1].ids == (speak.renderer.tokenizer.eos_token_id,)
    assert [example.key for example in lesson.examples] == [text.key for text in TEXTS]
    assert +lesson.notes == {"documents in en": 2, "documents in de": 1}


def test_a_long_document_is_cut_into_pieces_in_which_each_token_is_learnt_once(
    vocabulary: tuple[Speaker, Known],
) -> None:
    speak, _ = vocabulary
    for size in range(2, len(whole(speak, TEXTS[2])) + 2):
        _, lesson = told(pretrain([TEXTS[2]], speak, Options(block=size)))
        pieces = [example.ids for example in lesson.examples]
        assert max(map(len, pieces)) <= size
        joined = pieces[0] + tuple(token for piece in pieces[1:] for token in piece[1:])
        assert joined == whole(speak, TEXTS[2]), size
        assert all(one[-1] == other[0] for one, other in pairwise(pieces))
        assert all(len(piece) > 1 for piece in pieces)
        assert len({example.key for example in lesson.examples}) == len(pieces)


def test_a_document_that_is_cut_off_has_no_end_to_learn(lab: tuple[Speaker, Known]) -> None:
    speak, _ = lab
    ids = whole(speak, TEXTS[2])
    _, apart = told(pretrain([TEXTS[2]], speak, Options(max_tokens=6)))
    assert [example.ids for example in apart.examples] == [ids[:6]]
    assert apart.notes["documents cut at 6 tokens"] == 1
    _, across = told(pretrain(TEXTS, speak, Options(max_tokens=6, block=2, across=True)))
    ends = [segment for example in across.examples for segment in example.segments if segment.ids == (2,)]
    assert {(segment.name, segment.weight) for segment in ends} <= {("end", 1.0), ("prompt", 0.0)}
    assert any(segment.weight == 0 for segment in ends)
    _, exact = told(pretrain([TEXTS[0]], speak, Options(max_tokens=len(whole(speak, TEXTS[0])) - 1)))
    assert exact.examples[0].ids == whole(speak, TEXTS[0])


def test_blocks_across_documents_are_cut_from_one_line(vocabulary: tuple[Speaker, Known]) -> None:
    speak, _ = vocabulary
    _, lesson = told(pretrain(TEXTS, speak, Options(block=8, across=True)))
    line = tuple(token for text in TEXTS for token in whole(speak, text))
    assert [example.ids for example in lesson.examples] == [line[at : at + 8] for at in range(0, len(line) - 7, 8)]
    assert lesson.notes["tokens left over after the last block of a chunk"] == len(line) % 8
    assert {segment.weight for example in lesson.examples for segment in example.segments} == {1.0}
    assert len({example.key for example in lesson.examples}) == len(lesson.examples)


def test_documents_of_some_languages_alone(lab: tuple[Speaker, Known]) -> None:
    _, lesson = told(pretrain(TEXTS, lab[0], Options(languages=("de",))))
    assert [example.key for example in lesson.examples] == [TEXTS[1].key]
    kinds = {name: Kind(name, name, pairs=False, texts=True) for name in ("de", "en", "de-en")}
    learnt = Amounts({kind: Volume(100, 0, 800) for kind in kinds.values()})
    assert forecast(learnt, Options(languages=("de", "de-en")), Expected(200, 1.0)).tokens == 2000


def test_a_block_that_the_backbone_cannot_see_is_refused(lab: tuple[Speaker, Known]) -> None:
    narrow = Speaker(lab[0].renderer, context=256)
    with pytest.raises(DataError, match="a block of 512 tokens is more than the 256 that the backbone sees"):
        told(pretrain(TEXTS, narrow, Options()))


def test_it_foresees_blocks_and_leaves_pairs_out() -> None:
    kind = Kind("de", "de", pairs=False, texts=True)
    learnt = Amounts({kind: Volume(100, 0, 99_800), Kind("de", "en"): Volume(50, 500, 500)})
    expected = Expected(200, 1.0)
    across = forecast(learnt, Options(across=True), expected)
    assert (across.examples, across.tokens, across.trained, across.asking) == (100_000 / 512, 100_000, 100_000, None)
    apart = forecast(learnt, Options(), expected)
    assert 200 < apart.examples < 300
    assert forecast(learnt, Options(max_tokens=498), expected).tokens == 50_000
    assert forecast(Amounts(), Options(), expected).examples == 0
