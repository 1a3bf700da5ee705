"""BayLing's dialogues: what a teacher is asked, which answers hold, and what is learnt of them."""

from collections.abc import Callable

import pytest

from dragoman.corpora.amounts import Amounts, Kind, Volume
from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.generation.ask import Ask, Completion
from dragoman.methods import Expected
from dragoman.methods.bayling import ASKED, Options, bayling, forecast
from dragoman.prompts.speak import Speaker
from dragoman.prompts.systems import taught
from dragoman.recipe.judging import TaughtPrompt
from tests.methods.method_kit import CHAT, PAIR, Known, ended, told

Saying = Callable[[Ask], list[Completion]]


def saying(speak: Speaker, text: str) -> Saying:
    return lambda ask: [ended(speak.renderer.encode(text), text, speak) for _ in ask.prompts]


def made(speak: Speaker, *answers: Saying, **options: object) -> tuple[list[Ask], str, dict[str, int]]:
    """The asks, the one example as text with what is learnt in brackets, and the notes."""
    asks, lesson = told(bayling([PAIR], speak, Options.model_validate(options)), *answers)
    (example,) = lesson.examples
    text = "".join(
        f"[{speak.decode(segment.ids).strip()}]" if segment.weight else speak.renderer.tokenizer.decode(segment.ids)
        for segment in example.segments
        if segment.name != "end"
    )
    return asks, text, dict(lesson.notes)


def test_a_draft_is_mended_to_the_reference(lab: tuple[Speaker, Known]) -> None:
    speak, _ = lab
    asks, text, notes = made(speak, saying(speak, "The cat is here."), kinds=["terms"], turns=1)
    assert [(ask.model, ask.purpose) for ask in asks] == [("backbone", "drafts")]
    assert "[The cat is here.]" in text
    assert "Make sure to include these words: dog, sleeps" in text
    assert "[The dog sleeps.]" in text
    assert notes == {"requests: terms": 1}


def test_a_draft_with_nothing_to_mend_leaves_a_plain_translation(lab: tuple[Speaker, Known]) -> None:
    speak, _ = lab
    _, text, notes = made(speak, saying(speak, "So the dog sleeps."), kinds=["terms"], turns=1)
    assert text.endswith("[The dog sleeps.]")
    assert "words" not in text
    assert notes == {
        "requests: terms": 1,
        "terms left out: the draft has all words of the reference": 1,
        "pairs without a request after the translation": 1,
    }


def test_revisions_are_checked_by_rule(lab: tuple[Speaker, Known]) -> None:
    speak, _ = lab
    _, text, notes = made(speak, saying(speak, "Dog sleeps."), kinds=["shorter"], turns=1)
    assert ASKED["shorter"] in text
    assert text.index("[The dog sleeps.]") < text.index("[Dog sleeps.]")
    assert notes == {"requests: shorter": 1}
    for kind, said, fault in (
        ("shorter", "The dog is asleep now.", "not shorter"),
        ("longer", "Dog sleeps.", "not longer"),
        ("formal", "The dog sleeps.", "as before"),
        ("formal", " ", "empty"),
        ("informal", "Der Hund ist nicht wach und das ist gut.", "in the wrong language"),
    ):
        _, text, notes = made(speak, saying(speak, said), kinds=[kind], turns=1)
        assert text.endswith("[The dog sleeps.]")
        assert notes[f"{kind} left out: {fault}"] == 1
    cut = made(speak, lambda _: [Completion((5,), "Dog", "length")], kinds=["formal"], turns=1)[2]
    assert cut["formal left out: cut off at the limit"] == 1


def test_a_question_may_be_answered_in_any_language(lab: tuple[Speaker, Known]) -> None:
    speak, _ = lab
    _, text, _ = made(speak, saying(speak, "Das ist, was der Hund tut."), kinds=["question"], turns=1)
    assert "What does “sleeps” mean in this translation?" in text
    assert text.endswith("[Das ist, was der Hund tut.]")


def test_what_comes_after_a_failed_turn_is_left_out_with_it(lab: tuple[Speaker, Known]) -> None:
    speak, _ = lab
    kinds = ["shorter", "formal", "longer", "informal"]
    pairs = [Pair(f"Der Hund {n} schläft.", f"The dog {n} sleeps.", "de", "en") for n in range(30)]
    asks, lesson = told(
        bayling([*pairs, CHAT], speak, Options.model_validate({"kinds": kinds})),
        *[saying(speak, "Dog sleeps.")] * 2,
    )
    assert len(lesson.examples) == 31
    assert len(asks[0].prompts) == 30
    assert 0 < len(asks[1].prompts) < 30  # a second request of those that want one, and whose first was answered
    counts = {name: count for name, count in lesson.notes.items() if name.startswith("requests")}
    assert sum(counts.values()) == sum(len(ask.prompts) for ask in asks)


def test_a_template_has_no_turns(lab: tuple[Speaker, Known]) -> None:
    speak = Speaker(lab[0].renderer, format=taught(TaughtPrompt(system="alma")))
    with pytest.raises(DataError, match="take `prompt: bayling`"):
        next(bayling([PAIR], speak, Options()))


def test_a_teacher_is_asked_by_its_name(lab: tuple[Speaker, Known]) -> None:
    speak, _ = lab
    both = speak.but({"org/teacher": speak})
    asks, _, _ = made(both, saying(speak, "Dog sleeps."), kinds=["shorter"], turns=1, teacher="org/teacher")
    assert [ask.model for ask in asks] == ["org/teacher"]


def test_forecast() -> None:
    learnt = Amounts({Kind("de", "en"): Volume(10, 100, 50), Kind("en", "en", pairs=False): Volume(2, 20, 10)})
    found = forecast(learnt, Options(), Expected(rationale=100, own=1.0))
    assert found.examples == 12
    assert found.asking
    assert found.asking.prompts == 20  # two requests a pair on average
    assert found.trained == 60 + 2 * 50
