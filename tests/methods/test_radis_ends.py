"""RaDis where a turn's end has several tokens: Llama-2's, which are a space and the end of text."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from dragoman.corpora.records import Pair
from dragoman.generation.ask import Ask, Completion
from dragoman.methods.radis import Options, radis
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from tests.methods.method_kit import PAIR, told

PAIRS = [PAIR, Pair("Es regnet.", "It rains.", "de", "en"), Pair("Anna liest.", "Anna reads.", "de", "en")]
REMARK = "\n\nNote: a verb."
END = 2


Ids = tuple[int, ...]


class Llama(NamedTuple):
    """A vocabulary of this kind, and some of its tokens."""

    speak: Speaker
    space: int  # ▁
    line: int  # a line feed
    note: Ids  # the remark

    def probed(self, ask: Ask) -> list[Completion]:
        """One ends as the template does, one without the space, one goes on."""
        return [
            Completion((self.space, END), "", "stop"),
            Completion((END,), "", "stop"),
            Completion((self.line, self.line), "\n\n", "length"),
        ]


@pytest.fixture(params=["llama-2-like", "llama-2-7b-chat"])
def llama(request: pytest.FixtureRequest, backbone_folder: Callable[[str], Path]) -> Llama:
    speak = Speaker(Renderer.load(backbone_folder(request.param)))
    space, line = speak.renderer.tokenizer.convert_tokens_to_ids(["▁", "<0x0A>"])
    return Llama(speak, space, line, speak.renderer.encode(REMARK))


def test_the_remark_of_the_real_one(backbone_folder: Callable[[str], Path]) -> None:
    ids = Renderer.load(backbone_folder("llama-2-7b-chat")).encode(REMARK)
    assert ids == (13, 13, 9842, 29901, 263, 9750, 29889)


@pytest.mark.parametrize("elicit", ["ban_end", "natural"])
def test_the_whole_end_is_probed_and_its_beginning_is_banned(llama: Llama, elicit: str) -> None:
    speak, body = llama.speak, (*llama.note, llama.space)

    def written(ask: Ask) -> list[Completion]:
        return [Completion((*body, END), speak.decode(body), "stop") for _ in ask.prompts]

    asks, lesson = told(radis(PAIRS, speak, Options.model_validate({"elicit": elicit})), llama.probed, written)
    assert asks[0].sampling.max_tokens == len(speak.renderer.end) == 2
    assert asks[0].sampling.ban_first == ()
    assert set(asks[1].sampling.ban_first) == ({llama.space, END} if elicit == "ban_end" else set())
    assert lesson.report is not None
    assert (lesson.report.probed, lesson.report.stopping) == (3, 2)


def test_white_space_is_not_learnt_as_a_rationale(llama: Llama) -> None:
    speak, space, body = llama.speak, llama.space, (*llama.note, llama.space)

    def written(ask: Ask) -> list[Completion]:
        return [
            Completion((space, END), "", "stop"),
            Completion((llama.line, space, llama.line), "\n \n", "length"),
            Completion((*body, END), speak.decode(body), "stop"),
        ]

    _, lesson = told(radis(PAIRS, speak, Options(elicit="natural")), llama.probed, written)
    parts = [{segment.name: segment.ids for segment in example.segments} for example in lesson.examples]
    for number, pair in enumerate(PAIRS[:2]):
        assert list(parts[number]) == ["prompt", "reference", "end"]
        assert parts[number]["reference"] == speak.prefix(pair).reference
        assert parts[number]["end"] == (space, END)  # as the chat template ends a turn
    assert parts[2]["rationale"] == body  # as it was generated
    assert parts[2]["end"] == (END,)
    report = lesson.report
    assert report is not None
    assert report.faults == {"empty": 2, "cut": 1}
    assert (report.total, report.used, report.tokens, report.longest) == (3, 1, len(body), len(body))
    assert report.lengths == {0: 2, len(body) // 8 * 8: 1}
