"""Asides: what an answer says besides the translation on its line, such as "… Note: …", brackets, a second wording.

Nothing is taken out for a word alone. What remains must be a complete translation by itself: about as long as one of
that source usually is, with as many sentences. What goes must be a remark: headed as one, about the translation,
quoting the source, or in another language than the translation. The source's own remarks are part of its translation,
so what it talks about itself is not a sign.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from dragoman.suites.translation.aside_signs import (
    CLOSERS,
    COLON,
    END,
    ENOUGH,
    HEAD,
    HEADED,
    OR,
    QUOTATION,
    QUOTE,
    SAID,
    WHOLE,
    TranslationRequest,
    about,
    announces,
    elsewhere,
    heads,
    letters,
    same,
    sentences,
    signs_of,
    talk,
)
from dragoman.suites.translation.aside_words import HEADING, LABEL, LABEL_WORD, OPENING

LONG = 1.25  # of the length that a translation usually has: an answer that is so long may say more
CIRCLES = 0.3  # of its bytes are left of an endless repetition when it is packed; of a text about half
TOO_LONG, MARGIN = 3.0, 60  # beyond so many of these lengths and letters nothing is a translation alone

_INITIAL = re.compile(r"(?:^|\s)[^\W\d_]\.$")
_TERMINAL = re.compile(rf"[.!?…。！？:：;；]{CLOSERS}$")
_ANOTHER = re.compile(r"\W*(?:or|oder|nebo|или|oppure|或者?|または)\W*[\"“„«「]", re.IGNORECASE)
_BRACKET = re.compile(r"[(\[（［【〔]")
_AT_THE_END = re.compile(
    r"[\s]*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\[([^\[\]]*)\]|（([^（）]*)）|【([^【】]*)】)([.!?。！？]?)$"
)
_DASH = re.compile(r"\s(?:[-–—]{1,3}|←|→)\s")
_OTHER = re.compile(rf"\s(?=[A-ZÀ-ÞА-Я*_#(\[（\"“„«\u3400-\u9fff]|{OR})")
_FENCE = re.compile(r"```")
_SLASH = re.compile(r"\s+(?:/|//|\||\|\|)\s+")
_NUMBERED = re.compile(
    r"^\W{0,3}((?:\w+\s+)?)1\s*[.:)：]\s*(.+?)\s+[*_]{0,2}\1(?:2)\s*[.:)：]\s*(\S.*)$", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Cut:
    """Something in an answer that is not translation: `text` as it stands there, and the rule that found it.

    If that is likely but not certain, it is counted and stays in the translation (`taken_out` is false).
    """

    rule: str
    text: str
    taken_out: bool = True


def without_asides(text: str, asked: TranslationRequest) -> tuple[str, tuple[Cut, ...]]:
    """A text without its remarks, and what was taken out of it, or is suspected to be one."""
    cuts: list[Cut] = []
    for _ in range(4):
        found = next(filter(None, (rule(text, asked) for rule in RULES)), None)
        if not found:
            break
        text, cut = found
        cuts.append(cut)
    if not cuts and (doubt := _doubt(text, asked)):
        cuts.append(doubt)
    return text, tuple(cuts)


Found = tuple[str, Cut] | None


def _source_again(text: str, asked: TranslationRequest) -> Found:
    """ "Das ist gut. - This is good.", "This is good. (Das ist gut.)": the source repeated beside its translation."""
    core = asked.core
    if letters(core) < 8 or core not in text or same(text, core):
        return None
    at = text.index(core)
    before, after = text[:at], text[at + len(core) :]
    if not letters(before) or (len(before) < 60 and (about(before, asked) or HEAD.fullmatch(before.strip()))):
        between = (_LABELLED if len(COLON.findall(after)) > asked.colons else _BETWEEN).match(after)
        if between and asked.whole(after[between.end() :], 0.6):
            left = after[between.end() :]
            opened = re.search(r"[(（\[「\"“„«]\s*$", between[0])
            return (left.rstrip(')）]」"”»“* ') if opened else left).strip(), Cut("source", text[: -len(left)].strip())
    tail = _introduced(before, asked)
    if tail and asked.whole(before[:tail], 0.6) and letters(after) == 0:
        return before[:tail].rstrip(" \t\n(（[［【"), Cut("source", text[tail:].strip())
    return None


def _introduced(before: str, asked: TranslationRequest) -> int:
    """Where the bracket, dash or label before the source begins; 0 if there is none.

    A label's first word follows the end of a sentence or a bracket, or is one that heads remarks or a language's
    name: in "… on the table Literal translation:" the words before it belong to the translation.
    """
    if mark := re.search(r"\s*[\(\[（{←=–—|-][\s\"“„«]*$", before):
        return mark.start()
    label = re.search(rf"(?:{_NAME}[ -]){{0,3}}{_NAME}\s*[:：][\s\"“„«]*$", before)
    if not label:
        return 0
    starts = [label.start() + word.start() for word in re.finditer(_NAME, label[0])]
    if re.search(rf"(?:[.!?…。！？]{CLOSERS}|[(（\[［【\n])\s*$", before[: starts[0]]):
        return starts[0]
    known = [at for at in starts if HEADING.match(before, at) or LABEL_WORD.match(before, at)]
    known += [at for at in starts if asked.names.match(before[at:])]
    return min(known, key=lambda at: (not before[at].isupper(), at), default=0)


_NAME = r"[^\W\d_]+(?:['’][^\W\d_]+)?"
_SEPARATED = (
    r"[\s.。!?！？\"”»“]*(?:[-–—=→⇒:：>|(（\[\n]+\s*|(?:[^\W\d_]+ ){0,4}[^\W\d_]+\s*[:：]\s*|(?:\w+ ){1,7}(?=[\"“„«]))"
)
_BETWEEN = re.compile(rf"{_SEPARATED}[\"“„«]?")
_LABELLED = re.compile(rf"{_SEPARATED}(?:(?:[^\W\d_]+ ){{0,3}}[^\W\d_]+\s*[:：]\s*(?=\S))?[\"“„«]?")


def _fenced(text: str, asked: TranslationRequest) -> Found:
    """The translation in, or before, a code fence."""
    if "```" not in text or "```" in asked.source:
        return None
    for piece in _FENCE.split(text):
        if letters(piece) and asked.whole(piece) and talk(piece, asked, "") < 2:
            rest = text.replace(piece, " ", 1).replace("```", " ").strip()
            return (piece.strip(), Cut("code marks", rest)) if letters(rest) else None
    return None


def _quoted(text: str, asked: TranslationRequest) -> Found:
    """The translation in quotation marks, and a remark around them."""
    if asked.quotes or not QUOTE.search(text):
        return None
    for quotation in QUOTATION.finditer(text):
        inner = next(filter(None, quotation.groups()))
        before, after = text[: quotation.start()], text[quotation.end() :]
        if not letters(before + after) or inner.strip(" .").lower() in asked.source.lower():
            continue
        if not WHOLE * asked.usual <= letters(inner) <= 2 * asked.usual + 20:
            continue
        again = asked.core in before + after and letters(asked.core) >= 8
        if again or _ANOTHER.match(after) or (not letters(after) and about(before, asked) >= 2):
            return inner.strip(), Cut("around a quotation", f"{before} … {after}".strip())
        if asked.whole(inner, 0.75) and (about(before, asked) + about(after, asked) >= 2 or announces(before, asked)):
            return inner.strip(), Cut("around a quotation", f"{before} … {after}".strip())
    return None


def _in_brackets(text: str, asked: TranslationRequest) -> Found:
    """A remark, another wording or the pronunciation in brackets at the end."""
    closing = _AT_THE_END.search(text)
    if not closing:
        return None
    inner = next(filter(None, closing.groups()[:4]), "")
    left = text[: closing.start()]
    if not asked.whole(left, 0.6) or len(_BRACKET.findall(text)) <= len(_BRACKET.findall(asked.source)):
        return None
    told = bool(LABEL.fullmatch(inner)) or heads(inner, asked, colon=False) or bool(about(inner, asked))
    if told or elsewhere(inner, asked, left):
        return left + closing[5], Cut("brackets", closing[0].strip())
    return None


def _second(text: str, asked: TranslationRequest) -> Found:
    """Two translations: separated by a slash, or numbered."""
    numbered = _NUMBERED.match(text)
    if numbered and re.match(r"\W{0,3}(?:\w+\s+)?1\b", asked.source):
        numbered = None
    if numbered and asked.whole(numbered[2]) and asked.whole(numbered[3]):
        return numbered[2].strip(), Cut("a second translation", numbered[3].strip())
    if not re.search(r"[/|｜／・]", asked.source):
        parts = _SLASH.split(text)
        if len(parts) > 1 and all(asked.whole(part, 0.7) for part in parts) and letters(text) >= 1.4 * asked.usual:
            return parts[0].strip(), Cut("a second translation", text[len(parts[0]) :].strip())
    return None


def _after_it(text: str, asked: TranslationRequest) -> Found:
    """A remark after the translation: from a sentence that is one to the end."""
    found: tuple[int, int, int] | None = None
    whole_quotation = QUOTATION.match(text) if not asked.quotes else None
    inside = whole_quotation.end() - 1 if whole_quotation else 0
    for end, start, apart in _places(text, asked):
        if found and (apart or found[2] == HEADED or OPENING.match(text[found[1] :])):
            break
        if end < inside:
            continue
        left, rest = text[:end], text[start:]
        first = _first(rest)
        if not asked.whole(left) or (found and not OPENING.match(first)):
            continue
        signs = signs_of(first, asked, left, apart)
        if signs >= ENOUGH and _complete(left, text, signs, asked, apart):
            found = (end, start, signs)
    if not found:
        return None
    end, start, _ = found
    marks = "".join(mark for mark in "*_`" if mark not in asked.source)
    return text[:end].rstrip(f" -–—|/→←({marks}").rstrip(), Cut("a remark after it", text[start:].strip())


def _complete(left: str, text: str, signs: int, asked: TranslationRequest, apart: bool) -> bool:
    """Whether what is left is a complete translation: with as many sentences as the source, and long enough.

    How long depends on how certain the signs are.
    """
    sure = signs == HEADED or (signs == SAID and apart)
    return asked.whole(left, 0.6 if sure else 0.75) and sentences(left) >= asked.sentences


RULES = (_source_again, _fenced, _in_brackets, _second, _after_it, _quoted)


def _places(text: str, asked: TranslationRequest) -> Iterator[tuple[int, int, bool]]:
    """Where a remark may begin: the end of what is before, its own start, and whether a sentence ended there."""
    ends = (match.end() for match in END.finditer(text))
    found = {end: (end, True) for end in ends if not _INITIAL.search(text, max(0, end - 4), end)}
    if asked.source.rstrip().endswith((":", "：")):
        found |= {match.end(): (match.end(), True) for match in re.finditer(r"[:：](?=\s+\S)", text)}
    open_ended = not _TERMINAL.search(asked.source.strip())
    for match in [*_DASH.finditer(text), *(_OTHER.finditer(text) if open_ended else ())]:
        found.setdefault(match.start(), (match.end(), False))
    for end, (start, apart) in sorted(found.items()):
        yield end, start + len(text[start:]) - len(text[start:].lstrip()), apart


def _first(rest: str) -> str:
    end = END.search(rest)
    return rest[: end.end()] if end else rest


def _doubt(text: str, asked: TranslationRequest) -> Cut | None:
    """A sentence that may be a remark, in an answer that is longer than a translation usually is."""
    if letters(text) < LONG * asked.usual + 10 or sentences(text) <= asked.sentences:
        return None
    for end, start, apart in _places(text, asked):
        complete = apart and asked.whole(text[:end], 0.85) and sentences(text[:end]) >= asked.sentences
        if complete and talk(_first(text[start:]), asked, text[:end]):
            return Cut("perhaps a remark", text[start:].strip(), taken_out=False)
    return None


def too_long(text: str, asked: TranslationRequest) -> bool:
    """Whether a text is too long to be the translation alone.

    A text that goes round in circles is a bad translation, not a remark, and is counted as endless.
    """
    return letters(text) > TOO_LONG * asked.usual + MARGIN and not _repeats(text)


def _repeats(text: str) -> bool:
    plain = text.encode(errors="replace")
    return len(zlib.compress(plain)) < CIRCLES * len(plain)
