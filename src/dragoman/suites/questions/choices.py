"""The choice in an answer: the letter of an option, or one of a benchmark's answers.

The rules are few and written out, so that a reader can tell what was judged. For a letter, in this order:

1. Nothing but a letter: "B", "(B)", "b.", "**B**".
2. Nothing but the text of one option, letter for letter.
3. After an announcement ("The answer is", "Antwort:", "La risposta corretta è", "答案是", "الإجابة هي"): a letter, or
   the text of one option. Several announcements must agree.
4. A letter that is called right: "B is correct", "B ist richtig".
5. A first line that begins with a marked letter ("B. …", "B) …", "(B) …"), or with a letter and its option's text,
   unless other lines begin likewise with other letters: that is the list of options said again.
6. The only letter in parentheses: "I would choose (B)."

"A", "E", "I", "O", "U" and "Y" are words in English, Italian or Spanish: unmarked, they count where nothing follows
but a reason. An answer that names several letters side by side ("A or B") is none. Options in Arabic may be named by
Arabic's letters in the order أ ب ج د. Whatever else is said is not extracted, which is counted.
"""

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Sequence

from dragoman.suites._answers import ARABIC, latin, plain

_ANSWER = (  # without the adjectives before it: they would change nothing, and "final final final …" would take long
    r"(?:(?:answer|option|choice|letter)(?: choice| option)?(?: to this question)?"
    r"|(?:antwort|lösung|option|auswahl|buchstabe)(?:möglichkeit)?"
    r"|(?:respuesta|opción|letra|alternativa|solución)(?: final)?(?: correcta)?"
    r"|(?:risposta|opzione|lettera|scelta|soluzione)(?: finale)?(?: corretta| giusta| esatta)?"
    r"|réponse(?: correcte)?|resposta(?: correta)?|ответ"
    r"|答案|选项|选择"
    r"|(?:إجابة|اجابة|جواب|خيار)(?: ال?(?:نهائية|نهائي|صحيحة|صحيح))?)"
)
_IS = (
    r"(?:\s*[:：]|\s+(?:is|would be|must be|should be|ist|lautet|wäre|es|sería|è|e'|sarebbe|est|é|هي|هو)"
    r"(?=[\s:：(\[*\"'“„«])"
    r"(?:\s*[:：])?|\s*(?:是|为|應為|应为|应该是)\s*[:：]?)"
)
_ARTICLE = r"(?:\s*(?:option|answer|letter|choice|buchstabe|antwort|la|l'|opción|letra|opzione|lettera|选项|الخيار)\b)*"
_SAID = re.compile(rf"{_ANSWER}{_IS}", re.IGNORECASE)
_CHOSE = re.compile(
    r"(?:\bi(?: would|'d)? (?:choose|pick|select)|\bich wähle|\belijo|\bscelgo|我?(?:应该)?选择?|أختار)"
    r"(?=[\s:：(A-Z])\s*[:：]?",
    re.IGNORECASE,
)
_REASON = r"(?:because|since|as|weil|da|denn|porque|ya que|perché|poiché|dato che|因为|لأن)\b"
_SINGLE = r"(?<![^\W\d_])([A-Z])(?![^\W\d_])(?!['’])"
_MARKED = re.compile(r"^[\s>*-]*(?:[(\[]\s*([A-Z])\s*[)\]]|([A-Z])\s*(?:[).:：、]|[,،](?=\s)|$|\s[-–—]\s))")
_RIGHT = re.compile(
    rf"(?:^|[\s(]){_SINGLE}\)?\s*(?:is|ist|es|è)\s+(?:the |die |la |l')?(?:most )?"
    r"(?:correct|right|best|richtig|korrekt|correcta|corretta|giusta|esatta|risposta|respuesta|answer)",
)
_PARENTHESES = re.compile(r"[(\[]\s*([A-Z])\s*[)\]]")
_SEVERAL = re.compile(
    rf"{_SINGLE}\)?\s*(?:,|/|&|\||\b(?:and|or|und|oder|y|o|e|et|ou)\b|和|或|و|أو)\s*(?:and |or )?\(?{_SINGLE}(?![\w'’])"
)
_WORDS = "AEIOUY"
_HEARD = 100
"""An answer that repeats itself without end is judged by its last announcements: each is read to its line's end."""
_LINE = 10_000  # characters of a line that are looked at after an announcement
_DIGITS = re.compile(r"(?<![\d.,])-?\d+(?:[.,]\d+)*")


def letter_of(answer: str, options: Sequence[str], known: str) -> str | None:
    """The letter that an answer chose among `known`, such as `ABCD`; None if it can't be told."""
    text = _readable(answer)
    alone = re.fullmatch(r"[\W_]*([A-Za-z])[\W_]*", text)
    if alone and alone[1].upper() in known:
        return alone[1].upper()
    if (whole := _option(answer, options)) is not None:
        return whole
    heard = [match for rule in (_SAID, _CHOSE) for match in deque(rule.finditer(text), _HEARD)]
    said = {found for match in heard if (found := _after(text[match.end() :], options, known))}
    if said:
        return said.pop() if len(said) == 1 and "" not in said else None
    if right := {match[1] for match in _RIGHT.finditer(text)} & set(known):
        return right.pop() if len(right) == 1 else None
    lines = [line for line in text.splitlines() if line.strip()]
    begun = {letter for line in lines if (letter := _begins(line, options, known))}
    if begun:
        first = _begins(lines[0], options, known) if len(begun) == 1 else None
        rest = lines[0].split(first, 1)[-1].lstrip(" )].:-") if first else ""
        return None if _option(rest, options) != first and _several(lines[0], known) else first
    inside = set(_PARENTHESES.findall(text)) & set(known)
    return inside.pop() if len(inside) == 1 else None


def _after(text: str, options: Sequence[str], known: str) -> str | None:
    """The letter after an announcement; empty if there are several, None if there is none."""
    line = text.lstrip(" \t*_\n").split("\n", 1)[0][:_LINE]
    line = re.sub(rf"^{_ARTICLE}[\s:：]*", "", line, flags=re.IGNORECASE)
    if (named := _option(line, options)) is not None:
        return named
    match = re.match(rf"[\s*_\"'“„«(\[]*{_SINGLE}", line)
    rest = line[match.end() :] if match else ""
    if match and match[1] in known and _option(rest.lstrip(" )].:-"), options) == match[1]:
        return match[1]
    if _several(line, known):
        return ""
    if not match or match[1] not in known:
        return None
    if match[1] in _WORDS and re.match(r"\s+\w", rest) and not re.match(rf"\s+{_REASON}", rest):
        return match[1] if _option(rest, options) == match[1] else None
    return match[1]


def _begins(line: str, options: Sequence[str], known: str) -> str | None:
    match = _MARKED.match(line)
    if match and (letter := match[1] or match[2]) in known:
        return str(letter)
    bare = re.match(r"\s*([A-Z])\s+(.+)", line)
    return bare[1] if bare and bare[1] in known and _option(bare[2], options) == bare[1] else None


def _several(line: str, known: str) -> bool:
    return any(match[1] != match[2] and match[1] in known and match[2] in known for match in _SEVERAL.finditer(line))


def _option(text: str, options: Sequence[str]) -> str | None:
    """The letter of the one option with this text; a text of one letter is that letter."""
    same = plain(text)
    found = [at for at, option in enumerate(options) if same and plain(option) == same and latin(same) is None]
    return chr(ord("A") + found[0]) if len(found) == 1 else None


def _readable(answer: str) -> str:
    r"""One Unicode form, no Markdown or `\boxed`, and for Arabic letters alone the Latin ones of their rank."""
    text = unicodedata.normalize("NFKC", answer).replace("ـ", "").replace("**", "").replace("__", "").replace("`", "")
    text = re.sub(r"\\(?:boxed|text|mathrm)\{([^{}]*)\}", r"\1", text).replace("$", "")
    single = rf"(?<!\w)([{ARABIC}ا])(?!\w)"
    return re.sub(single, lambda match: latin(match[1]) or match[1], text)


# Answers in words, numbers or lists


def text_of(answer: str) -> str:
    """The part of what was said that has the answer: after the last announcement of it, otherwise the first line."""
    found = list(_SAID.finditer(answer))
    rest = answer[found[-1].end() :] if found else answer
    return next((line.strip() for line in rest.splitlines() if line.strip(" *_")), "")


def one_of(answer: str, values: Sequence[str], others: Sequence[str]) -> bool | None:
    """Whether the right one of a few answers was given; None if none is named, or right and wrong ones are."""
    said = plain(text_of(answer))
    right, wrong = {plain(value) for value in values}, {plain(other) for other in others}
    if said in right | wrong:
        return said in right
    labels = sorted(right | wrong, key=len, reverse=True)
    for label in labels:
        if re.match(rf"{re.escape(label)}\s*(?:[,.;:!。，；！—–]|$)", said):
            return label in right
    named = set()
    for label in labels:
        pattern = _as_word(label)
        if re.search(pattern, said):
            named.add(label in right)
            said = re.sub(pattern, "\x00", said)
    return named.pop() if len(named) == 1 else None


def number_of(answer: str, value: str) -> bool | None:
    """Whether a number was given as the answer; None if there is none, or more than one after an equals sign."""
    said = unicodedata.normalize("NFKC", text_of(answer)).replace("−", "-")
    said = "".join(str(unicodedata.digit(one)) if one.isdigit() else one for one in said)
    found = [_value(one) for one in _DIGITS.findall(said.rsplit("=", 1)[-1])]
    if not found or len(set(found)) > 1:
        return None
    return abs(found[0] - float(value)) < 1e-9


def is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(?:\.\d+)?", text) is not None


def same_text(answer: str, values: Iterable[str]) -> bool:
    """Whether a free answer is one of the right ones, ignoring case, commas, bullets and blanks between brackets."""
    given = {_items(text_of(answer)), _items(answer)}
    return any(_items(value) in given for value in values)


def _items(text: str) -> tuple[str, ...]:
    if not re.search(r"\w", text):  # brackets: they are told apart by themselves
        return tuple("".join(text.split()).strip("`\"'*."))
    lines = [re.sub(r"^\s*(?:[-*•]|\d+[.)])\s+", "", line) for line in text.splitlines()]
    return tuple(item for line in lines for part in re.split(r"[\s,،、，;；]+", line) if (item := plain(part)))


def _value(text: str) -> float:
    if re.fullmatch(r"-?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*", text):  # thousands
        return float(re.sub("[.,]", "", text))
    return float(text.replace(",", ".")) if text.count(",") + text.count(".") <= 1 else float("nan")


def _as_word(label: str) -> str:
    spaced = all(unicodedata.category(one) != "Lo" or "\u0600" <= one <= "\u06ff" for one in label)
    return rf"(?<!\w){re.escape(label)}(?!\w)" if spaced else re.escape(label)
