"""What a translation must leave as it is: what is cut out, and what is looked for afterwards."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from dragoman.corpora.translatable.protect import cut, damage, items, worded

FENCED = "Print it:\n\n```python\nprint('{} apples'.format(3))\n\n# done\n```\nThat is all."


def pieces(text: str, lines: tuple[str, ...] = ()) -> list[tuple[str, bool]]:
    found = cut(text, lines)
    assert "".join(piece.text for piece in found) == text
    return [(piece.text.strip(), piece.kept) for piece in found]


def test_a_fenced_block_is_cut_out_with_its_blank_lines() -> None:
    block = FENCED[FENCED.index("```") : FENCED.rindex("```") + 3]
    assert pieces(FENCED) == [("Print it:", False), (block, True), ("That is all.", False)]


def test_a_fence_that_is_never_closed_reaches_to_the_end() -> None:
    assert pieces("So:\n~~~\nx = 1\n\nprint(x)") == [("So:", False), ("~~~\nx = 1\n\nprint(x)", True)]


@pytest.mark.parametrize(
    "code",
    [
        "def f(n):\n    if n == 0:\n        return 1\n\n    return n * f(n - 1)",
        "SELECT name FROM cities\nWHERE size > 10\nORDER BY name;",
        "int[] a = new int[100];\nfor (int i = 0; i < 9; i++) {\n  a[i] = i + 1;\n}",
        "h1 {\n  color: #000;\n}",
        "import random\n\nprint(random.random())",
        "    x = f(2)\n    print(x)",
    ],
)
def test_code_without_a_fence_is_cut_out(code: str) -> None:
    assert pieces(f"Here you are.\n\n{code}\n\nDoes it help?") == [
        ("Here you are.", False),
        (code.strip(), True),
        ("Does it help?", False),
    ]


@pytest.mark.parametrize(
    "prose",
    [
        "A red leaf falls from on high;\nIt lands on the ground with a sigh;",
        "1. import tariffs\n2. return on investment",
        "Find the ring with the elements {0, 2, 4}",
        "If you go there:\n- take a coat\n- take a map",
        "1. Boil the water.\n\n    Wait for five minutes before you go on.",
        "for example:",
    ],
)
def test_prose_is_not_taken_for_code(prose: str) -> None:
    assert pieces(prose) == [(prose, False)]


def test_of_the_real_alpaca_hardly_anything_is_taken_for_code_that_is_none(real_data: Path) -> None:
    path = real_data / "instruction" / "german_alpaca" / "source_tasks" / "tasks_translated_en.json"
    records = json.loads(path.read_text())[::4]
    kept = [piece.text for record in records for piece in cut(record["output"]) if piece.kept and worded(piece.text)]
    assert len(kept) > 60
    bare = [text for text in kept if not re.search(r"[=(){}\[\]<>;@#*]|SELECT|^import \w+$", text)]
    assert bare == []


def test_lines_that_must_stay_are_cut_out_of_the_text_around_them() -> None:
    text = "Do you return?\nOptions:\n- Yes\n- No"
    assert pieces(text, ("Yes", "No")) == [("Do you return?\nOptions:", False), ("- Yes\n- No", True)]
    assert pieces(text) == [(text, False)]


@pytest.mark.parametrize("text", ["", "42", "(B)", "3.5 %", "x", "`a b`", "{name}", "https://example.org/a", "– !"])
def test_what_has_no_word_is_not_translated(text: str) -> None:
    assert not worded(text)
    assert all(piece.kept for piece in cut(text))


def test_each_item_is_of_one_kind() -> None:
    text = (
        "Ask {name} or {{author}} at a.b@c.org, see https://x.org/a?b=1, run `f(2)` with $HOME and %s: <b>7</b> (A) -3"
    )
    found = {kind: dict(counted) for kind, counted in items(text).items() if counted}
    assert found == {
        "placeholder": {"{name}": 1, "{{author}}": 1, "$HOME": 1, "%s": 1},
        "address": {"a.b@c.org": 1, "https://x.org/a?b=1": 1},
        "inline code": {"`f(2)`": 1},
        "tag": {"<b>": 1, "</b>": 1},
        "number": {"7": 1, "-3": 1},
        "option letter": {"(A)": 1},
    }


@pytest.mark.parametrize(
    ("source", "translation", "expected"),
    [
        ("It costs 1,000 euros.", "Es kostet 1,000 Euro.", ""),
        ("It costs 1,000 euros.", "Es kostet 1.000 Euro.", "number: 1,000 is missing, 1.000 is new"),
        ("It was 3.5.", "Es war 3.", "number: 3.5 is missing, 3 is new"),
        ("Five of 12, 12 of 20.", "Fünf von 12, 12 von 20.", ""),
        ("12 and 12", "12", "number: 12 is missing"),
        ("in 2010-2015", "von 2010 bis 2015", ""),
        ("It is -5 outside.", "Es ist 5 draußen.", "number: -5 is missing, 5 is new"),
        ("It is -5.", "Es ist −5.", ""),
        ("page 12", "صفحة ١٢", ""),
        ("50% discount, 3 items", "3 Stück, 50 % Rabatt", ""),
        ("Hello {name}!", "Hallo {Name}!", "placeholder: {name} is missing, {Name} is new"),
        ("Fill in <mask> here.", "Setze <Maske> ein.", "tag: <mask> is missing, <Maske> is new"),
        ("Use `map`.", "Nimm Map.", "inline code: `map` is missing"),
        ("Mail me@x.org.", "Schreib an me@x.org!", ""),
        ("Which?\n(A) one\n(B) two", "Was?\n(A) eins\n(B) zwei", ""),
        ("Which?\n(A) one\n(B) two", "Was?\n(B) eins\n(A) zwei", "option letter: in another order"),
        ("Which?\n(E) one", "Was?\n(UND) eins", "option letter: (E) is missing"),
        ("Which?\nA. one\nB. two", "Was?\nA) eins\nB) zwei", "option letter: A., B. are missing, A), B) are new"),
        ("(B) rather than (A)", "statt (A) eher (B)", ""),
    ],
)
def test_damage(source: str, translation: str, expected: str) -> None:
    assert "; ".join(map(str, damage(source, translation))) == expected


def test_words_of_a_formal_language_are_looked_for_where_they_are_named() -> None:
    source, translation = "not ( True ) and ( False ) is", "nicht ( Wahr ) und ( False ) ist"
    assert damage(source, translation) == []
    (found,) = damage(source, translation, ("True", "False"))
    assert (found.kind, found.missing, found.added) == ("word", ("True",), ())


def test_of_another_service_s_translation_little_is_refused(real_data: Path) -> None:
    """The rows from 5,000 on, where the two files are translations of each other; decimal commas are refused."""
    folder = real_data / "instruction" / "german_alpaca"
    sides = [
        json.loads((folder / name).read_text())[5000::10]
        for name in ("source_tasks/tasks_translated_en.json", "translated/translated_tasks_de_deepl_12k.json")
    ]
    kinds: Counter[str] = Counter()
    for source, target in zip(*sides, strict=True):
        kinds.update(one.kind for one in damage(source["output"], target["output"]))
    assert kinds["number"] < 0.05 * len(sides[0])
    assert sum(kinds.values()) - kinds["number"] < 0.005 * len(sides[0])
