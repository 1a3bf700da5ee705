"""RaDis with what a recipe may ask of its rationales: filters, samples, healing, another model's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dragoman.corpora.records import Pair
from dragoman.generation.ask import Ask, Completion
from dragoman.lab import BACKBONE
from dragoman.methods.radis import Options, radis
from dragoman.prompts.examples import Example
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from tests import real_ones
from tests.methods.method_kit import told

PAIRS = [
    Pair("Der Hund schläft.", "The dog sleeps.", "de", "en"),
    Pair("Die Katze trinkt Milch.", "The cat drinks milk.", "de", "en"),
    Pair("Mein Bruder liest.", "My brother reads.", "de", "en"),
    Pair("Es regnet oft.", "It often rains.", "de", "en"),
]
REMARK = "\n\nNote: the verb stands in the second position."


EXACT = Options(boundary="exact")


@pytest.fixture(scope="module")
def speak() -> Speaker:
    return Speaker(Renderer.load(BACKBONE))


def ids_of(speak: Speaker, text: str) -> tuple[int, ...]:
    return tuple(speak.renderer.tokenizer(text, add_special_tokens=False)["input_ids"])


def says(speak: Speaker, *texts: str) -> Callable[[Ask], list[Completion]]:
    """An answer for each prompt, ended by the model."""
    return lambda ask: [Completion((*ids_of(speak, text), ask.sampling.stop[0]), text, "stop") for text in texts]


def parts(example: Example) -> dict[str, tuple[int, ...]]:
    return {segment.name: segment.ids for segment in example.segments}


def silent(ask: Ask) -> list[Completion]:
    return [Completion((5,) * ask.sampling.max_tokens, "x", "length") for _ in ask.prompts]


WRITTEN = [
    REMARK,
    "\n\nAnother way to say it: “Milk is drunk by the cat.”",
    "\n\nTranslation: My brother reads.",
    REMARK,  # said before
]


def test_faults_are_counted_and_nothing_is_taken_out_by_default(speak: Speaker) -> None:
    _, lesson = told(radis(PAIRS, speak, EXACT), silent, says(speak, *WRITTEN))
    assert lesson.report is not None
    assert lesson.report.faults == {"contradicts_reference": 1, "repeats_reference": 1, "duplicate": 1}
    assert (lesson.report.used, lesson.report.taken_out) == (4, 0)
    assert [speak.decode(parts(example)["rationale"]) for example in lesson.examples] == WRITTEN


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({"duplicate": True}, [0, 1, 2]),
        ({"contradicts_reference": True}, [0, 2, 3]),
        ({"repeats_reference": True, "cut": True}, [0, 1, 3]),
        ({"duplicate": True, "contradicts_reference": True, "repeats_reference": True}, [0]),
    ],
)
def test_an_example_whose_rationale_is_filtered_ends_after_the_reference(
    speak: Speaker, filters: dict[str, bool], kept: list[int]
) -> None:
    options = Options.model_validate({"filters": filters, "boundary": "exact"})
    _, lesson = told(radis(PAIRS, speak, options), silent, says(speak, *WRITTEN))
    assert [n for n, example in enumerate(lesson.examples) if "rationale" in parts(example)] == kept
    for n in {0, 1, 2, 3} - set(kept):
        assert parts(lesson.examples[n])["end"] == speak.renderer.end
        assert parts(lesson.examples[n])["reference"] == speak.prefix(PAIRS[n]).reference
    assert lesson.report is not None
    assert (lesson.report.used, lesson.report.taken_out) == (len(kept), 4 - len(kept))
    assert set(lesson.report.filtered) == set(filters) - {"cut"}
    assert lesson.report.faults.keys() == {"contradicts_reference", "repeats_reference", "duplicate"}


def test_what_a_server_refused_leaves_a_plain_example(speak: Speaker) -> None:
    def refused(ask: Ask) -> list[Completion]:
        return [Completion((), "", "failed", why="no"), *says(speak, *WRITTEN[1:])(ask)]

    _, lesson = told(radis(PAIRS, speak, EXACT), silent, refused)
    assert list(parts(lesson.examples[0])) == ["prompt", "reference", "end"]
    assert lesson.report is not None
    assert lesson.report.faults["failed"] == 1
    assert lesson.report.used == 3
    assert sum(lesson.report.lengths.values()) == 3


def test_every_sample_is_drawn_by_a_seed_of_its_own_and_makes_an_example(speak: Speaker) -> None:
    options = Options.model_validate(
        {
            "boundary": "exact",
            "rationale": {"samples_per_pair": 2, "temperature": 0.7, "seed": 5, "keep_logprobs": 20, "weight": 0.5},
        }
    )
    again = [f"{text} Also." for text in WRITTEN]
    asks, lesson = told(radis(PAIRS, speak, options), silent, says(speak, *WRITTEN), says(speak, *again))
    assert [ask.sampling.seed for ask in asks[1:]] == [5, 6]
    assert {ask.sampling.temperature for ask in asks[1:]} == {0.7}
    assert {ask.sampling.logprobs for ask in asks[1:]} == {20}
    assert [speak.decode(parts(example)["rationale"]) for example in lesson.examples[:4]] == [
        WRITTEN[0],
        again[0],
        WRITTEN[1],
        again[1],
    ]
    assert len({example.key for example in lesson.examples}) == 8
    weights = {segment.name: segment.weight for segment in lesson.examples[1].segments}
    assert weights == {"prompt": 0, "reference": 1, "rationale": 0.5, "end": 1}
    assert lesson.report is not None
    assert lesson.report.total == 8


def test_the_same_words_for_the_same_reference_are_no_duplicate(speak: Speaker) -> None:
    options = Options.model_validate({"rationale": {"samples_per_pair": 2, "temperature": 1}})
    written = says(speak, *(f"{REMARK} {n}" for n in range(4)))
    _, lesson = told(radis(PAIRS, speak, options), silent, written, written)
    assert lesson.report is not None
    assert not lesson.report.faults


@pytest.mark.parametrize("model", [None, "other"])
def test_log_probabilities_are_kept_of_the_backbone_alone(speak: Speaker, model: str | None) -> None:
    """Another model's of the same vocabulary are not the backbone's."""
    options = Options.model_validate({"boundary": "exact", "rationale": {"keep_logprobs": 1, "model": model}})

    def likely(ask: Ask) -> list[Completion]:
        written = says(speak, *WRITTEN)(ask)
        return [replace(one, logprobs=tuple(((token, -0.5),) for token in one.ids)) for one in written]

    both = speak.but({"other": Speaker(speak.renderer)})
    _, lesson = told(radis(PAIRS, both, options), silent, likely)
    segments = [segment for example in lesson.examples for segment in example.segments if segment.logprobs]
    assert [len(one.logprobs) for one in segments] == ([] if model else [len(one.ids) for one in segments])
    assert {one.name for one in segments} == (set() if model else {"rationale"})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"rationale": {"samples_per_pair": 2}}, "asks for 2 samples of each pair, and without a temperature"),
        ({"rationale": {"model": "other"}, "refresh": True}, "but other writes them"),
        ({"rationale": {"keep_logprobs": 21}}, "less than or equal to 20"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Options.model_validate(options)


def test_healing_takes_the_last_token_back_and_judges_what_follows_it(speak: Speaker) -> None:
    stop = speak.stop[0]
    full_stop = speak.prefix(PAIRS[0]).reference[-1]
    assert speak.decode((full_stop,)) == "."
    merged = next(token for token in speak.renderer.extensions(full_stop) if speak.decode((token,)) == ".\n\n")
    remark = ids_of(speak, "Note: the verb stands in the second position.")

    def probe(ask: Ask) -> list[Completion]:
        ends = Completion((full_stop, stop), ".", "stop")
        return [ends, ends, ends, Completion((merged, remark[0]), ".\n\nNote", "length")]

    def written(ask: Ask) -> list[Completion]:
        whole = Completion((merged, *remark, stop), "." + REMARK, "stop")
        return [whole, Completion((full_stop, stop), ".", "stop"), whole, Completion((full_stop,), ".", "length")]

    options = Options.model_validate({"boundary": "heal", "elicit": "natural"})
    asks, lesson = told(radis(PAIRS, speak, options), probe, written)
    assert (asks[0].sampling.max_tokens, asks[0].sampling.heal, asks[0].sampling.ban_first) == (2, True, ())
    assert asks[1].sampling.heal
    assert asks[1].prompts == [speak.prefix(pair).ids for pair in PAIRS]
    first, second, *_ = lesson.examples
    assert parts(first)["reference"] == (*speak.prefix(PAIRS[0]).reference[:-1], merged)
    assert parts(first)["rationale"] == remark
    assert parts(second)["reference"] == speak.prefix(PAIRS[1]).reference
    assert parts(second)["end"] == (stop,)
    assert "rationale" not in parts(second)
    report = lesson.report
    assert report is not None
    assert (report.probed, report.stopping) == (4, 3)
    assert report.faults == {"empty": 2, "cut": 1, "duplicate": 1}
    assert (report.total, report.used, report.longest, report.tokens) == (4, 2, len(remark), 2 * len(remark))


def test_another_model_with_the_same_vocabulary_is_asked_and_its_ids_are_taken_as_they_are(speak: Speaker) -> None:
    both = Speaker(speak.renderer, others={"teacher": Speaker(Renderer.load(BACKBONE))})
    options = Options.model_validate({"rationale": {"model": "teacher"}, "boundary": "exact"})
    asks, lesson = told(radis(PAIRS, both, options), silent, says(speak, *WRITTEN))
    assert {ask.model for ask in asks} == {"teacher"}
    assert parts(lesson.examples[0])["rationale"] == ids_of(speak, REMARK)


@pytest.mark.parametrize("boundary", ["exact", "heal"])
@pytest.mark.parametrize(
    "name", ["qwen-2.5-like", "mistral-like", *real_ones("qwen2.5-7b-instruct", "mistral-7b-instruct-v0.2")]
)
def test_another_vocabulary_is_asked_in_its_own_words_and_adopted(
    backbone_folder: Callable[[str], Path], speak: Speaker, name: str, boundary: str
) -> None:
    teacher = Speaker(Renderer.load(backbone_folder(name)))
    both = Speaker(speak.renderer, others={name: teacher})
    healed = boundary == "heal"

    def written(ask: Ask) -> list[Completion]:
        assert ask.sampling.stop == ask.sampling.ban_first == teacher.stop
        text = "." + REMARK if healed else REMARK
        ids = ids_of(teacher, "a" + text)[1:] if healed else ids_of(teacher, text)  # no space before the full stop
        whole = Completion((*ids, teacher.stop[0]), text, "stop")
        return [whole, Completion(whole.body, text, "length"), whole, Completion((), "", "failed", why="busy")]

    options = Options.model_validate({"rationale": {"model": name}, "boundary": boundary})
    asks, lesson = told(radis(PAIRS, both, options), silent, written)
    assert [ask.model for ask in asks] == [name, name]
    assert asks[1].prompts == [teacher.prefix(pair).ids for pair in PAIRS]
    said = [speak.decode([t for segment in e.segments[1:] for t in segment.ids]).strip() for e in lesson.examples]
    assert said == [
        "The dog sleeps." + REMARK,
        "The cat drinks milk." + REMARK,
        "My brother reads." + REMARK,
        "It often rains.",
    ]
    assert parts(lesson.examples[0])["end"] == speak.renderer.end  # the backbone's own
    assert "end" not in parts(lesson.examples[1])  # cut off
    assert parts(lesson.examples[0])["prompt"] == speak.prefix(PAIRS[0]).prompt
    assert lesson.report is not None
    assert lesson.report.faults == {"cut": 1, "duplicate": 2, "failed": 1}
