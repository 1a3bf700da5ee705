"""Signs that a part of an answer is not translation: its words, its script, its length.

No sign is proof by itself. Some are compared with what stands before (`left`), all with the source: what the source
itself talks about is not a sign, since the translation has to talk about it as well.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from dragoman.corpora.language import NAMES, SCRIPTS, base, known
from dragoman.prompts.languages import LANGUAGES
from dragoman.suites.translation.aside_words import HEADING, OPENING, STRONG_PHRASE, WEAK_WORD

WHOLE = 0.55  # of the length that a translation of the source usually has: what is left must have it
ENOUGH, SAID, HEADED = 2, 3, 4  # signs of a remark: enough to be one, by a phrase in it, by a heading

_LETTERS = {
    "ar": 0.93,
    "cs": 0.97,
    "de": 1.16,
    "es": 1.16,
    "fr": 1.19,
    "he": 0.72,
    "hi": 0.62,
    "is": 1.15,
    "it": 1.19,
    "ja": 1.42,
    "nl": 1.1,
    "pl": 1.05,
    "pt": 1.12,
    "ru": 1.05,
    "uk": 1.01,
    "zh": 0.95,
}
"""Letters per English letter, from the medians of human translations; 1 for other languages."""

_SYLLABLES = 3  # a character of Chinese, Japanese or Korean says as much as about three letters
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{4,}")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
WORD = re.compile(r"[^\W\d_]+")
COLON = re.compile(r"[:：](?!//|\d)")
QUOTE = re.compile(r"[\"“”„«»「」『』״《》‘]|(?<!\w)'(?=\w)")
QUOTATION = re.compile(r'"([^"\n]+)"|“([^”\n]+)”|„([^“”"\n]+)[“”"]|«([^»\n]+)»|「([^」\n]+)」|‘([^’\n]+)’')
HEAD = re.compile(r"(?:N\.B\.|P\.S\.|Pozn\.|Anm\.|прим\.)?[^\n.!?。！？\"“„«:：]{0,70}[:：]", re.IGNORECASE)
_SAYS = re.compile(
    r"\b(?:this|it|that|which|the sentence|you could|i would|das|es|to|это|è)\b.{0,20}"
    r"\b(?:means?|says|reads|say|be|bedeutet|heißt|lautet|znamená|означает|значит)\b"
    r"|意思是|翻译|翻訳|translat\w+|übersetz\w+|překlad\w*|přelož\w*|перевод\w*|перевест\w*|tradu\w+",
    re.IGNORECASE,
)
"""Words that introduce a translation."""

CLOSERS = r"[\"'”’“»«)\]）】」』*_`]*"
OR = r"(?:or|oder|nebo|případně|или|oppure|lub|або)\s*[:：]"
END = re.compile(rf"(?:(?<=[.!?…]){CLOSERS}(?=\s+(?:[^\s\da-zà-ÿа-я]|{OR}))|[。！？]+{CLOSERS}\s*(?=\S)|\n+(?=\S))")
_NUMBER = re.compile(r"(?:^|\s)(?:\d{1,2}|[^\W\d_])\.$")
_AROUND = " \n\t\"'”’“»«)]）】」』"


@dataclass(frozen=True)
class TranslationRequest:
    """What an answer is compared with."""

    source: str
    source_language: str
    target_language: str

    @cached_property
    def usual(self) -> float:
        """The usual length of a translation, in letters."""
        ratio = _LETTERS.get(base(self.target_language), 1.0) / _LETTERS.get(base(self.source_language), 1.0)
        return letters(self.source) * ratio

    @cached_property
    def sentences(self) -> int:
        return sentences(self.source)

    @cached_property
    def colons(self) -> int:
        return len(COLON.findall(self.source))

    @cached_property
    def quotes(self) -> bool:
        return bool(QUOTE.search(self.source))

    @cached_property
    def mentions_translation(self) -> bool:
        """Whether the source itself has phrases about a translation."""
        return bool(STRONG_PHRASE.search(self.source))

    @cached_property
    def mentions_language(self) -> bool:
        """Whether it has words about language."""
        return bool(WEAK_WORD.search(self.source))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(WORD.findall(self.source.lower()))

    @cached_property
    def core(self) -> str:
        """The source without the marks around it, for finding it repeated in an answer."""
        return self.source.strip().strip("\"'“”„«».。 ")

    @cached_property
    def names(self) -> re.Pattern[str]:
        """The names of the two languages."""
        codes = {base(self.source_language), base(self.target_language)}
        found = {name for code in codes for name in (*NAMES.get(code, ()), LANGUAGES.get(code, ""))} - {""}
        spoken = "|".join(map(re.escape, sorted(found))) or "(?!)"
        return re.compile(
            rf"(?:(?<!\w)(?:in|into|from|auf|ins|in|en|v|на)\s+(?:{spoken})(?=\W*$|\s*[.,:;!?)\"”“]|\s+(?:is|means|as|would|this)\b))"
            rf"|^\W*(?:{spoken})\s*[:：]"
        )

    def whole(self, text: str, share: float = WHOLE) -> bool:
        """Whether a text is long enough to be the translation."""
        return letters(text) >= max(1.0, share * self.usual - 3)


def letters(text: str) -> int:
    dense = len(_DENSE.findall(text))
    return sum(map(str.isalnum, text)) + (_SYLLABLES - 1) * dense


def sentences(text: str) -> int:
    """The number of sentences; '24. Dezember' does not end one."""
    text = text.strip(_AROUND)
    return 1 + sum(not _NUMBER.search(text, max(0, end.end() - 5), end.end()) for end in END.finditer(text))


def signs_of(sentence: str, asked: TranslationRequest, left: str, apart: bool) -> int:
    """How strongly a sentence looks like a remark, up to `HEADED`; from `ENOUGH` on it counts as one."""
    if heads(sentence, asked, left, at_once=not apart):
        return HEADED
    if apart or OPENING.match(sentence):
        said = STRONG_PHRASE.search(sentence) and not asked.mentions_translation
        return SAID if said else min(ENOUGH, talk(sentence, asked, left) + elsewhere(sentence, asked, left))
    return elsewhere(sentence, asked, left) if sum(map(str.isalpha, sentence)) >= 15 else 0


def heads(text: str, asked: TranslationRequest, left: str = "", colon: bool = True, at_once: bool = False) -> bool:
    """Whether a text begins like a remark: with a word for it and a colon that the source does not have.

    With `at_once` the word must be the first one; otherwise it may be anywhere before the colon.
    """
    bare = text.lstrip('*_([（#"“ ')
    begun = HEADING.match(bare)
    if begun and not colon and re.match(r"[,\s]*(?:[:：\"“„«‘]|$)", bare[begun.end() :]):
        return True
    head = HEAD.match(bare)
    if not head or len(COLON.findall(left + head[0])) <= asked.colons or len(WORD.findall(head[0])) > 9:
        return False
    if at_once:
        return bool(begun) or bool(OPENING.match(bare) and STRONG_PHRASE.search(head[0]))
    return bool(
        begun
        or (not _DENSE.search(head[0]) and HEADING.search(head[0]))
        or STRONG_PHRASE.search(head[0])
        or WEAK_WORD.search(head[0])
    )


def announces(before: str, asked: TranslationRequest) -> bool:
    """Whether the text before a quotation, "In German: ", announces the translation."""
    if len(WORD.findall(before)) > 12:
        return False
    return bool((_SAYS.search(before) and not asked.mentions_language) or asked.names.search(before))


def about(text: str, asked: TranslationRequest) -> int:
    """How clearly a text's words are about the translation: 2 for a phrase that says so, 1 for a word that may."""
    found = 0
    if not asked.mentions_translation:
        found += 2 * bool(STRONG_PHRASE.search(text))
    if not asked.mentions_language:
        found += min(2, len(set(map(str.lower, WEAK_WORD.findall(text)))))
    return found + bool(asked.names.search(text))


def talk(text: str, asked: TranslationRequest, left: str) -> int:
    """As `about`, plus 1 if it quotes words of a source that has no quotation marks itself."""
    if asked.quotes:
        return about(text, asked)
    quoted = (next(filter(None, one.groups())).strip(" .,!?。，！？").lower() for one in QUOTATION.finditer(text))
    return about(text, asked) + any(letters(one) >= 2 and one in asked.source.lower() for one in quoted)


def elsewhere(text: str, asked: TranslationRequest, left: str) -> int:
    """2 if a text is in another script than the translation before it, and not in the source's own words."""
    target = base(asked.target_language)
    if letters(text) < 12 or letters(left) < 4 or not known(target):
        return 0
    words = WORD.findall(text.lower())
    own = 3 * sum(word in asked.words for word in words) >= len(words)
    own = own or 2 * sum(word[0].isupper() for word in WORD.findall(text)) > len(words)  # names
    if target in SCRIPTS:
        return 2 if _latin(text) >= 0.85 and _latin(left) <= 0.4 and len(words) >= 3 and not own else 0
    if _latin(text) > 0.15 or _latin(left) < 0.6:
        return 0
    if _DENSE.search(text):
        return 0 if any(run in asked.source for run in _RUN.findall(text)) else 2
    return 2 if len(words) >= 3 and not own else 0


def _latin(text: str) -> float:
    """The share of Latin letters."""
    return len(_LATIN.findall(text)) / max(
        1, sum(map(str.isalpha, text)) + (_SYLLABLES - 1) * len(_DENSE.findall(text))
    )


def same(one: str, other: str) -> bool:
    return "".join(filter(str.isalnum, one.lower())) == "".join(filter(str.isalnum, other.lower()))
