"""MT-Bench: what is asked in which order, what is made of the answers, and published judgements read again."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import DataError
from dragoman.generation.ask import Completion
from dragoman.lab import BACKBONE
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.judging import Evaluation, Judge
from dragoman.suites._judge import judge_prompt, rating
from dragoman.suites.mt_bench.files import read
from dragoman.suites.mt_bench.published import published
from dragoman.suites.mt_bench.suite import MtBench, judge_text
from tests.suites.letters import Letters, asking, ended, said, texts

mt_bench = asking(MtBench)
SETTINGS = Evaluation(seed=5, judge=Judge(model="org/judge"))
PROMPTS = {
    "single-v1": {"system": "S1", "template": "{question}>{answer}"},
    "single-math-v1": {"system": "S2", "template": "{question}>{ref_answer_1}>{answer}"},
    "single-v1-multi-turn": {"system": "S3", "template": "{question_1}>{answer_1}>{question_2}>{answer_2}"},
    "single-math-v1-multi-turn": {
        "system": "S4",
        "template": "{ref_answer_1}+{ref_answer_2}>{question_1}>{answer_1}>{question_2}>{answer_2}",
    },
}
QUESTIONS = [
    {"id": 1, "category": "writing", "turns": ["w1", "w2"]},
    {"id": 2, "category": "math", "turns": ["m1", "m2"], "reference": ["r1", "r2"]},
    {"id": 3, "category": "stem", "turns": ["s1", "s2"]},
    {"id": 4, "category": "gardening", "turns": ["g1"]},
]
MATERIAL = {"texts": [], "questions": QUESTIONS, "prompts": PROMPTS}


def test_two_turns_by_temperature_then_the_judge() -> None:
    suite = mt_bench("radis", MATERIAL, Letters(judge=Letters(stop=(9,))), SETTINGS)
    asked = []
    answers: list[Completion] = []
    ask = next(suite)
    while ask.model == "radis":
        asked.append((texts(ask), ask.sampling.temperature, ask.sampling.seed))
        assert (ask.sampling.max_tokens, ask.sampling.stop) == (1024, (0,))
        answers = [said(f" {text[-2:].upper()} \n") for text in texts(ask)]
        ask = suite.send(answers)
    assert asked == [
        (["w1", "g1"], 0.7, 5),
        (["m1"], 0.0, 0),
        (["s1"], 0.1, 5),
        (["w1|W1|w2"], 0.7, 5),
        (["m1|M1|m2"], 0.0, 0),
        (["s1|S1|s2"], 0.1, 5),
    ]
    assert (ask.model, ask.sampling.temperature, ask.sampling.max_tokens, ask.sampling.stop) == (
        "judge",
        0.0,
        2048,
        (9,),
    )
    assert texts(ask) == [
        "S1|w1>W1",
        "S3|w1>W1>w2>W2",
        "S2|m1>r1>M1",
        "S4|r1+r2>m1>M1>m2>M2",
        "S1|s1>S1",
        "S3|s1>S1>s2>S2",
        "S1|g1>G1",
    ]
    ratings = ["[[9]]", "Rating: [4]", "[[1]]", "I can't say.", "[[100]]", "[[7.5]]", "[[10]]"]
    graded = ended(suite, [said(text) for text in ratings])
    assert [(item.key, item.subject, item.value) for item in graded.items] == [
        ("1-1", "writing", 9.0),
        ("1-2", "writing", 4.0),
        ("2-1", "math", 1.0),
        ("2-2", "math", None),
        ("3-1", "stem", None),
        ("3-2", "stem", 7.5),
        ("4-1", "gardening", 10.0),
    ]
    assert graded.score == pytest.approx(31.5 / 5)
    assert graded.facts == {"turn 1": 20 / 3, "turn 2": 11.5 / 2, "characters": 2.0, "words": 1.0}
    assert graded.notes == {"no judgement": 1, "off the scale": 1}
    assert (graded.unit, graded.side, graded.kept) == ("/10", "instruction", True)
    assert graded.signature.startswith("mt-bench|judge:org/judge|prompts:single-v1-")
    assert "|answer:1024|judgement:2048|seed:5|version:dragoman-" in graded.signature
    told = {"turn": 2, "question": "m2", "answer": "M2", "cut_off": False}
    assert graded.items[3].told == told | {"judgement": "I can't say.", "why": "no judgement"}


def test_what_goes_wrong_is_counted_once_and_has_no_value() -> None:
    speak = Letters(context=6, judge=Letters(context=14))
    material = MATERIAL | {"questions": [*QUESTIONS[:3], {"id": 5, "category": "stem", "turns": ["s" * 6, "s2"]}]}
    suite = mt_bench("radis", material, speak, SETTINGS)
    assert texts(next(suite)) == ["w1"]
    assert texts(suite.send([said("a very long answer", "length")])) == ["m1"]
    assert texts(suite.send([said("", "failed")])) == ["s1"]  # and not the one of six letters
    ask = suite.send([said("", "stop")])
    assert ask.model == "judge"  # no second turn has room: `s1||s2` alone is as long as the context
    assert texts(ask) == ["S1|s1>"]  # nor has the judge, for the long answer
    graded = ended(suite, [said("", "failed")])
    assert [item.value for item in graded.items] == [None] * 8
    assert graded.score is None
    assert [item.told["why"] for item in graded.items] == [
        "no room for the judge",
        "no room for an answer",
        "no answer",
        "no first answer",
        "judge failed",
        "no room for an answer",
        "no room for an answer",
        "no first answer",
    ]
    assert graded.notes == {
        "no room for the judge": 1,
        "no room for an answer": 3,
        "no answer": 1,
        "no first answer": 2,
        "judge failed": 1,
        "cut off": 1,
        "empty": 1,
    }
    assert set(graded.facts) == {"characters", "words"}


def test_nothing_to_judge_asks_no_judge() -> None:
    suite = mt_bench("radis", MATERIAL, Letters(context=1), SETTINGS)
    with pytest.raises(StopIteration) as stopped:
        next(suite)
    (graded,) = stopped.value.value
    assert (graded.score, graded.notes) == (None, {"no room for an answer": 4, "no first answer": 3})


def test_longer_answers_where_the_recipe_allows_them() -> None:
    settings = Evaluation(max_tokens=3000, judge=Judge(model="j", max_tokens=300))
    suite = mt_bench("radis", MATERIAL | {"questions": QUESTIONS[3:]}, Letters(), settings)
    assert next(suite).sampling.max_tokens == 3000
    assert suite.send([said("x")]).sampling.max_tokens == 300


def test_a_limit_draws_questions_by_the_seed() -> None:
    questions = [{"id": number, "category": "math", "turns": [str(number)], "reference": ["r"]} for number in range(9)]

    def asked(limit: int | None, seed: int) -> list[str]:
        material = MATERIAL | {"questions": questions}
        return texts(next(asking(MtBench, limit=limit)("radis", material, Letters(), Evaluation(seed=seed))))

    everything = [str(number) for number in range(9)]
    assert asked(None, 0) == asked(20, 1) == everything
    draws = [asked(4, seed) for seed in range(6)]
    assert all(len(drawn) == 4 and drawn == sorted(drawn) for drawn in draws)
    assert asked(4, 0) == draws[0]
    assert len(set(map(tuple, draws))) > 3


# --- published files


@pytest.fixture
def folder(real_data: Path) -> Path:
    return real_data / "mt_bench" / "mt_bench"


@pytest.fixture
def judgements(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "model_judgment" / "gpt-4_single.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_published_judgements_give_the_published_means(folder: Path, judgements: list[dict[str, Any]]) -> None:
    (graded,) = published([folder / "model_judgment" / "gpt-4_single.jsonl"], folder / "question.jsonl")
    assert graded.score == pytest.approx(2.7, abs=1e-12)
    assert graded.facts == {"system": "Meta-Llama-3-8B-Instruct-Griffin", "turn 1": 3.1375, "turn 2": 2.2625}
    assert graded.notes == {}  # so every rating is the one in the judgement's text
    assert len(graded.items) == len({item.key for item in graded.items}) == 160
    questions = map(json.loads, (folder / "question.jsonl").read_text(encoding="utf-8").splitlines())
    category = {question["question_id"]: question["category"] for question in questions}
    expected, found = defaultdict(list), defaultdict(list)
    for judgement in judgements:
        expected[category[judgement["question_id"]]].append(judgement["score"])
    for item in graded.items:
        assert item.value is not None
        found[item.subject].append(item.value)
    means = {name: sum(scores) / len(scores) for name, scores in found.items()}
    assert means == pytest.approx({name: sum(scores) / len(scores) for name, scores in expected.items()}, abs=1e-12)
    assert len(means) == 8
    assert len(set(means.values())) > 5


def test_every_published_rating_is_read_out_of_its_text(judgements: list[dict[str, Any]]) -> None:
    assert len(judgements) == 160
    assert [rating(judgement["judgment"]) for judgement in judgements] == [one["score"] for one in judgements]


def test_every_published_judge_prompt_is_rebuilt(real_data: Path, judgements: list[dict[str, Any]]) -> None:
    material = read([real_data / "mt_bench"])
    questions = {question["id"]: question for question in material["questions"]}
    first: dict[int, str] = {}
    rebuilt = 0
    for judgement in sorted(judgements, key=lambda one: one["turn"]):
        number, prompt = judgement["question_id"], judgement["user_prompt"]
        if judgement["turn"] == 1:
            first[number] = prompt.split("[The Start of Assistant's Answer]\n")[1].removesuffix(
                "\n[The End of Assistant's Answer]"
            )
            answers = [first[number]]
        else:  # the first answer is the one that was judged before
            last = prompt.rpartition("### Assistant A:\n")[2]
            answers = [first[number], last.removesuffix("\n\n<|The End of Assistant A's Conversation with User|>")]
        assert judge_text(material["prompts"], questions[number], answers)[1] == prompt
        rebuilt += 1
    assert rebuilt == 160


def test_a_chat_server_is_told_published_judge_prompts_as_they_are(
    real_data: Path, judgements: list[dict[str, Any]]
) -> None:
    """Read back from ids, as for a server that takes text alone, each is the conversation that it was."""
    prompts = read([real_data / "mt_bench"])["prompts"]
    renderer = Renderer.load(BACKBONE)
    for judgement in judgements[::5]:
        system = prompts[judgement["judge"][1]]["system"]
        told = renderer.turns(judge_prompt(Speaker(renderer), system, judgement["user_prompt"]))
        assert [(turn.role, turn.text.strip()) for turn in told] == [
            ("system", system.strip()),
            ("user", judgement["user_prompt"].strip()),
        ]


def test_several_models_in_several_files(tmp_path: Path) -> None:
    def line(model: str, question: int, turn: int, score: float, **more: Any) -> str:
        return json.dumps({"model": model, "question_id": question, "turn": turn, "score": score, **more}) + "\n"

    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    one.write_text(
        line("m", 90, 1, -1, judge=["gpt-4", "single-v1"], judgment="$ERROR$")
        + line("m", 81, 1, 8, judge=["gpt-4", "single-v1"], judgment="[[8]]")
        + line("n", 81, 1, 3, judge=["gpt-4", "single-v1"], judgment="[[4]]")
    )
    other.write_text(
        line("m", 81, 2, 5, judge=["gpt-4", "single-v1-multi-turn"]) + line("m", 81, 1, 2, judge=["gpt-4", "single-v1"])
    )
    m, n = published([one, other])
    assert [(item.key, item.value) for item in m.items] == [("81-1", 8), ("81-1#2", 2), ("81-2", 5), ("90-1", None)]
    assert (m.score, m.facts) == (5, {"system": "m", "turn 1": 5, "turn 2": 5})
    assert m.notes == {"no judgement": 1, "judged twice": 1}
    assert m.signature.startswith("mt-bench|judge:gpt-4|")
    assert (n.score, n.notes) == (3, {"rating differs from the judgement": 1})


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"g1_winner": "model_1"}, "compares two models"),
        ({"question_id": 1, "model": "m"}, r"line 1: no judgement of FastChat's; 'turn', 'score' missing"),
        ({"question_id": 1, "model": "m", "turn": 1, "score": "7"}, "'turn' and 'score' must be numbers"),
        ({"question_id": 1, "model": "m", "turn": 1, "score": True}, "'turn' and 'score' must be numbers"),
        ({"question_id": 1, "model": "m", "turn": 1, "score": 95}, "a score of 95, where ratings go to 10"),
        ({"question_id": 1, "model": "m", "turn": 1, "score": -7}, "a score of -7, where ratings go to 10"),
        ({"question_id": 1, "model": "m", "turn": 1, "score": float("nan")}, "a score of nan, where ratings go to 10"),
        ({"question_id": 1, "model": ["m"], "turn": 1, "score": 7}, "'model' must be a name"),
        (None, "there are no judgements in"),
    ],
)
def test_other_files(tmp_path: Path, record: Any, said: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("" if record is None else json.dumps(record) + "\n")
    with pytest.raises(DataError, match=said):
        published([path])
