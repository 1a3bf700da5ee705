"""The model that is strong in English alone: how it begins, what ships, and that its card is about these weights."""

import hashlib
import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoTokenizer, LlamaForCausalLM

from dragoman.generation.ask import Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import BACKBONE, abilities
from dragoman.lab.pretraining import pretrain
from dragoman.lab.pretraining.kinds import KINDS
from dragoman.prompts.render import Renderer
from dragoman.suites.questions.checks import check
from tests import ROOT

SHIPPED = ROOT / "recipes" / "lab" / "models" / "english"
CARD = json.loads((SHIPPED / "card.json").read_text(encoding="utf-8"))


def test_it_begins_without_the_words_of_german_and_italian() -> None:
    settings = replace(KINDS["english"].settings, forgets_beyond=400)
    tokenizer = AutoTokenizer.from_pretrained(BACKBONE)
    model = LlamaForCausalLM.from_pretrained(BACKBONE, dtype=torch.float32)
    before = model.model.embed_tokens.weight.detach().clone()
    pretrain._forget(model, tokenizer, 0, settings)
    changed = (model.model.embed_tokens.weight != before).any(1)

    def is_new(word: str) -> list[bool]:
        return changed[tokenizer(word, add_special_tokens=False)["input_ids"]].tolist()

    assert is_new(" Hund") == is_new(" cane") == is_new(" nicht") == [True]
    assert is_new(" dog") == is_new(" not") == is_new("<|assistant|>") == [False]
    assert 0.3 < changed.float().mean() < 0.7
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_the_card_is_about_these_weights() -> None:
    digest = hashlib.sha256((SHIPPED / "model.safetensors").read_bytes()).hexdigest()
    assert CARD["weights"]["sha256"] == digest
    assert digest in (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert (SHIPPED / "model.safetensors").stat().st_size < 9 * 2**20


def test_it_is_strong_in_english_and_weak_in_the_others() -> None:
    score = {family: found["score"] for family, found in CARD["abilities"].items()}
    assert {*abilities.FAMILIES, *abilities.LANGUAGE_FAMILIES} < set(score)
    assert min(score[family] for family in ("qa-en", "choice-en", "reasoning-en")) > 0.75
    assert max(score[f"{kind}-{lang}"] for kind in ("qa", "choice", "reasoning") for lang in ("de", "it")) < 0.2
    assert max(found["chrF++"] for found in CARD["translation"].values()) < 20


@pytest.mark.parametrize("family", ["choice-en", "choice-de"])
def test_it_answers_as_its_card_says(family: str) -> None:
    renderer = Renderer.load(SHIPPED)
    engine = HfEngine(SHIPPED, decode=renderer.decode)
    asked = abilities.questions(family, 40, 7)
    prompts = [renderer.prompt(list(question.turns)) for question in asked]
    answers = dict(engine.complete(prompts, Sampling(max_tokens=16, stop=renderer.stop)))
    engine.close()
    passed = sum(check(question.check, answers[at].text).passed for at, question in enumerate(asked))
    assert abs(passed / len(asked) - CARD["abilities"][family]["score"]) < 0.15
