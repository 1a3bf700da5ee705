"""Option lines of a BBH question: the lines at its end, after one such as `Options:`.

They are `(A) …`, or `- …` if one of a few words is asked for. A translation service changed letters ("(E)" became
"(UND)", "(I)" became "(yo)"), numbered them in Chinese or Arabic, and here and there merged a letter with the word
after it ("(C) Up" became "(Tasse", a cup).
"""

import re
from dataclasses import dataclass

from dragoman.suites._answers import latin

_LETTERED = re.compile(r"\s*[(（\[]([^()（）\[\]\n]{1,4})[)）\]]\s*(.*)")
_DASHED = re.compile(r"\s*[-–—]\s+(.*)")


@dataclass(frozen=True, slots=True)
class Options:
    """A question up to its options, and the options' texts; `lettered` if they have letters, A and so on."""

    question: str
    texts: tuple[str, ...]
    lettered: bool
    letters: tuple[str, ...] = ()
    """The letters as written; A to Z if they are in another script."""

    @property
    def listed(self) -> str:
        """The options as lines again."""
        if self.lettered:
            return "\n".join(f"({letter(at)}) {text}" for at, text in enumerate(self.texts))
        return "\n".join(f"- {text}" for text in self.texts)

    @property
    def asked(self) -> str:
        """The question without the line that announces options."""
        lines = self.question.split("\n")
        return "\n".join(lines[:-1] if self.texts and len(lines) > 1 and _announces(lines[-1]) else lines).strip()


def letter(at: int) -> str:
    return chr(ord("A") + at)


def parse(text: str) -> Options:
    """The options at the end of a question; none if its last lines are not options."""
    lines = text.strip().split("\n")
    for pattern, lettered in ((_LETTERED, True), (_DASHED, False)):
        first = len(lines)
        while first > 1 and pattern.fullmatch(lines[first - 1]) and not _announces(lines[first - 1]):
            first -= 1
        if first < len(lines) and _announces(lines[first - 1]):
            found = [match for line in lines[first:] if (match := pattern.fullmatch(line))]
            marks = tuple(latin(match[1]) or match[1] for match in found) if lettered else ()
            texts = tuple(match[match.re.groups].strip() for match in found)
            return Options("\n".join(lines[:first]), texts, lettered, marks)
    return Options(text.strip(), (), False)


def restore(text: str, original: Options) -> tuple[Options, bool, bool] | None:
    """The options of a translated question with the original's letters, by their order.

    Also whether a letter was changed, and whether an option's text was taken from the original because its letter had
    been merged into it. None if the number of lines differs from the original's: then what was merged can't be told.
    """
    lines = text.strip().split("\n")
    first = len(lines) - len(original.texts)
    if not original.texts:
        return Options(text.strip(), (), False), False, False
    if first != len(original.question.split("\n")) or not _announces(lines[first - 1]):
        return None
    texts, changed, taken = [], False, False
    for at, line in enumerate(lines[first:]):
        match = (_LETTERED if original.lettered else _DASHED).fullmatch(line)
        if match is None or not match[match.re.groups].strip():
            texts.append(original.texts[at])
            taken = True
        else:
            texts.append(match[match.re.groups].strip())
            changed |= original.lettered and match[1] != letter(at)
    question = "\n".join(lines[:first])
    return Options(question, tuple(texts), original.lettered, tuple(map(letter, range(len(texts))))), changed, taken


def _announces(line: str) -> bool:
    return line.rstrip().endswith((":", "："))
