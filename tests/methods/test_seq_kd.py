"""Seq-KD: the reference and the own answer to one prompt, token by token."""

from dragoman.generation.ask import Completion, Sampling
from dragoman.methods.seq_kd import Options, seq_kd
from dragoman.prompts.speak import Speaker
from tests.methods.method_kit import CHAT, PAIR, RECORDS, Known, ended, plain, says, segments, told


def test_reference_and_own_answer_carry_the_same_prompt(vocabulary: tuple[Speaker, Known]) -> None:
    speak, known = vocabulary
    own = ended(known.own, "The dog is asleep.", speak)
    cut = Completion(known.second[1] + known.own, "6 The dog is asleep.", "length")
    asks, lesson = told(seq_kd(RECORDS, speak, Options()), says(own, cut))
    assert [(ask.model, ask.prompts) for ask in asks] == [("backbone", [known.prompt, known.chat_prompt])]
    assert asks[0].sampling == Sampling(256, speak.stop)
    assert [segments(example) for example in lesson.examples] == [
        plain(known)[0],
        [("prompt", known.prompt, 0), ("own", known.own, 1), ("end", speak.stop[:1], 1)],
        plain(known)[1],
        [("prompt", known.chat_prompt, 0), ("own", known.second[1] + known.own, 1)],
    ]
    assert [example.key for example in lesson.examples] == [
        PAIR.key,
        f"{PAIR.key}#own",
        CHAT.key,
        f"{CHAT.key}#own",
    ]
    assert +lesson.notes == {"own answers": 2, "own answers cut off at the limit": 1}


def test_own_answers_are_counted(lab: tuple[Speaker, Known]) -> None:
    speak, known = lab
    same = ended(known.reference, " The dog sleeps.\n", speak)
    empty = ended((19, 19), " \n", speak)
    at_once = ended((), "", speak)
    failed = Completion((), "", "failed", why="busy")
    _, lesson = told(seq_kd([PAIR] * 5, speak, Options()), says(same, empty, at_once, failed, same))
    assert [example.key.removeprefix(PAIR.key) for example in lesson.examples] == ["", "#own", "", "", "", "", "#own"]
    assert +lesson.notes == {
        "own answers": 2,
        "own answers that are the reference": 2,
        "own answers left out: empty": 2,
        "own answers left out: failed": 1,
    }


def test_answers_are_drawn_as_the_recipe_says(lab: tuple[Speaker, Known]) -> None:
    speak, known = lab
    options = Options(max_tokens=9, temperature=0.7, seed=3)
    asks, _ = told(seq_kd([PAIR], speak, options), says(ended(known.own, "The dog is asleep.", speak)))
    assert asks[0].sampling == Sampling(9, speak.stop, temperature=0.7, seed=3)
