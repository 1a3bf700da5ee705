"""Topics of a remark on a translation, by rule.

The lab's remarks are made by a grammar (`explanations`), so a few signs distinguish them; the same signs work on what
larger models write in English, but for those a judge reads better. Kinds have short names, which are also those of
`dragoman.analysis.rationales`.
"""

import re

KINDS = ("words", "alternative", "grammar", "meaning", "facts", "style", "usage", "other")

_QUOTED = re.compile(r"“[^”]*”|„[^“”]*[“”]|«[^»]*»|\"[^\"\n]*\"")
_OR = re.compile(r"(?:^|\n)[ \t]*or:?[ \t]*\n+[^\n]+", re.IGNORECASE)
_ENDED = re.compile(r"(?:(?<=[.!?])|(?<=[.!?]”))\s+(?=[A-Z“])|\n+")
_HEADING = re.compile(r"^\W*\w+(?: \w+)?\W*:$")
_ASIDE = re.compile(r"^by the way\b", re.IGNORECASE)

# Signs are looked for in remarks whose quotations are blanked, so that no sentence is taken for a remark about it.
_SIGNS: dict[str, re.Pattern[str]] = {
    kind: re.compile(signs, re.IGNORECASE)
    for kind, signs in {
        "words": (
            r"\b(?:means?|translates? (?:to|as|into)|stands? for) “|^some words\b|^[-*•]\s*“_*[.!?]?”:"
            r"|(?:”|\b\w+) = [“\w]"
        ),
        "alternative": (
            r"\b(?:could|can) also (?:be|say)\b|\b(?:another|other) (?:way|wording|translation)|\binstead of “"
            r"|\balternative"
        ),
        "grammar": (
            r"\b(?:grammar|nouns?|verbs?|adjectives?|articles?|plural|singular|masculine|feminine|neuter|tense|gender"
            r"|infinitive|conjugated|prefix|clause|negative|question mark|word order|preposition)\b"
        ),
        "meaning": (
            r"^(?:explanation: |note: )?(?:overall\b|in (?:simple|plain|other)\b|so the sentence tells\b"
            r"|the (?:overall )?meaning of the\b|the (?:sentence|text) (?:means|says|describes)\b"
            r"|the question is, in\b)"
        ),
        "facts": (
            r"^the subject of the sentence\b|^the (?:sentence|question) is about\b|\btells how many\b"
            r"|\btells? us when\b|\bin fact\b"
        ),
        "style": (
            r"\b(?:style|tone|(?:in)?formal(?:ity)?|polite|register|everyday|colloquial|literary)\b|\bsounds natural\b"
        ),
        "usage": (
            r"\bused? (?:it )?(?:in|with|by|when)\b|\bwhen people (?:speak|write)\b|\bpeople say\b|\bidiom"
            r"|\bcultur|\bcustoms?\b|\bcustomary|\btradition"
        ),
    }.items()
}


def kinds_of(text: str) -> dict[str, str]:
    """The kinds of all remarks in a text, each with its first remark; `other` is what no rule recognises.

    Empty if there is no remark.
    """
    found: dict[str, str] = {}
    masked = _QUOTED.sub(_emptied, text)
    for wording in _OR.finditer(masked):
        found.setdefault("alternative", text[slice(*wording.span())].strip())
    masked = _OR.sub(lambda wording: "\n" * len(wording.group()), masked)
    start = 0
    for end, following in [*(between.span() for between in _ENDED.finditer(masked)), (len(masked), len(masked))]:
        signs = masked[start:end].strip()
        if any(map(str.isalpha, text[start:end])) and not _HEADING.match(signs):
            for kind in _kinds(signs):
                found.setdefault(kind, text[start:end].strip())
        start = following
    return found


def _kinds(remark: str) -> set[str]:
    if _ASIDE.match(remark):  # something known about the world, in whatever words
        return {"facts"}
    return {kind for kind, signs in _SIGNS.items() if signs.search(remark)} or {"other"}


def _emptied(quoted: re.Match[str]) -> str:
    """A text as long as the quotation, without its words; its final mark stays, since a remark may end there."""
    words = quoted.group()[1:-1]
    last = words[-1:] if words[-1:] in (".", "!", "?") else ""
    return f"“{'_' * (len(words) - len(last))}{last}”"
