"""AlpacaEval: what is asked, what judgements come to, and the published results to every digit."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.generation.ask import Completion
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import BACKBONE
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.judging import Evaluation, Judge
from dragoman.suites import Graded
from dragoman.suites.alpaca_eval.files import read, read_instructions
from dragoman.suites.alpaca_eval.published import published
from dragoman.suites.alpaca_eval.suite import AlpacaEval, AlpacaEval2
from dragoman.suites.alpaca_eval.win_rate import interchanged, ranked, weighted
from dragoman.suites.pairwise import Pairwise
from tests.suites.letters import Letters, asking, ended, said, texts

alpaca_eval, alpaca_eval_2, pairwise = (asking(one) for one in (AlpacaEval, AlpacaEval2, Pairwise))
SETTINGS = Evaluation(seed=5, judge=Judge(model="org/judge"))
IN_ORDER, TURNED = "Sing.", "Draw."
RANKING = {
    "name": "alpaca_eval_gpt4",
    "max_tokens": 100,
    "temperature": 0.0,
    "logprobs": 0,
    "tokens": [],
    "system": "S",
    "prompt": "{instruction}>{output_1}>{output_2}",
}
WEIGHING = RANKING | {
    "name": "weighted",
    "max_tokens": 1,
    "temperature": 1.0,
    "logprobs": 5,
    "tokens": ["m", "M"],
}


def material(judge: dict[str, Any], **outputs: str) -> Any:
    items = [{"instruction": text, "subject": text[0], "output": output} for text, output in outputs.items()]
    return {"texts": [], "items": items, "baseline": "them", "judge": judge}


def likely(*pairs: tuple[str, float]) -> Completion:
    step = tuple((ord(letter), math.log(chance)) for letter, chance in pairs)
    return Completion((step[0][0],), pairs[0][0], "length", (step,))


def test_a_limit_draws_instructions_by_the_seed() -> None:
    everything = material(RANKING, **dict.fromkeys("abcdefgh", "x"))

    def asked(limit: int | None, seed: int) -> list[str]:
        return texts(next(asking(AlpacaEval, limit=limit)("radis", everything, Letters(), Evaluation(seed=seed))))

    few = [asked(3, seed) for seed in range(4)]
    assert {len(drawn) for drawn in few} == {3}
    assert len(set(map(tuple, few))) > 1
    assert few[0] == sorted(few[0])  # in the order of the file
    assert asked(None, 5) == list("abcdefgh")


def test_which_answer_comes_first() -> None:
    assert [interchanged(text) for text in (IN_ORDER, TURNED)] == [False, True]


def test_a_ranking() -> None:
    suite = alpaca_eval("radis", material(RANKING, **{IN_ORDER: "La {output_2}.", TURNED: "Red."}), Letters(), SETTINGS)
    ask = next(suite)
    assert (ask.model, texts(ask), ask.sampling.temperature, ask.sampling.max_tokens) == (
        "radis",
        [IN_ORDER, TURNED],
        0.0,
        2048,
    )
    ask = suite.send([said(" Tra\n", "length"), said("Blue.")])
    assert texts(ask) == ["S|Sing.>La {output_2}.>Tra", "S|Draw.>Blue.>Red."]  # and what looks like a field stays
    sampling = ask.sampling
    assert (ask.model, sampling.temperature, sampling.max_tokens, sampling.logprobs) == ("judge", 0.0, 100, 0)
    first = "[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]"
    graded = ended(suite, [said(first), said(first)])
    assert [item.value for item in graded.items] == [0.0, 100.0]  # the baseline came first, then the model
    assert (graded.name, graded.side, graded.unit, graded.score) == ("alpaca-eval", "instruction", "%", 50.0)
    assert graded.items[1].told == {
        "instruction": "Draw.",
        "answer": "Blue.",
        "preference": 2.0,
        "first": "model",
        "judgement": first,
    }
    assert [item.subject for item in graded.items] == ["S", "D"]
    assert graded.notes == {"cut off": 1}
    assert graded.facts == {
        "wins": 1,
        "losses": 1,
        "draws": 0,
        "n": 2,
        "discrete win rate": 50.0,
        "standard error": 50.0,
        "characters": 4.0,
        "baseline characters": 9.0,
        "length difference": -5.0,
    }
    assert graded.signature.startswith(
        "win-rate|annotator:alpaca_eval_gpt4|judge:org/judge|baseline:them|decoding:greedy|tokens:2048|version:dragoman-"
    )


def test_one_token_weighed() -> None:
    outputs = {IN_ORDER: "La.", TURNED: "Red.", "Jump.": "No.", "Hum.": "Mm."}
    suite = alpaca_eval_2("radis", material(WEIGHING, **outputs), Letters(), SETTINGS)
    next(suite)
    ask = suite.send([said("Tra."), said("Blue."), said("Yes."), said("Mm.\n")])
    assert len(ask.prompts) == 3  # the last answer is the baseline's own: a draw
    assert (ask.sampling.max_tokens, ask.sampling.temperature, ask.sampling.logprobs) == (1, 0, 5)
    graded = ended(
        suite, [likely(("m", 0.6), ("M", 0.2), ("x", 0.1)), likely(("m", 0.6), ("M", 0.2)), likely(("x", 1))]
    )
    assert [item.value for item in graded.items] == [pytest.approx(25), pytest.approx(75), None, 50.0]
    assert graded.score == pytest.approx(50)
    assert graded.notes == {"no judgement": 1}
    assert graded.facts["probability of a verdict"] == pytest.approx(1.6 / 3)
    assert [graded.facts[name] for name in ("wins", "losses", "draws", "n")] == [1, 1, 1, 3]
    assert graded.items[0].told["likely"][1] == ["M", pytest.approx(math.log(0.2))]


def test_what_goes_wrong_is_counted() -> None:
    outputs = {"a" * 30: "La.", "b": "Red.", "c" * 8: "No.", "d": "Mm."}
    speak = Letters(context=20, judge=Letters(context=15))
    suite = alpaca_eval("radis", material(RANKING, **outputs), speak, SETTINGS)
    assert texts(next(suite)) == ["b", "c" * 8, "d"]
    ask = suite.send([said("", "failed"), said("Yes."), said("Ok.")])
    assert len(ask.prompts) == 1
    graded = ended(suite, [said("", "failed")])
    assert graded.notes == {"no room": 1, "failed": 1, "no room at the judge": 1, "failed at the judge": 1}
    assert [item.value for item in graded.items] == [None] * 4
    assert graded.score is None
    assert graded.facts["n"] == 0
    (graded,) = finished(alpaca_eval("radis", material(RANKING, **{"a" * 30: "La."}), speak, SETTINGS))
    assert graded.notes == {"no room": 1}  # and nobody was asked


def finished(suite: Any) -> list[Graded]:
    with pytest.raises(StopIteration) as stopped:
        next(suite)
    found: list[Graded] = stopped.value.value
    return found


@pytest.mark.parametrize(
    ("text", "preference"),
    [
        ("\n[{'model': 'model_2', 'rank': 1}, {'model': 'model_1', 'rank': 2}]", 2),
        ('({"model": "model_1", "rank": 1},)', 1),
        ("[{'model': 'model_1', 'rank': 3}]", None),
        ("[{'model': 'model_2', 'rank': 1}]", None),
        ("[{'model': 'model_1'}]", None),
        ("model_1 is best", None),
        ("[1, 2]", None),
        ("7", None),
        ("", None),
        ("[" * 5000, None),
        ("__import__('os').system('true')", None),
        (r"'\d' 1is", None),
    ],
)
@pytest.mark.filterwarnings("error")
def test_rankings(text: str, preference: int | None) -> None:
    assert ranked(text, turned=False) == preference
    assert ranked(text, turned=True) == (None if preference is None else 3 - preference)


def test_weighing() -> None:
    assert weighted([("m", -0.1)], turned=False) == (1.0, pytest.approx(math.exp(-0.1)))
    assert weighted([("m", -0.1)], turned=True) == (2.0, pytest.approx(math.exp(-0.1)))
    assert weighted([(" m", -0.1), ("Model", -3.0)], turned=True) is None  # not the word itself
    added = weighted([("m", math.log(0.3)), ("M", math.log(0.3)), ("m", math.log(0.3))], turned=False)
    assert added == (pytest.approx(4 / 3), pytest.approx(0.9))
    for value in (math.nan, math.inf, 1000.0):  # which an old cache may hold
        assert weighted([("m", value), ("M", -0.1)], turned=False) is None
    assert weighted([("m", -0.1), ("M", -math.inf)], turned=False) == (1.0, pytest.approx(math.exp(-0.1)))


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("mistral-7b-instruct-v0.2", [290, 28719]),  # at the beginning of a word, and inside one
        ("qwen2.5-7b-instruct", [76]),
    ],
)
def test_which_tokens_read_as_the_word(real_data: Path, name: str, ids: list[int]) -> None:
    speak = Speaker(Renderer.load(real_data / "tokenizers" / name))
    spaced = speak.renderer.tokenizer.convert_tokens_to_ids("Ġm")
    others = [] if spaced is None or spaced == speak.renderer.tokenizer.unk_token_id else [spaced]
    assert [token for token in [*ids, *others] if speak.decode((token,)) == "m"] == ids


PUBLISHED = {
    "alpaca-7b": ("alpaca_eval_gpt4", "data_AlpacaEval", "alpaca-eval"),
    "vicuna-7b": ("weighted_alpaca_eval_gpt4_turbo", "data_AlpacaEval_2", "alpaca-eval-2"),
}


@pytest.mark.parametrize("model", list(PUBLISHED))
def test_every_column_of_the_leaderboards(real_data: Path, model: str) -> None:
    annotator, leaderboard, name = PUBLISHED[model]
    (graded,) = published(real_data / "alpaca_eval" / "results" / model / annotator / "annotations.json")
    table = real_data / "alpaca_eval" / "leaderboards" / leaderboard / f"{annotator}_leaderboard.csv"
    with table.open(encoding="utf-8", newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if row[""] == model]
    facts = graded.facts
    assert (graded.name, facts["system"], graded.notes) == (name, model, {})
    assert facts["standard error"] == float(row["standard_error"])
    assert facts["discrete win rate"] == float(row["discrete_win_rate"])
    counts = ("n_wins", "n_wins_base", "n_draws", "n_total")
    assert [facts[key] for key in ("wins", "losses", "draws", "n")] == [int(row[column]) for column in counts]
    assert int(facts["characters"]) == int(row["avg_length"])
    win_rate = float(row["win_rate"])
    assert graded.score is not None
    if model == "alpaca-7b":  # the leaderboard's is one place off in the last of 17 digits, and its discrete rate's own
        assert win_rate == facts["discrete win rate"] == 26.459627329192543
        assert graded.score == math.nextafter(win_rate, 100)
    else:
        assert graded.score == win_rate == 4.16261116226087


def test_preferences_from_published_log_probabilities(real_data: Path) -> None:
    folder = real_data / "alpaca_eval" / "results"
    path = folder / "vicuna-7b" / "weighted_alpaca_eval_gpt4_turbo" / "annotations.json"
    (graded,) = published(path)
    again = graded.facts["computed again"]
    assert again.pop("largest difference") < 5e-11  # preferences are stored to ten places
    assert again == {"records": 803, "in order": 398, "interchanged": 405, "in the order of this program": 803}
    records = json.loads(path.read_text(encoding="utf-8"))
    without = [record for record in records if record["raw_completion"] is None]
    assert [(record["preference"], record["output_1"] == record["output_2"]) for record in without] == [(1.5, True)] * 2
    (first,) = published(folder / "alpaca-7b" / "alpaca_eval_gpt4" / "annotations.json")
    assert "computed again" not in first.facts


def test_annotations_without_a_preference(tmp_path: Path) -> None:
    records = [
        {"instruction": "a", "output_1": "b", "output_2": "cd", "generator_2": who, "preference": preference}
        for who, preference in (("x", 2), ("x", None), ("x", -1), ("y", float("nan")), ("y", 1.5))
    ]
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(records))
    one, other = published(path)
    assert ([item.value for item in one.items], one.notes) == (
        [100.0, None, None],
        {"no judgement": 2, "judged twice": 2},
    )
    assert len({item.key for item in one.items}) == 3
    assert ([item.value for item in other.items], other.facts["system"]) == ([None, 50.0], "y")
    assert one.name == "unknown"


def test_comparisons_that_stand_in_a_file_twice_are_told(tmp_path: Path) -> None:
    shared = {"generator_2": "x", "preference": 2}
    records = [
        {"instruction": "a", "output_1": "b", "output_2": answer} | shared for answer in ("c", "d")
    ]  # two answers to one instruction are two comparisons
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(records))
    assert published(path)[0].notes == {}
    path.write_text(json.dumps(records * 2))
    (graded,) = published(path)
    assert (graded.notes, graded.facts["n"]) == ({"judged twice": 2}, 4)


def test_all_three_with_a_real_judge(real_data: Path) -> None:
    """The lab's backbone answers, and judges: its verdicts are nonsense, and those that can't be read are counted."""
    renderer = Renderer.load(BACKBONE)
    speak = Speaker(renderer, context=1024)
    engine = HfEngine(BACKBONE, decode=speak.decode, extensions=renderer.extensions, precision="fp32", device="cpu")

    def run(make: Callable[..., Any], kind: str, settings: Evaluation, words: tuple[str, ...] = ()) -> Graded:
        place = [real_data / "alpaca_eval"]
        found: Any = read_instructions(place) if kind == "pairwise" else read(kind, place)
        if words:
            found["judge"]["tokens"] = list(words)
        found["items"] = [
            {"instruction": text, "subject": "", "output": f"{number} of them."}
            for number, text in enumerate(("Say hello.", "Name a colour.", "Count to three."))
        ]
        suite = make("radis", found, speak, settings)
        completions = None
        while True:
            try:
                ask = next(suite) if completions is None else suite.send(completions)
            except StopIteration as end:
                (graded,) = end.value
                assert isinstance(graded, Graded)
                return graded
            prompts = list(ask.prompts)
            if ask.model == "backbone":  # so that it differs
                prompts = [prompt[:-3] + prompt[-2:] for prompt in prompts]
            done = dict(engine.complete(prompts, ask.sampling))
            completions = [done[at] for at in range(len(prompts))]

    settings = SETTINGS.model_copy(update={"judge": Judge(model="lab", max_tokens=30)})
    graded = run(alpaca_eval, "alpaca-eval", settings)
    assert (graded.score, graded.notes.get("no judgement")) == (None, 3)
    graded = run(alpaca_eval_2, "alpaca-eval-2", settings)
    assert graded.notes.get("no judgement", 0) + graded.facts["n"] == 3
    assert all(len(item.told["likely"]) == 5 for item in graded.items)
    likely = graded.items[0].told["likely"]
    first, second = likely[3], likely[1]  # two words that this judge does think of
    graded = run(alpaca_eval_2, "alpaca-eval-2", settings, (first[0], second[0]))
    told = graded.items[0].told
    share = 1 / (1 + math.exp(second[1] - first[1]))
    assert graded.items[0].value == pytest.approx(100 * (share if told["first"] == "model" else 1 - share), abs=1e-3)
    assert 0.05 < told["mass"] < 1
    graded = run(pairwise, "pairwise", settings)
    assert len(graded.items) == 3
    assert graded.notes["verdicts that could not be read"] >= 1
