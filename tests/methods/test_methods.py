"""Methods are pure: a test answers their asks in writing and looks at the examples."""

from pathlib import Path

import pytest

from dragoman import methods
from dragoman.corpora.records import Pair, draw
from dragoman.generation.ask import Ask, Completion
from dragoman.lab import BACKBONE
from dragoman.methods import available, radis, vanilla
from dragoman.prompts.examples import Example
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from tests.methods.method_kit import told

PAIRS = [Pair(f"Der Hund schläft {n}.", f"The dog sleeps {n}.", "de", "en") for n in range(8)]


@pytest.fixture(scope="module")
def speak() -> Speaker:
    return Speaker(Renderer.load(BACKBONE))


def parts(example: Example) -> dict[str, tuple[int, ...]]:
    return {segment.name: segment.ids for segment in example.segments}


def test_every_method_is_found_by_its_file() -> None:
    assert {"vanilla", "radis"} <= set(available())
    assert available()["radis"].make is radis.radis


def test_a_helper_beside_the_methods_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_shared.py").write_text("WORDS = ()\n")
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    assert set(available()) >= {"vanilla", "radis"}
    assert "_shared" not in available()


def test_vanilla_learns_reference_and_end_and_asks_nothing(speak: Speaker) -> None:
    asks, lesson = told(vanilla.vanilla(PAIRS, speak, vanilla.Options()))
    assert asks == []
    assert lesson.report is None
    assert [segment.name for segment in lesson.examples[0].segments] == ["prompt", "reference", "end"]
    assert [segment.weight for segment in lesson.examples[0].segments] == [0, 1, 1]
    assert speak.decode(parts(lesson.examples[3])["reference"]).strip() == "The dog sleeps 3."


def stopping(ask: Ask) -> list[Completion]:
    """Two of eight would stop at once."""
    return [
        Completion((speak_stop,) if n < 2 else (7,), "", "stop" if n < 2 else "length")
        for n, speak_stop in enumerate([ask.sampling.stop[0]] * len(ask.prompts))
    ]


def rationales(ask: Ask) -> list[Completion]:
    """All but the last end by themselves; the last is cut off."""
    stop = ask.sampling.stop[0]
    whole = [Completion((11, 12, n, stop), "because", "stop") for n in range(len(ask.prompts) - 1)]
    return [*whole, Completion((11, 12, 13), "because", "length")]


def test_radis_trains_reference_and_rationale_with_the_ids_that_were_generated(speak: Speaker) -> None:
    asks, lesson = told(radis.radis(PAIRS, speak, radis.Options(boundary="exact")), stopping, rationales)
    probe, rationale = asks
    assert probe.sampling.max_tokens == 1
    assert probe.sampling.ban_first == ()
    assert rationale.sampling.ban_first == speak.stop
    assert rationale.prompts == [speak.prefix(pair).ids for pair in PAIRS]
    first = parts(lesson.examples[0])
    assert first["rationale"] == (11, 12, 0)
    assert first["end"] == (speak.stop[0],)
    assert lesson.examples[0].ids == (*speak.prefix(PAIRS[0]).ids, 11, 12, 0, speak.stop[0])
    assert "end" not in parts(lesson.examples[-1])  # cut off: its end is not trained
    report = lesson.report
    assert report is not None
    assert (report.probed, report.stopping) == (8, 2)
    assert (report.total, report.used, report.tokens, report.longest) == (8, 8, 24, 3)
    assert report.faults == {"cut": 1, "duplicate": 7}  # all say "because"
    assert not report.filtered
    assert not lesson.notes


def test_natural_elicitation_bans_nothing_and_an_immediate_end_leaves_no_rationale(speak: Speaker) -> None:
    def silent(ask: Ask) -> list[Completion]:
        return [Completion((ask.sampling.stop[0],), "", "stop") for _ in ask.prompts]

    asks, lesson = told(radis.radis(PAIRS, speak, radis.Options(elicit="natural")), stopping, silent)
    assert asks[1].sampling.ban_first == ()
    assert list(parts(lesson.examples[0])) == ["prompt", "reference", "end"]
    assert lesson.report is not None
    assert (lesson.report.total, lesson.report.used, lesson.report.faults) == (8, 0, {"empty": 8})


def test_a_fraction_of_the_examples_carries_a_rationale_whatever_their_order(speak: Speaker) -> None:
    options = radis.Options(rationale_fraction=0.5, boundary="exact")
    expected = {pair.key for pair in PAIRS if draw(pair.key, "rationale") < 0.5}
    assert 0 < len(expected) < len(PAIRS)
    for pairs in (PAIRS, PAIRS[::-1]):
        _, lesson = told(radis.radis(pairs, speak, options), stopping, rationales)
        made = zip(pairs, lesson.examples, strict=True)
        assert {pair.key for pair, example in made if "rationale" in parts(example)} == expected
