"""Questions about a short text, in English, German or Italian: the answer stands in the text."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from dragoman.corpora.records import Check, Question, Turn
from dragoman.lab.families.tasks import Task, capital
from dragoman.lab.families.words import PEOPLE

Language = Literal["en", "de", "it"]
_INDEX: dict[Language, int] = {"en": 0, "de": 1, "it": 2}

Triple = tuple[str, str, str]

# What people do: the verb of a third person, its English infinitive, and the objects it takes.
_DEEDS: tuple[tuple[Triple, str, tuple[Triple, ...]], ...] = (
    (("buys", "kauft", "compra"), "buy", (
        ("an apple", "einen Apfel", "una mela"), ("a book", "ein Buch", "un libro"),
        ("a lamp", "eine Lampe", "una lampada"),
        ("the bread", "das Brot", "il pane"), ("a hat", "einen Hut", "un cappello"),
        ("the cheese", "den Käse", "il formaggio"))),
    (("reads", "liest", "legge"), "read", (
        ("a letter", "einen Brief", "una lettera"), ("the newspaper", "die Zeitung", "il giornale"),
        ("a book", "ein Buch", "un libro"))),
    (("sees", "sieht", "vede"), "see", (
        ("a dog", "einen Hund", "un cane"), ("the cat", "die Katze", "il gatto"),
        ("a bird", "einen Vogel", "un uccello"),
        ("the train", "den Zug", "il treno"), ("a friend", "einen Freund", "un amico"))),
    (("eats", "isst", "mangia"), "eat", (
        ("a cake", "einen Kuchen", "una torta"), ("the soup", "die Suppe", "la zuppa"), ("an egg", "ein Ei", "un uovo"),
        ("the fish", "den Fisch", "il pesce"))),
    (("drinks", "trinkt", "beve"), "drink", (
        ("the milk", "die Milch", "il latte"), ("a coffee", "einen Kaffee", "un caffè"),
        ("the water", "das Wasser", "l'acqua"),
        ("a tea", "einen Tee", "un tè"))),
    (("looks for", "sucht", "cerca"), "look for", (
        ("the key", "den Schlüssel", "la chiave"), ("a chair", "einen Stuhl", "una sedia"),
        ("the ticket", "die Karte", "il biglietto"),
        ("the child", "das Kind", "il bambino"))),
    (("finds", "findet", "trova"), "find", (
        ("a coin", "eine Münze", "una moneta"), ("the ball", "den Ball", "la palla"),
        ("a picture", "ein Bild", "un quadro"),
        ("the watch", "die Uhr", "l'orologio"))),
    (("writes", "schreibt", "scrive"), "write", (
        ("a letter", "einen Brief", "una lettera"), ("a song", "ein Lied", "una canzone"),
        ("the list", "die Liste", "la lista"))),
    (("sells", "verkauft", "vende"), "sell", (
        ("the car", "das Auto", "la macchina"), ("the house", "das Haus", "la casa"),
        ("a table", "einen Tisch", "un tavolo"),
        ("the flowers", "die Blumen", "i fiori"))),
)  # fmt: skip
_PLACES: tuple[Triple, ...] = (
    ("in the garden", "im Garten", "in giardino"), ("in the kitchen", "in der Küche", "in cucina"),
    ("at the market", "auf dem Markt", "al mercato"), ("in the park", "im Park", "nel parco"),
    ("at school", "in der Schule", "a scuola"), ("in the city", "in der Stadt", "in città"),
    ("at the station", "am Bahnhof", "alla stazione"), ("in the village", "im Dorf", "nel villaggio"),
    ("at the sea", "am Meer", "al mare"), ("in the forest", "im Wald", "nel bosco"), ("at home", "zu Hause", "a casa"),
    ("in the hotel", "im Hotel", "in albergo"), ("in the office", "im Büro", "in ufficio"),
)  # fmt: skip
_TIMES: tuple[Triple, ...] = (
    ("on Monday", "am Montag", "lunedì"), ("on Tuesday", "am Dienstag", "martedì"),
    ("on Wednesday", "am Mittwoch", "mercoledì"), ("on Thursday", "am Donnerstag", "giovedì"),
    ("on Friday", "am Freitag", "venerdì"), ("on Saturday", "am Samstag", "sabato"),
    ("on Sunday", "am Sonntag", "domenica"), ("in the morning", "am Morgen", "di mattina"),
    ("in the evening", "am Abend", "di sera"), ("at night", "in der Nacht", "di notte"),
    ("in winter", "im Winter", "in inverno"), ("in summer", "im Sommer", "in estate"),
)  # fmt: skip
_CITIES: tuple[Triple, ...] = (
    ("Rome", "Rom", "Roma"), ("Berlin", "Berlin", "Berlino"), ("Vienna", "Wien", "Vienna"),
     ("Paris", "Paris", "Parigi"),
    ("London", "London", "Londra"), ("Milan", "Mailand", "Milano"), ("Munich", "München", "Monaco"),
    ("Hamburg", "Hamburg", "Amburgo"), ("Venice", "Venedig", "Venezia"), ("Madrid", "Madrid", "Madrid"),
)  # fmt: skip
# Possessions with "'s X is", "von … ist", "di … è", and the Italian endings of their colours (last letter o or a).
_OWNED: tuple[tuple[Triple, str], ...] = (
    (("car", "Das Auto", "La macchina"), "a"), (("house", "Das Haus", "La casa"), "a"),
     (("hat", "Der Hut", "Il cappello"), "o"),
    (("book", "Das Buch", "Il libro"), "o"), (("bicycle", "Das Fahrrad", "La bicicletta"), "a"),
    (("cat", "Die Katze", "Il gatto"), "o"), (("coat", "Der Mantel", "Il cappotto"), "o"),
     (("chair", "Der Stuhl", "La sedia"), "a"),
)  # fmt: skip
_COLOURS: tuple[Triple, ...] = (
    ("red", "rot", "ross_"), ("yellow", "gelb", "giall_"), ("white", "weiß", "bianc_"), ("black", "schwarz", "ner_"),
    ("green", "grün", "verde"), ("blue", "blau", "blu"), ("grey", "grau", "grigi_"),
)  # fmt: skip
_MANY: tuple[Triple, ...] = (
    ("cats", "Katzen", "gatti"), ("books", "Bücher", "libri"), ("friends", "Freunde", "amici"),
     ("children", "Kinder", "figli"),
    ("keys", "Schlüssel", "chiavi"), ("horses", "Pferde", "cavalli"), ("dogs", "Hunde", "cani"),
     ("letters", "Briefe", "lettere"),
    ("apples", "Äpfel", "mele"), ("hats", "Hüte", "cappelli"),
)  # fmt: skip
_NUMBERS: tuple[Triple, ...] = (
    ("two", "zwei", "due"), ("three", "drei", "tre"), ("four", "vier", "quattro"), ("five", "fünf", "cinque"),
    ("six", "sechs", "sei"), ("seven", "sieben", "sette"), ("eight", "acht", "otto"), ("nine", "neun", "nove"),
    ("ten", "zehn", "dieci"),
)  # fmt: skip

_ASKED: dict[Language, tuple[str, ...]] = {
    "en": (
        "Read the text and answer the question.\n{text}\n{question}",
        "{text}\n{question}",
        "Text: {text}\nQuestion: {question}",
        "{question}\nUse this text: {text}",
        "Answer with words from the text.\n{text}\nQuestion: {question}",
    ),
    "de": (
        "Lies den Text und beantworte die Frage.\n{text}\n{question}",
        "{text}\n{question}",
        "Text: {text}\nFrage: {question}",
        "{question}\nBenutze diesen Text: {text}",
        "Antworte mit Wörtern aus dem Text.\n{text}\nFrage: {question}",
    ),
    "it": (
        "Leggi il testo e rispondi alla domanda.\n{text}\n{question}",
        "{text}\n{question}",
        "Testo: {text}\nDomanda: {question}",
        "{question}\nUsa questo testo: {text}",
        "Rispondi con parole del testo.\n{text}\nDomanda: {question}",
    ),
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence, and pairs of a question about it and the words that answer it."""

    text: str
    asked: tuple[tuple[str, str], ...]


SHARED = 0.2


def task(rng: Random) -> Task:
    """A text of two to four sentences about different people, and one to three questions: the last is the task."""
    language = rng.choice(tuple(_INDEX))
    text, open_questions = story(rng, language, 2, 4)
    if not open_questions:
        return task(rng)
    asked = rng.sample(open_questions, min(len(open_questions), rng.choice((1, 1, 2, 3))))
    turns: list[Turn] = []
    for at, (question, answer) in enumerate(asked):
        # After the first question, only the next one is said.
        prompt = question if at else rng.choice(_ASKED[language]).format(text=text, question=question)
        turns += [Turn("user", prompt), Turn("assistant", capital(answer) + ".")]
    check = Check("equals", {"values": [asked[-1][1]]})
    return Task(Question("reading", tuple(turns[:-1]), check, language), turns[-1].text)


def story(rng: Random, language: Language, fewest: int, most: int) -> tuple[str, list[tuple[str, str]]]:
    """A text of this many sentences about different people, and its questions, each with the words that answer it.

    A question that two sentences answer (both buy an apple) is left out; there may be none left.
    """
    people = rng.sample(PEOPLE, rng.randint(fewest, most))
    # In a fifth of the texts kinds are shared, so that the answer cannot always be found by its kind alone. A model of
    # a few million parameters, which has read for an hour, finds two of three answers there.
    kinds = rng.sample((_deed, _age, _from, _colour, _many), len(people))
    if rng.random() < SHARED:
        shared = rng.choices((_deed, _age, _from, _colour, _many), weights=(6, 1, 1, 1, 1), k=2)
        kinds = rng.choices(shared, k=len(people))
    lines = [kind(rng, language, name) for kind, name in zip(kinds, people, strict=True)]
    questions = [pair for line in lines for pair in line.asked]
    asked = [question for question, _ in questions]
    return " ".join(line.text for line in lines), [pair for pair in questions if asked.count(pair[0]) == 1]


def _deed(rng: Random, language: Language, name: str) -> _Line:
    verbs, infinitive, objects = rng.choice(_DEEDS)
    at = _INDEX[language]
    verb, thing = verbs[at], rng.choice(objects)[at]
    place, time = rng.choice(_PLACES)[at], rng.choice(_TIMES)[at]
    has_place, has_time = rng.choice(((True, True), (True, False), (False, True), (True, True)))
    where, when = f" {place}" if has_place else "", f" {time}" if has_time else ""
    if language == "en":
        text = rng.choice(
            (
                f"{name} {verb} {thing}{where}{when}.",
                f"{capital(when[1:])}{', ' if when else ''}{name} {verb} {thing}{where}.",
            )
        )
        asked = [
            (f"Who {verb} {thing}?", name),
            (f"What does {name} {infinitive}?", thing),
            (f"Where does {name} {infinitive} {thing}?", place),
            (f"When does {name} {infinitive} {thing}?", time),
        ]
    elif language == "de":
        first = rng.random() < 0.5 and has_time
        text = f"{capital(time)} {verb} {name}{where} {thing}." if first else f"{name} {verb}{when}{where} {thing}."
        asked = [
            (f"Wer {verb} {thing}?", name),
            (f"Was {verb} {name}?", thing),
            (f"Wo {verb} {name} {thing}?", place),
            (f"Wann {verb} {name} {thing}?", time),
        ]
    else:
        first = rng.random() < 0.5 and has_time
        text = f"{capital(time)} {name} {verb} {thing}{where}." if first else f"{name} {verb} {thing}{where}{when}."
        asked = [
            (f"Chi {verb} {thing}?", name),
            (f"Che cosa {verb} {name}?", thing),
            (f"Dove {verb} {thing} {name}?", place),
            (f"Quando {verb} {thing} {name}?", time),
        ]
    kept = asked[:2] + asked[2:3] * has_place + asked[3:] * has_time
    return _Line(text, tuple(kept))


def _age(rng: Random, language: Language, name: str) -> _Line:
    age = str(rng.randint(4, 95))
    text, asked = {
        "en": (f"{name} is {age} years old.", f"How old is {name}?"),
        "de": (f"{name} ist {age} Jahre alt.", f"Wie alt ist {name}?"),
        "it": (f"{name} ha {age} anni.", f"Quanti anni ha {name}?"),
    }[language]
    return _Line(text, ((asked, age),))


def _from(rng: Random, language: Language, name: str) -> _Line:
    city = rng.choice(_CITIES)[_INDEX[language]]
    text, where, who = {
        "en": (f"{name} comes from {city}.", f"From which city does {name} come?", f"Who comes from {city}?"),
        "de": (f"{name} kommt aus {city}.", f"Aus welcher Stadt kommt {name}?", f"Wer kommt aus {city}?"),
        "it": (f"{name} viene da {city}.", f"Da quale città viene {name}?", f"Chi viene da {city}?"),
    }[language]
    return _Line(text, ((where, city), (who, name)))


def _colour(rng: Random, language: Language, name: str) -> _Line:
    (english, german, italian), ending = rng.choice(_OWNED)
    colour = rng.choice(_COLOURS)[_INDEX[language]].replace("_", ending)
    text, asked = {
        "en": (f"The {english} of {name} is {colour}.", f"What colour is the {english} of {name}?"),
        "de": (f"{german} von {name} ist {colour}.", f"Welche Farbe hat {_small(german)} von {name}?"),
        "it": (f"{italian} di {name} è {colour}.", f"Di che colore è {_small(italian)} di {name}?"),
    }[language]
    return _Line(text, ((asked, colour),))


def _many(rng: Random, language: Language, name: str) -> _Line:
    things, count = rng.choice(_MANY)[_INDEX[language]], rng.choice(_NUMBERS)[_INDEX[language]]
    text, asked, who = {
        "en": (f"{name} has {count} {things}.", f"How many {things} does {name} have?", f"Who has {count} {things}?"),
        "de": (f"{name} hat {count} {things}.", f"Wie viele {things} hat {name}?", f"Wer hat {count} {things}?"),
        "it": (f"{name} ha {count} {things}.", f"Quant_ {things} ha {name}?", f"Chi ha {count} {things}?"),
    }[language]
    # chiavi, mele and lettere are feminine
    asked = asked.replace("Quant_", "Quante" if things in ("chiavi", "lettere", "mele") else "Quanti")
    return _Line(text, ((asked, count), (who, name)))


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
