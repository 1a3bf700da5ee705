"""Which of a suite's questions are asked: of each family as many as the recipe says, and others in other draws."""

from collections import Counter
from collections.abc import Mapping, Sequence

from dragoman.corpora.records import Question, draw
from dragoman.recipe.judging import Evaluation
from dragoman.suites import is_skill
from dragoman.suites._suite import Count, Notes


def drawn(questions: Sequence[Question], number: int, settings: Evaluation, limit: int | None = None) -> list[Question]:
    """The questions of a draw, by the seed; other draws have families with enough questions for all draws.

    With a limit, at most so many in all, as equally many of each family as there are.
    """
    families: dict[str, list[Question]] = {}
    for question in questions:
        families.setdefault(question.family, []).append(question)
    found, counts = [], _counts(questions, settings, limit)
    for family, there in families.items():
        count = counts[family]
        if not number or len(there) >= (1 + settings.noise_seeds) * count:
            ordered = sorted(there, key=lambda one: draw(one.key, "asked", settings.seed))
            found += ordered[number * count : (number + 1) * count]
    return found


def left_out(questions: Sequence[Question], settings: Evaluation) -> Notes:
    """How many of each family no draw asks, and how many the backbone alone is asked."""
    found = Counter[str]()
    for family, (again, never) in remaining(questions, settings).items():
        found[f"of {family} asked of the backbone alone for its noise floor"] = again
        found[f"left out of {family}: more than evaluation.questions ({settings.questions:,})"] = never
    return +found


def remaining(
    questions: Sequence[Question], settings: Evaluation, limit: int | None = None
) -> dict[str, tuple[int, int]]:
    """What the first draw leaves of each family: how many the other draws ask, and how many are never asked."""
    counts = _counts(questions, settings, limit)
    found = {}
    for family, there in Counter(question.family for question in questions).items():
        again = counts[family] * _again(family, there, counts, settings)
        found[family] = again, max(there - counts[family] - again, 0)
    return found


def count(questions: Sequence[Question], settings: Evaluation, limit: int | None = None) -> Count:
    """How many are asked, and how many more of the backbone in each other draw."""
    counts = _counts(questions, settings, limit)
    there = Counter(question.family for question in questions)
    again = sum(many for family, many in counts.items() if _again(family, there[family], counts, settings))
    return Count(sum(counts.values()), again)


def _again(family: str, there: int, counts: Mapping[str, int], settings: Evaluation) -> int:
    """In how many other draws a family is asked."""
    enough = there >= (1 + settings.noise_seeds) * counts[family] and not is_skill(family, settings.skills)
    return settings.noise_seeds if enough else 0


def _counts(questions: Sequence[Question], settings: Evaluation, limit: int | None) -> dict[str, int]:
    """How many of each family are asked in a draw. The first families have one more where a limit doesn't divide."""
    there = Counter(question.family for question in questions)
    most = {family: min(many, settings.questions) for family, many in there.items()}
    if limit is None or limit >= sum(most.values()):
        return most
    found = dict.fromkeys(most, 0)
    while limit > 0:
        for family in [one for one in most if found[one] < most[one]][:limit]:
            found[family] += 1
            limit -= 1
    return found
