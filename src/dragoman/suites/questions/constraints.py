"""Checks of what an instruction says about an answer's form: counts, parts, marks, how it begins and ends.

The constraints are those of IFEval. Where its checkers differ from what their instructions say to a person (a keyword
inside another word, a postscript in the first line), the checks here go by what is said.
"""

import re

from dragoman.suites.questions.verdict import MOST, NOTHING, Verdict, normalised, within

_ABBREVIATED = re.compile(r"\b(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|approx|No)\.$", re.IGNORECASE)
_END = re.compile(r"[.!?…]+[\"'”’)\]*_]*(?=\s|$)")
_NUMBER = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+", re.MULTILINE)


def letter_count(answer: str, letter: str, at_least: int = 0, at_most: int = MOST) -> Verdict:
    """A letter occurs so often, in either case."""
    return Verdict(at_least <= answer.casefold().count(letter.casefold()) <= at_most) if answer.strip() else NOTHING


def sentence_count(answer: str, exactly: int = -1, at_least: int = 0, at_most: int = MOST) -> Verdict:
    """The number of sentences: what a full stop, a question mark or an exclamation mark ends, and a last one without.

    Marks of lists ("1.") and common abbreviations end none; a blank line ends one.
    """
    found = sum(_sentences(paragraph) for paragraph in re.split(r"\n\s*\n", _NUMBER.sub("", answer)))
    return Verdict(within(found, exactly, at_least, at_most)) if found else NOTHING


def _sentences(text: str) -> int:
    count, begun = 0, 0
    for end in _END.finditer(text):
        if end.group().startswith(".") and _ABBREVIATED.search(text[: end.start() + 1]) and text[end.end() :].strip():
            continue
        count += bool(re.search(r"\w", text[begun : end.end()]))
        begun = end.end()
    return count + bool(re.search(r"\w", text[begun:]))


def paragraph_count(answer: str, count: int, divider: str = "") -> Verdict:
    """Exactly so many paragraphs, with blank lines between them, or with lines that are the divider."""
    parts = _paragraphs(answer, divider)
    return Verdict(len(parts) == count and "" not in parts) if any(parts) else NOTHING


def paragraph_start(answer: str, count: int, nth: int, word: str) -> Verdict:
    """There are exactly so many paragraphs, with blank lines between them, and the nth begins with a word."""
    parts = _paragraphs(answer, "")
    if not any(parts):
        return NOTHING
    first = normalised(parts[nth - 1].split()[0]) if len(parts) == count >= nth >= 1 else ""
    return Verdict(first == normalised(word))


def _paragraphs(answer: str, divider: str) -> list[str]:
    """The paragraphs; between two dividers with nothing between them there is an empty one."""
    text = answer.strip()
    if not divider:
        return [part.strip() for part in re.split(r"\n[ \t]*\n\s*", text)]
    parts = [part.strip() for part in text.split(divider)]
    return parts[not parts[0] : len(parts) - (len(parts) > 1 and not parts[-1])]


def placeholders(answer: str, at_least: int) -> Verdict:
    """There are at least so many placeholders in square brackets, such as [address]."""
    return Verdict(len(re.findall(r"\[[^\[\]\n]+\]", answer)) >= at_least) if answer.strip() else NOTHING


def postscript(answer: str, marker: str = "P.S.") -> Verdict:
    """A line after the first begins with the marker and goes on: a postscript."""
    if not answer.strip():
        return NOTHING
    _, *lines = [line.strip(" *_") for line in answer.strip().splitlines()]
    found = [line for line in lines if line.casefold().startswith(marker.casefold())]
    return Verdict(any(re.search(r"\w", line[len(marker) :]) for line in found))


def bullets(answer: str, count: int) -> Verdict:
    """Exactly so many lines are bullet points, `* …` or `- …`; there may be other lines."""
    return Verdict(len(re.findall(r"^\s*[-*]\s+\S", answer, re.MULTILINE)) == count) if answer.strip() else NOTHING


def highlights(answer: str, at_least: int) -> Verdict:
    """At least so many passages are highlighted, `*like this*` or `**like this**`."""
    found = re.findall(r"(?<!\*)(\*{1,3})(?=[^\s*])[^\n*]*[^\s*]\1(?!\*)", answer)
    return Verdict(len(found) >= at_least) if answer.strip() else NOTHING


def sections(answer: str, count: int, marker: str) -> Verdict:
    """Exactly so many sections, each under a line that begins with the marker and its number, from 1 on."""
    found = re.findall(rf"^[#*_ ]*{re.escape(marker)}[ \t]*(\d+)\b", answer, re.MULTILINE | re.IGNORECASE)
    return Verdict([int(one) for one in found] == list(range(1, count + 1))) if answer.strip() else NOTHING


def title(answer: str) -> Verdict:
    """There is a title in double angular brackets, `<<like this>>`."""
    return Verdict(re.search(r"<<[^<>\n]*\w[^<>\n]*>>", answer) is not None) if answer.strip() else NOTHING


def two_responses(answer: str) -> Verdict:
    """Two different answers, with six asterisks between them."""
    if not answer.strip():
        return NOTHING
    parts = _paragraphs(answer, "******")
    return Verdict(len(parts) == 2 and all(parts) and normalised(parts[0]) != normalised(parts[1]))


def capital_words(answer: str, at_least: int = 0, at_most: int = MOST) -> Verdict:
    """So many words are in capital letters alone; "I" and "A" are none of them."""
    found = [word for word in re.findall(r"[^\W\d_]{2,}", answer) if word.isupper()]
    return Verdict(at_least <= len(found) <= at_most) if answer.strip() else NOTHING


def lacks(answer: str, characters: str) -> Verdict:
    """None of some characters occurs, in either case."""
    return Verdict(not set(characters.casefold()) & set(answer.casefold())) if answer.strip() else NOTHING


def quoted(answer: str) -> Verdict:
    """The whole answer stands between double quotation marks."""
    text = answer.strip()
    return Verdict(len(text) > 2 and text[0] in '"“' and text[-1] in '"”') if text else NOTHING
