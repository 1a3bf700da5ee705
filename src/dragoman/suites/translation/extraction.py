"""Extracting the translation from an answer.

Instruct models lead in ("Sure! Here is the translation:"), quote, label and explain. Only the translation is scored;
that the model said more is counted as chatter. The rules are few, so that a reader can tell what was scored:

1. Leading paragraphs or lines that only announce the translation are dropped, as is an
   announcement or a label ("Translation:", "German:", "In German, this would be:") at the head of the first line.
2. The translation has at most as many paragraphs, and as many lines in each, as the source. It
   ends earlier at a line that begins an explanation ("Note:", "Explanation:", "or").
3. What is said beside it on the same line is taken out where that is certain (`asides.py`); where it
   is likely it is counted, and what is scored stays whole.
4. Quotation marks and Markdown around all of it go where the source has none.
5. A refusal, or what is far too long to be a translation and has none in it that can be told, is a failure.

A rule never fires on what the source itself has: "Hinweis: …" may be translated "Note: …". Each says what it took out
(`Extracted.cuts`).
"""

import re
from dataclasses import dataclass

from dragoman.corpora.language import base, labels
from dragoman.prompts.languages import LANGUAGES
from dragoman.suites.translation.aside_signs import TranslationRequest, elsewhere, letters
from dragoman.suites.translation.asides import Cut, too_long, without_asides

RULES = 2
"""The version of the rules, for signatures: it is raised when an answer may be extracted differently."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was taken as the translation; if there was none, `found` is false and `text` is the whole answer."""

    text: str
    chatter: bool
    found: bool
    cuts: tuple[Cut, ...] = ()
    """What stood besides the translation, in the order in which the rules took it out."""


def _one_of(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_OPENER = (
    _one_of("sure", "certainly", "of course", "okay", "ok", "absolutely", "yes", "gladly", "gerne", "natürlich")
    + r"(?: thing)?[!,.]*\s*"
)
_TRANSLATION = _one_of(
    *(r"translat\w*", r"übersetz\w*", r"tradu(?:zion|c|ç)\w*", r"překlad\w*", r"перевод\w*", "翻译", "译文", "翻訳"),
    *("訳文", "번역", "ترجمة", "الترجمة", r"çeviri(?:si)?\b", r"översättning\w*", "bản dịch", r"þýðing\w*"),
)
_HERE_IT_IS = _one_of("here you go", "here it is", r"here(?: is|['’]s) the sentence in \w+")

# "Sure! Here is the translation of your sentence into German:" · "Translation:"
_ANNOUNCEMENT = _pattern(rf"^(?:{_OPENER})?[^\n:：]{{0,160}}?{_TRANSLATION}[^\n:：]{{0,160}}?[:：]\s*")
# What announces a translation even of a source that speaks of one itself
_PLAINLY = _pattern(
    rf"^(?:{_OPENER})?(?:here\b|below\b|以下|下面|这是|(?:(?:the|die|la|il|le) )?(?:\w+ )?{_TRANSLATION}\W)"
)
_HERE = _pattern(rf"^(?:{_OPENER})?{_HERE_IT_IS}\s*[:!]\s*")
_OPENER_ALONE = _pattern(rf"^{_OPENER}$")
_HEADING = _pattern(rf"^[#*_ ]+[^\n]{{0,40}}{_TRANSLATION}[^\n]{{0,40}}$")  # "### Translation"
# "In German, this would be:" · "You could say:" · "Auf Deutsch heißt das:": what follows is one
_SAYS = _pattern(
    rf"^(?:{_OPENER})?[^\n:：.!?\"“„«]{{0,50}}\b(?:(?:(?:this|that) (?:sentence|phrase|text|word)"
    r"|this|it|that|version|sentence|text|you could|i would)(?: (?:would|could|can|might|will|should|\w+ly|also|just))?"
    r" (?:means?|says?|reads?|be|is)"
    r"|(?:heißt|bedeutet|lautet) (?:das|es|dies)|to (?:znamená|je)|это (?:означает|значит|будет)|意思是)\s*[:：]\s*"
)
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
_CANNOT = _one_of("can(?:no|['’])t", "can not", "unable to", "not able to", "won['’]t", "could(?:n['’]t| not)")
_REFUSAL = _pattern(
    rf"\b(?:i|we)\b[^.\n]{{0,20}}\b{_CANNOT}\b[^.\n]{{0,40}}\b(?:translat|assist|fulfil|provide (?:a|the|any) translat)"
    r"|\b(?:don['’]t|not) feel comfortable translating|\bas an ai\b"
)
# "The segment you provided is incomplete." · "This is a URL, it does not need to be translated."
_NOT_ONE = _pattern(
    r"\b(?:text|segment|sentence|phrase) (?:that )?you(?:['’]ve| have)? (?:provided|gave|given|sent|shared)\b"
    r"|\b(?:does ?n['’]t|does not|do ?n['’]t|not)\b[^.\n]{0,30}\b(?:need|require|have)\b[^.\n]{0,20}\btranslat"
    r"|\bnot (?:a |something|typically|usually)[^.\n]{0,40}\btranslat|\bcannot be (?:directly )?translated\b"
    r"|\bprovide (?:me with )?(?:the|a|more) [^.\n]{0,40}\b(?:translat|context)"
)
_COLON = re.compile("[:：]")
# A sentence ends before white space or a bracket that opens, also inside quotation marks; 。 ends one anywhere
_SENTENCE = re.compile(r"[.!?][\"'”’“»)\]）】]*(?:\s|$|(?=[(（\[［【]))|[。！？]")
_OPENED = re.compile(r"[(\[（［【][^)\]）］】]*$")
_KIND = _pattern(rf"(?:literal|free|word[- ]for[- ]word|wörtliche|freie|doslovný|дословный|буквальный) {_TRANSLATION}")
_ANNOUNCING = _pattern(
    r"\W*(?:here|this|that|the|an?|my|in|below|hier|dies\w*|das|die|eine|mein\w*|это|вот|toto|zde)\b"
)
_ABOUT_ONE = _pattern(_TRANSLATION)
_MENTIONED = _pattern(rf"{_TRANSLATION}|přelož|překlád|перев[её]|译|訳|tradu[itz]")  # also by a verb, in a source
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "»": "«", "'": "'", "‘": "’", "‚": "‘", "「": "」", "『": "』"}
_MARKS = frozenset("\"“”„«»'‘’‚「」『』״《》【】")
_BLANK = re.compile(r"\n[ \t]*\n+")


def extract(answer: str, source: str, source_language: str, target_language: str) -> Extracted:
    """The translation of `source` inside `answer`.

    An answer without a translation (only an announcement, a refusal, or far more than a translation without anything
    that tells where it is) is returned whole, with `found` false; an empty answer is returned empty.
    """
    whole = answer.replace("\r\n", "\n").strip()
    if not whole:
        return Extracted("", chatter=False, found=False)
    source = source.replace("\r\n", "\n").strip()
    asked = TranslationRequest(source, source_language, target_language)
    if _refuses(whole, asked):
        return Extracted(whole, chatter=True, found=False)
    text, before, unsure = _without_lead_in(_unwrapped(whole, source), asked)
    text, after = _in_the_source_s_shape(_unwrapped(text, source), source)
    text, asides = without_asides(text, asked)
    text = _unwrapped(text, source)
    if not text or (asides and _NOT_ONE.search(text) and not asked.mentions_translation):
        return Extracted(whole, chatter=True, found=False)
    if too_long(text, asked):
        return Extracted(whole, chatter=bool(asides), found=False)
    said = [Cut(rule, words) for rule, words in (("announcement", before), ("further lines", after)) if words]
    cuts = (*said, *asides)
    if unsure and not cuts:
        cuts = (Cut("perhaps a remark", unsure, taken_out=False),)
    return Extracted(text, chatter=bool(cuts), found=True, cuts=cuts)


def _refuses(whole: str, asked: TranslationRequest) -> bool:
    head = whole[:250]
    refusal = _REFUSAL.search(head)
    if refusal and not _REFUSAL.search(asked.source):
        of_translating = "translat" in refusal[0].lower() and not asked.mentions_language
        return of_translating or letters(whole) > 1.6 * asked.usual + 10
    return bool(_NOT_ONE.search(head)) and not asked.mentions_language and letters(whole) > 1.6 * asked.usual + 20


def _without_lead_in(text: str, asked: TranslationRequest) -> tuple[str, str, str]:
    """The text after the announcement; the announcement; and words that announce one where a translation may already
    be.
    """
    source = asked.source
    names = {*labels(asked.target_language), LANGUAGES.get(base(asked.target_language), "")} - {""}
    named = _one_of(*sorted(map(re.escape, names)))
    label = _pattern(rf"^\W{{0,4}}{named}(?: translation)?\W{{0,3}}[:：][\s*]*") if names else None
    before, unsure = text, ""
    for _ in range(3):  # "Sure!" · "Here is the translation:" · "German:"
        bare = text.lstrip("*_ ")
        first, _, rest = text.partition("\n")
        announced = _announcement(bare, asked) or (label and label.match(bare))
        if announced and not _adds_a_colon(bare, announced.end(), source):
            announced = None
        if rest.strip() and (_OPENER_ALONE.match(first) or _HEADING.match(first)):
            text = rest.strip()
        elif announced and _follows_one(announced[0], bare[announced.end() :], asked):
            unsure = announced[0].strip()
            break
        elif announced:
            text = bare[announced.end() :].lstrip("* ").strip()
        else:
            break
    return text, before[: len(before) - len(text)].strip(), unsure


def _announcement(text: str, asked: TranslationRequest) -> re.Match[str] | None:
    """The words up to the colon that announce the translation."""
    found = _ANNOUNCEMENT.match(text)
    if found and (not _MENTIONED.search(asked.source) or _PLAINLY.match(text)):
        return found
    if here := _HERE.match(text):
        return here
    says = _SAYS.match(text)
    return says if says and (asked.names.search(says[0]) or asked.whole(text[says.end() :], 0.75)) else None


def _follows_one(announced: str, rest: str, asked: TranslationRequest) -> bool:
    """Whether a translation may already have been given: "Das ist gut. You can also translate it as:"."""
    opener = _pattern(rf"^(?:{_OPENER})").match(announced)
    told = announced[opener.end() if opener else 0 :]
    ended, inside = _SENTENCE.search(told), _OPENED.search(told)
    for left in (told[: ended.end()] if ended else "", told[: inside.start()] if inside else ""):
        if letters(left) >= 4 and not _ABOUT_ONE.search(left):
            return True
    word = _KIND.search(told) or _ABOUT_ONE.search(told)
    left = told[: word.start()] if word else ""
    if word is None or letters(left) < 4 or not asked.whole(left):
        return False
    if letters(left) >= 30 and asked.whole(left, 0.8):
        return True
    again = letters(asked.core) >= 8 and asked.core in rest
    return not _ANNOUNCING.match(told) and (word.re is _KIND or again or bool(elsewhere(rest, asked, left)))


def _adds_a_colon(text: str, end: int, source: str) -> bool:
    """Whether the announcement that ends at `end` is the answer's own, and not the translation of one in the source."""
    announced, line, first = text[:end].rstrip(" "), text.split("\n", 1)[0], source.split("\n", 1)[0]
    if announced.endswith("\n"):
        return not first.rstrip().endswith((":", "："))
    return len(_COLON.findall(line)) > len(_COLON.findall(first))


def _in_the_source_s_shape(text: str, source: str) -> tuple[str, str]:
    """As many paragraphs and lines as the source has, up to an explanation; and the rest."""
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
    return taken, _rest(text, taken)


def _rest(text: str, taken: str) -> str:
    """What follows the part that was taken from a text's beginning, whose white space may differ."""
    many = sum(not character.isspace() for character in taken)
    for place, character in enumerate(text):
        if not many:
            return text[place:].strip()
        many -= not character.isspace()
    return ""


def _quoted(text: str) -> bool:
    """Whether a text begins or ends with a quotation mark: then its translation may too."""
    return text[:1] in _MARKS or text.rstrip(".。!?！？, ")[-1:] in _MARKS


def _unwrapped(text: str, source: str) -> str:
    """A text without Markdown and quotation marks around all of it, unless the source has them."""
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
