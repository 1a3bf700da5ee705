"""Which pairs are held out."""

from dragoman.commands.init.starter import hold_out
from dragoman.corpora.records import Pair

PAIRS = [Pair(f"Satz {index % 40}", f"sentence {index}", "de", "en") for index in range(50)]


def test_copies_of_a_sentence_stay_together() -> None:
    train, test = hold_out(PAIRS, 5)
    assert sorted([*train, *test], key=PAIRS.index) == PAIRS
    assert len({pair.source for pair in test}) == 5
    assert not {pair.source for pair in test} & {pair.source for pair in train}


def test_the_same_sentences_are_held_out_whatever_the_order() -> None:
    assert hold_out(PAIRS[::-1], 5)[1] == hold_out(PAIRS, 5)[1][::-1]


def test_more_held_out_holds_the_fewer() -> None:
    fewer = {pair.source for pair in hold_out(PAIRS, 5)[1]}
    assert fewer < {pair.source for pair in hold_out(PAIRS, 12)[1]}
