"""The report on rationales: what it counts, and that parts of a run add up to the whole."""

import json
from random import Random

import pytest

from dragoman.rationales.faults import FAULTS, Fault, Rationale
from dragoman.rationales.report import STEPS, WORDS, RationaleReport


def made(*sizes: int) -> list[Rationale]:
    return [Rationale((1,) * size, "x" * size, "stop") for size in sizes]


def test_counts() -> None:
    rationales = [*made(0, 5, 31), Rationale((1,) * 96, "y", "length"), Rationale((), "", "failed")]
    faults: list[set[Fault]] = [{"empty"}, set(), {"contradicts_reference"}, {"cut", "repeating"}, {"failed"}]
    report = RationaleReport.of(rationales, faults, {"cut", "repeating", "duplicate"})
    assert report.total == 5
    assert report.used == 2  # not the empty one, the one taken out, and the failed one
    assert report.taken_out == 1
    assert (report.tokens, report.longest, report.mean) == (132, 96, 33)
    assert report.lengths == {0: 1, 4: 1, 24: 1, 96: 1}
    assert report.faults == dict.fromkeys(("empty", "contradicts_reference", "cut", "repeating", "failed"), 1)
    assert report.filtered == {"cut": 1, "repeating": 1}


def test_the_median_is_right_to_the_width_of_a_bin() -> None:
    rng = Random(2)
    sizes = sorted(int(rng.lognormvariate(3.5, 0.6)) for _ in range(999))
    report = RationaleReport.of(made(*sizes), [set()] * 999)
    middle = sizes[499]
    low = max(step for step in STEPS if step <= middle)
    assert report.median is not None
    assert low <= report.median <= STEPS[STEPS.index(low) + 1]
    assert abs(report.median - middle) <= 2
    assert report.longest == sizes[-1]
    assert report.mean == pytest.approx(sum(sizes) / 999)
    assert RationaleReport.of(made(7), [set()]).median == pytest.approx(6.5)
    assert RationaleReport().median is None
    assert RationaleReport().mean is None


def test_bins_are_in_order_and_hold_any_length() -> None:
    assert STEPS[:10] == (0, 1, 2, 3, 4, 6, 8, 12, 16, 24)
    assert list(STEPS) == sorted(set(STEPS))
    assert STEPS[-1] >= 512 * 1024


def test_two_parts_add_up_to_the_whole_and_survive_the_disk() -> None:
    rng = Random(3)
    rationales = made(*(rng.randrange(200) for _ in range(300)))
    faults: list[set[Fault]] = [{fault for fault in FAULTS[1:] if rng.random() < 0.1} for _ in rationales]
    filters: set[Fault] = {"duplicate", "cut"}
    whole = RationaleReport.of(rationales, faults, filters)
    parts = [RationaleReport.of(rationales[n : n + 70], faults[n : n + 70], filters) for n in range(0, 300, 70)]
    read = [RationaleReport.from_json(json.loads(json.dumps(part.to_json()))) for part in parts]
    assert read == parts
    assert sum(read, RationaleReport()) == whole
    assert whole.taken_out < whole.filtered["duplicate"] + whole.filtered["cut"]  # some have both
    probed = RationaleReport(probed=64, stopping=9) + RationaleReport(probed=10, stopping=1)
    assert (probed.probed, probed.stopping) == (74, 10)


def test_the_json_has_what_a_reader_wants() -> None:
    data = RationaleReport.of(made(3, 9, 9), [set(), {"cut"}, set()], {"cut"}).to_json()
    assert data["mean"] == 7
    assert data["lengths"] == {"3": 1, "8": 2}
    assert data["faults"] == {fault: int(fault == "cut") for fault in FAULTS}
    assert data["filtered"] == {"cut": 1}


def test_a_sentence() -> None:
    assert RationaleReport().sentence() == "0 rationales"
    faults: list[set[Fault]] = [{"cut"}, {"cut", "repeating"}, set()]
    report = RationaleReport.of(made(20, 40, 30), faults, {"repeating"}) + RationaleReport(probed=64, stopping=3)
    assert report.sentence() == (
        "3 rationales of 30 tokens: 2 cut off at the limit, 1 going round in circles, 1 taken out; "
        "asked freely, 3 of 64 would have ended at once"
    )
    assert WORDS.keys() == set(FAULTS)
