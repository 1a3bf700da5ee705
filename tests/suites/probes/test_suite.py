"""The suites of probes in a recipe: which questions are asked, in which draw, and what is said of the others."""

from collections import Counter

from dragoman import suites
from dragoman.recipe.judging import Benchmark, Evaluation
from dragoman.suites.probes.files import of_half
from dragoman.suites.probes.suite import FAMILIES, HeldOut, Probes


def suite(limit: int | None = None) -> Probes:
    return Probes("probes", Benchmark(kind="probes", limit=limit))


def test_the_suites_are_found_by_name_and_their_families_have_a_place_in_tables() -> None:
    assert isinstance(suites.find("probes"), Probes)
    held_out = suites.find("probes-b")
    assert isinstance(held_out, HeldOut)
    asked, _ = held_out.questions(0, Evaluation())
    assert {one.family for one in asked} <= {f"{family}-b" for family in FAMILIES} <= suites.shown().keys()
    assert not any(suites.is_skill(family) for family in FAMILIES)


def test_each_half_asks_its_own_questions() -> None:
    texts = {one.turns for one in suite().questions(0, Evaluation(questions=10_000))[0]}
    held_out = {one.turns for one in HeldOut("probes-b", Benchmark(kind="probes-b")).questions(0, Evaluation())[0]}
    assert texts == {one.turns for one in of_half("a")}
    assert held_out
    assert not texts & held_out


def test_a_limit_takes_as_many_of_each_family() -> None:
    families = {one.family for one in of_half("a")}
    limit = len(families) + 1
    found = Counter(one.family for one in suite(limit).questions(0, Evaluation(noise_seeds=0))[0])
    assert sorted(found.values()) == [1] * (limit - 2) + [2]
    assert suite(limit).count(Evaluation(noise_seeds=0)).once == limit


def test_few_questions_leave_others_for_the_noise_floor() -> None:
    settings = Evaluation(questions=2)
    draws = [suite().questions(number, settings)[0] for number in range(3)]
    keys = [{one.key for one in drawn if one.family == "instructions"} for drawn in draws]
    assert [len(one) for one in keys] == [2, 2, 2]
    assert len(keys[0] | keys[1] | keys[2]) == 6
    count = suite().count(settings)
    assert (count.once, count.again) == (len(draws[0]), len(draws[1]))
    left = len(of_half("a")) - sum(map(len, draws))
    assert suite().notes(settings) == {
        "asked of the backbone alone for its noise floor": len(draws[1]) + len(draws[2]),
        "left out: more than evaluation.questions (2) of a family": left,
    }
