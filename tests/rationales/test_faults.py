"""What is wrong with a rationale: each rule on cases written by hand, and on what the lab's backbone writes."""

from random import Random

import pytest

from dragoman.corpora.records import Dialogue, Pair, Record, Turn
from dragoman.generation.ask import Completion, Finish, Sampling
from dragoman.lab import BACKBONE, world
from dragoman.lab.explanations import translation_answer
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.rationales.faults import (
    Rationale,
    contradicts_reference,
    ends_at_once,
    judge,
    likeness,
    repeats_itself,
    repeats_reference,
    wrong_language,
)

DE_EN = Pair("Der alte Lehrer kauft drei Bücher.", "The old teacher buys three books.", "de", "en")
EN_DE = DE_EN.reversed()
EN_IT = Pair("The old teacher buys three books.", "Il vecchio maestro compra tre libri.", "en", "it")
EN_ZH = Pair("The dog is sleeping in the garden.", "狗在花园里睡觉。", "en", "zh")
ZH_EN = EN_ZH.reversed()
EN_RU = Pair("My brother reads a book every evening.", "Мой брат каждый вечер читает книгу.", "en", "ru")
EN_CS = Pair("My brother reads a book every evening.", "Můj bratr čte každý večer knihu.", "en", "cs")
HUNGARIAN = Pair("A kutya alszik.", "The dog sleeps.", "hu", "en")


def test_repeating() -> None:
    rng = Random(1)
    prose = tuple(rng.randrange(1000) for _ in range(400))
    assert not repeats_itself(prose)
    assert repeats_itself((*prose, *(7, 8, 9) * 10))  # goes round at the end
    assert repeats_itself((*prose[:100], *(7, 8, 9) * 10, *prose[100:]))  # went round, and got out of it
    paragraph = prose[:40]
    assert not repeats_itself((*paragraph, *prose[50:90], *paragraph))
    assert repeats_itself((*paragraph, 1, *paragraph, 2, *paragraph, 3))
    listed = [item for word in range(12) for item in (50, 51, 2000 + word, 52, 53, 3000 + word, 54)]
    assert not repeats_itself(tuple(listed))  # “…” means “…”, a line each
    assert not repeats_itself(())


@pytest.mark.parametrize(
    ("pair", "text", "wrong"),
    [
        (DE_EN, "Le verbe est au présent et la phrase n'a pas de sujet exprimé.", True),
        (DE_EN, "这个句子是现在时，“Lehrer”的意思是老师。", True),
        (DE_EN, "Das Verb steht an der zweiten Stelle, weil es ein Hauptsatz ist.", False),  # the source's
        (EN_IT, "Il verbo è al presente e la frase non ha un soggetto espresso.", False),  # the target's
        (EN_IT, "El verbo está en presente y la frase no tiene un sujeto.", True),
        (EN_CS, "Czasownik jest w czasie teraźniejszym i nie ma tu podmiotu, który by się powtarzał.", True),
        (EN_CS, "Sloveso je v přítomném čase a podmět se ve větě neopakuje.", False),
        (EN_RU, "Дієслово стоїть у теперішньому часі, і це звичайна фраза.", True),
        (EN_RU, "Глагол стоит в настоящем времени, и это обычная фраза.", False),
        (EN_ZH, "この文は現在形で、「dog」は犬という意味です。", True),
        (EN_ZH, "这个句子是现在时，“dog”的意思是狗。", False),
        (EN_ZH, "The word “花园” means “garden” and the verb is “睡觉”.", False),
        (Pair("Der Hund.", "Il cane.", "de", "it"), "The verb is in the present tense, and it is regular.", False),
        (HUNGARIAN, "Das Verb steht an der zweiten Stelle, weil es ein Hauptsatz ist.", False),  # not known: no verdict
        (DE_EN, "Hund = dog", False),
        (DE_EN, "", False),
    ],
)
def test_wrong_language(pair: Pair, text: str, wrong: bool) -> None:
    assert wrong_language(text, pair) is wrong


@pytest.mark.parametrize(
    ("pair", "text", "repeats"),
    [
        (DE_EN, "\n\nThe old teacher buys three books.", True),
        (DE_EN, "\n\n“THE OLD TEACHER BUYS THREE BOOKS!”", True),
        (DE_EN, "\n\nTranslation: The old teacher buys three books.\n\nThe old teacher buys three books.", True),
        (DE_EN, " The old teacher buys three books. The old teacher buys three books.", True),
        (EN_DE, "\n\nHere is the translation:\n\n> Der alte Lehrer kauft drei Bücher.", True),
        (EN_ZH, "\n\n翻译：狗在花园里睡觉。", True),
        (EN_RU, "\n\nПеревод: «Мой брат каждый вечер читает книгу».", True),
        (DE_EN, "\n\nThe old teacher buys three books.\n\nNote: “kauft” is the present tense of “kaufen”.", False),
        (DE_EN, "\n\nThe old teacher buys two books.", False),
        (DE_EN, "\n\n---\n\nThe old teacher buys three books.\n\n***", True),
        (DE_EN, "\n\nTranslation:", False),
        (DE_EN, " ) ) ) ) )", False),
        (DE_EN, "", False),
        (Pair("…", "…", "de", "en"), "\n\n…", False),  # nothing to compare
    ],
)
def test_repeats_reference(pair: Pair, text: str, repeats: bool) -> None:
    assert repeats_reference(text, pair.target) is repeats


PROGRAM = "def f(x):\n    return x + 3"


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        (f"\n\n{PROGRAM}", True),
        (f"\n\nHere is the function:\n\n```python\n{PROGRAM}\n```\n\n```\n{PROGRAM}\n```", True),
        ("\n\ndef f( x ):\n\n\n  return x+3", True),
        ("\n\ndef f(x):\n    return x - 3", False),
        (f"\n\n{PROGRAM}\n\nIt adds three.", False),
        (f"\n\nThe function adds three.\n\n{PROGRAM}", False),  # says something
        ("\n\ndef f(x):", False),
        ("", False),
    ],
)
def test_a_program_is_repeated_line_by_line(text: str, repeats: bool) -> None:
    assert repeats_reference(text, PROGRAM) is repeats
    assert repeats_reference(text, f"```python\n{PROGRAM}\n```\n") is repeats


def test_rules_for_conversations() -> None:
    """Those about languages and translations are for pairs alone; the same words may be said of the same answer."""
    question = Turn("user", "Who are you? Please answer in German: Der alte Lehrer kauft drei Bücher.")
    sleeps, program = (Dialogue((question, Turn("assistant", text))) for text in (DE_EN.target, PROGRAM))
    french = "Le verbe est au présent et la phrase n'a pas de sujet exprimé."
    second = "\n\nAlternatively: “The old teachers buy three books.”"
    texts = [french, second, french, "", f"\n\n{PROGRAM}", "So it goes on"]
    records: list[Record] = [sleeps, sleeps, program, program, program, DE_EN]
    finishes: list[Finish] = ["stop", "stop", "stop", "stop", "stop", "length"]
    rationales = [Rationale((1, 2, 3), text, finish) for text, finish in zip(texts, finishes, strict=True)]
    found = [set(), set(), {"duplicate"}, {"empty"}, {"repeats_reference"}, {"cut"}]
    assert [set(faults) for faults in judge(records, rationales)] == found
    assert [set(faults) for faults in judge([DE_EN] * 2, rationales[:2])] == [
        {"wrong_language"},
        {"contradicts_reference"},
    ]


@pytest.mark.parametrize(
    ("pair", "text", "contradicts"),
    [
        # announced
        (DE_EN, "\n\nAlternatively: “Three books are purchased by the elderly teacher.”", True),
        (DE_EN, "\n\nor\n\nThe aged teacher is buying three books.", True),
        (DE_EN, "\n\nOverall, the sentence means: “The old teacher buys two books.”", True),
        (DE_EN, "\n\nEnglish: The old teacher is going to buy a few books.", True),
        (DE_EN, "\n\n**Another translation**\n\nThe teacher, who is old, buys three books.", True),
        (EN_DE, "\n\nOder: „Der betagte Lehrer erwirbt drei Bände.“", True),
        (EN_IT, "\n\nOppure: «L'anziano insegnante acquista tre volumi.»", True),
        (EN_ZH, "\n\n或者：小狗正在院子里睡觉。", True),
        (EN_RU, "\n\nДругой перевод: «Каждый вечер мой брат читает по книге».", True),
        (EN_CS, "\n\nNebo: „Bratr si každý večer čte knížku.“", True),
        # not announced, but alike
        (DE_EN, "\n\nThe old teachers buy three books.", True),
        (EN_ZH, "\n\n狗正在花园里睡觉。", True),
        # no translation, or the same one
        (DE_EN, "\n\nThe old teacher buys three books.", False),
        (DE_EN, "\n\nThe phrase “the old teacher” is the subject, and “three books” the object.", False),
        (DE_EN, "\n\n“Der alte Lehrer kauft drei Bücher” is a simple sentence of everyday German.", False),
        (DE_EN, "\n\nNote: “kauft” is a verb and means “buys”.", False),
        (DE_EN, "\n\nThe translation keeps the tone of the German.\n\nThe verb stands second in it.", False),
        (EN_DE, "\n\nIn simple English: “The old teacher buys three books.”", False),  # the source
        (EN_DE, "\n\nLiteral translation: “The old teacher buys three books.”", False),
        (DE_EN, "\n\nLiterally: “The old teacher buys three of the books.”", False),
        (ZH_EN, "\n\nWord for word: “Dog in garden inside sleep.”", False),
        (EN_IT, "\n\nTranslation notes: the adjective stands before the noun.", False),
        (EN_CS, "\n\nNebo: „My brother reads one book in the evening.“", False),  # English is not Czech
        (DE_EN, "", False),
    ],
)
def test_contradicts_reference(pair: Pair, text: str, contradicts: bool) -> None:
    assert contradicts_reference(text, pair) is contradicts


def test_likeness() -> None:
    assert likeness("abc", "abc") == 1
    assert likeness("abcd", "xyz") == 0
    assert likeness("night", "nacht") == pytest.approx(2 / 8)  # "ht" of four and four


def test_what_follows_a_healed_token_is_the_rationale() -> None:
    whole = Completion((8, 5, 6, 0), ".\n\nNote", "stop")
    assert Rationale.of(whole) == Rationale((8, 5, 6), ".\n\nNote", "stop")
    assert Rationale.of(whole, ".") == Rationale((5, 6), "\n\nNote", "stop")
    assert ends_at_once(Rationale.of(Completion((8, 0), ".", "stop"), "."))
    assert not ends_at_once(Rationale.of(Completion((8,), ".", "length"), "."))


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_white_space_alone_is_no_rationale(finish: Finish) -> None:
    """As after Llama-2's answers, which end with a space and the end of text."""
    spaces = Rationale.of(Completion((9, 0) if finish == "stop" else (9,), " \n", finish))
    assert spaces == Rationale((), " \n", finish)
    assert Rationale.of(Completion((8, 9, 0), ".\n\n\n", "stop"), ".").ids == ()
    assert "empty" in judge([DE_EN], [spaces])[0]
    assert ends_at_once(spaces) is (finish == "stop")


def test_a_chunk_is_judged_together() -> None:
    def said(text: str, finish: str = "stop") -> Rationale:
        return Rationale((1, 2, 3), text, finish)  # type: ignore[arg-type]

    pairs = [DE_EN, EN_ZH, EN_RU, DE_EN, EN_CS, EN_IT]
    rationales = [
        said("\n\nA simple sentence."),
        said(" A simple  sentence."),  # the same but for spaces
        said("  \n"),
        said("\n\nA simple sentence."),  # another sample of the first pair
        said("\n\nA simple sentence.", "length"),
        said("", "failed"),
    ]
    assert judge(pairs, rationales) == [set(), {"duplicate"}, {"empty"}, set(), {"cut", "duplicate"}, {"failed"}]


def test_the_lab_s_explanations_have_no_faults_but_other_wordings() -> None:
    """They are true and English; those that offer another wording are told by their announcement."""
    rng = Random(4)
    seen = {True: 0, False: 0}
    for _, meaning in zip(range(1000), world.meanings("train", 11), strict=False):
        source, target = rng.choice([("de", "en"), ("en", "de"), ("it", "en"), ("en", "it")])
        pair = Pair(world.say(meaning, source), world.say(meaning, target), source, target)
        text = translation_answer(meaning, source, target, rng)  # type: ignore[arg-type]
        assert not wrong_language(text, pair)
        offers = any(mark in text for mark in ("or\n\n", "It could also be:", "Another way to say it:"))
        assert contradicts_reference(text, pair) is offers, (pair, text)
        seen[offers] += 1
    assert min(seen.values()) > 20


def test_what_the_lab_s_backbone_writes_is_judged() -> None:
    """Real rationales, greedy: a second translation is found where one stands, and nowhere else."""
    from dragoman.generation.hf.engine import HfEngine

    speak = Speaker(Renderer.load(BACKBONE))
    pairs = world.pairs("train", ["de-en", "en-it"], 16, 5)
    engine = HfEngine(BACKBONE, decode=speak.decode)
    answers = dict(
        engine.complete([speak.prefix(pair).ids for pair in pairs], Sampling(96, speak.stop, ban_first=speak.stop))
    )
    rationales = [Rationale.of(answers[n]) for n in range(len(pairs))]
    faults = judge(pairs, rationales)
    assert not any({"wrong_language", "empty", "failed"} & found for found in faults)
    assert ["cut" in found for found in faults] == [rationale.finish == "length" for rationale in rationales]
    announced = ("Another way to say it: “", "could also be: “", "means: “", "sentence is: “", "in English: “")
    for pair, rationale, found in zip(pairs, rationales, faults, strict=True):
        if "contradicts_reference" in found:
            said = [rationale.text.partition(mark)[2].partition("”")[0] for mark in announced]
            assert any(one and one != pair.target for one in said)
    texts = [rationale.text for rationale in rationales]
    assert sum("duplicate" in found for found in faults) == len(texts) - len(set(texts)) > 0
