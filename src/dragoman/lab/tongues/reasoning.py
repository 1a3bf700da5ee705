"""Small reasoning tasks with short answers, in English, German or Italian; the lab's stand-in for BBH."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

from dragoman.corpora.records import Check, Question, Turn
from dragoman.lab.families.tasks import Task, capital
from dragoman.lab.families.words import PEOPLE
from dragoman.lab.grammar.entries import Language
from dragoman.lab.tongues import tables
from dragoman.lab.tongues.choice import AT, Half, named, sorted_nouns, with_article
from dragoman.lab.tongues.tables import Triple, triple

Made = tuple[str, str]  # what is asked, and the answer
AND: Triple = triple("and / und / e")
OR: Triple = triple("or / oder / o")
NOT: Triple = triple("not / nicht / non")
TRUTH = {True: triple("true / wahr / vero"), False: triple("false / falsch / falso")}

# Adjectives of people whose Italian form does not tell man from woman: comparative, and who has most of it.
_ORDERS: tuple[tuple[Triple, Triple], ...] = (
    (("stronger than", "stärker als", "più forte di"), ("strongest", "am stärksten", "il più forte")),
    (("younger than", "jünger als", "più giovane di"), ("youngest", "am jüngsten", "il più giovane")),
    (("happier than", "glücklicher als", "più felice di"), ("happiest", "am glücklichsten", "il più felice")),
    (("cleverer than", "klüger als", "più intelligente di"), ("cleverest", "am klügsten", "il più intelligente")),
    (("friendlier than", "freundlicher als", "più gentile di"), ("friendliest", "am freundlichsten",
                                                                 "il più gentile")),
    (("sadder than", "trauriger als", "più triste di"), ("saddest", "am traurigsten", "il più triste")),
    (("faster than", "schneller als", "più veloce di"), ("fastest", "am schnellsten", "il più veloce")),
)  # fmt: skip

# What one has some of, with the Italian for how many of them.
_THINGS: tuple[tuple[Triple, str], ...] = (
    (("cats", "Katzen", "gatti"), "Quanti"), (("books", "Bücher", "libri"), "Quanti"),
    (("friends", "Freunde", "amici"), "Quanti"), (("keys", "Schlüssel", "chiavi"), "Quante"),
    (("horses", "Pferde", "cavalli"), "Quanti"), (("dogs", "Hunde", "cani"), "Quanti"),
    (("letters", "Briefe", "lettere"), "Quante"), (("apples", "Äpfel", "mele"), "Quante"),
    (("hats", "Hüte", "cappelli"), "Quanti"), (("flowers", "Blumen", "fiori"), "Quanti"),
)  # fmt: skip
_COUNTED = tuple(kind for kind, (_, several) in tables.KIND_NAMES.items() if several[0])
_MANY_OF = {"person": "Quante", "plant": "Quante"}


def task(rng: Random, language: Language, half: Half = "all") -> Task:
    """One task of a drawn subject. If it is about kinds of nouns, they are from that half of the facts."""
    subject = rng.choice(tuple(SUBJECTS))
    prompt, answer = SUBJECTS[subject](rng, language, half)
    check = Check("equals", {"values": [answer]})
    turns = (Turn("user", prompt),)
    return Task(Question(f"reasoning-{language}", turns, check, language, subject), answer)


def listed(words: list[str], language: Language) -> str:
    """A list in words: one, two and three."""
    return f"{', '.join(words[:-1])} {AND[AT[language]]} {words[-1]}"


def _boolean(rng: Random, language: Language, half: Half) -> Made:
    at = AT[language]
    facts = [(rng.random() < 0.5, rng.random() < 0.4) for _ in range(3)]  # the word, and whether denied
    one, two = rng.random() < 0.5, rng.random() < 0.5  # whether `and` joins
    said = [f"{NOT[at]} {TRUTH[word][at]}" if denied else TRUTH[word][at] for word, denied in facts]
    a, b, c = (word != denied for word, denied in facts)
    inner = (a and b) if one else (a or b)
    value = (inner and c) if two else (inner or c)
    joins = [(AND if join else OR)[at] for join in (one, two)]
    formula = f"( {said[0]} {joins[0]} {said[1]} ) {joins[1]} {said[2]}"
    frames = {
        "en": ("Is this true or false? {}", "{} is", "What is the value of {}?"),
        "de": ("Ist das wahr oder falsch? {}", "{} ist", "Was ist der Wert von {}?"),
        "it": ("È vero o falso? {}", "{} è", "Qual è il valore di {}?"),
    }
    return rng.choice(frames[language]).format(formula), TRUTH[value][at]


def _counting(rng: Random, language: Language, half: Half) -> Made:
    kind, at = rng.choice(_COUNTED), AT[language]
    nouns = sorted_nouns(half)
    count = rng.randint(1, min(4, len(nouns[kind])))
    chosen = rng.sample(nouns[kind], count)
    others = [noun for other in nouns if other != kind for noun in rng.sample(nouns[other], 1)]
    chosen += rng.sample(others, rng.randint(2 if count == 1 else 1, 3))
    rng.shuffle(chosen)
    things = listed([with_article(noun)[at] for noun in chosen], language)
    several = tables.KIND_NAMES[kind][1][at]
    text = {
        "en": f"Here you see {things}. How many {several} are there?",
        "de": f"Das sind {things}. Wie viele {several} sind das?",
        "it": f"Ecco {things}. {_MANY_OF.get(kind, 'Quanti')} {several} ci sono?",
    }[language]
    return text, tables.NUMBERS[count - 1][at]


def _ordering(rng: Random, language: Language, half: Half) -> Made:
    (comparative, most), at = rng.choice(_ORDERS), AT[language]
    people = rng.sample(PEOPLE, rng.choice((3, 3, 4)))
    than = comparative[at]
    is_ = ("is", "ist", "è")[at]
    lines = [f"{one} {is_} {than} {two}." for one, two in pairwise(people)]
    rng.shuffle(lines)
    asked = {"en": f"Who is the {most[0]}?", "de": f"Wer ist {most[1]}?", "it": f"Chi è {most[2]}?"}[language]
    return f"{' '.join(lines)} {asked}", people[0]


def _dates(rng: Random, language: Language, half: Half) -> Made:
    today, days, name, at = rng.randrange(7), rng.randint(1, 6), rng.choice(PEOPLE), AT[language]
    day, count = tables.DAYS[today][at], tables.NUMBERS[days - 1][at]
    text = {
        "en": f"Today is {day}. {name} comes in {count} days. On which day does {name} come?",
        "de": f"Heute ist {day}. {name} kommt in {count} Tagen. An welchem Tag kommt {name}?",
        "it": f"Oggi è {day}. {name} viene tra {count} giorni. In quale giorno viene {name}?",
    }[language]
    if days == 1:
        text = {
            "en": f"Today is {day}. {name} comes tomorrow. On which day does {name} come?",
            "de": f"Heute ist {day}. {name} kommt morgen. An welchem Tag kommt {name}?",
            "it": f"Oggi è {day}. {name} viene domani. In quale giorno viene {name}?",
        }[language]
    return text, tables.DAYS[(today + days) % 7][at]


def _sorting(rng: Random, language: Language, half: Half) -> Made:
    at, count = AT[language], rng.choice((3, 4))
    numbers = rng.sample(range(len(tables.NUMBERS)), count)
    given = ", ".join(tables.NUMBERS[number][at] for number in numbers)
    frames = {
        "en": ("Sort these numbers, the smallest first: {}", "Put these numbers in order: {}"),
        "de": ("Sortiere diese Zahlen, die kleinste zuerst: {}", "Bringe diese Zahlen in die richtige Reihenfolge: {}"),
        "it": ("Ordina questi numeri, il più piccolo per primo: {}", "Metti in ordine questi numeri: {}"),
    }
    answer = ", ".join(tables.NUMBERS[number][at] for number in sorted(numbers))
    return rng.choice(frames[language]).format(given), answer


def _sums(rng: Random, language: Language, half: Half) -> Made:
    at, name = AT[language], rng.choice(PEOPLE)
    things, many = rng.choice(_THINGS)
    start = rng.randint(2, 9)
    more = rng.random() < 0.5
    change = rng.randint(2, max(2, 12 - start)) if more else rng.randint(1, start - 1)
    a, thing = tables.NUMBERS[start - 1][at], things[at]
    b = ("one", "einen" if thing in ("Schlüssel", "Hunde", "Briefe", "Äpfel", "Hüte", "Freunde") else "eine", "uno")[at]
    if many == "Quante":
        b = "una" if language == "it" else b
    if thing in ("Bücher", "Pferde"):
        b = "eins"
    b = b if change == 1 else tables.NUMBERS[change - 1][at]
    text = {
        "en": f"{name} has {a} {thing} and {'gets' if more else 'gives away'} {b}{' more' if more else ''}. "
        f"How many {thing} does {name} have then?",
        "de": f"{name} hat {a} {thing} und {f'bekommt noch {b}' if more else f'gibt {b} weg'}. "
        f"Wie viele {thing} hat {name} dann?",
        "it": f"{name} ha {a} {thing} e ne {f'riceve ancora {b}' if more else f'dà via {b}'}. "
        f"{many} {thing} ha {name} dopo?",
    }[language]
    return text, tables.NUMBERS[(start + change if more else start - change) - 1][at]


def _odd(rng: Random, language: Language, half: Half) -> Made:
    at, nouns = AT[language], sorted_nouns(half)
    kind, other = rng.sample([kind for kind in nouns if len(nouns[kind]) >= 3], 2)
    stranger = rng.choice(nouns[other])
    words = [named(noun)[at] for noun in (*rng.sample(nouns[kind], 3), stranger)]
    answer = words[3]
    rng.shuffle(words)
    given = ", ".join(words)
    frames = {
        "en": ("Which word does not fit? {}", "One of these is of another kind: {}. Which one?"),
        "de": ("Welches Wort passt nicht? {}", "Eins davon ist von anderer Art: {}. Welches?"),
        "it": ("Quale parola non va bene? {}", "Una di queste è di un altro tipo: {}. Quale?"),
    }
    return capital(rng.choice(frames[language]).format(given)), answer


SUBJECTS: dict[str, Callable[[Random, Language, Half], Made]] = {
    "boolean": _boolean,
    "counting": _counting,
    "ordering": _ordering,
    "dates": _dates,
    "sorting": _sorting,
    "sums": _sums,
    "odd": _odd,
}
