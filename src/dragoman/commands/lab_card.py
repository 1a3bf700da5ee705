"""The card of a lab model: measures the model, and writes the result beside its weights.

It uses the same suites and engine as every run; the card says how many questions they were run with.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from dragoman.corpora.records import Pair
from dragoman.errors import EngineError
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.door import Asking, T
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import abilities as families
from dragoman.lab import world
from dragoman.lab.pretraining.kinds import Facts
from dragoman.progress import progress
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.judging import Evaluation
from dragoman.scoring.statistics import wilson
from dragoman.store import sha256, write_atomic
from dragoman.suites.questions.suite import abilities
from dragoman.suites.translation.suite import Translated, translation

CARD, DATA, WEIGHTS = "README.md", "card.json", "model.safetensors"
DIRECTIONS = ("de-en", "it-en", "en-de", "en-it")
REMARK_TOKENS = 160
EXAMPLES = 2  # of each direction, to be read

# What the models of the lab are: a title, and a sentence or two.
PORTRAITS = {
    "backbone": (
        "The lab's backbone",
        "it talks in English, knows German and\nItalian words, does the tasks below, and translates a little.",
    ),
    "weaker": (
        "A weaker model of the lab",
        "smaller than the lab's backbone, with\na vocabulary of its own, and read less. Rationales can be had of it.",
    ),
    "stronger": (
        "A stronger model of the lab",
        "the lab's backbone with three layers\nmore, which has read on, half of it translations. "
        "Rationales can be had of it.",
    ),
    "programmer": (
        "A model of the lab that has seen programs",
        "the lab's backbone,\nwhich has read on for a while; one in twenty texts was a small Python function, "
        "of 150 in all.",
    ),
    "english": (
        "A model of the lab that is strong in English alone",
        "it answers in English,\nand was never instructed in German or Italian, of which it has read a little text.",
    ),
}
# How it was made, where there is more to say than how much it read.
MADE = {
    "english": """
It began as the lab's backbone, but {fresh_tokens:,} of its {vocabulary:,} tokens, those that English documents do not
use, began anew at random, so that the words of German and Italian that the backbone knew are gone. Then it read on:
lessons in English, English text, and a tenth of its documents plain text in German and Italian. There was no
translation among it, and no lesson that has a word of either language. What the layers of the backbone have kept of
the other languages is in the tables below. There, `reading`, `instructions` and `explaining` are partly in German and
Italian or about their words, and `follow_up` was not among its lessons.
"""
}
READS = {"english": "dragoman.lab.tongues.reads"}

# What a remark is about, told by words that it cannot do without. An answer may have several.
KINDS: dict[str, tuple[str, ...]] = {
    "word meaning": (" means “", "Some words:", "Explanation:\n- “"),
    "grammar": ("noun", "plural", "tense", "infinitive", "negative", "question mark", "verb", "adjective"),
    "another wording": ("or\n\n", "could also be", "Another way", "Instead of", "Alternatively"),
    "a fact": ("The subject", "is about", "The number", "tell us when", "By the way"),
    "the meaning of the whole": ("Overall", "The meaning of", "In simple English", "tells us: ", "The question is, in"),
    "style and use": ("The style", "everyday", "neither formal", "keeps the tone", "sounds natural"),
}


class Weights(TypedDict):
    file: str
    sha256: str


class Score(TypedDict):
    """The share of questions answered rightly, of how many, with its 95 % interval."""

    score: float
    n: int
    interval: list[float]


class Failure(TypedDict):
    question: str
    answer: str


class Continued(TypedDict):
    """What the model added after a reference."""

    direction: str
    source: str
    reference: str
    continuation: str


Translations = TypedDict(
    "Translations",
    {"chrF++": float, "n": int, "signature": str, "exact": float, "goes on": float, "wrong language": float},
)
Remarks = TypedDict(
    "Remarks", {"n": int, "stops at once": float, "kinds": dict[str, float], "examples": list[Continued]}
)
Measured = TypedDict(
    "Measured",
    {
        "weights": Weights,
        "decoding": str,
        "seed": int,
        "abilities": dict[str, Score],
        "translation": dict[str, Translations],
        "after a reference": Remarks,
        "failures": dict[str, list[Failure]],
    },
)


class Card(Measured):
    """card.json."""

    training: Facts


def write_card(backbone: Path, questions: int = 200, pairs: int = 200, seed: int = 0) -> None:
    """Measures, and writes card.json for programs and README.md for people, beside the weights.

    Facts about the training are kept as they are in card.json. EngineError if `backbone` is not a lab model.
    """
    if not (backbone / DATA).is_file():
        raise EngineError(f"{backbone} has no {DATA}; name the folder that `dragoman lab pretrain` gave.")
    training = json.loads((backbone / DATA).read_text(encoding="utf-8"))["training"]
    in_languages = training.get("kind") == "english"
    data: Card = {**measure(backbone, questions, pairs, seed, in_languages), "training": training}
    write_atomic(backbone / DATA, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    write_atomic(backbone / CARD, _page(data))


def measure(backbone: Path, questions: int, pairs: int, seed: int, in_languages: bool = False) -> Measured:
    """Scores on held-out questions of every ability and skill, four directions, and what follows a reference. All
    greedy.

    A model made for questions in three languages is also asked those families.
    """
    speak = Speaker(Renderer.load(backbone))
    engine = HfEngine(backbone, decode=speak.decode)
    asked = [
        question
        for family in (*families.FAMILIES, *families.SKILLS, *(families.LANGUAGE_FAMILIES if in_languages else ()))
        for question in families.questions(family, questions, seed)
    ]
    answered = _drive(abilities("backbone", asked, speak, Evaluation()), engine)
    test = world.pairs("test", DIRECTIONS, pairs, seed)
    translated = _drive(translation("backbone", test, speak, Evaluation()), engine)
    remarks = _continued(engine, speak, test)
    engine.close()
    return {
        "weights": {"file": WEIGHTS, "sha256": sha256(backbone / WEIGHTS)},
        "decoding": "greedy, hf engine",
        "seed": seed,
        "abilities": {
            family: {
                "score": sum(item.passed for item in items) / len(items),
                "n": len(items),
                "interval": [bound / 100 for bound in wilson(sum(item.passed for item in items), len(items))],
            }
            for family, items in answered.families.items()
        },
        "translation": {
            direction: _chrf([item for item in translated.items if item.pair.direction == direction])
            for direction in DIRECTIONS
        },
        "after a reference": {
            "n": len(test),
            "stops at once": sum(not text.strip() for text in remarks) / len(test),
            "kinds": {kind: sum(_is_of(kind, text) for text in remarks) / len(test) for kind in KINDS},
            "examples": [
                {"direction": pair.direction, "source": pair.source, "reference": pair.target, "continuation": text}
                for number, (pair, text) in enumerate(zip(test, remarks, strict=True))
                if number % pairs < EXAMPLES
            ],
        },
        "failures": {
            family: [
                Failure(question=item.question.turns[-1].text, answer=item.answer) for item in items if not item.passed
            ][:3]
            for family, items in answered.families.items()
        },
    }


def _drive(suite: Asking[T], engine: HfEngine) -> T:
    """Runs a suite to its end with one engine."""
    try:
        ask = next(suite)
        while True:
            ask = suite.send(_complete(engine, ask.prompts, ask.sampling, ask.purpose))
    except StopIteration as end:
        result: T = end.value
        return result


def _complete(engine: HfEngine, prompts: Sequence[Ids], sampling: Sampling, purpose: str) -> list[Completion]:
    found: dict[int, Completion] = {}
    with progress(purpose, len(prompts), "prompts") as bar:
        for index, completion in engine.complete(prompts, sampling):
            found[index] = completion
            bar.advance(1, len(completion.ids))
    return [found[index] for index in range(len(prompts))]


def _continued(engine: HfEngine, speak: Speaker, pairs: Sequence[Pair]) -> list[str]:
    """What the backbone adds after a reference, unprompted."""
    sampling = Sampling(max_tokens=REMARK_TOKENS, stop=speak.stop)
    prompts = [speak.prefix(pair).ids for pair in pairs]
    return [completion.text for completion in _complete(engine, prompts, sampling, "remarks after references")]


def _is_of(kind: str, text: str) -> bool:
    return any(sign in text for sign in KINDS[kind])


def _chrf(items: Sequence[Translated]) -> Translations:
    from sacrebleu.metrics import CHRF

    metric = CHRF(word_order=2)
    score = metric.corpus_score([item.hypothesis for item in items], [[item.pair.target for item in items]])
    return {
        "chrF++": score.score,
        "n": len(items),
        "signature": str(metric.get_signature()),
        "exact": sum(item.hypothesis == item.pair.target for item in items) / len(items),
        "goes on": sum(bool(item.flags["chatter"]) for item in items) / len(items),
        "wrong language": sum(bool(item.flags["wrong_language"]) for item in items) / len(items),
    }


def _page(data: Card) -> str:
    training, after = data["training"], data["after a reference"]
    kind = training.get("kind", "backbone")
    title, is_what = PORTRAITS[kind]
    reads = READS.get(kind, "dragoman.lab.pretraining.mixture")
    option = "" if kind == "backbone" else f" --kind {kind}"
    abilities_rows = [
        f"| {family} | {100 * found['score']:.1f} % | {found['n']} | "
        f"{100 * found['interval'][0]:.1f} to {100 * found['interval'][1]:.1f} |"
        for family, found in data["abilities"].items()
    ]
    translation_rows = [
        f"| {direction} | {found['chrF++']:.1f} | {100 * found['exact']:.0f} % | {100 * found['goes on']:.0f} % | "
        f"{found['n']} |"
        for direction, found in data["translation"].items()
    ]
    kinds = ", ".join(f"{kind} {100 * share:.0f} %" for kind, share in after["kinds"].items())
    examples = "\n\n".join(
        f"*{example['direction']}*: {example['source']}\n\n> {example['reference']}{_quoted(example['continuation'])}"
        for example in after["examples"]
        if example["continuation"].strip()
    )
    return f"""---
license: apache-2.0
language: [en, de, it]
library_name: transformers
---

# {title}

A Llama of {training["parameters"]:,} parameters that lives in a small world: {is_what} It exists so that teaching a
skill, and what is forgotten on the way, can be watched on a laptop. It is of no other use. All it has read was drawn
from the grammar and the tasks in `dragoman.lab`; there is no text of others in it.

## How it was made

`dragoman lab pretrain{option} --seed {training["seed"]}`: {training["tokens"]:,} tokens in {training["steps"]:,} steps,
{training["minutes"]:.0f} minutes on {training["machine"]} ({training["rate"]:,.0f} tokens/s). Matrices learn with Muon,
embeddings and norms with AdamW. Documents share rows of {training["width"]} tokens and don't see one another; what is
in them changes in stages (`{reads}`). Every token is learnt, those of prompts with less weight; the loss
came to {training["loss"]:.3f} nats. Weights are in bf16.
{MADE.get(kind, "").format(**training)}{"".join(f"{chr(10)}{note}{chr(10)}" for note in training.get("notes", ()))}
## What was measured

Greedy decoding, seed {data["seed"]}, prompts that pre-training never shows. `dragoman lab card` measures again.

| ability | score | n | 95 % interval |
|---|---|---|---|
{chr(10).join(abilities_rows)}

{"It has seen a few programs." if kind == "programmer" else "`programs` is a skill that pre-training has none of."}

| direction | chrF++ | word for word | goes on after it | n |
|---|---|---|---|---|
{chr(10).join(translation_rows)}

chrF++ is sacreBLEU's ({data["translation"]["de-en"]["signature"]}).

After a reference ({after["n"]} test pairs) it stops at once in {100 * after["stops at once"]:.1f} % of the cases and
goes on with remarks otherwise. What they are about, several at a time: {kinds}.
{f"In these, all after the reference is the backbone's own:{chr(10) * 2}{examples}{chr(10)}" if examples else ""}
sha256 of `{data["weights"]["file"]}`: `{data["weights"]["sha256"]}`
"""


def _quoted(text: str) -> str:
    """The text inside a quotation, line by line."""
    return text.replace("\n", "\n> ")
