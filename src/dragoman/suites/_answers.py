"""Words for binary answers (true, false, yes, no, valid, invalid) in several languages, and option letters."""

import unicodedata
from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "true": {
        "en": ("True",),
        "de": ("Wahr", "Richtig"),
        "es": ("Verdadero", "Cierto", "Verdad"),
        "it": ("Vero", "Verità"),
        "zh": ("真", "真的", "正确", "对"),
        "ar": ("صحيح", "صواب", "حقيقي"),
    },
    "false": {
        "en": ("False", "Not true"),
        "de": ("Falsch", "Nicht wahr", "Nicht richtig"),
        "es": ("Falso", "No es verdadero", "No es cierto"),
        "it": ("Falso", "Non è vero", "Non vero"),
        "zh": ("假", "假的", "错误", "错误的", "错", "不正确", "不对", "不是真的"),
        "ar": ("خطأ", "خاطئ", "غير صحيح", "ليس صحيحا"),
    },
    "yes": {
        "en": ("Yes",),
        "de": ("Ja",),
        "es": ("Sí", "Si"),
        "it": ("Sì", "Si"),
        "zh": ("是", "是的"),
        "ar": ("نعم",),
    },
    "no": {
        "en": ("No",),
        "de": ("Nein",),
        "es": ("No",),
        "it": ("No",),
        "zh": ("不", "不是", "不是的", "否", "没有"),
        "ar": ("لا", "كلا"),
    },
    "valid": {
        "en": ("valid",),
        "de": ("gültig",),
        "es": ("válido", "válida"),
        "it": ("valido", "valida"),
        "zh": ("有效", "有效的"),
        "ar": ("صالح", "صالحة"),
    },
    "invalid": {
        "en": ("invalid", "not valid"),
        "de": ("ungültig", "nicht gültig"),
        "es": ("inválido", "inválida", "no válido", "no válida", "no es válido", "no es válida"),
        "it": ("invalido", "invalida", "non valido", "non valida", "non è valido", "non è valida"),
        "zh": ("无效", "无效的", "不是有效的"),
        "ar": ("غير صالح", "غير صالحة", "ليس صالحا"),
    },
}
"""For each English answer, its words in some languages; questions use the first one."""

PAIRS = (("true", "false"), ("yes", "no"), ("valid", "invalid"))

ARABIC = "أبجدهوزحطيكلمنسعفصقر"
"""The Arabic letters that number options, in order, as far as BBH's options go (A to R)."""


def words(label: str, language: str) -> tuple[str, ...]:
    """The words for an English answer in a language, and in English; the answer itself if it has no table."""
    table = WORDS.get(label.casefold(), {})
    return tuple(dict.fromkeys((*table.get(language.split("_")[0], ()), *table.get("en", (label,)))))


def meaning(word: str, language: str) -> str | None:
    """The English answer that a word stands for; None if it is none of them."""
    same = plain(word)
    return next((label for label in WORDS if same in map(plain, words(label, language))), None)


def other(label: str) -> str:
    """The opposite of an English answer that has one."""
    return next(pair[1 - pair.index(label)] for pair in PAIRS if label in pair)


def plain(text: str) -> str:
    """An answer as it is compared: one Unicode form, no case, no Arabic vowel signs, no marks around it."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("ـ", "")
    text = "".join(letter for letter in text if not "\u064b" <= letter <= "\u0652")
    return " ".join(text.split()).strip(" .,;:!?¡¿\"'“”„«»‘`*_。，；：！？、")


def latin(letter: str) -> str | None:
    """A to Z for an option's letter in Latin or Arabic script; None for anything else."""
    letter = unicodedata.normalize("NFKC", letter).replace("ـ", "").strip().replace("ا", "أ")
    if len(letter) == 1 and "A" <= letter.upper() <= "Z":
        return letter.upper()
    return chr(ord("A") + ARABIC.index(letter)) if len(letter) == 1 and letter in ARABIC else None
