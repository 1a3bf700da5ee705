"""What is taken for the translation in answers as models really give them."""

import pytest

from dragoman.evaluation.extraction import Extracted, extract

SOURCE = "Das ist gut."
GOOD = "This is good."

# answer, chatter
ANSWERS = [
    ("This is good.", False),
    ("  This is good.\n", False),
    ('"This is good."', False),
    ("“This is good.”", False),
    ("**This is good.**", False),
    ("*This is good.*", False),
    ("```\nThis is good.\n```", False),
    ("Sure! Here is the translation:\n\nThis is good.", True),
    ("Sure! Here is the translation: This is good.", True),
    ("Sure, here's the translation from German to English:\nThis is good.", True),
    ("Certainly! Here is the English translation of your sentence:\n\n“This is good.”", True),
    ("Here is the translation of the given sentence in English:\r\n\r\nThis is good.", True),
    ("Of course!\nThis is good.", True),
    ("Here you go: This is good.", True),
    ('Here\'s the sentence in English: "This is good."', True),
    ("Translation: This is good.", True),
    ("**Translation:** This is good.", True),
    ("Translation (English): This is good.", True),
    ("### Translation\n\nThis is good.", True),
    ("English: This is good.", True),
    ("**English:** This is good.", True),
    ('English translation:\n"This is good."\n\nLet me know if you need more.', True),
    ('The translation is: "This is good."', True),
    ('The English translation of "Das ist gut." is "This is good."', True),
    (
        'Certainly! The sentence "Das ist gut." can be translated to English as "This is good."\n\nHere, "gut" is …',
        True,
    ),
    ("The sentence translates to: This is good.", True),
    ('"This is good." is the English translation of this sentence.', True),
    ("Die Übersetzung lautet: This is good.", True),
    ("La traduzione in inglese è: This is good.", True),
    ("以下是翻译：\n\nThis is good.", True),
    ("This is good.\n\nExplanation: „gut“ is an adjective.", True),
    ("This is good.\n\nIn this sentence, „ist“ is the verb.", True),
    ("This is good.\n\nThis is also nice.", True),
    ("This is good.\nNote: the tone is neutral.", True),
    ("This is good.\nor\nThat is good.", True),
    ("This is good. (Note: literally, “that is good”.)", True),
    ("This is good.\n\n(Note: I kept the register.)\n\nLet me know!", True),
]


@pytest.mark.parametrize(("answer", "chatter"), ANSWERS)
def test_the_translation_is_found_and_chatter_is_counted(answer: str, chatter: bool) -> None:
    assert extract(answer, SOURCE, ("English",)) == Extracted(GOOD, chatter, found=True)


# source, answer, translation, chatter: what the source has itself is never cut
FAITHFUL = [
    ("Hinweis: Nicht öffnen.", "Note: Do not open.", "Note: Do not open.", False),
    ("Übersetzung: Anna Meier", "Translation: Anna Meier", "Translation: Anna Meier", False),
    ("Übersetzung: Anna Meier", "Translation: Translation: Anna Meier", "Translation: Anna Meier", True),
    ("„Das ist gut“, sagte er.", "“This is good,” he said.", "“This is good,” he said.", False),
    ('"Gut" oder "schön"', '"Good" or "nice"', '"Good" or "nice"', False),
    ("Das ist gut (sehr gut).", "This is good (or very good).", "This is good (or very good).", False),
    ("Gut. (Siehe Anmerkung)", "Good. (Note: see below)", "Good. (Note: see below)", False),
    ("Sicher! Ich komme.", "Sure! I am coming.", "Sure! I am coming.", False),
    ("Es tut mir leid, ich kann nicht.", "I'm sorry, but I can't.", "I'm sorry, but I can't.", False),
    ("Er übersetzt: ein Beruf.", "He translates: a profession.", "He translates: a profession.", False),
    ("Die Übersetzung ist gut.", "The translation is good.", "The translation is good.", False),
    ("Das Wort ist lang.", "The word is long.", "The word is long.", False),
    ("5 * 3 * 2", "*5 * 3*", "*5 * 3*", False),
    ("Eins.\nZwei.", "One.\nTwo.", "One.\nTwo.", False),
    ("Eins.\nZwei.", "One.\nTwo.\nThree is the next.", "One.\nTwo.", True),
    ("Eins.\nZwei.", "One.\nNote: „zwei“ is missing.", "One.", True),
    ("Eins.\n\nZwei.", "One.\n\nTwo.", "One.\n\nTwo.", False),
    ("Eins.\n\nZwei.", "Here is the translation:\n\nOne.\n\nTwo.\n\nExplanation: numbers.", "One.\n\nTwo.", True),
    ("Eins.\n\nZwei.", "One.\n\nExplanation: a number.", "One.", True),
]  # fmt: skip


@pytest.mark.parametrize(("source", "answer", "translation", "chatter"), FAITHFUL)
def test_what_the_source_has_itself_stays(source: str, answer: str, translation: str, chatter: bool) -> None:
    assert extract(answer, source, ("English",)) == Extracted(translation, chatter, found=True)


@pytest.mark.parametrize(
    "answer",
    [
        "Sure! Here is the translation:",
        "Translation:",
        "I'm sorry, but I cannot translate this sentence.",
        "As an AI language model, I have no opinion.",
    ],
)
def test_an_answer_without_translation_comes_back_whole_as_a_failure(answer: str) -> None:
    assert extract(answer, SOURCE, ("English",)) == Extracted(answer, chatter=True, found=False)


@pytest.mark.parametrize("answer", ["", "  \n\n "])
def test_an_empty_answer_is_empty(answer: str) -> None:
    assert extract(answer, SOURCE) == Extracted("", chatter=False, found=False)
