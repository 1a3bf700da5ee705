"""ParroT's examples: translations, contrastive and error-guided ones, to the letter of its files."""

import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.corpora.amounts import Amounts, Kind, Volume
from dragoman.corpora.formats.judgements import mqm
from dragoman.corpora.records import Learnt, Pair, Rated, RatedTranslation, TranslationError
from dragoman.lab import BACKBONE
from dragoman.lab.ratings import ratings
from dragoman.methods import Expected
from dragoman.methods.parrot import CONTRASTIVE, ERROR_GUIDED, Options, forecast, hint, marked, parrot
from dragoman.pipeline.forecast.amounts import Vocabulary
from dragoman.pipeline.forecast.amounts.ratings import of_rated
from dragoman.pipeline.models.cast import Model
from dragoman.prompts.examples import Example
from dragoman.prompts.languages import language_name
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.prompts.systems import taught
from dragoman.prompts.translation import instructions_in
from dragoman.recipe.judging import Hinted, Instructions, TaughtPrompt
from tests.methods.method_kit import CHAT, PAIR, RECORDS, Known, plain, segments, told

WRONG = TranslationError("Accuracy/Mistranslation", "Major", 4, 7)
RATED = Rated(
    "Der Hund schläft.",
    (
        RatedTranslation("The cat sleeps.", -5, (WRONG,), "A"),
        RatedTranslation("The dog sleeps.", 0, (), "B"),
        RatedTranslation("The dog sleeps.", -3, (), "C"),
        RatedTranslation("The dog is sleeping.", -0.5, (TranslationError("", "Minor"),), "D"),
    ),
    "de",
    "en",
    "talks",
)
BEGIN = (
    "Below is an instruction that describes a task, paired with an input that provides further context. Write a "
    "response that appropriately completes the request.\n\n### Instruction:\n"
)


@pytest.fixture
def speak(lab: tuple[Speaker, Known]) -> Speaker:
    """The lab's backbone as ParroT's users speak to it, judged with a hint."""
    path = Path(lab[0].renderer.tokenizer.name_or_path)
    return Speaker(Renderer.load(path, chat="parrot"), format=taught(TaughtPrompt(system="parrot-hint")))


def made(records: list[Learnt], speak: Speaker, options: Options) -> list[tuple[str, str]]:
    """The requests and answers of a lesson, as text."""
    asks, lesson = told(parrot(records, speak, options))
    assert not asks
    return [_texts(example, speak) for example in lesson.examples]


def _texts(example: Example, speak: Speaker) -> tuple[str, str]:
    prompt, reference, end = example.segments
    assert [segment.weight for segment in example.segments] == [0, 1, 1]
    decode = speak.renderer.tokenizer.decode
    assert end.ids == speak.renderer.end
    whole = decode([*prompt.ids, *reference.ids], clean_up_tokenization_spaces=False)
    asked, _, answer = whole.partition("### Response:")
    return asked.partition(BEGIN)[2], answer


def one(*texts: str) -> Instructions:
    return Instructions(texts=texts)


def test_the_best_stands_against_each_that_is_worse_and_differs(speak: Speaker) -> None:
    options = Options(parts=("contrastive",), contrastive=one("Into [TGT] from [SRC].###We prefer"))
    asked = "Into English from German.\n\n### Input:\nDer Hund schläft.\n\n### Hint: We prefer\n\n"
    cat = (asked, "<p>The dog sleeps.</p> rather than <p>The cat sleeps.</p>")
    assert made([RATED, PAIR], speak, options) == [cat]
    close = (asked, "<p>The dog sleeps.</p> rather than <p>The dog is sleeping.</p>")
    assert made([RATED], speak, options.model_copy(update={"margin": 0.5})) == [cat, close]
    assert made([RATED], speak, options.model_copy(update={"margin": 5.1})) == []


def test_every_error_is_an_example_with_its_place_and_a_hint(speak: Speaker) -> None:
    options = Options(
        parts=("error-guided",), error_guided=Hinted(texts=("Into {target}.###One with [SEV] [ERR] errors",))
    )
    found = made([RATED], speak, options)
    hints = [asked.partition("### Hint: ")[2].strip() for asked, _ in found]
    assert hints == [
        "One with major accuracy/mistranslation errors",
        "One with no errors",
        "One with no errors",
        "One with minor errors",
    ]
    assert [answer for _, answer in found] == [
        "The <v>cat</v> sleeps.",
        "The dog sleeps.",
        "The dog sleeps.",
        "The dog is sleeping.",
    ]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("The cat sleeps.", (0, 3), " <v>The</v> cat sleeps."),
        ("The cat sleeps.", (14, 15), "The cat sleeps <v>.</v> "),
        ("The cat sleeps.", (5, 6), "The c <v>a</v> t sleeps."),
        ("The cat sleeps.", (0, 15), " <v>The cat sleeps.</v> "),
        ("The cat sleeps.", (None, None), "The cat sleeps."),
    ],
)
def test_one_blank_on_either_side_of_a_span(text: str, place: tuple[int | None, int | None], said: str) -> None:
    assert marked(RatedTranslation(text, 0), TranslationError("Style", "Minor", *place)) == said


def test_a_pattern_without_a_place_for_the_category() -> None:
    assert hint("[SEV] errors", WRONG) == "major errors"
    assert hint("[SEV] errors", None) == "no errors"
    assert hint("[SEV] [ERR] errors", replace(WRONG, category="")) == "major errors"


def test_pairs_and_conversations_are_learnt_as_by_plain_fine_tuning(vocabulary: tuple[Speaker, Known]) -> None:
    speak, known = vocabulary
    asks, lesson = told(parrot(RECORDS, speak, Options()))
    assert not asks
    assert [segments(example) for example in lesson.examples] == plain(known)
    assert [example.key for example in lesson.examples] == [PAIR.key, CHAT.key]


def test_pairs_are_learnt_without_the_hint_that_is_judged_with(speak: Speaker) -> None:
    ((asked, answer),) = made([PAIR], speak, Options())
    assert asked == f"Translate the following sentences from German to English.\n\n### Input:\n{PAIR.source}\n\n"
    assert answer == PAIR.target
    judged = speak.decode(speak.translate(PAIR))
    assert f"{PAIR.source}\n\n### Hint: A translation with no errors could be\n\n### Response:" in judged


def test_what_the_backbone_cannot_see_at_once_is_left_out_and_counted(speak: Speaker) -> None:
    short = Speaker(speak.renderer, context=60, format=speak.format)
    _, lesson = told(parrot([RATED], short, Options()))
    assert all(len(example.ids) <= 60 for example in lesson.examples)
    assert lesson.notes["left out: longer than 60 tokens"] == 6 - len(lesson.examples) - 1 > 0


def test_our_own_words_know_both_languages_and_vary(speak: Speaker) -> None:
    records: list[Learnt] = [*ratings("de-en", 60, 0)]
    found = Counter(asked.partition("\n\n### Input:")[0] for asked, _ in made(records, speak, Options()))
    assert len(found) == len(CONTRASTIVE.texts) == len(ERROR_GUIDED.texts) == 5
    assert all("English" in asked and "{" not in asked for asked in found)


def test_a_forecast_of_what_is_made(lab: tuple[Speaker, Known]) -> None:
    records: list[Learnt] = [*ratings("de-en", 50, 0), *ratings("en-it", 50, 0)]
    amounts = of_rated(records, Vocabulary(Model("lab", BACKBONE, ""), None))
    assert {(kind.source, kind.target, kind.rated) for kind in amounts.volumes} == {
        ("de", "en", True),
        ("en", "it", True),
    }
    for parts in (("error-guided",), ("contrastive",), ("contrastive", "error-guided")):
        options = Options.model_validate({"parts": parts})
        _, lesson = told(parrot(records, lab[0], options))
        found = forecast(amounts, options, Expected(0, 0))
        assert found.examples == len(lesson.examples)
        assert found.tokens == pytest.approx(sum(len(example.ids) for example in lesson.examples), rel=0.25)
    pairs = Amounts({Kind("de", "en"): Volume(10, 100, 80)})
    assert forecast(pairs, Options(), Expected(0, 0)).examples == 10
    assert forecast(pairs, Options(parts=("contrastive",)), Expected(0, 0)).examples == 0


def test_published_instructions_and_annotations_to_the_letter(real_data: Path) -> None:
    """Against ParroT's own way: text that is replaced in the rows of the table."""
    files = real_data / "prior_systems" / "parrot"
    contrastive = Instructions(texts=tuple(one.line for one in instructions_in(files / "instruct_t2t.txt")))
    guided = Hinted(texts=tuple(one.line for one in instructions_in(files / "instruct_e2t.txt", Hinted.MARKS)))
    speak = Speaker(
        Renderer.load(real_data / "tokenizers" / "llama-7b", chat="parrot"),
        format=taught(TaughtPrompt(system="parrot")),
    )
    table = mqm.read(files / "mqm" / "mqm_ted_zhen.tsv", ("zh", "en"))
    records: list[Learnt] = [*table.records[:40]]
    known = {one.source for one in table.records[:40]}
    options = Options(parts=("error-guided",), error_guided=guided)
    theirs = Counter(_theirs(files, known))
    ours: Counter[tuple[str, str, str]] = Counter()
    lines = [line.split("###") for line in (files / "instruct_e2t.txt").read_text(encoding="utf-8").splitlines()]
    for asked, answer in made(records, speak, options):
        instruction, _, rest = asked.partition("\n\n### Input:\n")
        source, _, hinted = rest.removesuffix("\n\n").partition("\n\n### Hint: ")
        patterns = [pattern for spoken, pattern in lines if _named(spoken) == instruction]
        severity = next(found for found in (_between(pattern, hinted) for pattern in patterns) if found)
        ours[source, severity, answer] += 1
    assert ours == theirs
    assert sum(ours.values()) > 200
    options = Options(parts=("contrastive",), contrastive=contrastive)
    whole = {(_named(line[0]), line[1]) for line in map(_parted, _lines(files / "instruct_t2t.txt"))}
    for asked, answer in made(records, speak, options):
        instruction, _, rest = asked.partition("\n\n### Input:\n")
        source, _, hinted = rest.removesuffix("\n\n").partition("\n\n### Hint: ")
        assert (instruction, hinted) in whole
        assert source in known
        assert answer.startswith("<p>")
        assert answer.endswith("</p>")
        assert "</p> rather than <p>" in answer


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _parted(line: str) -> list[str]:
    return line.split("###")


def _named(instruction: str) -> str:
    return instruction.replace("[SRC]", language_name("zh")).replace("[TGT]", language_name("en"))


def _between(pattern: str, hinted: str) -> str:
    """What stands in a hint for severity and category."""
    before, after = pattern.split("[SEV] [ERR]")
    fits = hinted.startswith(before) and hinted.endswith(after)
    return hinted[len(before) : len(hinted) - len(after)] if fits else ""


def _theirs(files: Path, sources: set[str]) -> list[tuple[str, str, str]]:
    """Source, severity with category, and answer of each row, without what differs: our renderer takes the ends of
    answers off, and our reader the marks that stand in sources where something was left out.
    """
    found = []
    for line in _lines(files / "mqm" / "mqm_ted_zhen.tsv")[1:]:
        source, target, category, severity = line.split("\t")[5:9]
        source = source.replace("<v>", "").replace("</v>", "").strip()
        if source in sources:
            said = "no" if severity == "No-error" else f"{severity} {category}".lower()
            text = target.strip().replace("<v>", " <v>").replace("  <v>", " <v>")
            found.append((source, said, text.replace("</v>", "</v> ").replace("</v>  ", "</v> ").strip()))
    return found


def test_pairs_come_with_those_before_them_of_the_same_direction_and_document(speak: Speaker) -> None:
    pairs = [
        Pair(f"Satz {number}.", f"Sentence {number}.", *direction, document=document)
        for number, (direction, document) in enumerate(
            [(("de", "en"), ""), (("de", "en"), ""), (("it", "en"), ""), (("de", "en"), "")] * 20
            + [(("de", "en"), "a"), (("de", "en"), "a"), (("de", "en"), "b")] * 10
        )
    ]
    counts: Counter[int] = Counter()
    betweens: Counter[str] = Counter()
    for pair, (asked, answer) in zip(pairs, made([*pairs], speak, Options(context=3)), strict=True):
        like = [one for one in pairs[: pairs.index(pair)] if one.direction == pair.direction]
        sentences = re.split(r"(?<=\.)[ \n]", answer)
        count = len(sentences) - 1
        together = [*like[len(like) - count :], pair]
        assert sentences == [one.target for one in together]
        assert {one.document for one in together} == {pair.document}
        between = "\n" if "\n" in answer else " "
        assert between.join(one.source for one in together) in asked
        counts[count] += 1
        betweens[between if count else ""] += 1
    assert set(counts) == {0, 1, 2, 3}
    assert min(betweens.values()) > 10
    alone = [answer for _, answer in made([*pairs], speak, Options())]
    assert alone == [pair.target for pair in pairs]


def test_a_pair_stands_alone_where_the_others_would_not_be_seen(speak: Speaker) -> None:
    pairs: list[Learnt] = [Pair(f"Satz {number}.", f"Sentence {number}.", "de", "en") for number in range(30)]
    _, plain = told(parrot(pairs, speak, Options()))
    longest = max(len(example.ids) for example in plain.examples)
    _, lesson = told(parrot(pairs, Speaker(speak.renderer, context=longest, format=speak.format), Options(context=3)))
    assert [example.ids for example in lesson.examples] == [example.ids for example in plain.examples]
    assert not lesson.notes


def test_context_is_foreseen() -> None:
    pairs = Amounts({Kind("de", "en"): Volume(10, 100, 80)})
    assert forecast(pairs, Options(), Expected(0, 0)).tokens == 180
    assert forecast(pairs, Options(context=3), Expected(0, 0)).tokens == 180 + 2 * 80 * 1.5


def test_a_pair_with_others_before_it_keeps_the_instruction_of_its_row(lab: tuple[Speaker, Known]) -> None:
    said = {"system": "alpaca-lora", "instructions": ["One [TGT].", "Two [TGT].", "Three [TGT]."], "pick": "row"}
    folder = lab[0].renderer.tokenizer.name_or_path
    speak = Speaker(Renderer.load(Path(folder), chat="parrot"), format=taught(TaughtPrompt.model_validate(said)))
    pairs: list[Learnt] = [Pair(f"Satz {number}.", f"Sentence {number}.", "de", "en") for number in range(12)]
    found = made(pairs, speak.counting(pairs, 0), Options(context=3))
    assert [asked.split()[0] for asked, _ in found] == ["One", "Two", "Three"] * 4
    assert any(answer.count(".") > 1 for _, answer in found)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75])
def test_a_share_of_the_examples_is_a_part_of_all_and_foreseen(share: float, lab: tuple[Speaker, Known]) -> None:
    records: list[Learnt] = [*ratings("de-en", 100, 0)]
    _, whole = told(parrot(records, lab[0], Options()))
    options = Options(contrastive_amount=share, error_guided_amount=share)
    _, lesson = told(parrot(records, lab[0], options))
    assert {example.key for example in lesson.examples} <= {example.key for example in whole.examples}
    assert len(lesson.examples) == pytest.approx(share * 700, abs=4 * math.sqrt(700 * share * (1 - share)))
    amounts = of_rated(records, Vocabulary(Model("lab", BACKBONE, ""), None))
    assert forecast(amounts, options, Expected(0, 0)).examples == pytest.approx(share * 700)
