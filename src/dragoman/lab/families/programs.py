"""Small Python functions, judged by executing them: a skill that the backbone lacks and can be taught."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from dragoman.corpora.records import Check
from dragoman.lab.families.tasks import Task, single

_NAMES = (
    "f",
    "g",
    "h",
    "compute",
    "change",
    "work",
    "result",
    "solve",
    "value",
    "answer",
    "apply",
    "make",
    "run",
    "step",
)


@dataclass(frozen=True, slots=True)
class _Sort:
    """A kind of function: what it takes, what it returns in words and in code, and inputs to try."""

    parameters: str
    words: str
    code: str
    right: Callable[..., object]  # the arguments of the call, then a and b
    inputs: tuple[tuple[object, ...], ...]


Case = tuple[tuple[object, ...], object]  # what the function is given, and what it returns

_NUMBERS = ((0,), (1,), (7,), (-3,), (12,))
_TWO = ((1, 2), (5, 5), (-4, 9), (10, 3))
_TEXTS = (("dog",), ("",), ("Anna",), ("level up",))
_LISTS = (([1, 2, 3],), ([5],), ([4, -2, 9, 9],))

_SORTS = (
    _Sort("x", "x times {a} plus {b}", "x * {a} + {b}", lambda x, a, b: x * a + b, _NUMBERS),
    _Sort("x", "x times {a} minus {b}", "x * {a} - {b}", lambda x, a, b: x * a - b, _NUMBERS),
    _Sort("x", "x plus {a}", "x + {a}", lambda x, a, b: x + a, _NUMBERS),
    _Sort("x", "x minus {a}", "x - {a}", lambda x, a, b: x - a, _NUMBERS),
    _Sort("x", "x times {a}", "x * {a}", lambda x, a, b: x * a, _NUMBERS),
    _Sort("x", "the square of x plus {a}", "x * x + {a}", lambda x, a, b: x * x + a, _NUMBERS),
    _Sort("x", "the remainder of x divided by {a}", "x % {a}", lambda x, a, b: x % a, _NUMBERS),
    _Sort("x", "True if x is greater than {a}", "x > {a}", lambda x, a, b: x > a, _NUMBERS),
    _Sort("x", "True if x is less than {a}", "x < {a}", lambda x, a, b: x < a, _NUMBERS),
    _Sort("x", "True if x can be divided by {a}", "x % {a} == 0", lambda x, a, b: x % a == 0, _NUMBERS),
    _Sort("x, y", "x plus y plus {a}", "x + y + {a}", lambda x, y, a, b: x + y + a, _TWO),
    _Sort("x, y", "{a} times x plus y", "{a} * x + y", lambda x, y, a, b: a * x + y, _TWO),
    _Sort("x, y", "x minus y, times {a}", "(x - y) * {a}", lambda x, y, a, b: (x - y) * a, _TWO),
    _Sort("x, y", "the larger of x and y, plus {a}", "max(x, y) + {a}", lambda x, y, a, b: max(x, y) + a, _TWO),
    _Sort("x, y", "the smaller of x and y, times {a}", "min(x, y) * {a}", lambda x, y, a, b: min(x, y) * a, _TWO),
    _Sort("text", "the text repeated {a} times", "text * {a}", lambda t, a, b: t * a, _TEXTS),
    _Sort("text", "the length of the text plus {a}", "len(text) + {a}", lambda t, a, b: len(t) + a, _TEXTS),
    _Sort("text", "the first {a} letters of the text", "text[:{a}]", lambda t, a, b: t[:a], _TEXTS),
    _Sort("text", "the text without its first {a} letters", "text[{a}:]", lambda t, a, b: t[a:], _TEXTS),
    _Sort("text", "True if the text has more than {a} letters", "len(text) > {a}", lambda t, a, b: len(t) > a, _TEXTS),
    _Sort("items", "the sum of the items plus {a}", "sum(items) + {a}", lambda i, a, b: sum(i) + a, _LISTS),
    _Sort("items", "the largest item times {a}", "max(items) * {a}", lambda i, a, b: max(i) * a, _LISTS),
    _Sort("items", "the list repeated {a} times", "items * {a}", lambda i, a, b: i * a, _LISTS),
    _Sort("items", "every item times {a}", "[x * {a} for x in items]", lambda i, a, b: [x * a for x in i], _LISTS),
    _Sort("items", "every item plus {a}", "[x + {a} for x in items]", lambda i, a, b: [x + a for x in i], _LISTS),
    _Sort(
        "items",
        "the items greater than {a}",
        "[x for x in items if x > {a}]",
        lambda i, a, b: [x for x in i if x > a],
        _LISTS,
    ),
    _Sort("items", "how many items equal {a}", "items.count({a})", lambda i, a, b: i.count(a), _LISTS),
)
_ASKED = (
    "Write a function {call} that returns {words}.",
    "Write a Python function {call}. It returns {words}.",
    "In Python, define {call} so that it returns {words}.",
    "I need a Python function {call} which returns {words}.",
    "Please write {call} in Python. The result is {words}.",
)


def task(rng: Random) -> Task:
    """One function to write."""
    return _drawn(rng)[0]


def explained(rng: Random) -> tuple[Task, str]:
    """A function to write, and what an assistant says about it after the code. All of it is true."""
    drawn, sort, words, name, cases = _drawn(rng)
    one = "," not in sort.parameters
    given, value = rng.choice(cases)
    example = f"{name}({', '.join(map(repr, given))})"
    sentences = [
        f"Explanation: the function takes {sort.parameters.replace(',', ' and')} and returns {words}.",
        f"For example, `{example}` returns {value!r}.",
        f"The function {name} has {'one parameter' if one else 'two parameters'}: {sort.parameters}.",
        f"`{drawn.answer.rpartition('return ')[2]}` means {words}.",
        "The keyword `return` gives the result back.",
    ]
    chosen = rng.sample(sentences, rng.choice((1, 2, 2, 3)))
    return drawn, "\n\n" + rng.choice(("\n\n", "\n", " ")).join(chosen)


def _drawn(rng: Random) -> tuple[Task, _Sort, str, str, list[Case]]:
    sort, name = rng.choice(_SORTS), rng.choice(_NAMES)
    a, b = rng.randint(2, 9), rng.randint(1, 9)
    call, words = f"{name}({sort.parameters})", sort.words.format(a=a, b=b)
    prompt = rng.choice(_ASKED).format(call=call, words=words)
    cases: list[Case] = [(given, sort.right(*given, a, b)) for given in sort.inputs]
    answer = f"def {call}:\n    return {sort.code.format(a=a, b=b)}"
    check = Check("program", {"function": name, "cases": [[list(given), value] for given, value in cases]})
    return single("programs", prompt, check, answer), sort, words, name, cases
