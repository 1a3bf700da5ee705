"""The check of talking normally: an answer in the question's language that is neither empty nor a copy nor a loop."""

from dragoman.rationales.faults import likeness, repeats_itself, repeats_reference
from dragoman.suites.questions.verdict import NOTHING, Verdict, normalised
from dragoman.suites.translation.language_id import in_other_language

_COPY = 0.9  # likeness to the question from which on an answer is a copy of it


def talks(answer: str, to: str, language: str = "en") -> Verdict:
    """The answer isn't in another language than the question (so no translation of it), and is no copy and no loop.

    `to` is what was said to the model. A loop is as in rationales, of words instead of tokens. What is said isn't
    judged.
    """
    if not any(map(str.isalnum, answer)):
        return NOTHING
    if in_other_language(answer, language) or repeats_reference(answer, to):
        return Verdict(False)
    if likeness(normalised(answer), normalised(to)) >= _COPY:
        return Verdict(False)
    numbers: dict[str, int] = {}
    words = tuple(numbers.setdefault(word, len(numbers)) for word in normalised(answer).split())
    return Verdict(not repeats_itself(words))
