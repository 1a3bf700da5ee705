"""What a model chose, in the ways that models say it: cases written by hand, in six languages."""

import time

import pytest

from dragoman.corpora.records import Check
from dragoman.errors import DataError
from dragoman.suites.questions.checks import check

CAPITALS = ("Bern", "Paris", "Rom", "A Coruña")


def letter(answer: str, options: tuple[str, ...] = CAPITALS) -> str | None:
    """The letter that was extracted, found out through the verdicts on each of them."""
    verdicts = {one: check(Check("letter", {"value": one, "options": list(options)}), answer) for one in "ABCD"}
    passed = [one for one, verdict in verdicts.items() if verdict.passed]
    assert {verdict.extracted for verdict in verdicts.values()} == {bool(passed)}
    return passed[0] if passed else None


@pytest.mark.parametrize(
    "answer",
    [
        *(
            "B",
            "(B)",
            "B)",
            "B.",
            " b ",
            "[B]",
            "**B**",
            "B: Paris",
            "B. Paris",
            "(B) Paris",
            "B) Paris, of course.",
            "B Paris",
        ),
        *("Paris", "Paris.", "“Paris”", "B, because it is the largest.", r"$\boxed{B}$", "Ｂ", "（B）"),
        *(
            "The answer is B",
            "The correct answer is (B).",
            "Answer: B",
            "The answer is: B. Paris",
            "The answer is Paris.",
        ),
        *("The right option is B because of its river.", "Final answer: **B**", "B is correct.", "I would choose (B)."),
        "(A) is a smaller city, so it can't be that one; the answer is (B).",
        "Let's see. A is wrong, and so is C.\nThe answer is B.",
        "B) Paris\n\nThe other cities are smaller.",
        *(
            "Antwort: B",
            "Die richtige Antwort ist B.",
            "Die Antwort lautet (B).",
            "Richtige Antwort: B) Paris",
            "B ist richtig.",
        ),
        "Die Antwort ist Paris.",
        *("Respuesta: B", "La respuesta correcta es B.", "La respuesta es la opción B.", "La opción correcta es la B."),
        *("Risposta: B", "La risposta corretta è B.", "La risposta è la lettera B", "L'opzione giusta è (B)."),
        *("答案是B", "正确答案是 B。", "答案：B", "正确答案：(B) Paris", "选B", "应该选择B。"),
        *("الإجابة هي B", "الإجابة: ب", "ب", "(ب)", "الجواب الصحيح هو (ب)", "الإجابة الصحيحة هي ب."),
    ],
)
def test_a_letter_is_found_in_the_forms_that_models_use(answer: str) -> None:
    assert letter(answer) == "B"


@pytest.mark.parametrize(
    "answer",
    [
        *("", "\n", "I don't know.", "A city in France.", "E la capitale?", "a city"),
        *("A Parigi fa freddo.", "Both are right", "A or B", "A, B", "(A) or (B)", "The answer is A or B.", "A and C"),
        *("A/B", "Antwort: A oder B", "A e B", "A y B", "答案是A或B", "A. Bern\nB. Paris\nC. Rom\nD. A Coruña"),
        *("The answer is A. No, the answer is B.", "The answer is a large city.", "Berlin", "The answer is not B."),
        *("The answer is A city that lies at a river.", "La risposta è E la nave va", "Respuesta: A veces"),
        *("E", "و", "F. London", "The answer is E"),
    ],
)
def test_what_names_no_letter_or_several_is_not_extracted(answer: str) -> None:
    assert letter(answer) is None


def test_an_option_that_is_said_word_for_word_is_that_option_whatever_letters_are_in_it() -> None:
    assert letter("A Coruña") == "D"
    assert letter("The answer is A Coruña.") == "D"
    options = ("1 only", "2 only", "Both A and B", "C. elegans")
    assert letter("Both A and B", options) == "C"
    assert letter("C. Both A and B", options) == "C"
    assert letter("C. elegans", options) == "D"
    assert letter("The answer is C. Both A and B", options) == "C"


def test_a_letter_stands_for_itself_where_an_option_is_a_letter_too() -> None:
    blood = ("AB", "A", "O", "B")
    assert letter("B", blood) == "B"
    assert letter("The answer is B.", blood) == "B"
    assert letter("AB", blood) == "A"


def test_a_text_that_two_options_have_chooses_none_of_them() -> None:
    assert letter("Paris", ("Paris", "Paris", "Rom", "Bern")) is None
    assert letter("A. Paris", ("Paris", "Paris", "Rom", "Bern")) == "A"


def test_ten_options_have_ten_letters_and_arabic_s_order_of_letters_is_followed() -> None:
    options = [f"shape {number}" for number in range(11)]
    at = {"(ه)": "E", "و": "F", "الإجابة: ز": "G", "(ح)": "H", "ك": "K", "(K)": "K", "هـ": "E"}
    for answer, value in at.items():
        assert check(Check("letter", {"value": value, "options": options}), answer).passed, answer
    assert not check(Check("letter", {"value": "B", "options": options[:2]}), "(C)").extracted


@pytest.mark.parametrize(
    ("looping", "chosen"),
    [
        ("the answer is " * 3000, None),
        ("final " * 20_000, None),
        ("correct " * 20_000 + "answer", None),
        ("The final answer is B. " * 3000, "B"),
        ("The answer is B.\n" * 3000 + "The answer is C.", None),
    ],
    ids=lambda value: str(value)[:22],
)
def test_an_answer_that_repeats_itself_is_judged_in_no_time(looping: str, chosen: str | None) -> None:
    start = time.process_time()
    check(Check("option_text", {"values": ["yes"], "others": ["no"]}), looping)
    assert check(Check("letter", {"value": "B", "options": list(CAPITALS)}), looping).passed == (chosen == "B")
    assert time.process_time() - start < 2  # the time used to grow with the square of the length: 8 s and more


def test_a_value_beyond_the_options_is_refused() -> None:
    with pytest.raises(DataError, match="takes a value of A, B, not 'C'"):
        check(Check("letter", {"value": "C", "options": ["x", "y"]}), "C")


def text(answer: str, values: list[str], others: list[str] | None = None) -> str:
    verdict = check(Check("option_text", {"values": values, "others": others or []}), answer)
    return "right" if verdict.passed else "wrong" if verdict.extracted else "none"


@pytest.mark.parametrize(
    ("answer", "yes", "no", "said"),
    [
        ("Yes", ["Yes"], ["No"], "right"),
        ("no.", ["Yes"], ["No"], "wrong"),
        ("Yes, the sentence is plausible.", ["Yes"], ["No"], "right"),
        ("The answer is yes.", ["Yes"], ["No"], "right"),
        ("It takes 3 steps.\nSo the answer is No.", ["Yes"], ["No"], "wrong"),
        ("Yes or No", ["Yes"], ["No"], "none"),
        ("Perhaps", ["Yes"], ["No"], "none"),
        ("Nobody knows", ["Yes"], ["No"], "none"),
        ("", ["Yes"], ["No"], "none"),
        ("Die Antwort ist Nein.", ["Nein", "No"], ["Ja"], "right"),
        ("NEIN", ["Nein", "No"], ["Ja"], "right"),
        ("Ja, das ist plausibel.", ["Ja"], ["Nein", "No"], "right"),
        ("Das Argument ist ungültig.", ["gültig"], ["ungültig"], "wrong"),
        ("Das Argument ist gültig.", ["gültig"], ["ungültig"], "right"),
        ("El argumento no es válido.", ["válido"], ["inválido", "no es válido"], "wrong"),
        ("Sí", ["Sí", "Si"], ["No"], "right"),
        ("non valido", ["valido"], ["non valido"], "wrong"),
        ("L'argomento è valido.", ["valido"], ["non valido"], "right"),
        ("SÌ", ["Sì"], ["No"], "right"),
        ("答案是：有效的。", ["有效", "有效的"], ["无效", "无效的"], "right"),
        ("该论证是无效的。", ["有效", "有效的"], ["无效", "无效的"], "wrong"),
        ("不是的", ["是", "是的"], ["不", "不是", "不是的"], "wrong"),
        ("الحجة غير صالحة", ["صالح", "صالحة"], ["غير صالح", "غير صالحة"], "wrong"),
        ("الإجابة هي نعم", ["نعم"], ["لا"], "right"),
        ("صحيحٌ", ["صحيح"], ["خطأ"], "right"),
    ],
)
def test_one_of_two_answers_in_words(answer: str, yes: list[str], no: list[str], said: str) -> None:
    assert text(answer, yes, no) == said


@pytest.mark.parametrize(
    ("answer", "value", "said"),
    [
        *(("8", "8", "right"), ("8.", "8", "right"), ("There are 8 instruments.", "8", "right"), ("9", "8", "wrong")),
        *(
            ("The answer is 8.", "8", "right"),
            ("4 + 4 = 8", "8", "right"),
            ("4 or 8", "8", "none"),
            ("eight", "8", "none"),
        ),
        *(("-35", "-35", "right"), ("−35", "-35", "right"), ("35", "-35", "wrong"), ("-11,520", "-11520", "right")),
        *(("-11.520", "-11520", "right"), ("٨", "8", "right"), ("答案是-٣٥。", "-35", "right")),
        ("First 3 and then 5.\nDie Antwort ist 8", "8", "right"),
    ],
)
def test_numbers(answer: str, value: str, said: str) -> None:
    assert text(answer, [value]) == said


def test_lists_of_words_and_brackets() -> None:
    for answer in (
        "barn damp dot",
        "Barn, damp, dot.",
        "barn\ndamp\ndot",
        "1. barn\n2. damp\n3. dot",
        "Answer: barn damp dot",
    ):
        assert text(answer, ["barn damp dot"]) == "right", answer
    assert text("barn dot damp", ["barn damp dot"]) == "wrong"
    assert text("the answer is ] )", ["] )"]) == "right"
    assert text("])", ["] )"]) == "right"
    assert text(") ]", ["] )"]) == "wrong"
    assert text("fecha, país", ["fecha país", "país fecha"]) == "right"
