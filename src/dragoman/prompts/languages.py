"""English names of languages, by the codes that corpora use.

A code is a language (ISO 639, two or three letters) and, where it matters, a script or a region after an underscore:
`zh_Hant`, `pt_BR`. The codes of FLORES and NTREX (`deu_Latn`, `zho_Hans`) are understood too; a script that a
language is normally written in is not mentioned.
"""

import re
from difflib import get_close_matches

from dragoman.errors import DataError

LANGUAGES = {
    "af": "Afrikaans",
    "am": "Amharic",
    "ar": "Arabic",
    "as": "Assamese",
    "ast": "Asturian",
    "az": "Azerbaijani",
    "ba": "Bashkir",
    "be": "Belarusian",
    "bg": "Bulgarian",
    "bho": "Bhojpuri",
    "bm": "Bambara",
    "bn": "Bengali",
    "bo": "Tibetan",
    "br": "Breton",
    "bs": "Bosnian",
    "ca": "Catalan",
    "ceb": "Cebuano",
    "ckb": "Central Kurdish",
    "co": "Corsican",
    "cs": "Czech",
    "cv": "Chuvash",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "dsb": "Lower Sorbian",
    "dv": "Dhivehi",
    "el": "Greek",
    "en": "English",
    "eo": "Esperanto",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "ff": "Fula",
    "fi": "Finnish",
    "fil": "Filipino",
    "fo": "Faroese",
    "fr": "French",
    "fy": "Western Frisian",
    "ga": "Irish",
    "gd": "Scottish Gaelic",
    "gl": "Galician",
    "gn": "Guarani",
    "gu": "Gujarati",
    "ha": "Hausa",
    "haw": "Hawaiian",
    "he": "Hebrew",
    "hi": "Hindi",
    "hmn": "Hmong",
    "hr": "Croatian",
    "hsb": "Upper Sorbian",
    "ht": "Haitian Creole",
    "hu": "Hungarian",
    "hy": "Armenian",
    "ia": "Interlingua",
    "id": "Indonesian",
    "ig": "Igbo",
    "ilo": "Ilocano",
    "is": "Icelandic",
    "it": "Italian",
    "iu": "Inuktitut",
    "ja": "Japanese",
    "jv": "Javanese",
    "ka": "Georgian",
    "kk": "Kazakh",
    "km": "Khmer",
    "kn": "Kannada",
    "ko": "Korean",
    "ku": "Kurdish",
    "ky": "Kyrgyz",
    "la": "Latin",
    "lb": "Luxembourgish",
    "lg": "Luganda",
    "ln": "Lingala",
    "lo": "Lao",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mai": "Maithili",
    "mg": "Malagasy",
    "mi": "Maori",
    "mk": "Macedonian",
    "ml": "Malayalam",
    "mn": "Mongolian",
    "mr": "Marathi",
    "ms": "Malay",
    "mt": "Maltese",
    "my": "Burmese",
    "nb": "Norwegian Bokmål",
    "ne": "Nepali",
    "nl": "Dutch",
    "nn": "Norwegian Nynorsk",
    "no": "Norwegian",
    "nso": "Northern Sotho",
    "ny": "Chichewa",
    "oc": "Occitan",
    "om": "Oromo",
    "or": "Odia",
    "pa": "Punjabi",
    "pl": "Polish",
    "ps": "Pashto",
    "pt": "Portuguese",
    "qu": "Quechua",
    "ro": "Romanian",
    "ru": "Russian",
    "rw": "Kinyarwanda",
    "sa": "Sanskrit",
    "sah": "Yakut",
    "sc": "Sardinian",
    "sd": "Sindhi",
    "se": "Northern Sami",
    "si": "Sinhala",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sm": "Samoan",
    "sn": "Shona",
    "so": "Somali",
    "sq": "Albanian",
    "sr": "Serbian",
    "ss": "Swati",
    "st": "Southern Sotho",
    "su": "Sundanese",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "tg": "Tajik",
    "th": "Thai",
    "ti": "Tigrinya",
    "tk": "Turkmen",
    "tl": "Tagalog",
    "tn": "Tswana",
    "to": "Tongan",
    "tr": "Turkish",
    "ts": "Tsonga",
    "tt": "Tatar",
    "tw": "Twi",
    "ug": "Uyghur",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "uz": "Uzbek",
    "vi": "Vietnamese",
    "wo": "Wolof",
    "xh": "Xhosa",
    "yi": "Yiddish",
    "yo": "Yoruba",
    "yue": "Cantonese",
    "zh": "Chinese",
    "zu": "Zulu",
}

VARIANTS = {
    "ar_EG": "Egyptian Arabic",
    "az_Cyrl": "Azerbaijani (Cyrillic)",
    "de_AT": "Austrian German",
    "de_CH": "Swiss German",
    "en_AU": "Australian English",
    "en_GB": "British English",
    "en_US": "American English",
    "es_419": "Latin American Spanish",
    "es_AR": "Argentinian Spanish",
    "es_ES": "European Spanish",
    "es_MX": "Mexican Spanish",
    "fr_BE": "Belgian French",
    "fr_CA": "Canadian French",
    "fr_CH": "Swiss French",
    "fr_FR": "French",
    "nl_BE": "Flemish",
    "pa_Arab": "Punjabi (Shahmukhi)",
    "pt_BR": "Brazilian Portuguese",
    "pt_PT": "European Portuguese",
    "sr_Cyrl": "Serbian (Cyrillic)",
    "sr_Latn": "Serbian (Latin)",
    "uz_Cyrl": "Uzbek (Cyrillic)",
    "zh_CN": "Simplified Chinese",
    "zh_HK": "Traditional Chinese (Hong Kong)",
    "zh_Hans": "Simplified Chinese",
    "zh_Hant": "Traditional Chinese",
    "zh_TW": "Traditional Chinese",
}

# Three letters where most corpora write two.
THREE_TO_TWO = """
    afr-af amh-am arb-ar ara-ar asm-as azj-az aze-az bak-ba bel-be bul-bg bam-bm ben-bn bod-bo bre-br bos-bs cat-ca
    cos-co ces-cs chv-cv cym-cy dan-da deu-de div-dv ell-el eng-en epo-eo spa-es est-et ekk-et eus-eu fas-fa pes-fa
    ful-ff fin-fi fao-fo fra-fr fry-fy gle-ga gla-gd glg-gl grn-gn guj-gu hau-ha heb-he hin-hi hrv-hr hat-ht hun-hu
    hye-hy ina-ia ind-id ibo-ig isl-is ita-it iku-iu jpn-ja jav-jv kat-ka kaz-kk khm-km kan-kn kor-ko kur-ku kmr-ku
    kir-ky lat-la ltz-lb lug-lg lin-ln lao-lo lit-lt lav-lv lvs-lv plt-mg mlg-mg mri-mi mkd-mk mal-ml khk-mn mon-mn
    mar-mr zsm-ms msa-ms mlt-mt mya-my nob-nb npi-ne nep-ne nld-nl nno-nn nor-no nya-ny oci-oc gaz-om orm-om ory-or
    ori-or pan-pa pol-pl pbt-ps pus-ps por-pt quy-qu que-qu ron-ro rus-ru kin-rw san-sa srd-sc snd-sd sme-se sin-si
    slk-sk slv-sl smo-sm sna-sn som-so als-sq sqi-sq srp-sr ssw-ss sot-st sun-su swe-sv swh-sw swa-sw tam-ta tel-te
    tgk-tg tha-th tir-ti tuk-tk tgl-tl tsn-tn ton-to tur-tr tso-ts tat-tt twi-tw uig-ug ukr-uk urd-ur uzn-uz uzb-uz
    vie-vi wol-wo xho-xh ydd-yi yid-yi yor-yo zho-zh cmn-zh zul-zu
"""
LONG_CODES = {pair[:3]: pair[4:] for pair in THREE_TO_TWO.split()}


def language_name(code: str) -> str:
    """The English name of a language; `DataError` for an unknown code."""
    language, _, variant = code.partition("_")
    language = LONG_CODES.get(language, language)
    if variant and (name := VARIANTS.get(f"{language}_{variant}")):
        return name
    script = re.fullmatch(r"[A-Z][a-z]{3}", variant)
    if language in LANGUAGES and (not variant or script):
        return LANGUAGES[language]
    known = [*LANGUAGES, *VARIANTS]
    near = [other for other in known if other.split("_")[0] == re.split("[-_]", language.lower())[0]]
    near = near or get_close_matches(language.lower(), known, n=4, cutoff=0.5)
    advice = f" Nearest are {', '.join(f'{other} ({language_name(other)})' for other in near)}." if near else ""
    raise DataError(
        f"the language code {code!r} is not known, so no instruction can name the language. Write it in the "
        f"direction as ISO 639 has it, with a script or region after an underscore (de, pt_BR, zh_Hant).{advice}"
    )
