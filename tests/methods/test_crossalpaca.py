"""Alpaca and CrossAlpaca: what they take of pairs and conversations, and what they make of it."""

import pytest

from dragoman.corpora.records import Dialogue, Pair, Record, Turn
from dragoman.generation.ask import Ask, Completion
from dragoman.lab import BACKBONE
from dragoman.methods.alpaca import Options as Alpaca
from dragoman.methods.alpaca import alpaca
from dragoman.methods.crossalpaca import Options, crossalpaca
from dragoman.prompts.examples import Example
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.prompts.translation import DEMONSTRATED, demonstration
from tests.methods.method_kit import told


@pytest.fixture(scope="module")
def speak() -> Speaker:
    return Speaker(Renderer.load(BACKBONE))


def asked(language: str, text: str, answer: str) -> Dialogue:
    return Dialogue((Turn("user", text), Turn("assistant", answer)), f"alpaca-{language}", language)


PAIRS = [Pair(f"Dog {n}.", f"Hund {n}.", "en", "de") for n in range(40)]
PAIRS += [Pair(f"Katze {n}.", f"Cat {n}.", "de", "en") for n in range(40)]
PAIRS += [Pair(f"House {n}.", f"Casa {n}.", "en", "it") for n in range(20)]
PAIRS += [Pair("Haus.", "Casa.", "de", "it")]
TALKS = [asked("en", "Say yes.", "Yes."), asked("de", "Sag ja.", "Ja."), asked("it", "Di' sì.", "Sì.")]
RECORDS: list[Record] = [*PAIRS, *TALKS]


def texts(speak: Speaker, examples: list[Example]) -> list[str]:
    """Answers and translations: what the examples teach."""
    return [
        "".join(speak.decode(part.ids) for part in example.segments if part.name in ("answer", "reference")).strip()
        for example in examples
    ]


def taught(speak: Speaker, options: Options) -> list[str]:
    return texts(speak, told(crossalpaca(RECORDS, speak, options))[1].examples)


def test_alpaca_takes_the_conversations_of_its_languages_and_no_pairs(speak: Speaker) -> None:
    _, lesson = told(alpaca(RECORDS, speak, Alpaca(languages=("de",))))
    assert texts(speak, lesson.examples) == ["Ja."]
    assert lesson.notes == {"instructions of alpaca-de": 1}
    assert texts(speak, told(alpaca(RECORDS, speak, Alpaca()))[1].examples) == ["Yes.", "Ja.", "Sì."]


def test_crossalpaca_adds_demonstrations_between_its_language_and_english(speak: Speaker) -> None:
    german = [f"Hund {n}." for n in range(40)]
    english = [f"Cat {n}." for n in range(40)]
    assert taught(speak, Options(languages=("de",))) == [*german, *english, "Ja."]
    assert taught(speak, Options(languages=("de",), directions="en-x")) == [*german, "Ja."]
    assert taught(speak, Options(languages=("de",), directions="x-en")) == [*english, "Ja."]
    assert taught(speak, Options(languages=("it",), instructions="both"))[-3:] == ["Casa 19.", "Yes.", "Sì."]
    assert taught(speak, Options(languages=("it",), instructions="english"))[-2:] == ["Casa 19.", "Yes."]
    assert len(taught(speak, Options())) == 100 + 2  # all languages in one model; a pair without English is none


def test_a_smaller_amount_is_part_of_a_larger_one_and_none_is_alpaca(speak: Speaker) -> None:
    amounts = [set(taught(speak, Options(languages=("de",), amount=amount))) for amount in (0, 0.25, 0.5, 1)]
    assert amounts[0] == {"Ja."}
    assert amounts[0] < amounts[1] < amounts[2] < amounts[3]
    assert 10 <= len(amounts[1]) - 1 <= 30
    plain = told(alpaca(RECORDS, speak, Alpaca(languages=("de",))))[1].examples
    assert told(crossalpaca(RECORDS, speak, Options(languages=("de",), amount=0)))[1].examples == plain


def test_a_demonstration_has_instruction_input_and_output() -> None:
    worded = {demonstration(pair).turns[0].text for pair in PAIRS[:40]}
    assert worded == {text.format(source="English", target="German") for text in DEMONSTRATED}
    made = demonstration(PAIRS[0], fixed=True)
    assert made.turns == (
        Turn("user", "Translate the following text from English to German.", "Dog 0."),
        Turn("assistant", "Hund 0."),
    )
    assert (made.language, made.origin) == ("de", "en-de")


def test_inputs_are_learnt_on_request(speak: Speaker) -> None:
    options = Options(languages=("de",), amount=0, train_on_inputs=True)
    (example,) = told(crossalpaca(RECORDS, speak, options))[1].examples
    assert {part.name: part.weight for part in example.segments} == {"prompt": 1.0, "answer": 1.0, "end": 1.0}


def test_demonstrations_are_enriched_with_rationales_and_instructions_are_not(speak: Speaker) -> None:
    options = Options.model_validate({"languages": ["de"], "directions": "en-x", "rationale": {"max_tokens": 8}})
    stop = speak.stop[0]

    def silent(ask: Ask) -> list[Completion]:
        return [Completion((stop,), "", "stop") for _ in ask.prompts]

    def says(ask: Ask) -> list[Completion]:
        said = speak.renderer.encode(". In short.")
        return [Completion((*said, stop), ". In short.", "stop") for _ in ask.prompts]

    asks, lesson = told(crossalpaca(RECORDS, speak, options), silent, says)
    assert [len(ask.prompts) for ask in asks] == [40, 40]
    assert [any(part.name == "rationale" for part in one.segments) for one in lesson.examples] == [True] * 40 + [False]
    assert lesson.report is not None
    assert lesson.report.total == 40
