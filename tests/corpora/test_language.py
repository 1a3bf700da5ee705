"""The language that most of a text is in."""

from pathlib import Path

import pytest

from dragoman.corpora.language import dominant, in_wrong_language, known


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The word “Hund” means “dog”, and the verb is in the present tense.", "en"),
        ("Das Verb steht an der zweiten Stelle, weil es ein Hauptsatz ist.", "de"),
        ("Il verbo è al presente e la frase non ha un soggetto espresso.", "it"),
        ("Sloveso je v přítomném čase a podmět se ve větě neopakuje.", "cs"),
        ("Le verbe est au présent et la phrase n'a pas de sujet.", "fr"),
        ("El verbo está en presente y la frase no tiene un sujeto.", "es"),
        ("Глагол стоит в настоящем времени, и это обычная фраза.", "ru"),
        ("Дієслово стоїть у теперішньому часі, і це звичайна фраза.", "uk"),
        ("Глаголът е в сегашно време, а изречението е съвсем обикновено; подлогът не е изразен с дума, тъй като се "
         "разбира от глагола.", "bg"),
        ("这个句子是现在时，“dog”的意思是狗。", "zh"),
        ("この文は現在形で、「dog」は犬という意味です。", "ja"),
        ("이 문장은 현재 시제입니다.", "ko"),
        ("الفعل في زمن المضارع", "ar"),
        ("فعل در زمان حال است و چیز دیگری نیست", "fa"),
        ("The sign 狗 is read gǒu, and it means “dog” in the modern language.", "en"),  # foreign words in it
        ("Der Satz „The dog sleeps“ ist im Präsens, und das Subjekt ist der Hund.", "de"),
        ("Hund = dog", None),
        ("A la de i", None),  # words of many languages
        ("Anna, Marco, Berlin, Roma, Paris, London, Praha, and Moskva", None),  # too few of its words
        ("1, 2, 3 …", None),
        ("", None),
    ],
)  # fmt: skip
def test_dominant(text: str, language: str | None) -> None:
    assert dominant(text) == language


def test_fewer_words_suffice_where_a_guess_will_do() -> None:
    assert dominant("Der Hund schläft.") is None
    assert dominant("Der Hund schläft.", least=1) == "de"


def test_known() -> None:
    assert known("eng_Latn")
    assert known("zh_Hans")
    assert not known("hu")


@pytest.mark.parametrize(
    ("text", "source", "target", "wrong"),
    [
        ("Das ist nicht gut.", "de", "en", True),
        ("This is not good.", "de", "en", False),
        ("Il gatto non dorme.", "en", "it", False),
        ("Il gatto non dorme.", "it", "de", True),
        ("A volte piove sull'isola.", "en", "it", False),
        ("Berlin", "de", "en", False),
        ("这很好。", "en", "zh", False),
        ("This is 好.", "en", "zh_Hans", True),
        ("Это хорошо", "rus_Cyrl", "eng_Latn", True),
        ("This is good", "rus_Cyrl", "eng_Latn", False),
        ("Это хорошо", "uk", "ru", None),  # one script, no list of words
        ("Ez jó.", "en", "hu", None),
        ("123.", "de", "en", None),
    ],
)
def test_wrong_language(text: str, source: str, target: str, wrong: bool | None) -> None:
    assert in_wrong_language(text, source, target) is wrong


REAL = [
    ("sources", "de-en.src.de", "de"),
    ("sources", "cs-en.src.cs", "cs"),
    ("sources", "ru-en.src.ru", "ru"),
    ("sources", "zh-en.src.zh", "zh"),
    ("references", "de-en.ref.A.en", "en"),
]


@pytest.mark.parametrize(("kind", "name", "language"), REAL)
def test_real_sentences_are_hardly_ever_taken_for_another_language(
    real_data: Path, kind: str, name: str, language: str
) -> None:
    path = real_data / "wmt22" / "txt" / kind / f"generaltest2022.{name}"
    lines = path.read_text(encoding="utf-8").split("\n")[:1000]
    found = [dominant(line) for line in lines]
    wrong = [(line, one) for line, one in zip(lines, found, strict=True) if one not in (None, language)]
    assert len(wrong) <= 3, wrong
    assert found.count(language) >= 350  # a sentence alone is often too short to tell; a rationale is longer
    passages = [" ".join(lines[start : start + 4]) for start in range(0, 1000, 4)]
    told = [dominant(passage) for passage in passages]
    assert told.count(language) >= 0.8 * len(passages)
