"""Words that mark a remark on a translation, in the languages that models remark in.

No word is proof by itself: "Note:" and "this sentence" occur in honest translations too. `asides.py` says what else
must hold.
"""

import re
from collections.abc import Mapping

_ANY = r"\w*"  # an ending

HEADINGS: Mapping[str, str] = {
    "en": """
        note notes translator's nb n\\.b\\. ps p\\.s\\. remark remarks comment comments explanation explanations
        breakdown vocabulary grammar context meaning pronunciation pinyin roman[iz]\\w+ translit\\w+ literal
        literally alternative alternatives alternatively option options variant version usage clarification
        disclaimer or source original rendered rendering word-by-word word-for-word
    """,
    "de": """
        hinweis hinweise anmerkung anmerkungen anm\\. erklärung erklärungen erläuterung erläuterungen bemerkung
        kommentar wörtlich alternativ alternative oder möglichkeit aussprache bedeutung
    """,
    "it": "nota note spiegazione oppure letteralmente osservazione commento significato alternativa alternativamente",
    "fr": "note notes remarque explication littéralement commentaire signification alternativement",
    "es": "nota notas explicación literalmente observación comentario significado alternativamente alternativa",
    "pt": "nota notas explicação literalmente observação comentário significado alternativamente",
    "nl": "opmerking uitleg toelichting letterlijk alternatief oftewel",
    "cs": """
        poznámka poznámky pozn\\. vysvětlení vysvětlivka vysvětlivky doslova doslovně nebo případně alternativně
        komentář význam výslovnost
    """,
    "pl": "uwaga wyjaśnienie dosłownie lub komentarz znaczenie objaśnienie alternatywnie",
    "ru": """
        примечание примечания прим\\. пояснение пояснения объяснение комментарий дословно буквально или вариант
        альтернативно транслитерация произношение значение
    """,
    "uk": "примітка пояснення коментар дослівно буквально або варіант вимова значення",
}
"""Words that head a remark: followed by a colon, perhaps after a few more words."""

CJK_HEADINGS = [
    "注(?:意|释|解|記)?",
    "备注",
    "備考",
    "附注",
    "说明",
    "説明",
    "补充",
    "補足",
    "解释",
    "解析",
    "解説",
    "译(?:者)?注",
    "訳注",
    "直译",
    "直訳",
    "意译",
    "意訳",
    "拼音",
    "发音",
    "発音",
    "或者?",
    "另一种\\w*",
    "または",
    "あるいは",
    "含义",
    "意味",
    "字面\\w*",
    "也可以?\\w*",
    "还可以\\w*",
    "翻訳",
    "翻译",
    "译文",
]

STRONG: Mapping[str, tuple[str, ...]] = {
    "en": (
        r"(?:this|the|my|above|literal|direct|free) (?:\w+ )?translations?\b",
        r"(?:possible|better|natural|accurate|alternative) (?:\w+ )?translations?\b",
        r"translat(?:es?|ed|ing|ions?) (?:it|this|that|as|to|into|of|for)\b",
        r"(?:be|been|is|was|are|were|have|'ve|as|left) (?:\w+ )?(?:translated\b|rendered (?:as\b|into\b|[\"'“‘„«]))",
        r"(?:in )?this (?:sentence|phrase|expression|wording|rendering)\b",
        r"the (?:\w+ )?(?:sentence|phrase|word|term|expression|wording|verb|noun) [\"'“‘„«]",
        r"the (?:sentence|phrase|register) (?:is|means|uses|describes|expresses|has|keeps)\b",
        r"(?:source|original|given) (?:text|sentence|phrase|wording)\b|target language\b|word[- ](?:for|by)[- ]word\b",
        r"native speakers?\b|more (?:literal|idiomatic|natural|fluent)(?:ly)?\b",
        r"(?:i (?:hope|trust) )?(?:hope |this |that |the translation |it )+helps?(?: you)?\b(?=\W*(?:$|[.!]))",
        r"(?:i )?hope (?:this|that|it) is (?:helpful|useful)\b",
        r"let me know (?:if you(?:'d| would)? (?:need|have|want|like)|whether|in case)\b|feel free to ask\b",
        r"(?:would you|you would|you'd) like me to (?:\w+ )?(?:translate|explain)\b",
        r"i(?:'ve| have)? (?:chose|chosen|translated|rendered|kept the)\b",
        r"i(?:'ve| have)? (?:tried to (?:keep|stay|preserve)|left (?:the|it|them) un\w+)\b",
        r"i(?:'ve| have)? used [\"'“‘„«]|i would translate\b",
        r"(?:another|alternative) (?:possible )?(?:way to|translation|wording)\b",
        r"(?:can|could|might|may|would) also be (?:translated|rendered|said|expressed|phrased|written|put)\b",
        r"(?:can|could|might|may|would) also (?:say|mean|translate)\b",
        r"^\W*(?:please )?note that\b|^\W*literally\b|depending on (?:the )?context\b|^\W*lit\.|^\W*alternatively\b",
        r"(?:way|how) (?:to|you(?:'d| would)|i(?:'d| would)) (?:say|translate|put) (?:it|this|that)\b",
        r"^\W*here,? (?:the \w+ )?[\"“„«]",
    ),
    "de": (
        rf"(?:diese|die|meine|eine|als|wörtliche|freie|obige|direkte|deutsche) (?:\w+ )?übersetzung{_ANY}",
        r"dieser satz\b|diesem satz\b|das wort [\"'“‘„«]|der (?:ausdruck|begriff|satz) [\"'“‘„«]",
        r"(?:mit|als) [\"'“‘„«][^\"'”’“»]+[\"'”’“»] übersetzt",
        r"(?:man|sie|du) (?:könnte|kann|könnten|kannst) auch (?:sagen|übersetzen)",
        r"ich hoffe,? (?:das|dass|diese|es|die)[^.!]{0,30}(?:hilft|hilfreich|weiter)",
        r"lass(?:en sie|t)? (?:es )?mich wissen, wenn",
        r"^\W*wörtlich\b",
    ),
    "it": (
        rf"(?:questa|la|una|mia) (?:\w+ )?traduzion{_ANY}",
        r"(?:questa|la) (?:frase|parola|espressione) [\"'“‘„«]|questa frase\b",
        r"ho tradotto\b|spero che[^.!]{0,20}(?:utile|aiut)|fa(?:mmi|temi) sapere se\b|^\W*letteralmente\b",
        r"(?:si può|può|potrebbe) anche (?:dire|tradurre|essere tradott)",
    ),
    "fr": (
        rf"(?:cette|la|une|ma) (?:\w+ )?traduction{_ANY}|cette phrase\b|le (?:mot|terme) [\"'“‘„«]",
        r"j'ai traduit\b|j'espère que[^.!]{0,20}(?:utile|aide)|n'hésitez pas à (?:demander|me)|^\W*littéralement\b",
        r"(?:peut|pourrait) aussi (?:dire|être traduit|se traduire)",
    ),
    "es": (
        rf"(?:esta|la|una|mi) (?:\w+ )?traducción{_ANY}|esta (?:frase|oración)\b|la (?:palabra|frase) [\"'“‘„«]",
        r"he traducido\b|espero que[^.!]{0,20}(?:útil|ayud)|avísame si\b|^\W*literalmente\b",
        r"también (?:se )?(?:puede|podría) (?:decir|traducir)",
    ),
    "pt": (
        r"(?:esta|a|uma) (?:\w+ )?tradução\b|esta frase\b",
        r"a palavra [\"'“‘„«]|espero que (?:isso )?ajude|^\W*literalmente\b",
    ),
    "nl": (
        r"(?:deze|de|een|mijn) (?:\w+ )?vertaling\b|deze zin\b",
        r"het woord [\"'“‘„«]|ik hoop dat dit helpt|^\W*letterlijk\b",
    ),
    "cs": (
        rf"(?:tento|toto|můj|volný|doslovný|přesný) (?:\w+ )?překlad{_ANY}|překlad (?:je|zachov\w+|vět\w*|do)\b",
        r"(?:v )?této větě\b|tato věta\b|slov[oau] [\"'“‘„«]",
        r"výraz [\"'“‘„«]|přeložil{_ANY}|(?:je|byl\w*) přeložen{_ANY}",
        r"dejte? mi vědět, (?:pokud|jestli)|doufám, že (?:to|vám|je)[^.!]{0,25}(?:pomůže|užitečn|pomohl)|^\W*doslova\b",
        r"(?:také|též) (?:by )?(?:se )?(?:dá|dalo|lze|může\w*) (?:říct|říci|přeložit)",
    ),
    "pl": (r"(?:to|ten) (?:\w+ )?(?:tłumaczenie|zdanie)\b|słowo [\"'“‘„«„]|mam nadzieję, że to pomo|^\W*dosłownie\b",),
    "ru": (
        r"(?:этот|это|данный|мой|вольный|дословный|буквальный) (?:\w+ )?перевод\b",
        r"перевод (?:сохраня|предложени|буде)\w*",
        rf"(?:в )?(?:этом|данном) предложени{_ANY}|слов[оау] [\"'“‘„«]|выражени[ея] [\"'“‘„«]|я перев[её]л{_ANY}",
        r"(?:как|словом) [\"'“‘„«][^\"'”’“»]+[\"'”’“»] переводится|переведен[оаы]? как\b|^\W*(?:дословно|буквально)\b",
        r"дайте (?:мне )?знать, если|надеюсь,? (?:это|что это|перевод)[^.!]{0,25}(?:помо|полез)",
        r"(?:также|ещё) можно (?:сказать|перевести)",
    ),
    "uk": (r"цей (?:\w+ )?переклад\b|в? ?цьому реченні\b|слов[оа] [\"'“‘„«]|сподіваюс[яь], це допомо|^\W*дослівно\b",),
}
"""Phrases that are about the translation, or address the person who asked for it."""

CJK_STRONG = (
    "(?:这(?:个|是|种)?|该|此|上述|以上)(?:翻译|译文|译法|直译|意译)|这是(?:一种)?(?:直译|意译|比较\\w{0,4}译)|(?:这|该)句话?(?:的意思|中|里)"
    '|在这?(?:句话|个句子)(?:中|里)|这里的?[“「"]|翻译(?:成|为)(?:了)?[“「"]|(?:直译|意译)(?:为|是|：|:)|原文(?:的意思|中的|是)|译者注|译法'
    "|希望(?:这个?|以上)?(?:翻译|回答)?(?:能|会)?对[您你](?:有|有所)(?:帮助|用)|希望这个?翻译|(?:请|随时)(?:告诉|告知)我"
    '|也可以(?:说|翻译|译)|[”」"]的意思(?:是|为)|中文意思'
    "|この(?:文章?|翻訳|表現)(?:は|では)(?<!注文は)|直訳すると|という意味です|お役に立て(?:ば|れば)|と訳(?:し|せ|さ)"
)

WEAK: Mapping[str, str] = {
    "en": """
        translat\\w+ sentence sentences phrase phrases word words expression verb noun adjective pronoun tense
        tone register formal informal idiom idiomatic idiomatically colloquial colloquially literal literally
        meaning means context wording grammar grammatical grammatically rendering paraphrase equivalent
        ambiguous untranslated undertone corresponds refers style
    """,
    "de": """
        übersetz\\w+ satz satzes ausdruck begriff wort wörter verb nomen zeitform tonfall förmlich
        umgangssprach\\w+ redewendung wörtlich\\w* bedeutet bedeutung kontext grammati\\w+ formulierung
        mehrdeutig
    """,
    "it": """
        tradu\\w+ frase parola espressione termine verbo formale informale letteral\\w+ significa significato
        contesto
    """,
    "fr": """
        traduc\\w+ traduit\\w* phrase mot expression verbe formel familier littéral\\w* signifie signification
        contexte
    """,
    "es": """
        traduc\\w+ frase oración palabra expresión verbo formal coloquial literal\\w* significa significado
        contexto
    """,
    "cs": """
        překlad\\w* přelož\\w* vět[aěuy] slov[oaue] výraz\\w* sloveso hovorov\\w+ formální doslov\\w+ znamená
        význam\\w* kontext\\w*
    """,
    "pl": "tłumacz\\w+ zdani\\w+ słow[oa] wyrażeni\\w+ potoczn\\w+ dosłown\\w+ znaczy oznacza",
    "ru": """
        перев\\w+ предложени\\w+ слов[оау] выражени\\w+ глагол\\w* разговорн\\w+ официальн\\w+ дословн\\w+
        буквальн\\w+ означает значит значени\\w+ контекст\\w* многозначн\\w+
    """,
    "uk": "переклад\\w* речен\\w+ слов[оа] вираз\\w* розмовн\\w+ дослівн\\w+ означає",
}

CJK_WEAK = [
    "翻译",
    "译",
    "句子",
    "句话",
    "词语",
    "单词",
    "短语",
    "表达",
    "口语",
    "书面",
    "正式",
    "语气",
    "语境",
    "意思",
    "含义",
    "指的是",
    "专有名词",
    "翻訳",
    "訳",
    "文脈",
    "意味",
    "表現",
]

LABELS: Mapping[str, str] = {
    "en": """
        formal informal colloquial literal literally idiomatic idiom slang polite casual singular plural
        masculine feminine figurative figuratively archaic neutral
    """,
    "de": "förmlich formell informell umgangssprachlich wörtlich höflich bildlich",
    "cs": "hovorově hovor\\. formálně doslova zdvořile spisovně",
    "ru": "разг\\. разговорное дословно буквально официально книжн\\. неформально",
}
"""Words that stand alone in brackets after a translation."""

CJK_LABELS = ["意译", "直译", "口语", "书面语", "正式", "非正式", "意訳", "直訳"]


def _words(lists: Mapping[str, str], dense: list[str]) -> str:
    spaced = dict.fromkeys(word for words in lists.values() for word in words.split())
    return rf"(?:(?<!\w)(?:{'|'.join(spaced)})(?!\w)|{'|'.join(dense)})"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


HEADING = _pattern(_words(HEADINGS, CJK_HEADINGS))
STRONG_PHRASE = _pattern(rf"(?<!\w)(?:{'|'.join(one for some in STRONG.values() for one in some)})|{CJK_STRONG}")
WEAK_WORD = _pattern(_words(WEAK, CJK_WEAK))
LABEL_WORD = _pattern(_words(LABELS, CJK_LABELS))
LABEL = _pattern(rf"\W*{LABEL_WORD.pattern}(?:[\s,/]+\w+)?\W*")
OPENING = _pattern(
    r"[\W_]*(?:this|that|the|in|here|i|i've|note|please|let|hope|you|another|alternatively|literally|my|feel|would"
    r"|die[s\w]*|das wort|der (?:satz|ausdruck)|ich|in diesem|hier|man|lassen|wörtlich"
    r"|tento|toto|slovo|výraz|jedná|v této|doufám|dejte|také|přeložil|doslova"
    r"|эт\w+|слово|в этом|я|надеюсь|дайте|также|выражение|дословно|questa|ho|spero|cette|j'|esta|he|espero)(?!\w)"
    r"|[\W_]*(?:这|该|此|在这|希望|也可以|译|直译|意译|如|我把|この|お役)"
)
"""How sentences about a translation begin; used where no sentence ended before them."""
