"""Sample items of a benchmark judged by others: the question, every row's answer, the judge's words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dragoman.corpora.records import draw
from dragoman.report.phrases import number
from dragoman.scoring.results import RowResults
from dragoman.suites import Graded, Item

SHOWN = 2  # items, drawn by a hash; and one that has no judgement, where there is one
ASKED = ("question", "instruction", "prompt")
YES_NO = {100.0: "✓", 0.0: "✗"}
DUEL = {100.0: "won", 50.0: "a draw", 0.0: "lost"}
WHOSE = {"model": "this row", "backbone": "the backbone", "tie": "neither"}


@dataclass(frozen=True, slots=True)
class Version:
    """One row's answer, its value, and what was said of it."""

    row: str
    value: str
    answer: str | None
    judgements: tuple[tuple[str, str], ...]
    """Judgements, each with a heading."""
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """One item with every row's version; `asked` and `wanted` are empty if they were not stored."""

    key: str
    subject: str
    asked: str
    wanted: str
    versions: tuple[Version, ...]


def to_read(family: str, results: Mapping[str, RowResults], unit: str) -> Iterator[Read]:
    """The items of a benchmark that are selected for reading; none if answers were not stored."""
    rows = {name: one for name, result in results.items() for one in result.graded if one.name == family}
    if not rows:
        return
    places = range(len(next(iter(rows.values())).items))
    order = sorted(places, key=lambda at: draw(next(iter(rows.values())).items[at].key, "page"))
    order = [at for at in order if any("answer" in one.items[at].told for one in rows.values())]
    chosen = order[:SHOWN]
    lost = [at for at in order if any(one.items[at].value is None for one in rows.values())]
    if lost and not set(lost) & set(chosen):
        chosen = [*chosen, lost[0]]
    values = {item.value for one in rows.values() for item in one.items} - {None}
    words = YES_NO if unit == "%" and values <= set(YES_NO) else {}
    yield from (_read(rows, at, unit, words) for at in chosen)


def _read(rows: Mapping[str, Graded], at: int, unit: str, words: Mapping[float, str]) -> Read:
    items = {name: one.items[at] for name, one in rows.items()}
    first = next(iter(items.values()))
    turn = f", turn {first.told['turn']}" if "turn" in first.told else ""
    if "backbone" in first.told:
        words = DUEL
    versions = [_version(name, item, unit, words) for name, item in items.items()]
    other = next((item.told["backbone"] for item in items.values() if "backbone" in item.told), None)
    if other is not None:
        versions.insert(0, Version("backbone", "", str(other), (), ()))
    return Read(
        key=first.key,
        subject=f"{first.subject.replace('_', ' ')}{turn}".removeprefix(", "),
        asked=next((str(first.told[name]) for name in ASKED if name in first.told), ""),
        wanted=_text(first.told.get("target")),
        versions=tuple(versions),
    )


def _version(row: str, item: Item, unit: str, words: Mapping[float, str]) -> Version:
    told = item.told
    answer = told.get("answer")
    return Version(
        row=row,
        value="not judged" if item.value is None else words.get(item.value) or _value(item.value, unit),
        answer=None if answer is None else _text(answer),
        judgements=tuple(_judgements(told)),
        remarks=tuple(_remarks(told)),
    )


def _value(value: float, unit: str) -> str:
    return f"{number(value, 0 if value == int(value) else 1)} {'%' if unit == '%' else unit}"


def _judgements(told: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if "judgement" in told:
        yield "judgement", str(told["judgement"])
    sides = _sequence(told.get("verdicts"))
    for number_, said in enumerate(_sequence(told.get("judgements"))):
        side = sides[number_] if number_ < len(sides) else None
        first = "this row’s shown first" if number_ == 0 else "the backbone’s shown first"
        yield f"{first}: {WHOSE.get(str(side), 'no verdict')}", str(said)


def _remarks(told: Mapping[str, object]) -> Iterator[str]:
    """Other things known about an answer, in words."""
    why = told.get("why")
    if isinstance(why, str) and why:
        yield why
    elif isinstance(why, Mapping):
        yield from (f"{count} {what}" for what, count in why.items())
    if "passed" in told and "samples" in told:
        yield f"{told['passed']} of {told['samples']} programs passed"
    if told.get("same"):
        yield "the same answer as the other’s, a draw without a judge"
    if told.get("cut_off"):
        yield "cut off"
    if "first" in told:
        yield f"the {told['first']}’s answer was shown first"
    if "mass" in told:
        yield f"probability of a verdict {told['mass']:.2g}"
    if categories := _sequence(told.get("categories")):
        yield f"categories: {', '.join(map(str, categories))}"
    if "refusal by keywords" in told:
        yield f"second opinion by keywords, no judge: {'refused' if told['refusal by keywords'] else 'not refused'}"


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)
