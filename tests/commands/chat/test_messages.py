"""Messages of one line and of several."""

import pytest

from dragoman.commands.chat.messages import MORE, PROMPT, read_message


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["  Guten Morgen. "], "Guten Morgen."),
        (["eins\\", "zwei \\", "drei"], "eins\nzwei \ndrei"),
        (['"""', "eins", "", '  zwei"""'], "eins\n\n  zwei"),
        (['"""eins"""'], "eins"),
        (['/translate de-en """Der Fluss', 'ist alt."""'], "/translate de-en Der Fluss\nist alt."),
        (["a paste\n\nof several lines"], "a paste\n\nof several lines"),
        (['def f():\n    """What it does."""'], 'def f():\n    """What it does."""'),
        ([""], ""),
    ],
)
def test_a_message(lines: list[str], message: str) -> None:
    given, asked = iter(lines), []

    def read(prompt: str) -> str:
        asked.append(prompt)
        return next(given)

    assert read_message(read) == message
    assert asked == [PROMPT] + [MORE] * (len(lines) - 1)
    assert list(given) == []
