"""The language of a text, by simple rules: scripts, then function words.

This is not a language identifier. It answers whether a translation is in the source's language instead of the
target's, and which of the languages that it knows most of a text is in; if the rules cannot tell, it says so.
"""

import re
from collections import Counter
from collections.abc import Mapping

_WORD = re.compile(r"[^\W\d_]+")

SCRIPTS: Mapping[str, str] = {
    "zh": r"[\u3400-\u9fff]",
    "ja": r"[\u3040-\u30ff\u3400-\u9fff]",
    "ko": r"[\uac00-\ud7af]",
    "ru": r"[\u0400-\u04ff]",
    "uk": r"[\u0400-\u04ff]",
    "bg": r"[\u0400-\u04ff]",
    "el": r"[\u0370-\u03ff]",
    "ar": r"[\u0600-\u06ff]",
    "fa": r"[\u0600-\u06ff]",
    "he": r"[\u0590-\u05ff]",
    "hi": r"[\u0900-\u097f]",
    "th": r"[\u0e00-\u0e7f]",
}
"""Letters of languages that are not written in Latin script."""

FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    code: frozenset(words.split())
    for code, words in {
        "en": """
            the a an of and to is are was were has have had not will would it he she they we you his her their
            this that with for on at by from who which what where when why how do does did if because but my
            your our there be been
        """,
        "de": """
            der die das den dem des ein eine einen einem einer eines und zu ist sind war waren hat haben hatte
            nicht wird werden würde es er sie wir ihr sein seine seinen ihre ihren dieser diese dieses mit für
            auf bei von wer was wo wann warum wie wenn weil dass aber mein kein keine im am vom zum zur ich du
            auch
        """,
        "it": """
            il lo la i gli le un uno una l all dall dell nell sull a di e è sono era erano ha hanno aveva non
            sarà che chi cosa dove quando perché come se ma con per su da del dello della dei degli delle al
            allo alla ai agli alle nel nella nei nelle sul sulla mio tuo suo sua suoi loro questo questa si ci
            lui lei noi voi io anche
        """,
        "fr": """
            le la les l d un une à des du de et est sont était a ont avait ne pas sera que qui quoi où quand
            pourquoi comment si mais avec pour sur dans par au aux il elle ils elles nous vous je tu mon son sa
            ses leur ce cette ces aussi
        """,
        "es": """
            a el la los las un una unos unas de y es son era eran ha han había no será que quién qué dónde
            cuándo por cómo si pero con para en sobre del al él ella ellos nosotros yo tú su sus mi este esta
            también se lo le
        """,
        "pt": """
            o a os as um uma de e é são era eram tem têm não será que quem onde quando por como se mas com para
            em no na nos nas do da dos das ao ele ela eles nós eu seu sua meu este esta também
        """,
        "nl": """
            de het een van en is zijn was waren heeft hebben had niet zal wie wat waar wanneer waarom hoe als
            omdat maar met voor op bij door uit hij zij wij jullie ik mijn zijn haar dit dat deze die ook naar
            er
        """,
        "cs": """
            a je jsou byl byla bylo byli se si na v ve z ze do s k o u po pro že co kdo kde kdy proč jak když
            ale nebo ten ta to ti jeho její jejich mít má není bude také jsem který která které
        """,
        "pl": """
            i jest są był była było byli się na w we z ze do o u po dla że co kto gdzie kiedy dlaczego jak gdy
            ale lub ten ta to jego jej ich ma nie będzie także który która które oraz przez
        """,
        "is": """
            og er eru var voru hefur hafa ekki að á í við með fyrir um hann hún það þeir þær við ég þú sem hver
            hvað hvar hvenær en sinn hans hennar frá til þetta þessi af
        """,
        "sv": """
            och är var har hade inte att en ett den det de på i med för av om han hon vi ni jag som vem vad när
            men hans hennes från till detta denna ska
        """,
        "tr": """
            ve bir bu şu o için ile de da mi mı ne kim nerede ama çok daha gibi kadar olan olarak değil var yok
        """,
    }.items()
}
"""Words that hardly any sentence of the language lacks."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "ar": ("Arabic", "العربية"),
    "cs": ("Czech", "Čeština", "Česky"),
    "de": ("German", "Deutsch", "Tedesco"),
    "en": ("English", "Englisch", "Inglese"),
    "es": ("Spanish", "Español"),
    "fr": ("French", "Français"),
    "is": ("Icelandic", "Íslenska"),
    "it": ("Italian", "Italienisch", "Italiano"),
    "ja": ("Japanese", "日本語"),
    "ko": ("Korean", "한국어"),
    "nl": ("Dutch", "Nederlands"),
    "pl": ("Polish", "Polski"),
    "pt": ("Portuguese", "Português"),
    "ru": ("Russian", "Русский"),
    "uk": ("Ukrainian", "Українська"),
    "zh": ("Chinese", "Simplified Chinese", "中文"),
}
"""A language's own name, and its names in the other languages here."""

_ALIASES = {"eng": "en", "deu": "de", "ger": "de", "ita": "it", "fra": "fr", "spa": "es", "por": "pt", "nld": "nl"} | {
    "ces": "cs", "pol": "pl", "isl": "is", "swe": "sv", "tur": "tr", "zho": "zh", "jpn": "ja", "kor": "ko", "rus": "ru"
}  # fmt: skip


def base(language: str) -> str:
    """The plain two-letter code if there is one: `eng_Latn` → `en`, `zh_CN` → `zh`."""
    code = language.split("_")[0].split("-")[0].lower()
    return _ALIASES.get(code, code)


def labels(language: str) -> tuple[str, ...]:
    """Names of a language that an answer may put before its translation ("German: …", "Deutsch: …")."""
    return NAMES.get(base(language), ())


def in_wrong_language(text: str, source_language: str, target_language: str) -> bool | None:
    """Whether `text` is in the source's language rather than the target's; None if the rule cannot tell.

    Different scripts: wrong if fewer than half of the letters are of the target's script. Same script: wrong if more
    words are function words only of the source's language than only of the target's.
    """
    source, target = base(source_language), base(target_language)
    supported = SCRIPTS.keys() | FUNCTION_WORDS.keys()
    if source == target or source not in supported or target not in supported:
        return None
    words = _WORD.findall(text.lower())
    letters = sum(map(len, words))
    if not letters:
        return None
    if SCRIPTS.get(source) != SCRIPTS.get(target):
        script = SCRIPTS.get(target, r"[a-z\u00df-\u024f]")
        return 2 * len(re.findall(script, "".join(words))) < letters
    if source not in FUNCTION_WORDS or target not in FUNCTION_WORDS:
        return None
    ours, theirs = FUNCTION_WORDS[target], FUNCTION_WORDS[source]
    return sum(word in theirs - ours for word in words) > sum(word in ours - theirs for word in words)


_SYLLABLES = 3  # a character of Chinese, Japanese or Korean says as much as about three letters
_DENSE = frozenset({"zh", "ja", "ko"})
_SHARED_SCRIPTS = {"ja": "zh", "uk": "ru", "bg": "ru", "fa": "ar"}  # counted as the other, then distinguished
_SHARE = 0.15  # of the words; in running text every third is a function word, in Turkish and Czech every fifth


def known(language: str) -> bool:
    """Whether the rules here can tell anything about a language."""
    return base(language) in SCRIPTS.keys() | FUNCTION_WORDS.keys()


def dominant(text: str, least: float = 3) -> str | None:
    """The language that most of a text is in; None if the rule cannot tell.

    The script of most of the text decides; languages with the same script are distinguished by letters that only one
    of them has. For Latin script it is the language with the most words in its list of function words, those of a
    single letter counting half: at least `least` of them and 15 % of the words, and more than any other language.
    """
    text = text.lower()
    letters = {
        code: len(re.findall(SCRIPTS[code], text)) * (_SYLLABLES if code in _DENSE else 1)
        for code in SCRIPTS
        if code not in _SHARED_SCRIPTS
    }
    letters["zh"] += _SYLLABLES * len(re.findall(r"[\u3040-\u30ff]", text))
    words = re.findall(r"[a-z\u00df-\u024f]+", text)
    script = max(letters, key=lambda code: letters[code])
    if letters[script] > sum(map(len, words)):
        return _within(script, text)
    hits = Counter({code: sum(_weight(word) for word in words if word in of) for code, of in FUNCTION_WORDS.items()})
    (first, most), (_, next_most) = hits.most_common(2)
    return first if most >= max(least, _SHARE * len(words)) and most > next_most else None


def _weight(word: str) -> float:
    return 1.0 if len(word) > 1 else 0.5  # "I" and "a" are words of many languages


def _within(script: str, text: str) -> str | None:
    """Which of the languages of one script, by letters that the others do not have."""
    if script == "zh":  # Chinese has no kana, and Japanese is hardly ever without
        kana, han = len(re.findall(r"[\u3040-\u30ff]", text)), len(re.findall(SCRIPTS["zh"], text))
        return "ja" if 5 * kana > han else "zh"
    if script == "ar":
        return "fa" if re.search("[پچژگیک]", text) else "ar"
    if script == "ru":
        ukrainian, russian = len(re.findall("[іїєґ]", text)), len(re.findall("[ыэё]", text))
        if ukrainian or russian:
            return "uk" if ukrainian > russian else "ru"
        return "bg" if text.count("ъ") > 2 else None
    return script
