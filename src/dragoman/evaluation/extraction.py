"""The translation inside an answer.

Instruct models lead in ("Sure! Here is the translation:"), quote, label and explain. What is scored
is the translation alone; that the model said more is counted as chatter. The rules are few and
written out, so that a reader can tell what was scored:

1. Leading paragraphs or lines that only announce the translation are dropped, as is an
   announcement or a label ("Translation:", "German:") at the head of the first line.
2. The translation has at most as many paragraphs, and as many lines in each, as the source. It
   ends earlier at a line that begins an explanation ("Note:", "Explanation:", "or").
3. Quotation marks and Markdown around all of it go where the source has none.

A rule never fires on what the source itself has: "Hinweis: …" may be translated "Note: …".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was taken for the translation; `found` is false where there was none, and `text` the whole answer."""

    text: str
    chatter: bool
    found: bool


def _one_of(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_OPENER = (
    _one_of("sure", "certainly", "of course", "okay", "ok", "absolutely", "yes", "gladly", "gerne", "natürlich")
    + r"(?: thing)?[!,.]*\s*"
)
_TRANSLATION = _one_of(
    r"translat\w*", r"übersetz\w*", r"tradu(?:zion|c|ç)\w*", r"překlad\w*", r"перевод\w*", "翻译", "翻訳"
)
_HERE_IT_IS = _one_of("here you go", "here it is", r"here(?: is|['’]s) the sentence in \w+")
_OPEN, _CLOSE = '["“„«]', '["”“»]'

# "Sure! Here is the translation of your sentence into German:" · "Translation:"
_ANNOUNCEMENT = _pattern(rf"^(?:{_OPENER})?[^\n:：]{{0,160}}?{_TRANSLATION}[^\n:：]{{0,160}}?[:：]\s*")
_HERE = _pattern(rf"^(?:{_OPENER})?{_HERE_IT_IS}\s*[:!]\s*")
_OPENER_ALONE = _pattern(rf"^{_OPENER}$")
_HEADING = _pattern(rf"^[#*_ ]+[^\n]{{0,40}}{_TRANSLATION}[^\n]{{0,40}}$")  # "### Translation"
# 'The sentence "…" can be translated as "…"': the last quotation of the sentence
_QUOTED_LAST = _pattern(
    rf"^[^\n]{{0,200}}?{_TRANSLATION}[^\n]{{0,200}}?\b(?:is|as|to|be|lautet|è)\b\s*[:：]?\s*"
    rf"{_OPEN}([^\n]+?){_CLOSE}[.!]?(?:\s|$)"
)
# '"…" is the translation'
_QUOTED_FIRST = _pattern(rf"^{_OPEN}([^\n]+?){_CLOSE},?\s+(?:is|would be|ist|è|means)\b[^\n]*")

# Lines that begin to explain: a word that announces it, or a sentence about the translation
_EXPLAINING = _one_of(
    *("notes?", "please note", "explanations?", "literal(?:ly| translation)", "alternatives?", "alternatively", "or"),
    *("breakdown", "vocabulary", "grammar", "context", "source", "original", "meaning", "pronunciation", "pinyin"),
    *("word[- ]by[- ]word", "romanization", "erklärung", "erläuterung", "anmerkung", "hinweis", "oder"),
    *("nota", "spiegazione", "oppure", "explication", "remarque", "explicación", "注", "注意", "说明", "解释"),
)
_ABOUT_IT = _one_of(
    r"(?:in )?this (?:sentence|translation)",
    r"the (?:word|phrase|sentence|verb|term|translation|german|italian|english)s? [\"'“‘„«\w]",
    r"here,? (?:is|are|the|we)",
    r"i (?:have|translated|hope|used)",
    "let me know",
)
_ENDER = _pattern(rf"^[\s\W]{{0,4}}(?:{_EXPLAINING}[\s*]*(?:[:：,(]|$)|{_ABOUT_IT})")
_INLINE_NOTE = _pattern(rf"\s+[(\[](?:{_EXPLAINING}|lit\.)[^\n]*$")
_CANNOT = _one_of("can(?:no|['’])t", "can not", "unable to", "not able to", "won['’]t", "could(?:n['’]t| not)")
_REFUSAL = _pattern(rf"\b{_CANNOT}\b[^.\n]{{0,40}}\b(?:translat|assist|fulfil|provide)|\bas an ai\b")
_WORD_TRANSLATION = _pattern(_TRANSLATION)
_COLON = re.compile("[:：]")
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "»": "«", "'": "'", "‘": "’", "‚": "‘", "「": "」", "『": "』"}
_BLANK = re.compile(r"\n[ \t]*\n+")


def extract(answer: str, source: str, labels: Sequence[str] = ()) -> Extracted:
    """The translation of `source` inside `answer`.

    `labels` are names of the target language by which an answer may head its translation
    ("German: …"). An answer that holds no translation — nothing but an announcement, or a refusal —
    comes back whole with `found` false; an empty one comes back empty.
    """
    whole = answer.replace("\r\n", "\n").strip()
    if not whole:
        return Extracted("", chatter=False, found=False)
    if _REFUSAL.search(whole[:200]) and not _REFUSAL.search(source):
        return Extracted(whole, chatter=True, found=False)
    source = source.replace("\r\n", "\n").strip()
    text, led_in = _without_lead_in(_unwrapped(whole, source), source, labels)
    text, went_on = _in_the_source_s_shape(_unwrapped(text, source), source)
    text = _unwrapped(text, source)
    if not text:
        return Extracted(whole, chatter=True, found=False)
    return Extracted(text, chatter=led_in or went_on, found=True)


def _without_lead_in(text: str, source: str, labels: Sequence[str]) -> tuple[str, bool]:
    for sentence in (_QUOTED_LAST, _QUOTED_FIRST):
        quoted = sentence.match(text)
        if quoted and not _quoted(source) and not _WORD_TRANSLATION.search(source):
            return quoted[1], True
    names = _one_of(*map(re.escape, labels))
    label = _pattern(rf"^\W{{0,4}}{names}(?: translation)?\W{{0,3}}[:：][\s*]*") if labels else None
    before = text
    for _ in range(3):  # "Sure!" · "Here is the translation:" · "German:"
        bare = text.lstrip("*_ ")
        first, _, rest = text.partition("\n")
        announced = _ANNOUNCEMENT.match(bare) or _HERE.match(bare) or (label and label.match(bare))
        if rest.strip() and (_OPENER_ALONE.match(first) or _HEADING.match(first)):
            text = rest.strip()
        elif announced and _adds_a_colon(bare, announced.end(), source):
            text = bare[announced.end() :].lstrip("* ").strip()
        else:
            break
    return text, text != before


def _adds_a_colon(text: str, end: int, source: str) -> bool:
    """Whether the announcement that ends at `end` is the answer's own, and not the translation of the source's."""
    announced, line, first = text[:end].rstrip(" "), text.split("\n", 1)[0], source.split("\n", 1)[0]
    if announced.endswith("\n"):
        return not first.rstrip().endswith((":", "："))
    return len(_COLON.findall(line)) > len(_COLON.findall(first))


def _in_the_source_s_shape(text: str, source: str) -> tuple[str, bool]:
    """As many paragraphs as the source has, each with as many lines as the source's, up to an explanation."""
    shape = [paragraph.count("\n") + 1 for paragraph in _BLANK.split(source)]
    paragraphs = _BLANK.split(text)
    kept: list[str] = []
    for paragraph, room in zip(paragraphs, shape, strict=False):
        lines = paragraph.strip().split("\n")[:room]
        stop = next((i for i, line in enumerate(lines) if (kept or i) and _ENDER.match(line)), len(lines))
        if stop:
            kept.append("\n".join(line.rstrip() for line in lines[:stop]))
        if stop < len(lines):
            break
    taken = "\n\n".join(kept)
    if not re.search(r"[(\[]", source):
        taken = _INLINE_NOTE.sub("", taken)
    return taken, "".join(taken.split()) != "".join(text.split())


def _quoted(text: str) -> bool:
    return text[:1] in _QUOTES


def _unwrapped(text: str, source: str) -> str:
    """Without Markdown and quotation marks around all of it, where the source has none."""
    text = text.strip()
    for mark in ("```", "**", "__", "*", "`"):
        inner = text[len(mark) : -len(mark)]
        if text.startswith(mark) and text.endswith(mark) and inner and mark not in inner and mark not in source:
            text = inner.strip()
    closing = _QUOTES.get(text[:1])
    if closing and not _quoted(source) and len(text) > 2 and text.endswith(closing):
        inner = text[1:-1]
        if closing not in inner and text[0] not in inner:
            return inner.strip()
    return text
