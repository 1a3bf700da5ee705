"""Word problems in one or two steps, answered with the steps written out and "The answer is N." at the end."""

from random import Random

from dragoman.corpora.records import Check
from dragoman.lab.families.tasks import Task, capital, single
from dragoman.lab.families.words import PEOPLE, he, him

_THINGS = (
    "apples",
    "books",
    "coins",
    "stamps",
    "cards",
    "eggs",
    "flowers",
    "pens",
    "cakes",
    "letters",
    "keys",
    "balls",
)
_BOXES = ("boxes", "bags", "baskets", "rooms", "tables", "shelves")
_COSTS = ("book", "ball", "cake", "ticket", "shirt", "cup", "lamp", "hat")

_MORE = (
    "{He} buys {k} more.",
    "{He} gets {k} more from {friend}.",
    "{friend} gives {him} {k} more {things}.",
    "Then {he} finds {k} more {things}.",
    "In the evening {he} gets {k} more.",
)
_FEWER = (
    "{He} gives {k} to {friend}.",
    "{He} loses {k} of them.",
    "Then {he} sells {k} {things}.",
    "{friend} takes {k} of the {things}.",
    "{He} gives away {k} {things}.",
)
_START = ("{name} has {n} {things}.", "{name} owns {n} {things}.", "In the morning {name} has {n} {things}.")
_NOW = (
    "How many {things} does {name} have now?",
    "How many {things} does {he} have in the end?",
    "How many {things} are left for {name}?",
)
_FRAMES = ("{}", "{}", "{}", "Solve this problem. {}", "{} Think step by step.", "Here is a small problem: {}")


def task(rng: Random) -> Task:
    """One problem of a drawn kind."""
    story = rng.choice((_changes, _changes, _changes, _together, _groups, _groups, _share, _cost, _ages, _bare))
    text, steps, value = story(rng)
    answer = f"{steps} The answer is {value}."
    return single("arithmetic", rng.choice(_FRAMES).format(text), Check("number", {"value": value}), answer)


def _small(rng: Random) -> int:
    return rng.randint(2, 15) if rng.random() < 0.8 else rng.randint(2, 30)


def _changes(rng: Random) -> tuple[str, str, int]:
    name, friend = rng.sample(PEOPLE, 2)
    start = rng.randint(5, 45)
    words = {"name": name, "friend": friend, "things": rng.choice(_THINGS), "he": he(name), "him": him(name)}
    words["He"] = capital(words["he"])
    text = [rng.choice(_START).format(n=start, **words)]
    steps = [f"{name} starts with {start} {words['things']}."]
    now = start
    for link in ("", "Then ")[: rng.choice((1, 1, 2))]:
        amount = min(_small(rng), 80 - now)
        if rng.random() < 0.5 and now > 3:
            amount = min(_small(rng), now - 1)
            text.append(rng.choice(_FEWER).format(k=amount, **words))
            steps.append(f"{link}{now} - {amount} = {now - amount}.")
            now -= amount
        else:
            text.append(rng.choice(_MORE).format(k=amount, **words))
            steps.append(f"{link}{now} + {amount} = {now + amount}.")
            now += amount
        if now < 4:
            break
    return " ".join([*text, rng.choice(_NOW).format(**words)]), " ".join(steps), now


def _together(rng: Random) -> tuple[str, str, int]:
    one, two = rng.sample(PEOPLE, 2)
    a, b, things = rng.randint(3, 40), _small(rng), rng.choice(_THINGS)
    if rng.random() < 0.6:
        ask = rng.choice(("How many {} do they have together?", "How many {} do they have in all?"))
        return (
            f"{one} has {a} {things} and {two} has {b} {things}. {ask.format(things)}",
            f"We add the {things}. {a} + {b} = {a + b}.",
            a + b,
        )
    a, b = max(a, b) + 1, min(a, b)
    return (
        f"{one} has {a} {things} and {two} has {b} {things}. How many more {things} does {one} have than {two}?",
        f"We take the difference. {a} - {b} = {a - b}.",
        a - b,
    )


def _groups(rng: Random) -> tuple[str, str, int]:
    count, each = rng.randint(2, 9), rng.randint(2, 9)
    boxes, things, name = rng.choice(_BOXES), rng.choice(_THINGS), rng.choice(PEOPLE)
    text = rng.choice(
        (
            f"There are {count} {boxes} with {each} {things} each.",
            f"{name} has {count} {boxes}. There are {each} {things} in each of them.",
            f"{name} sees {count} {boxes} with {each} {things} in each.",
        )
    )
    steps, now = f"There are {count} {boxes} with {each} {things}. {count} * {each} = {count * each}.", count * each
    if rng.random() < 0.35:
        amount = rng.randint(2, min(now - 1, 12))
        if rng.random() < 0.5:
            text += f" {name} takes away {amount} {things}."
            steps, now = f"{steps} Then {now} - {amount} = {now - amount}.", now - amount
        else:
            text += f" {name} brings {amount} more {things}."
            steps, now = f"{steps} Then {now} + {amount} = {now + amount}.", now + amount
    ask = rng.choice(("How many {} are there in all?", "How many {} are there now?", "What is the number of {}?"))
    return f"{text} {ask.format(things)}", steps, now


def _share(rng: Random) -> tuple[str, str, int]:
    count, each = rng.randint(2, 9), rng.randint(2, 9)
    things, name = rng.choice(_THINGS), rng.choice(PEOPLE)
    people = rng.choice(("friends", "children", "neighbours"))
    text = rng.choice(
        (
            f"{name} shares {count * each} {things} equally among {count} {people}. How many does each one get?",
            f"{count} {people} share {count * each} {things}. How many {things} does each of them get?",
        )
    )
    return text, f"We divide the {things} among {count}. {count * each} / {count} = {each}.", each


def _cost(rng: Random) -> tuple[str, str, int]:
    count, each, thing, name = rng.randint(2, 9), rng.randint(2, 9), rng.choice(_COSTS), rng.choice(PEOPLE)
    total = count * each
    if rng.random() < 0.6:
        text = rng.choice(
            (
                f"A {thing} costs {each} euros. How much do {count} of them cost?",
                f"{name} buys {count} {thing}s for {each} euros each. How many euros does {he(name)} pay?",
            )
        )
        return text, f"Each {thing} costs {each} euros. {count} * {each} = {total}.", total
    pays = total + rng.randint(2, 12)
    text = f"{name} buys {count} {thing}s for {each} euros each and pays with {pays} euros."
    text += f" How much does {he(name)} get back?"
    return (
        text,
        f"Each {thing} costs {each} euros. {count} * {each} = {total}. Then {pays} - {total} = {pays - total}.",
        (pays - total),
    )


def _ages(rng: Random) -> tuple[str, str, int]:
    one, two = rng.sample(PEOPLE, 2)
    age, gap = rng.randint(8, 50), rng.randint(2, 12)
    if rng.random() < 0.5:
        text = f"{one} is {age} years old. {two} is {gap} years older. How old is {two}?"
        return text, f"{two} is older than {one}. {age} + {gap} = {age + gap}.", age + gap
    gap = min(gap, age - 3)
    text = f"{one} is {age} years old. {two} is {gap} years younger. How old is {two}?"
    return text, f"{two} is younger than {one}. {age} - {gap} = {age - gap}.", age - gap


def _bare(rng: Random) -> tuple[str, str, int]:
    kind = rng.choice("+-*")
    a, b = (rng.randint(2, 9), rng.randint(2, 9)) if kind == "*" else (rng.randint(5, 45), _small(rng))
    if kind == "-" and b > a:
        a, b = b, a
    value = {"+": a + b, "-": a - b, "*": a * b}[kind]
    word = {"+": "plus", "-": "minus", "*": "times"}[kind]
    text = rng.choice((f"What is {a} {kind} {b}?", f"Calculate {a} {word} {b}.", f"How much is {a} {word} {b}?"))
    return text, f"{a} {kind} {b} = {value}.", value
