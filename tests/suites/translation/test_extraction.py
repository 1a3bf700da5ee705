"""What is taken for the translation in answers as models really give them."""

from pathlib import Path

import pytest

from dragoman.suites.translation.asides import Cut
from dragoman.suites.translation.extraction import Extracted, extract

SOURCE = "Das ist gut."
GOOD = "This is good."


def taken(answer: str, source: str, direction: str = "de-en") -> tuple[str, bool, bool]:
    found = extract(answer, source, *direction.split("-"))
    return found.text, found.chatter, found.found


# answer, chatter
ANSWERS = [
    ("This is good.", False),
    ("  This is good.\n", False),
    ('"This is good."', False),
    ("“This is good.”", False),
    ("**This is good.**", False),
    ("*This is good.*", False),
    ("```\nThis is good.\n```", False),
    ("Sure! Here is the translation:\n\nThis is good.", True),
    ("Sure! Here is the translation: This is good.", True),
    ("Sure, here's the translation from German to English:\nThis is good.", True),
    ("Certainly! Here is the English translation of your sentence:\n\n“This is good.”", True),
    ("Here is the translation of the given sentence in English:\r\n\r\nThis is good.", True),
    ("Of course!\nThis is good.", True),
    ("Here you go: This is good.", True),
    ('Here\'s the sentence in English: "This is good."', True),
    ("Translation: This is good.", True),
    ("**Translation:** This is good.", True),
    ("Translation (English): This is good.", True),
    ("### Translation\n\nThis is good.", True),
    ("English: This is good.", True),
    ("**English:** This is good.", True),
    ('English translation:\n"This is good."\n\nLet me know if you need more.', True),
    ('The translation is: "This is good."', True),
    ('The English translation of "Das ist gut." is "This is good."', True),
    (
        'Certainly! The sentence "Das ist gut." can be translated to English as "This is good."\n\nHere, "gut" is …',
        True,
    ),
    ("The sentence translates to: This is good.", True),
    ('"This is good." is the English translation of this sentence.', True),
    ("Die Übersetzung lautet: This is good.", True),
    ("La traduzione in inglese è: This is good.", True),
    ("以下是翻译：\n\nThis is good.", True),
    ("This is good.\n\nExplanation: „gut“ is an adjective.", True),
    ("This is good.\n\nIn this sentence, „ist“ is the verb.", True),
    ("This is good.\n\nThis is also nice.", True),
    ("This is good.\nNote: the tone is neutral.", True),
    ("This is good.\nor\nThat is good.", True),
    ("This is good. (Note: literally, “that is good”.)", True),
    ("This is good.\n\n(Note: I kept the register.)\n\nLet me know!", True),
]


@pytest.mark.parametrize(("answer", "chatter"), ANSWERS)
def test_the_translation_is_found_and_chatter_is_counted(answer: str, chatter: bool) -> None:
    assert taken(answer, SOURCE) == (GOOD, chatter, True)


# source, answer, translation, chatter: what the source has itself is never cut
FAITHFUL = [
    ("Hinweis: Nicht öffnen.", "Note: Do not open.", "Note: Do not open.", False),
    ("Übersetzung: Anna Meier", "Translation: Anna Meier", "Translation: Anna Meier", False),
    ("Übersetzung: Anna Meier", "Translation: Translation: Anna Meier", "Translation: Anna Meier", True),
    ("„Das ist gut“, sagte er.", "“This is good,” he said.", "“This is good,” he said.", False),
    ('"Gut" oder "schön"', '"Good" or "nice"', '"Good" or "nice"', False),
    ("Das ist gut (sehr gut).", "This is good (or very good).", "This is good (or very good).", False),
    ("Das ist gut (verschmolzen).", "This is good (or fused) and new.", "This is good (or fused) and new.", False),
    ("Wir können nicht helfen.", "We cannot assist you.", "We cannot assist you.", False),
    ("Die Axt《Uss》ist verboten.", "\"Uss\" is prohibited.", "\"Uss\" is prohibited.", False),
    ("Das ist gut.“", '"This is good."', '"This is good."', False),
    ("Gut. (Siehe Anmerkung)", "Good. (Note: see below)", "Good. (Note: see below)", False),
    ("Sicher! Ich komme.", "Sure! I am coming.", "Sure! I am coming.", False),
    ("Es tut mir leid, ich kann nicht.", "I'm sorry, but I can't.", "I'm sorry, but I can't.", False),
    ("Er übersetzt: ein Beruf.", "He translates: a profession.", "He translates: a profession.", False),
    ("Die Übersetzung ist gut.", "The translation is good.", "The translation is good.", False),
    ("Das Wort ist lang.", "The word is long.", "The word is long.", False),
    ("5 * 3 * 2", "*5 * 3*", "*5 * 3*", False),
    ("Eins.\nZwei.", "One.\nTwo.", "One.\nTwo.", False),
    ("Eins.\nZwei.", "One.\nTwo.\nThree is the next.", "One.\nTwo.", True),
    ("Eins.\nZwei.", "One.\nNote: „zwei“ is missing.", "One.", True),
    ("Eins.\n\nZwei.", "One.\n\nTwo.", "One.\n\nTwo.", False),
    ("Eins.\n\nZwei.", "Here is the translation:\n\nOne.\n\nTwo.\n\nExplanation: numbers.", "One.\n\nTwo.", True),
    ("Eins.\n\nZwei.", "One.\n\nExplanation: a number.", "One.", True),
]  # fmt: skip


@pytest.mark.parametrize(("source", "answer", "translation", "chatter"), FAITHFUL)
def test_what_the_source_has_itself_stays(source: str, answer: str, translation: str, chatter: bool) -> None:
    assert taken(answer, source) == (translation, chatter, True)


@pytest.mark.parametrize(
    "answer",
    [
        "Sure! Here is the translation:",
        "Translation:",
        "I'm sorry, but I cannot translate this sentence.",
        "As an AI language model, I have no opinion.",
    ],
)
def test_an_answer_without_translation_comes_back_whole_as_a_failure(answer: str) -> None:
    assert taken(answer, SOURCE) == (answer, True, False)


@pytest.mark.parametrize("answer", ["", "  \n\n "])
def test_an_empty_answer_is_empty(answer: str) -> None:
    assert extract(answer, SOURCE, "de", "en") == Extracted("", chatter=False, found=False)


LONG = "Der alte Hund schläft seit drei Stunden in dem kleinen Garten hinter dem Haus."
DOG = "The old dog has been sleeping in the small garden behind the house for three hours."

# what stands beside the translation on the same line, and the rule that knows it
BESIDE = [
    (f"{DOG} Note: I have kept the tense.", "a remark after it"),
    (f"{DOG} (Note: the tense was kept.)", "brackets"),
    (f"{DOG} [Literal: The old dog sleeps since three hours.]", "brackets"),
    (f"{DOG} This translation keeps the tone of the original.", "a remark after it"),
    (f"{DOG} In this sentence, “schläft” is the verb.", "a remark after it"),
    (f'{DOG} "Garten" is translated as "garden".', "a remark after it"),
    (f"{DOG} I hope this helps! Let me know if you need more.", "a remark after it"),
    (f"{DOG} Erklärung: „Garten“ ist ein Hauptwort.", "a remark after it"),
    (f"{DOG} Alternatively, you could say: The dog sleeps in the garden.", "a remark after it"),
    (f"{DOG} or: The old dog sleeps in the garden behind the house.", "a remark after it"),
    (f"{DOG} / For three hours the old dog has been asleep in the garden behind the house.", "a second translation"),
    (f"1. {DOG} 2. For three hours the old dog has slept in the garden behind the house.", "a second translation"),
    (f'"{DOG}" This is a literal translation.', "a remark after it"),
    (f'"{DOG}" or "The old dog sleeps in the garden."', "around a quotation"),
    (f'The sentence means "{DOG}"', "around a quotation"),
    (f'This translates to "{DOG}" in English.', "around a quotation"),
    (f"In English, this would be: {DOG}", "announcement"),
    (f"{DOG}``` You could also write it in another way.", "code marks"),
    (f"{LONG} - {DOG}", "source"),
    (f'"{LONG}" means "{DOG}"', "source"),
    (f"German: {LONG} English: {DOG}", "source"),
    (f"{DOG} ({LONG})", "source"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "rule"), BESIDE)
def test_what_stands_beside_the_translation_is_taken_out_and_told(answer: str, rule: str) -> None:
    found = extract(answer, LONG, "de", "en")
    assert found.text.strip('"') == DOG
    assert (found.chatter, found.found) == (True, True)
    assert [cut.rule for cut in found.cuts] == [rule]
    assert found.cuts[0].taken_out
    assert DOG not in found.cuts[0].text


def test_every_part_that_is_taken_out_is_told() -> None:
    found = extract(f"Sure! Here is the translation: {DOG} Note: it is old.\n\nBye!", LONG, "de", "en")
    assert found.text == DOG
    assert found.cuts == (
        Cut("announcement", "Sure! Here is the translation:"),
        Cut("further lines", "Bye!"),
        Cut("a remark after it", "Note: it is old."),
    )


# direction, source, translation, what stands after it
LANGUAGES = [
    ("en-zh", "The weather is very nice today.", "今天天气很好。", "(Jīntiān tiānqì hěn hǎo.)"),
    ("en-zh", "The weather is very nice today.", "今天天气很好。", "（注：语气比较随意。）"),
    ("en-zh", "The weather is very nice today.", "今天天气很好。", "This is a common expression."),
    ("en-zh", "The weather is very nice today.", "今天天气很好。", "希望对你有帮助！"),
    ("en-ru", "The weather is very nice today.", "Сегодня очень хорошая погода.", "(Segodnya khoroshaya pogoda.)"),
    ("en-ru", "The weather is very nice today.", "Сегодня очень хорошая погода.", "Этот перевод сохраняет смысл."),
    ("en-cs", "The weather is very nice today.", "Dnes je velmi hezké počasí.", "Poznámka: „Hezké“ je hovorové."),
    ("zh-en", "今天天气很好。", "The weather is very nice today.", "这是直译。"),
    ("en-de", "The weather is very nice today.", "Das Wetter ist heute sehr schön.", "(umgangssprachlich)"),
    ("en-it", "The weather is very nice today.", "Oggi il tempo è molto bello.", "Nota: il tono è informale."),
]  # fmt: skip


@pytest.mark.parametrize(("direction", "source", "translation", "remark"), LANGUAGES)
def test_remarks_in_any_of_the_languages(direction: str, source: str, translation: str, remark: str) -> None:
    assert taken(f"{translation} {remark}", source, direction) == (translation, True, True)


# source, translation: what looks like a remark, and is the source's own or not the end of a whole translation
HONEST = [
    ("Er schrieb: Der Hund ist alt. Hinweis: Er beißt.", "He wrote: The dog is old. Note: It bites."),
    ("Der Hund ist alt. Achtung, er beißt.", "The dog is old. Note: it bites."),
    ("Der Hund ist alt. Ich hoffe, das hilft Ihnen.", "The dog is old. I hope this helps!"),
    ("Hier ist der Hund. Melden Sie sich gern.", "Here is the dog. Let me know if you need more."),
    ("Dieser Satz ist lang. Das Wort „Hund“ steht vorn.", "This sentence is long. The word “Hund” comes first."),
    ("Die Weltgesundheitsorganisation tagt in Genf.", "The World Health Organization meets in Geneva (WHO)."),
    ("Tee oder Kaffee? Oder lieber Wasser?", "Tea or coffee? Or rather water?"),
    ("Am 24. Dezember kommt er an.", "He arrives on 24. December."),
    ("„Ich komme“, sagte er zu ihr.", '"I am coming", he said to her.'),
]  # fmt: skip


@pytest.mark.parametrize(("source", "translation"), HONEST)
def test_what_only_looks_like_a_remark_stays(source: str, translation: str) -> None:
    assert taken(translation, source) == (translation, False, True)


# direction, source, translation, remark: no white space, or no full stop, parts them
REMARK_AT_ONCE = [
    ("en-de", "We appeal.", "Wir legten Widerspruch ein.", "（翻译说明：采用直译。）"),
    ("en-zh", "We lodged an appeal.", "我们提出了上诉。", "翻译说明：采用直译。"),
    ("en-de", "The sea is moved.", "„Das Meer wird bewegt.“", " [Translator's note: the term is kept.]"),
    ("en-de", "I'm still with you", "Ich bin noch da", " (this means: I'm still with you)"),
    ("en-de", "Press the red key", "Drücken Sie die rote Taste", " Literal translation: Press the red key"),
    ("en-de", "Click Save", "Klicken Sie auf „Speichern“", " Literal translation: Click upon store"),
    ("en-de", "The deal is on the brink", "Der Handel steht auf der Kippe", " Source text: The deal is on the brink"),
    ("en-de", "The deal is on the brink", "Der Handel steht auf der Kippe", " (English: The deal is on the brink)"),
]  # fmt: skip


@pytest.mark.parametrize(("direction", "source", "translation", "remark"), REMARK_AT_ONCE)
def test_the_translation_is_kept_and_not_the_remark_behind_it(
    direction: str, source: str, translation: str, remark: str
) -> None:
    alone = translation.strip("„“") if translation.startswith("„") else translation
    assert taken(translation + remark, source, direction) == (alone, True, True)


def test_where_either_side_may_be_the_translation_both_stay_and_chatter_is_counted() -> None:
    answer = "Das kleine Schiff liegt seit gestern im Hafen My translation note: kept short"
    found = extract(answer, "The small ship has been in port since yesterday.", "en", "de")
    assert (found.text, found.chatter, found.found) == (answer, True, True)
    assert [(cut.rule, cut.taken_out) for cut in found.cuts] == [("perhaps a remark", False)]


# direction, source, translation: a colon or a word that only looks like an announcement or a remark
COLONS = [
    (
        "de-en",
        "Das Wichtigste an dieser Haltung ist, dass man nur einen Weg kennt. Wer ihn verlässt, gilt als verloren.",
        "The main point of this attitude is: there is but one way. Whoever leaves it counts as lost.",
    ),
    ("en-zh", "Translation apps – programs that translate whole texts.", "翻译应用：可以翻译整段文本的应用程序。"),
    (
        "zh-en",
        "该报告描述了石块可以如何被水流磨得更小，并提出了若干建议。",
        "The report came out in May and has several proposals in it for the whole valley. "
        "This report describes how stones would be rendered smaller by the water.",
    ),
]


@pytest.mark.parametrize(("direction", "source", "translation"), COLONS)
def test_honest_colons_and_words_cut_nothing(direction: str, source: str, translation: str) -> None:
    assert taken(translation, source, direction) == (translation, False, True)


def test_an_asterisk_of_the_text_stays_before_a_remark() -> None:
    answer = "Sie erhalten eine Erstattung.* Hinweis: wörtlich übersetzt."
    assert taken(answer, "You get a refund.*", "en-de") == ("Sie erhalten eine Erstattung.*", True, True)


# direction, heading, translation
HEADED = [
    ("en-ar", "الترجمة:", "الطقس جميل جدا اليوم."),
    ("en-ko", "번역:", "오늘은 날씨가 아주 좋습니다."),
    ("en-tr", "Çeviri:", "Bugün hava çok güzel."),
    ("en-sv", "Översättning:", "Vädret är mycket fint i dag."),
    ("en-vi", "Bản dịch:", "Hôm nay thời tiết rất đẹp."),
    ("en-is", "Þýðing:", "Veðrið er mjög gott í dag."),
    ("en-ja", "訳文：", "今日はとても天気がいいです。"),
    ("en-zh", "译文：", "今天天气很好。"),
]


@pytest.mark.parametrize(("direction", "heading", "translation"), HEADED)
def test_headings_of_more_languages_are_known(direction: str, heading: str, translation: str) -> None:
    assert taken(f"{heading} {translation}", "The weather is very nice today.", direction) == (translation, True, True)


def test_what_is_likely_a_remark_is_counted_and_stays() -> None:
    answer = f"{DOG} It is a statement about the situation, and the tone is neutral, as you can see."
    found = extract(answer, LONG, "de", "en")
    assert (found.text, found.chatter, found.found) == (answer, True, True)
    (cut,) = found.cuts
    assert (cut.rule, cut.taken_out) == ("perhaps a remark", False)


def test_what_is_far_too_long_and_cannot_be_told_apart_is_a_failure() -> None:
    answer = (
        "Dogs have lived with people for thousands of years and guard houses, sheep and children, while cats came "
        "later, when grain was stored and mice had to be caught; both are loved, both cost a good deal of money, and "
        "neither asks for more than food, a dry corner and somebody who comes home at night, so that many families "
        "would rather give up their car than one of these old friends, whom nobody can replace"
    )
    assert taken(answer, LONG) == (answer, False, False)
    assert taken(answer, " ".join([LONG] * 4)) == (answer, False, True)


def test_an_endless_repetition_is_a_bad_translation_and_no_failure() -> None:
    answer = "The old dog" + " in the garden" * 40
    assert taken(answer, LONG) == (answer, False, True)


def test_an_answer_about_the_request_is_a_failure() -> None:
    answer = "The text you provided is a link and does not need to be translated. Please send me a sentence instead."
    assert taken(answer, "https://example.org/") == (answer, True, False)


DIRECTIONS = ("cs-en", "de-en", "en-cs", "en-de", "en-ru", "en-zh", "ru-en", "zh-en")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_references_of_wmt22_pass_unchanged(real_data: Path, direction: str) -> None:
    """People's translations, and those of the systems that are at hand: not one in two thousand is changed."""
    folder = real_data / "wmt22" / "txt"
    sources = lines(folder / "sources" / f"generaltest2022.{direction}.src.{direction[:2]}")
    files = [*folder.glob(f"references/*.{direction}.*"), *folder.glob(f"system-outputs/*.{direction}.*")]
    pairs = [pair for file in files for pair in zip(sources, lines(file), strict=True) if pair[1].strip()]
    changed = [pair for pair in pairs if taken(pair[1], pair[0], direction) != (pair[1].strip(), False, True)]
    assert len(pairs) >= len(sources)
    assert len(changed) <= len(pairs) / 2000, changed


REMARKS = [
    "Note: the tone of the original was kept.",
    "This is a literal translation of the sentence.",
    "(Note: the phrase is idiomatic.)",
    "I hope this helps! Let me know if you need anything else.",
    "Explanation: the verb comes last in the original sentence.",
    "Alternatively, you could say it more formally.",
]


def test_bleu_of_explained_answers_is_that_of_the_answers(real_data: Path) -> None:
    from sacrebleu.metrics import BLEU

    folder = real_data / "wmt22" / "txt"
    sources, answers, references = (
        lines(folder / name)[:300]
        for name in (
            "sources/generaltest2022.de-en.src.de",
            "system-outputs/generaltest2022.de-en.hyp.Online-A.en",
            "references/generaltest2022.de-en.ref.A.en",
        )
    )
    explained = [f"{answer} {REMARKS[at % len(REMARKS)]}" for at, answer in enumerate(answers)]
    found = [extract(answer, source, "de", "en") for answer, source in zip(explained, sources, strict=True)]

    def bleu(texts: list[str]) -> float:
        return float(BLEU().corpus_score(texts, [references]).score)

    assert bleu(explained) < 26 < 34 < bleu(answers)
    assert bleu([one.text for one in found]) == pytest.approx(bleu(answers), abs=0.3)
    assert sum(one.chatter for one in found) >= 0.97 * len(found)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
