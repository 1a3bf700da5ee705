"""Faulty texts and mixtures, and what is said about them."""

from pathlib import Path

import pytest

from tests.recipe.test_load import loaded, said

RECIPE = """\
name: small
backbone: lab
evaluate: [lab]
data:
  texts: {texts}
  mixture: {mixture}
methods: {methods}
"""
DE, IT = "{corpus: lab-texts, language: de", "{corpus: lab-texts, language: it"
PAIRS = "{pairs: {corpus: lab, directions: [de-en]}"


def recipe(texts: str, mixture: str = "null", methods: str = "[pretrain]") -> str:
    return RECIPE.format(texts=f"[{texts}]", mixture=mixture, methods=methods)


FAULTS: dict[str, tuple[str, str]] = {
    "no origin": (
        recipe("{language: de}"),
        "data.texts[0]: needs one of these: a file (or folder), a corpus, or pairs",
    ),
    "two origins": (recipe(DE + ", file: a.txt}"), "data.texts[0]: needs one of these"),
    "no language": (recipe("{file: a.txt}"), "data.texts[0]: needs the language of its documents"),
    "a language of pairs": (recipe(PAIRS + ", language: de}"), "take `language` out"),
    "a template of no pairs": (recipe(DE + ", template: '{text} {translation}'}"), "has a template, by which pairs"),
    "an unknown place": (
        recipe(PAIRS + ", template: '{text} {word} {translation}'}"),
        "has {word}, and there are {source}",
    ),
    "a side is missing": (recipe(PAIRS + ", template: '{text}'}"), "has no {translation}; write both sides"),
    "a lone brace": (
        recipe(PAIRS + ", template: '{text} } {translation}'}"),
        "has a brace that opens or closes nothing",
    ),
    "a misspelt field": (recipe(DE + ", limits: 3}"), "data.texts[0].limits: no such key; did you mean 'limit'?"),
    "a model without a threshold": (recipe(DE + ", perplexity_of: lab}"), "names a model that tells perplexity and no"),
    "a share of what is held out": (recipe(DE + ", dev: 1, share: 0.5}, " + IT + "}"), "so no share of it is learnt"),
    "shares that do not sum up": (
        recipe(DE + ", share: 0.5}, " + IT + ", share: 0.4}"),
        "data: texts: the shares sum up to 0.9, not to 1",
    ),
    "one without a share": (
        recipe(DE + ", share: 0.5}, " + IT + "}"),
        "data: texts: some have a share and others have none; give each one, or write `mixture: {temperature: 1}`",
    ),
    "nothing left for the others": (
        recipe(DE + ", share: 1}, " + IT + "}", "{temperature: 2}"),
        "data: texts: the shares of some sum up to 1, which leaves nothing to the others",
    ),
    "a temperature of nothing": (
        recipe(DE + ", share: 0.5}, " + IT + ", share: 0.5}", "{temperature: 2}"),
        "data: mixture: every text has a share, so a temperature decides nothing",
    ),
    "all is held out": (recipe(DE + ", dev: 1}"), "data: has texts that are all held out (dev: 1)"),
    "a mixture of nothing": (
        recipe("", "{temperature: 2}", "[]"),
        "data: has a mixture and no texts that would be mixed",
    ),
    "pairs of train without any": (recipe("{pairs: train}"), "data: has texts of the pairs of train, and train names"),
    "no texts": (
        recipe("").replace("[pretrain]", "[vanilla, pretrain]").replace("data:\n", "data:\n  train: {corpus: lab}\n"),
        "methods[1]: pretrain learns plain text, and the recipe names none; write some under data, as in `texts: "
        "[{file: news.de.txt, language: de}]`",
    ),
    "nothing but texts": (
        recipe(DE + "}", methods="[pretrain, vanilla]"),
        "methods[1]: vanilla learns pairs or conversations, and the recipe has neither; give train or lessons under",
    ),
    "no methods": (recipe(DE + "}", methods="[]"), "has something to learn from, but no methods"),
    "the best weights with nothing to validate on": (
        recipe(DE + "}", methods="[{pretrain: {training: {keep: best}}}]"),
        "hold some of its texts out, as in `dev: 0.01` beside one of them",
    ),
    "the best weights of a row without pairs": (
        recipe(DE + ", dev: 0.1}", methods="[pretrain, vanilla]").replace("data:\n", "data:\n  train: {corpus: lab}\n")
        + "training: {keep: best}\n",
        "training.keep: best are the weights with the lowest loss on a dev set, and the recipe has none; name one",
    ),
    "a budget of one row alone": (
        recipe(DE + ", dev: 0.1}", methods="[pretrain, vanilla]").replace("data:\n", "data:\n  train: {corpus: lab}\n")
        + "training: {budget: {drift: 0.1}}\n",
        "training.budget: drift is measured on general prompts, or on a dev set, and a row has neither",
    ),
}


@pytest.mark.parametrize(("text", "what"), FAULTS.values(), ids=FAULTS)
def test_one_fault_is_told_once(tmp_path: Path, text: str, what: str) -> None:
    told = said(tmp_path, text)
    assert len(told) == 1
    assert what in told[0]


def test_what_is_validated_on_held_out_texts(tmp_path: Path) -> None:
    best = "training: {keep: best, give_up: 2, validate_every: 5, budget: {drift: 0.1}}\n"
    found = loaded(
        tmp_path, recipe(DE + ", dev: 0.1}, " + PAIRS + "}", "{temperature: 6, by: tokens, stop: all}") + best
    )
    assert found.data.texts[0].dev == 0.1
    assert found.data.texts[1].template == "{source}: {text}\n{target}: {translation}"
