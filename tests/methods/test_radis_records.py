"""RaDis on pairs and conversations, token by token; with rationales of its own and of another vocabulary."""

import pytest

from dragoman.corpora.records import Dialogue, Pair, Record, Turn
from dragoman.generation.ask import Ask, Completion
from dragoman.methods.radis import Options, radis
from dragoman.prompts.speak import Speaker
from tests.methods.method_kit import CHAT, PAIR, RECORDS, Known, ended, plain, says, segments, told

LAB_NOTE = (1629, 1057, 31, 278, 739, 19)  # ⏎⏎Note: a verb.
MISTRAL_NOTE = (13, 13, 12205, 28747, 264, 12143, 28723)
NOTE = "\n\nNote: a verb."


def unfinished(ask: Ask) -> list[Completion]:
    return [Completion((7,) * ask.sampling.max_tokens, "x", "length") for _ in ask.prompts]


def test_rationales_follow_pairs_and_conversations(vocabulary: tuple[Speaker, Known]) -> None:
    speak, known = vocabulary
    note = LAB_NOTE if len(known.prompt) == 19 else MISTRAL_NOTE
    answers = says(ended(note, NOTE, speak), Completion(note[:4], "\n\nNote:", "length"))
    asks, lesson = told(radis(RECORDS, speak, Options(boundary="exact")), unfinished, answers)
    prompts = [known.prompt + known.reference, known.chat_prompt + known.second[1]]
    assert asks[1].prompts == prompts
    assert asks[1].sampling.ban_first == speak.stop
    assert [segments(example) for example in lesson.examples] == [
        [*plain(known)[0][:2], ("rationale", note, 1), ("end", speak.stop[:1], 1)],
        [*plain(known)[1][:2], ("rationale", note[:4], 1)],
    ]
    assert [example.key for example in lesson.examples] == [PAIR.key, CHAT.key]
    assert lesson.report is not None
    assert lesson.report.faults == {"cut": 1}


def test_a_rationale_that_writes_another_reference_is_left_out(lab: tuple[Speaker, Known]) -> None:
    """`return x + y` may be healed to `return x + young`, and a program would be learnt that is none."""
    speak, known = lab
    program = Dialogue((Turn("user", "Write f(x, y)."), Turn("assistant", "def f(x, y):\n    return x + y")))
    records: list[Record] = [PAIR, program, program]
    last = speak.prefix(program).reference[-1]
    young = next(token for token in speak.renderer.extensions(last) if speak.decode((token,)) == " young")
    merged = next(token for token in speak.renderer.extensions(19) if speak.decode((token,)) == ".\n\n")
    answers = says(
        ended((merged, *LAB_NOTE[1:]), "." + NOTE, speak),
        ended((young, 19), " young.", speak),
        ended((last, *LAB_NOTE), " y" + NOTE, speak),
    )
    asks, lesson = told(radis(records, speak, Options(boundary="heal")), unfinished, answers)
    assert asks[1].sampling.heal
    parts = [[segment[:2] for segment in segments(example)[1:]] for example in lesson.examples]
    code = speak.prefix(program).reference
    assert parts == [
        [("reference", (*known.reference[:-1], merged)), ("rationale", LAB_NOTE[1:]), ("end", (2,))],
        [("reference", code), ("end", (2,))],
        [("reference", code), ("rationale", LAB_NOTE), ("end", (2,))],
    ]
    assert lesson.notes == {"rationales left out: they alter the last word of the reference": 1}
    assert lesson.report is not None
    assert (lesson.report.total, lesson.report.used, lesson.report.taken_out) == (3, 2, 1)


def test_a_share_of_conversations_is_enriched_and_weighted(lab: tuple[Speaker, Known]) -> None:
    speak, _ = lab
    many = [Dialogue((Turn("user", f"{n}+{n}?"), Turn("assistant", str(2 * n)))) for n in range(20)]
    options = Options.model_validate({"rationale_fraction": 0.2, "rationale": {"weight": 0.5}, "boundary": "exact"})

    def notes(ask: Ask) -> list[Completion]:
        return [ended(LAB_NOTE, f"{NOTE} {n}", speak) for n in range(len(ask.prompts))]

    asks, lesson = told(radis(many, speak, options), unfinished, notes)
    weights = [segment.weight for e in lesson.examples for segment in e.segments if segment.name == "rationale"]
    assert weights == [0.5] * len(asks[1].prompts)
    assert 0 < len(weights) < 10
    assert len(lesson.examples) == 20


def test_a_share_of_the_pairs_asks_for_the_translation_alone(lab: tuple[Speaker, Known]) -> None:
    speak, _ = lab
    pairs = [Pair(f"Der Hund schläft {n}.", f"The dog sleeps {n}.", "de", "en") for n in range(40)]
    talks = [Dialogue((Turn("user", f"{n}+{n}?"), Turn("assistant", str(2 * n)))) for n in range(20)]
    records: list[Record] = [*pairs, *talks]

    def notes(ask: Ask) -> list[Completion]:
        return [ended(LAB_NOTE, f"{NOTE} {n}", speak) for n in range(len(ask.prompts))]

    def learnt(share: float) -> dict[str, list[tuple[str, tuple[int, ...]]]]:
        options = Options.model_validate({"alone": share, "boundary": "exact"})
        asks, lesson = told(radis(records, speak, options), unfinished, notes)
        made = {example.key: [part[:2] for part in segments(example)] for example in lesson.examples}
        without = {key for key, parts in made.items() if "rationale" not in dict(parts)}
        assert asks[1].prompts == [speak.prefix(record).ids for record in records if record.key not in without]
        assert lesson.notes == ({"asked for the translation alone": len(without)} if without else {})
        return made

    paper, mixed, more = (learnt(share) for share in (0, 0.25, 0.5))
    changed = [
        {key for key, parts in found.items() if "rationale" not in dict(parts)} for found in (paper, mixed, more)
    ]
    assert changed[0] == set() < changed[1] < changed[2] < {pair.key for pair in pairs}  # conversations stay
    for pair in pairs:
        if pair.key in changed[1]:
            wanted = speak.prefix(pair, alone=True)
            assert mixed[pair.key] == [
                ("prompt", wanted.prompt),
                ("reference", wanted.reference),
                ("end", speak.renderer.end),
            ]
            assert "English, and give only the translation" in speak.decode(wanted.prompt)
        else:
            assert mixed[pair.key] == paper[pair.key]


def test_another_model_s_rationales_are_put_into_this_one_s_ids(
    lab: tuple[Speaker, Known], mistral: tuple[Speaker, Known]
) -> None:
    writer, theirs = mistral
    speak, known = Speaker(lab[0].renderer, others={"mistral": writer}), lab[1]
    options = Options.model_validate({"rationale": {"model": "mistral"}, "boundary": "exact"})
    answers = says(ended(MISTRAL_NOTE, NOTE, writer), Completion(MISTRAL_NOTE, NOTE, "length"))
    asks, lesson = told(radis(RECORDS, speak, options), unfinished, answers)
    assert {ask.model for ask in asks} == {"mistral"}
    assert asks[1].prompts == [theirs.prompt + theirs.reference, theirs.chat_prompt + theirs.second[1]]
    assert [segments(example) for example in lesson.examples] == [
        [*plain(known)[0][:2], ("rationale", LAB_NOTE, 1), ("end", known.end, 1)],
        [*plain(known)[1][:2], ("rationale", LAB_NOTE, 1)],
    ]
    assert lesson.report is not None
    assert lesson.report.faults == {"cut": 1, "duplicate": 1}


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("\n\n6", {"repeats_reference": 1}),
        ("\n\nLe verbe est au présent et la phrase n'a pas de sujet exprimé.", {}),  # of pairs a wrong language
        ("\n\nTranslation: six", {}),  # of pairs a second translation
    ],
)
def test_rules_about_languages_are_not_for_conversations(
    lab: tuple[Speaker, Known], text: str, faults: dict[str, int]
) -> None:
    speak, _ = lab
    options = Options.model_validate({"boundary": "exact", "filters": {"repeats_reference": True}})
    _, lesson = told(radis([CHAT], speak, options), unfinished, says(ended(LAB_NOTE, text, speak)))
    assert lesson.report is not None
    assert lesson.report.faults == faults
    assert lesson.report.taken_out == len(faults)
