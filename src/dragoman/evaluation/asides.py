"""What an answer says beside the translation on the same line: "… Note: …", a sentence about it, brackets, a second one.

Nothing is taken out for a word alone. What is left has to be a whole translation by itself: as long as one of
that source usually is, and of as many sentences. What goes has to be a remark: headed as one, about the
translation, quoting the source, or in another language than the translation. The source's own remarks are its
translation's too, so what it talks about itself is no sign.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from dragoman.corpora.identify import NAMES, SCRIPTS, base, known
from dragoman.evaluation.aside_words import HEADING, LABEL, STRONG_PHRASE, WEAK_WORD
from dragoman.prompts.languages import LANGUAGES

WHOLE = 0.55  # of the length that a translation of the source usually has: what is left must have it
LONG = 1.25  # of that length: an answer that is so long says more than the translation
TOO_LONG, MARGIN = 3.0, 60  # beyond so many of these lengths and letters nothing is a translation alone

SAID, HEADED = 3, 4  # signs of a remark: by a phrase in it, by a heading; 2 is enough

_LETTERS = {"ar": 0.93, "cs": 0.97, "de": 1.16, "es": 1.16, "fr": 1.19, "he": 0.72, "hi": 0.62, "is": 1.15, "it": 1.19} | {
    "ja": 1.42, "pt": 1.12, "ru": 1.05, "uk": 1.01, "zh": 0.95, "nl": 1.1, "pl": 1.05
}  # fmt: skip
"""Letters for one letter of English, by the medians of people's translations; 1 of other languages."""

_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SYLLABLES = 3  # a character of Chinese, Japanese or Korean says as much as about three letters
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_CLOSERS = r"[\"'”’“»«)\]）】」』*_`]*"
_OR = r"(?:or|oder|nebo|případně|или|oppure|lub|або)\s*[:：]"
_END = re.compile(rf"(?:(?<=[.!?…]){_CLOSERS}(?=\s+(?:[^\s\da-zà-ÿа-я]|{_OR}))|[。！？]+{_CLOSERS}\s*(?=\S)|\n+(?=\S))")
_NUMBER = re.compile(r"(?:^|\s)(?:\d{1,2}|[^\W\d_])\.$")
_INITIAL = re.compile(r"(?:^|\s)[^\W\d_]\.$")
_AROUND = " \n\t\"'”’“»«)]）】」』"
_TERMINAL = re.compile(rf"[.!?…。！？:：;；]{_CLOSERS}$")
_COLON = re.compile(r"[:：](?!//|\d)")
_QUOTATION = re.compile(r'"([^"\n]+)"|“([^”\n]+)”|„([^“”"\n]+)[“”"]|«([^»\n]+)»|「([^」\n]+)」|‘([^’\n]+)’')
_QUOTE = re.compile(r"[\"“”„«»「」『』״《》‘]|(?<!\w)'(?=\w)")
_ANOTHER = re.compile(r"\W*(?:or|oder|nebo|или|oppure|或者?|または)\W*[\"“„«「]", re.IGNORECASE)
_BRACKET = re.compile(r"[(\[（［【〔]")
_AT_THE_END = re.compile(
    r"[\s]*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\[([^\[\]]*)\]|（([^（）]*)）|【([^【】]*)】)([.!?。！？]?)$"
)
_DASH = re.compile(r"\s(?:[-–—]{1,3}|←|→)\s")
_OTHER = re.compile(rf"\s(?=[A-ZÀ-ÞА-Я*_#(\[（\"“„«\u3400-\u9fff]|{_OR})")
_OPENING = re.compile(
    r"[\W_]*(?:this|that|the|in|here|i|i've|note|please|let|hope|you|another|alternatively|literally|my|feel|would|die[s\w]*"
    r"|das wort|der (?:satz|ausdruck)|ich|in diesem|hier|man|lassen|wörtlich|tento|toto|slovo|výraz|jedná|v této|doufám|dejte|také"
    r"|přeložil|doslova|эт\w+|слово|в этом|я|надеюсь|дайте|также|выражение|дословно|questa|ho|spero|cette|j'|esta|he|espero)(?!\w)"
    r"|[\W_]*(?:这|该|此|在这|希望|也可以|译|直译|意译|如|我把|この|お役)",
    re.IGNORECASE,
)
"""How sentences about a translation begin: asked for where nothing ended before them."""
_FENCE = re.compile(r"```")
_SLASH = re.compile(r"\s+(?:/|//|\||\|\|)\s+")
_NUMBERED = re.compile(
    r"^\W{0,3}((?:\w+\s+)?)1\s*[.:)：]\s*(.+?)\s*\W{0,3}\b\1(?:2)\s*[.:)：]\s*(\S.*)$", re.IGNORECASE | re.DOTALL
)
_WORD = re.compile(r"[^\W\d_]+")
_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{4,}")
_HEAD = re.compile(r"(?:N\.B\.|P\.S\.|Pozn\.|Anm\.|прим\.)?[^\n.!?。！？\"“„«:：]{0,70}[:：]", re.IGNORECASE)
_SAYS = re.compile(
    r"\b(?:this|it|that|which|the sentence|you could|i would|das|es|to|это|è)\b.{0,20}\b(?:means?|says|reads|say|be|bedeutet|heißt"
    r"|lautet|znamená|означает|значит)\b|意思是|翻译|翻訳|translat\w+|übersetz\w+|překlad\w*|přelož\w*|перевод\w*|перевест\w*|tradu\w+",
    re.IGNORECASE,
)
"""What is said before a translation."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Something in an answer that is no part of the translation: `text` as it stands there, and the rule that says so.

    Where that is likely and not certain, it is counted and stays in the translation (`taken_out` is false).
    """

    rule: str
    text: str
    taken_out: bool = True


@dataclass(frozen=True)
class Asked:
    """What an answer is held against."""

    source: str
    source_language: str
    target_language: str

    @cached_property
    def usual(self) -> float:
        """Letters that a translation usually has."""
        ratio = _LETTERS.get(base(self.target_language), 1.0) / _LETTERS.get(base(self.source_language), 1.0)
        return letters(self.source) * ratio

    @cached_property
    def sentences(self) -> int:
        return sentences(self.source)

    @cached_property
    def colons(self) -> int:
        return len(_COLON.findall(self.source))

    @cached_property
    def quotes(self) -> bool:
        return bool(_QUOTE.search(self.source))

    @cached_property
    def speaks(self) -> bool:
        """Whether the source itself has phrases about a translation."""
        return bool(STRONG_PHRASE.search(self.source))

    @cached_property
    def talks(self) -> bool:
        """Whether it has words about language."""
        return bool(WEAK_WORD.search(self.source))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self.source.lower()))

    @cached_property
    def core(self) -> str:
        """The source without the marks around it, as it is found in an answer that has it over again."""
        return self.source.strip().strip("\"'“”„«».。 ")

    @cached_property
    def names(self) -> re.Pattern[str]:
        """What the two languages are called."""
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
    """How many there are; "24. Dezember" and "Q. Why" end none."""
    text = text.strip(_AROUND)
    return 1 + sum(not _NUMBER.search(text, max(0, end.end() - 5), end.end()) for end in _END.finditer(text))


def without_asides(text: str, asked: Asked) -> tuple[str, tuple[Cut, ...]]:
    """What is left of a text without its remarks, and what was taken out of it, or is suspected to be one."""
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


def _source_again(text: str, asked: Asked) -> Found:
    """ "Das ist gut. - This is good.", "This is good. (Das ist gut.)": the source beside its translation."""
    core = asked.core
    if letters(core) < 8 or core not in text or _same(text, core):
        return None
    at = text.index(core)
    before, after = text[:at], text[at + len(core) :]
    if not letters(before) or (len(before) < 60 and (_about(before, asked) or _HEAD.fullmatch(before.strip()))):
        between = (_LABELLED if len(_COLON.findall(after)) > asked.colons else _BETWEEN).match(after)
        if between and asked.whole(after[between.end() :], 0.6):
            left = after[between.end() :]
            opened = re.search(r"[(（\[「\"“„«]\s*$", between[0])
            return (left.rstrip(')）]」"”»“* ') if opened else left).strip(), Cut("source", text[: -len(left)].strip())
    tail = re.search(r"\s*(?:[\(\[（{←=–—|-]|(?:[^\W\d_]+ ){0,3}[^\W\d_]+\s*[:：])[\s\"“„«]*$", before)
    if tail and asked.whole(before[: tail.start()], 0.6) and letters(after) == 0:
        return before[: tail.start()].strip(), Cut("source", text[tail.start() :].strip())
    return None


_SEPARATED = (
    r"[\s.。!?！？\"”»“]*(?:[-–—=→⇒:：>|(（\[\n]+\s*|(?:[^\W\d_]+ ){0,4}[^\W\d_]+\s*[:：]\s*|(?:\w+ ){1,7}(?=[\"“„«]))"
)
_BETWEEN = re.compile(rf"{_SEPARATED}[\"“„«]?")
_LABELLED = re.compile(rf"{_SEPARATED}(?:(?:[^\W\d_]+ ){{0,3}}[^\W\d_]+\s*[:：]\s*(?=\S))?[\"“„«]?")


def _fenced(text: str, asked: Asked) -> Found:
    """The translation in, or before, marks of code."""
    if "```" not in text or "```" in asked.source:
        return None
    for piece in _FENCE.split(text):
        if letters(piece) and asked.whole(piece) and not _is_about(piece, asked):
            rest = text.replace(piece, " ", 1).replace("```", " ").strip()
            return (piece.strip(), Cut("code marks", rest)) if letters(rest) else None
    return None


def _quoted(text: str, asked: Asked) -> Found:
    """The translation in quotation marks, and a remark around them."""
    if asked.quotes or not _QUOTE.search(text):
        return None
    for quotation in _QUOTATION.finditer(text):
        inner = next(filter(None, quotation.groups()))
        before, after = text[: quotation.start()], text[quotation.end() :]
        if not letters(before + after) or inner.strip(" .").lower() in asked.source.lower():
            continue
        if not WHOLE * asked.usual <= letters(inner) <= 2 * asked.usual + 20:
            continue
        again = asked.core in before + after and letters(asked.core) >= 8
        if again or _ANOTHER.match(after) or (not letters(after) and _about(before, asked) >= 2):
            return inner.strip(), Cut("around a quotation", f"{before} … {after}".strip())
        if asked.whole(inner, 0.75) and (
            _about(before, asked) + _about(after, asked) >= 2 or _announces(before, asked)
        ):
            return inner.strip(), Cut("around a quotation", f"{before} … {after}".strip())
    return None


def _in_brackets(text: str, asked: Asked) -> Found:
    """A remark, another wording or the pronunciation in brackets at the end."""
    closing = _AT_THE_END.search(text)
    if not closing:
        return None
    inner = next(filter(None, closing.groups()[:4]), "")
    left = text[: closing.start()]
    if not asked.whole(left, 0.6) or len(_BRACKET.findall(text)) <= len(_BRACKET.findall(asked.source)):
        return None
    told = bool(LABEL.fullmatch(inner)) or _heads(inner, asked, colon=False) or bool(_about(inner, asked))
    if told or _elsewhere(inner, asked, left):
        return left + closing[5], Cut("brackets", closing[0].strip())
    return None


def _second(text: str, asked: Asked) -> Found:
    """Two translations: beside a stroke, or with numbers."""
    numbered = _NUMBERED.match(text)
    if numbered and not re.match(r"\W{0,3}(?:\w+\s+)?1\b", asked.source):
        if asked.whole(numbered[2]) and asked.whole(numbered[3]):
            return numbered[2].strip(), Cut("a second translation", numbered[3].strip())
    if not re.search(r"[/|｜／・]", asked.source):
        parts = _SLASH.split(text)
        if len(parts) > 1 and all(asked.whole(part, 0.7) for part in parts) and letters(text) >= 1.4 * asked.usual:
            return parts[0].strip(), Cut("a second translation", text[len(parts[0]) :].strip())
    return None


def _after_it(text: str, asked: Asked) -> Found:
    """A remark after the translation: from a sentence that is one up to the end."""
    found: tuple[int, int, int] | None = None
    whole_quotation = _QUOTATION.match(text) if not asked.quotes else None
    inside = whole_quotation.end() - 1 if whole_quotation else 0
    for end, start, apart in _places(text, asked):
        if found and (apart or found[2] == HEADED or _OPENING.match(text[found[1] :])):
            break
        if end < inside:
            continue
        left, rest = text[:end], text[start:]
        first = _first(rest)
        if not asked.whole(left) or (found and not _OPENING.match(first)):
            continue
        signs = _signs(first, asked, left, apart)
        if signs >= 2 and _complete(left, text, signs, asked, apart):
            found = (end, start, signs)
    if not found:
        return None
    end, start, _ = found
    return text[:end].rstrip(" -–—|/→←(*_`").rstrip(), Cut("a remark after it", text[start:].strip())


def _complete(left: str, text: str, signs: int, asked: Asked, apart: bool) -> bool:
    """Whether what is left is all of the translation: of as many sentences as the source, and long enough.

    How long, depends on how sure the signs are.
    """
    if signs >= HEADED or (signs == SAID and apart):
        enough = asked.whole(left, 0.6)
    else:
        enough = asked.whole(left, 0.75)
    return enough and sentences(left) >= asked.sentences


RULES = (_source_again, _fenced, _in_brackets, _second, _after_it, _quoted)


def _places(text: str, asked: Asked) -> Iterator[tuple[int, int, bool]]:
    """Where a remark may begin: the end of what is before, its own start, and whether a sentence ended there."""
    ends = (match.end() for match in _END.finditer(text))
    found = {end: (end, True) for end in ends if not _INITIAL.search(text, max(0, end - 4), end)}
    if asked.source.rstrip().endswith((":", "：")):
        found |= {match.end(): (match.end(), True) for match in re.finditer(r"[:：](?=\s+\S)", text)}
    open_ended = not _TERMINAL.search(asked.source.strip())
    for match in [*_DASH.finditer(text), *(_OTHER.finditer(text) if open_ended else ())]:
        found.setdefault(match.start(), (match.end(), False))
    for end, (start, apart) in sorted(found.items()):
        yield end, start + len(text[start:]) - len(text[start:].lstrip()), apart


def _first(rest: str) -> str:
    end = _END.search(rest)
    return rest[: end.end()] if end else rest


def _signs(sentence: str, asked: Asked, left: str, apart: bool) -> int:
    """How much speaks for a sentence being a remark: 2 is enough."""
    if _heads(sentence, asked, left, at_once=not apart):
        return HEADED
    if apart or _OPENING.match(sentence):
        said = STRONG_PHRASE.search(sentence) and not asked.speaks
        return SAID if said else min(2, _talk(sentence, asked, left)) or _elsewhere(sentence, asked, left)
    return _elsewhere(sentence, asked, left) if sum(map(str.isalpha, sentence)) >= 15 else 0


def _heads(text: str, asked: Asked, left: str = "", colon: bool = True, at_once: bool = False) -> bool:
    """Whether a text begins like a remark: some word for it and a colon that the source has not.

    The word is the first one where it is to be `at_once`; else it may stand anywhere before the colon.
    """
    bare = text.lstrip('*_([（#"“ ')
    begun = HEADING.match(bare)
    if begun and not colon and re.match(r"[,\s]*(?:[:：\"“„«‘]|$)", bare[begun.end() :]):
        return True
    head = _HEAD.match(bare)
    if not head or len(_COLON.findall(left + head[0])) <= asked.colons or len(_WORD.findall(head[0])) > 9:
        return False
    if at_once:
        return bool(begun) or bool(_OPENING.match(bare) and STRONG_PHRASE.search(head[0]))
    return bool(
        begun
        or (not _DENSE.search(head[0]) and HEADING.search(head[0]))
        or STRONG_PHRASE.search(head[0])
        or WEAK_WORD.search(head[0])
    )


def _announces(before: str, asked: Asked) -> bool:
    """Whether what stands before a quotation, "In German: ", says that the translation follows."""
    if len(_WORD.findall(before)) > 12:
        return False
    return bool(_SAYS.search(before) and not asked.talks or asked.names.search(before))


def _about(text: str, asked: Asked) -> int:
    """How much a text is about the translation by its words: 2 for a phrase that says so, 1 for a word that may."""
    found = 0
    if not asked.speaks:
        found += 2 * bool(STRONG_PHRASE.search(text))
    if not asked.talks:
        found += min(2, len(set(map(str.lower, WEAK_WORD.findall(text)))))
    return found + bool(asked.names.search(text))


def _talk(text: str, asked: Asked, left: str) -> int:
    """The same, and 1 where it quotes the source, which has no quotation there."""
    if asked.quotes:
        return _about(text, asked)
    quoted = (next(filter(None, one.groups())).strip(" .,!?。，！？").lower() for one in _QUOTATION.finditer(text))
    return _about(text, asked) + any(letters(one) >= 2 and one in asked.source.lower() for one in quoted)


def _elsewhere(text: str, asked: Asked, left: str) -> int:
    """2 where a text is in another script than the translation before it, and not in the source's own words."""
    target = base(asked.target_language)
    if letters(text) < 12 or letters(left) < 4 or not known(target):
        return 0
    words = _WORD.findall(text.lower())
    own = 3 * sum(word in asked.words for word in words) >= len(words)
    own = own or 2 * sum(word[0].isupper() for word in _WORD.findall(text)) > len(words)  # names
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


def _is_about(text: str, asked: Asked) -> bool:
    return _talk(text, asked, "") >= 2


def _doubt(text: str, asked: Asked) -> Cut | None:
    """A sentence that may be a remark, in an answer that is longer than a translation usually is."""
    if letters(text) < LONG * asked.usual + 10 or sentences(text) <= asked.sentences:
        return None
    for end, start, apart in _places(text, asked):
        if apart and asked.whole(text[:end], 0.85) and sentences(text[:end]) >= asked.sentences:
            if _talk(_first(text[start:]), asked, text[:end]):
                return Cut("perhaps a remark", text[start:].strip(), taken_out=False)
    return None


def too_long(text: str, asked: Asked) -> bool:
    """Whether a text is so long that it cannot be the translation alone."""
    return letters(text) > TOO_LONG * asked.usual + MARGIN


def _same(one: str, other: str) -> bool:
    return "".join(filter(str.isalnum, one.lower())) == "".join(filter(str.isalnum, other.lower()))
