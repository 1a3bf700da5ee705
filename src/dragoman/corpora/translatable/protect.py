"""Protected text: what a translation must leave as it is (code, placeholders, numbers …), by simple rules.

Code is cut out before a text is translated, and put back in its place: fenced blocks, and paragraphs that look like
code. What stands within a line stays in the text for the translator to see, and is looked for afterwards: inline
code, addresses, placeholders, tags, option letters and numbers must occur equally often on both sides, as they are
written. For numbers that is the strict rule: `1,000` has to stay `1,000`, though German would write `1.000`, which is
another number elsewhere. Only digits of other scripts count as the digits they stand for.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_FENCED = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*(?:\n.*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)|\Z)", re.MULTILINE | re.DOTALL)
_BETWEEN = re.compile(r"(\n(?:[ \t]*\n)+)")  # paragraphs; the next one keeps its indentation
_STATEMENT = re.compile(
    r"""\s*(?:
      (?:async\s+)?def\s+\w+\s*\(.*|class\s+\w+\s*(?:\(.*\))?\s*:|from\s+[\w.]+\s+import\s.*
    | import\s+(?:\{.*|[\w.]+\s+(?:as|from)\s.*|[\w.*]+;)|@\w[\w.]*(?:\(.*\))?
    | \#include\b.*|<\?php.*|<!DOCTYPE.*|<html.*
    | for\b.*(?:\sin\s|\().*[:{]|(?:while|if|elif|switch|catch)\b.*[:{]|(?:else|try|finally)\s*:|with\b.*\sas\s.*:
    | (?:function\s*\w*\s*\(|(?:const|let|var)\s+\w+\s*[=;]|for\s*\().*|(?:public|private|protected|static|int)\s.*[{;]
    | (?:print|printf|console\.log|System\.out\.print\w*|echo)\s*\(.*|return\b.*;
    | (?:SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|CREATE\s+TABLE|CREATE\s+VIEW|ALTER\s+TABLE|DROP\s+TABLE)\s.*
    | (?:\S+\s+){0,6}\S*\{|[{}].*|[\w.\#:,\ >*-]+\{[^{}]*:[^{}]*;[^{}]*\}|.*[=(\[].*;
    )\s*(?:(?:\#|//|--|/\*).*)?""",
    re.VERBOSE,
)
_BESIDE = re.compile(  # lines that are code where others are
    r"""\s*(?:
      [\w.\[\]"']+(?:,\s*[\w.\[\]"']+)*\s*[-+*/%]?=.*|(?:\#(?!\#)|//|--|/?\*).*|[)\]}>;,(\[{]+|import\s+[\w.]+
    | [\w.]+\(.*\);?|</?\w[^>]*>.*|["'][\w\s-]+["']\s*:.*|[\w-]+\s*:.*;|return\b.*
    | (?:FROM|WHERE|ORDER\s+BY|GROUP\s+BY|HAVING|LIMIT|(?:INNER|LEFT|RIGHT)?\s*JOIN|VALUES|SET)\b.*
    | \s{2,}\S.*|\t.*
    )""",
    re.VERBOSE,
)
_LONGEST = 400  # characters of a line that may be code
_INDENTED = re.compile(r"(?:    |\t)")
_BULLET = re.compile(r"\s*(?:[-*•]\s+)?")

_KINDS = (
    ("inline code", r"``[^\n]+?``|`[^`\n]+`"),
    (
        "address",
        r"(?:https?|ftp)://[^\s<>\"'`]*[\w/#=&]|www\.[^\s<>\"'`]*[\w/]|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    ),
    (
        "placeholder",
        r"\{\{[^{}\n]*\}\}|\$?\{[^{}\n]*\}|\$[A-Za-z_]\w*|(?<![\d\w%])%(?:\(\w+\))?[-+#0]*\d*(?:\.\d+)?[sdifgxr](?!\w)",
    ),
    ("tag", r"</?[A-Za-z!][^<>\n]*>"),
    ("option letter", r"(?<!\w)\([A-Za-z]\)|(?<![\w(])[A-H]\)|^[ \t]*[A-H]\.(?=\s)"),
    ("number", r"(?:(?<![^\s(\[=,:])[-\u2212])?\d+(?:[.,]\d+)*"),
)
KINDS = tuple(kind for kind, _ in _KINDS)
_ITEM = re.compile("|".join(f"(?P<_{place}>{rule})" for place, (_, rule) in enumerate(_KINDS)), re.MULTILINE)
_LETTERED = re.compile(r"^[ \t]*(\([A-Za-z]\)|[A-H][.)])(?=\s)", re.MULTILINE)  # a line of its own for each option
_WORD = re.compile(r"[^\W\d_]{2,}|[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: `kept` as it is, or to be translated."""

    text: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Damage:
    """What of one kind does not occur equally often on both sides."""

    kind: str
    missing: tuple[str, ...]
    added: tuple[str, ...]

    def __str__(self) -> str:
        """For messages, such as `number: 12 is missing, 21 is new`."""
        parts = [(self.missing, "missing"), (self.added, "new")]
        said = [f"{', '.join(items)} {'is' if len(items) == 1 else 'are'} {what}" for items, what in parts if items]
        return f"{self.kind}: {', '.join(said) or 'in another order'}"


def cut(text: str, lines: Collection[str] = ()) -> list[Piece]:
    """The text in pieces that make it up again: those to be translated, and those that stay as they are.

    `lines` are texts that stay if they are a whole line, perhaps after a bullet.
    """
    pieces: list[Piece] = []
    for part in _parts(text):
        pieces += [part] if part.kept or not lines else _by_line(part.text, lines)
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].kept == piece.kept:
            joined[-1] = Piece(joined[-1].text + piece.text, piece.kept)
        elif piece.text:
            joined.append(piece)
    return [Piece(piece.text, piece.kept or not worded(piece.text)) for piece in joined]


def worded(text: str) -> bool:
    """Whether there is a word to translate apart from what must stay. A single letter does not count."""
    return bool(_WORD.search(without_items(text)))


def without_items(text: str) -> str:
    """The words of a text, without the items that must stay."""
    return _ITEM.sub(" ", text)


def items(text: str, words: Collection[str] = ()) -> dict[str, Counter[str]]:
    """The items in a line that must stay, by kind; `words` are additional ones to look for."""
    found: dict[str, Counter[str]] = {kind: Counter() for kind in (*KINDS, "word")}
    for match in _ITEM.finditer(text):
        kind = KINDS[int((match.lastgroup or "_0")[1:])]
        found[kind][_plain(match[0]) if kind == "number" else match[0].strip()] += 1
    if words:
        found["word"].update(re.findall(rf"\b(?:{'|'.join(map(re.escape, words))})\b", text))
    return found


def damage(source: str, translation: str, words: Collection[str] = ()) -> list[Damage]:
    """The protected items that a translation has lost or added; options that begin lines must keep their order."""
    before, after = items(source, words), items(translation, words)
    found = [
        Damage(kind, tuple((before[kind] - after[kind]).elements()), tuple((after[kind] - before[kind]).elements()))
        for kind in before
        if before[kind] != after[kind]
    ]
    options = _LETTERED.findall(source)
    if not found and len(options) > 1 and options != _LETTERED.findall(translation):
        found.append(Damage("option letter", (), ()))
    return found


def _plain(number: str) -> str:
    """A number in ASCII digits with an ASCII minus."""
    return "".join(
        str(unicodedata.digit(character)) if character.isdigit() else character.replace("\u2212", "-")
        for character in number
    )


def _parts(text: str) -> Iterator[Piece]:
    start = 0
    for fence in _FENCED.finditer(text):
        yield from _paragraphs(text[start : fence.start()])
        yield Piece(fence[0], True)
        start = fence.end()
    yield from _paragraphs(text[start:])


def _paragraphs(text: str) -> Iterator[Piece]:
    parts = _BETWEEN.split(text)
    kinds = [_kind(part) for part in parts[::2]]
    for order in (range(1, len(kinds)), range(len(kinds) - 2, -1, -1)):  # possible code beside code is code
        step = -1 if order.step > 0 else 1
        for number in order:
            if kinds[number] is None and kinds[number + step]:
                kinds[number] = True
    for place, part in enumerate(parts):
        yield Piece(part, bool(kinds[place // 2]))


def _kind(paragraph: str) -> bool | None:
    """Whether a paragraph is code; None if it may be, when a neighbour is.

    Code: most lines look like it, and at least one looks like a statement. Possibly code: all lines could stand
    beside statements, or are indented.
    """
    lines = [line for line in paragraph.split("\n") if line.strip()]
    if any(len(line) > _LONGEST for line in lines):
        return False
    statements = [_STATEMENT.fullmatch(line) is not None for line in lines]
    either = [found or _BESIDE.fullmatch(line) is not None for found, line in zip(statements, lines, strict=True)]
    if any(statements) and 2 * sum(either) > len(lines):
        return True
    if lines and all(map(_INDENTED.match, lines)):
        return any(_BESIDE.fullmatch(line.strip()) for line in lines) or None
    return None if lines and all(either) else False


def _by_line(text: str, lines: Collection[str]) -> Iterator[Piece]:
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        yield Piece(line, _BULLET.sub("", line, count=1).strip() in lines)
