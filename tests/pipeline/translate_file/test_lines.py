"""Lines of text: whatever a model says around a translation, the translation alone is returned."""

import pytest

from dragoman.corpora.records import Pair
from dragoman.generation.ask import Completion
from dragoman.lab import BACKBONE
from dragoman.pipeline.translate_file.job import Reworded
from dragoman.pipeline.translate_file.lines import TranslatedLines, _asking
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.prompts.translation import ALONE

SOURCE, GOOD = "Der Fluss ist alt.", "The river is old."
EXPLAINED = [
    f"{GOOD}",
    f'{GOOD}\n\nIn English, the sentence translates to: "{GOOD}"',
    f"{GOOD}\n\nEnglish:\n\n{GOOD}\n\nGerman:\n\n{SOURCE}",
    f"{GOOD}\nExplanation: „alt“ is an adjective and stands after the verb.",
    f"{GOOD}\r\n\r\n1. **Der Fluss**: the river\r\n2. **alt**: old",
    f'"{GOOD}"\n\nIn this context, the sentence says how long the river has been there.',
    f"{GOOD}\n\nErklärung: „Fluss“ ist hier das Subjekt.",
    f"{GOOD} Note: the tone is neutral.",
    f"{GOOD} (Literally: The river is old.)",
    f"Here is the translation:\n\n{GOOD}\n\nThe word “Fluss” means a river.",
    f"**{GOOD}**\n\n---\n\nTranslate this sentence from German to English.\nDas Haus ist alt.",
    f"{GOOD}\n\n" + "The river is old, and " * 60,
]
NONE = [
    "I'm sorry, but I cannot translate this sentence.",
    "",
    " \n\n",
    "In spring the farmers bring their boats, and whoever wants to cross pays with bread, salt or a long story about "
    "somebody who never came back from the other side, where the hills begin and nobody has a name for the trees",
]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer.load(BACKBONE)


def translated(answers: list[str], renderer: Renderer) -> TranslatedLines:
    """The first line is empty, and each of the others is answered in one of these ways."""
    pairs = {at: Pair(SOURCE, "", "de", "en") for at in range(1, len(answers) + 1)}
    asking = _asking(pairs, Speaker(renderer), 256, len(answers) + 1)
    ask = next(asking)
    assert len(ask.prompts) == len(answers)
    with pytest.raises(StopIteration) as ended:
        asking.send([Completion((1,), text, "length" if len(text) > 500 else "stop") for text in answers])
    found: TranslatedLines = ended.value.value
    return found


def test_what_is_said_around_a_translation_is_not_returned(renderer: Renderer) -> None:
    found = translated(EXPLAINED, renderer)
    assert found.texts == ["", *[GOOD] * len(EXPLAINED)]
    assert found.not_found == []
    assert found.cut_off == [len(EXPLAINED)]


def test_a_second_wording_asks_for_the_translation_alone_as_the_first(renderer: Renderer) -> None:
    pair = Pair(SOURCE, "", "de", "en")
    for alone in (True, False):
        first, second = (speak.translate(pair) for speak in (Speaker(renderer, alone=alone), Reworded(renderer, alone)))
        assert first != second
        assert [ALONE in renderer.decode(prompt) for prompt in (first, second)] == [alone, alone]


def test_where_there_is_no_translation_nothing_is_returned_and_it_is_counted(renderer: Renderer) -> None:
    found = translated([GOOD, *NONE, GOOD], renderer)
    assert found.texts == ["", GOOD, *[""] * len(NONE), GOOD]
    assert found.not_found == [2, 3, 4, 5]
