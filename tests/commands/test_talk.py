"""Lines in, as many lines out, in their order, whatever order the engine answers in."""

from collections.abc import Iterator, Sequence

import pytest

from dragoman.commands.talk import Talker
from dragoman.corpora.records import Turn
from dragoman.errors import DataError
from dragoman.generation.ask import Completion, Engine, Ids, Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import BACKBONE, world
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.judging import Evaluation
from dragoman.suites.translation.suite import translation
from tests.look_alikes import look_alike


class Echo:
    """An engine that answers the last prompt first, and repeats what it was asked in capitals."""

    streams = False

    def __init__(self, renderer: Renderer):
        self.renderer = renderer

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        for index in reversed(range(len(prompts))):
            asked = self.renderer.decode(prompts[index]).partition("user\n")[2].removesuffix("\nassistant\n")
            sentence = next(line for line in asked.split("\n") if line.startswith("Satz"))
            yield index, Completion(sampling.stop[:1], f"Translation: {sentence.upper()}\n\nNote: {asked}", "stop")

    def close(self) -> None:
        """Nothing to give back."""


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Talker:
    renderer = Renderer.load(look_alike("smollm-like", tmp_path_factory.mktemp("smollm")))
    return Talker(renderer, Echo(renderer))


def test_translations_come_in_order_and_bare(talker: Talker) -> None:
    lines = ["Satz eins.", "", "Satz zwei.", "Satz drei. "]
    assert list(talker.translate(lines, "de-en")) == ["SATZ EINS.", "", "SATZ ZWEI.", "SATZ DREI."]


def test_it_translates_as_a_test_does() -> None:
    """The lines that `translate` gives are those that an evaluation scores, whatever their batches are."""
    engine: Engine = HfEngine(str(BACKBONE), decode=Renderer.load(BACKBONE).decode, precision="fp32")
    talker = Talker(Renderer.load(BACKBONE), engine, max_tokens=48)
    pairs = world.pairs("test", ["de-en"], 24, 0)
    given = translation("backbone", pairs, Speaker(talker.renderer), Evaluation(translation_tokens=48))
    asked = next(given)
    answers = dict(engine.complete(asked.prompts[:9], asked.sampling))
    answers |= {9 + index: one for index, one in engine.complete(asked.prompts[9:], asked.sampling)}
    with pytest.raises(StopIteration) as ended:
        given.send([answers[index] for index in range(len(pairs))])
    scored = [item.hypothesis for item in ended.value.value.items]
    assert list(talker.translate([pair.source for pair in pairs], "de-en")) == scored


def test_direction_is_checked(talker: Talker) -> None:
    with pytest.raises(DataError, match="--direction de: write source and target language"):
        list(talker.translate(["Satz"], "de"))


def test_answer_is_the_assistant_s_text(talker: Talker) -> None:
    assert talker.answer([Turn("user", "Satz vier")]) == "Translation: SATZ VIER\n\nNote: Satz vier"
