"""RaDis where a turn's end has several tokens: Llama-2's, which are a space and the end of text."""

from pathlib import Path

import pytest

from dragoman.corpora.records import Pair
from dragoman.generation.ask import Ask, Completion
from dragoman.methods.radis import Options, radis
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from tests.methods.method_kit import PAIR, told

PAIRS = [PAIR, Pair("Es regnet.", "It rains.", "de", "en"), Pair("Anna liest.", "Anna reads.", "de", "en")]
SPACE, END = 29871, 2
NOTE = (13, 13, 9842, 29901, 263, 9750, 29889)  # ⏎⏎Note: a verb.


@pytest.fixture(scope="module")
def llama(real_data: Path) -> Speaker:
    return Speaker(Renderer.load(real_data / "tokenizers" / "llama-2-7b-chat"))


def probed(ask: Ask) -> list[Completion]:
    """One ends as the template does, one without the space, one goes on."""
    return [
        Completion((SPACE, END), "", "stop"),
        Completion((END,), "", "stop"),
        Completion((13, 13), "\n\n", "length"),
    ]


@pytest.mark.parametrize("elicit", ["ban_end", "natural"])
def test_the_whole_end_is_probed_and_its_beginning_is_banned(llama: Speaker, elicit: str) -> None:
    def written(ask: Ask) -> list[Completion]:
        return [Completion((*NOTE, SPACE, END), llama.decode((*NOTE, SPACE)), "stop") for _ in ask.prompts]

    asks, lesson = told(radis(PAIRS, llama, Options.model_validate({"elicit": elicit})), probed, written)
    assert asks[0].sampling.max_tokens == len(llama.renderer.end) == 2
    assert asks[0].sampling.ban_first == ()
    assert set(asks[1].sampling.ban_first) == ({SPACE, END} if elicit == "ban_end" else set())
    assert lesson.report is not None
    assert (lesson.report.probed, lesson.report.stopping) == (3, 2)


def test_white_space_is_not_learnt_as_a_rationale(llama: Speaker) -> None:
    def written(ask: Ask) -> list[Completion]:
        return [
            Completion((SPACE, END), "", "stop"),
            Completion((13, SPACE, 13), "\n \n", "length"),
            Completion((*NOTE, SPACE, END), llama.decode((*NOTE, SPACE)), "stop"),
        ]

    _, lesson = told(radis(PAIRS, llama, Options(elicit="natural")), probed, written)
    parts = [{segment.name: segment.ids for segment in example.segments} for example in lesson.examples]
    for number, pair in enumerate(PAIRS[:2]):
        assert list(parts[number]) == ["prompt", "reference", "end"]
        assert parts[number]["reference"] == llama.prefix(pair).reference
        assert parts[number]["end"] == (SPACE, END)  # as the chat template ends a turn
    assert parts[2]["rationale"] == (*NOTE, SPACE)  # as it was generated
    assert parts[2]["end"] == (END,)
    report = lesson.report
    assert report is not None
    assert report.faults == {"empty": 2, "cut": 1}
    assert (report.total, report.used, report.tokens, report.longest) == (3, 1, 8, 8)
    assert report.lengths == {0: 2, 8: 1}
