"""Names of languages."""

import pytest

from dragoman.errors import DataError
from dragoman.prompts.languages import LANGUAGES, LONG_CODES, VARIANTS, language_name


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("de", "German"),
        ("cs", "Czech"),
        ("nb", "Norwegian Bokmål"),
        ("yue", "Cantonese"),
        ("zh", "Chinese"),
        ("zh_Hant", "Traditional Chinese"),
        ("pt_BR", "Brazilian Portuguese"),
        ("sr_Latn", "Serbian (Latin)"),
        ("deu_Latn", "German"),
        ("rus_Cyrl", "Russian"),
        ("arb_Arab", "Arabic"),
        ("zho_Hans", "Simplified Chinese"),
        ("ces", "Czech"),
    ],
)
def test_names(code: str, name: str) -> None:
    assert language_name(code) == name


def test_tables_fit_together() -> None:
    assert len(LANGUAGES) >= 100
    assert len(set(LANGUAGES.values())) == len(LANGUAGES)
    assert {code.split("_")[0] for code in VARIANTS} <= set(LANGUAGES)
    assert set(LONG_CODES.values()) <= set(LANGUAGES)
    assert not set(LONG_CODES) & set(LANGUAGES)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("DE", r"Nearest are de \(German\), de_AT \(Austrian German\)"),
        ("pt_XX", r"Nearest are pt \(Portuguese\), pt_BR"),
        ("zh-Hant", r"zh_Hant \(Traditional Chinese\)"),
        ("qqq", r"'qqq' is not known"),
    ],
)
def test_unknown(code: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        language_name(code)
