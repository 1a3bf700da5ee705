"""TMX, the exchange format of translation memories, read as a stream: one unit at a time, however large the file.

The file is given to expat piece by piece, and no tree is built. Nothing outside the file is ever fetched (a DOCTYPE
that names a DTD is ignored), and a file that declares entities of its own is refused at the declaration: corpora have
no use for them, and a few nested ones can expand to more text than there is memory. An undefined entity is refused as
well, because the text would silently lack it.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from dragoman.corpora.formats.text import LONGEST, called, opened
from dragoman.errors import DataError

PIECE = 1 << 16
CODES = {"bpt", "ept", "it", "ph", "ut"}  # inline elements whose content is markup of the original, no words
SHOWN = 12


def units(
    path: Path, languages: tuple[str, str], member: str = "", dropped: Counter[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Both sides of each translation unit that has these languages.

    `de` also matches `de-DE` or `DE`; a side with exactly this code is preferred. Units that lack a side are counted
    in `dropped`. `DataError` if the file is not TMX, is broken, or has no unit at all with both languages.
    """
    dropped = Counter() if dropped is None else dropped
    name = called(path, member)
    reader = _Units(name)
    found = 0
    others: Counter[str] = Counter()
    with opened(path, member) as file:
        while True:
            piece = file.read(PIECE)
            reader.feed(piece)
            for unit in reader.taken():
                source, target = (_side(unit, language) for language in languages)
                if source is None or target is None:
                    others.update(language for language, _ in unit)
                    dropped["without one of the languages"] += 1
                    continue
                found += 1
                yield source, target
            if not piece:
                break
    if not found:
        there = ", ".join(language for language, _ in others.most_common(SHOWN)) or "none"
        raise DataError(f"{name}: no unit has both {languages[0]} and {languages[1]}; languages in it: {there}")


def _side(unit: list[tuple[str, str]], wanted: str) -> str | None:
    """The text in a language; of several, the one with exactly its code, otherwise the first."""
    code = _plain(wanted)
    exact = (text for language, text in unit if _plain(language) == code)
    wider = (text for language, text in unit if _plain(language).startswith(f"{code}-"))
    found = next(exact, None)
    return next(wider, None) if found is None else found


def _plain(code: str) -> str:
    return code.replace("_", "-").lower()


class _Units:
    """Collects the (language, text) of each unit from expat's events."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._done: list[list[tuple[str, str]]] = []
        self._unit: list[tuple[str, str]] = []
        self._language = ""
        self._text: list[str] | None = None  # of the segment that is open
        self._codes = 0  # markup elements around this place in it
        self._length = self._fed = 0  # characters of that segment; bytes of the file
        self._root = ""
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._words
        self._parser.EntityDeclHandler = self._declared
        self._parser.SkippedEntityHandler = self._undefined

    def feed(self, piece: bytes) -> None:
        """Parses the next piece; an empty piece is the end."""
        self._fed += len(piece)
        try:
            self._parser.Parse(piece, not piece)
        except DataError:
            raise
        except (LookupError, ValueError) as error:  # of the encodings that Python reads and expat does not
            self._refuse(f"its encoding can't be read ({error}). Convert the file to UTF-8 first, and let it say so")
        except expat.ExpatError as error:
            raise DataError(
                f"{self._name}, line {error.lineno}, column {error.offset + 1}: not valid XML "
                f"({expat.ErrorString(error.code)})"
            ) from error
        if self._fed - self._parser.CurrentByteIndex > LONGEST:
            self._refuse(f"a tag of more than {LONGEST >> 20} MiB")

    def taken(self) -> list[list[tuple[str, str]]]:
        """The units that were finished since the last call."""
        done, self._done = self._done, []
        return done

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._root:
            self._root = tag
            if tag != "tmx":
                self._refuse(f"no TMX: its outermost element is <{tag}>, and should be <tmx>")
        if tag == "tu":
            self._unit = []
        elif tag == "tuv":
            self._language = attributes.get("xml:lang") or attributes.get("lang") or ""
            if not self._language:
                self._refuse("a <tuv> that does not say its language (xml:lang)")
        elif tag == "seg":
            self._text, self._codes, self._length = [], 0, 0
        elif self._text is not None and tag in CODES:
            self._codes += 1

    def _end(self, tag: str) -> None:
        if tag == "tu":
            self._done.append(self._unit)
        elif tag == "seg" and self._text is not None:
            self._unit.append((self._language, "".join(self._text)))
            self._text = None
        elif self._text is not None and tag in CODES:
            self._codes -= 1

    def _words(self, text: str) -> None:
        if self._text is not None and not self._codes:
            self._text.append(text)
            self._length += len(text)
            if self._length > LONGEST:
                self._refuse(f"a <seg> of more than {LONGEST >> 20} million characters, which no sentence has")

    def _declared(self, entity: str, *_: object) -> None:
        self._refuse(f"it declares an entity (“{entity}”). Corpora need none, and such files can fill the memory")

    def _undefined(self, entity: str, _: bool) -> None:
        self._refuse(f"the entity &{entity}; is used and not defined")

    def _refuse(self, why: str) -> NoReturn:
        raise DataError(f"{self._name}, line {self._parser.CurrentLineNumber}: {why}.")
