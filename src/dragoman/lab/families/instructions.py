"""Instructions that can be verified: length, case, lists, first and last words, JSON, spelling, order, language."""

import json
from collections.abc import Callable
from random import Random

from dragoman.lab.families import facts
from dragoman.lab.families.tasks import Rule, Task, all_of, capital, part, single
from dragoman.lab.families.words import COUNTS, GROUPS, PEOPLE, PLURALS, TOPICS

Made = tuple[str, list[Rule], str]  # prompt, checks, answer

# Sentences of a known number of words that fit every topic.
SENTENCES = {
    3: ("See the {}!", "Only the {}!", "Always the {}!"),
    4: ("The {} is nice.", "I see the {}.", "The {} is here."),
    5: ("The {} is very nice.", "We all like the {}.", "I often see the {}."),
    6: ("The {} is very nice today.", "I see the {} every day.", "We talk about the {} here."),
    7: ("I think the {} is very nice.", "I see the {} here every day.", "We often talk about the {} here."),
    8: ("I think the {} is very nice today.", "We all like the {} and see it.", "We see the {} here every single day."),
}
_OPENERS = ("Today", "Now", "Here", "Often", "Sometimes", "Yesterday", "Maybe", "Again", "Certainly", "Soon")
_ENDERS = ("today", "here", "now", "again", "often", "there", "sometimes", "too", "indeed", "always")
_WORDS = tuple(dict.fromkeys((*TOPICS, *(en for group in GROUPS.values() for en, _, _ in group))))
_PLAIN = tuple(word for word in _WORDS if word.islower())

# Questions with an answer in German and in Italian, and the word that has to occur.
_FOREIGN = (
    ("What colour is snow?", "Der Schnee ist weiß.", "weiß", "La neve è bianca.", "bianca"),
    ("What colour is grass?", "Das Gras ist grün.", "grün", "L'erba è verde.", "verde"),
    ("What colour is the sky?", "Der Himmel ist blau.", "blau", "Il cielo è blu.", "blu"),
    ("What colour is blood?", "Das Blut ist rot.", "rot", "Il sangue è rosso.", "rosso"),
    ("What colour is a banana?", "Die Banane ist gelb.", "gelb", "La banana è gialla.", "gialla"),
    ("What colour is coal?", "Die Kohle ist schwarz.", "schwarz", "Il carbone è nero.", "nero"),
    ("Which day comes after Monday?", "Nach Montag kommt Dienstag.", "Dienstag", "Dopo lunedì viene martedì.",
     "martedì"),
    ("Which day comes after Friday?", "Nach Freitag kommt Samstag.", "Samstag", "Dopo venerdì viene sabato.", "sabato"),
    ("Which day comes after Saturday?", "Nach Samstag kommt Sonntag.", "Sonntag", "Dopo sabato viene domenica.",
     "domenica"),
    ("How much is two plus two?", "Zwei plus zwei ist vier.", "vier", "Due più due fa quattro.", "quattro"),
    ("How much is three plus two?", "Drei plus zwei ist fünf.", "fünf", "Tre più due fa cinque.", "cinque"),
    ("How much is five plus five?", "Fünf plus fünf ist zehn.", "zehn", "Cinque più cinque fa dieci.", "dieci"),
    ("What is the capital of Italy?", "Die Hauptstadt von Italien ist Rom.", "Rom", "La capitale d'Italia è Roma.",
     "Roma"),
    ("What is the capital of France?", "Die Hauptstadt von Frankreich ist Paris.", "Hauptstadt",
     "La capitale della Francia è Parigi.", "Parigi"),
    ("What is the capital of Germany?", "Die Hauptstadt von Deutschland ist Berlin.", "Hauptstadt",
     "La capitale della Germania è Berlino.", "Berlino"),
    ("What is the opposite of big?", "Das Gegenteil von groß ist klein.", "klein",
     "Il contrario di grande è piccolo.", "piccolo"),
    ("What is the opposite of hot?", "Das Gegenteil von heiß ist kalt.", "kalt", "Il contrario di caldo è freddo.",
     "freddo"),
    ("What is the opposite of good?", "Das Gegenteil von gut ist schlecht.", "schlecht",
     "Il contrario di buono è cattivo.", "cattivo"),
    ("What do bees make?", "Bienen machen Honig.", "Honig", "Le api fanno il miele.", "miele"),
    ("What do cows give?", "Kühe geben Milch.", "Milch", "Le mucche danno il latte.", "latte"),
    ("Who bakes bread?", "Der Bäcker backt Brot.", "Bäcker", "Il fornaio fa il pane.", "fornaio"),
    ("Which season comes after spring?", "Nach dem Frühling kommt der Sommer.", "Sommer",
     "Dopo la primavera viene l'estate.", "estate"),
    ("Which season comes after autumn?", "Nach dem Herbst kommt der Winter.", "Winter",
     "Dopo l'autunno viene l'inverno.", "inverno"),
    ("Good morning!", "Guten Morgen!", "Morgen", "Buongiorno!", "buongiorno"),
    ("Thank you for your help!", "Gern geschehen!", "gern", "Prego!", "prego"),
    ("How are you?", "Mir geht es gut, danke.", "gut", "Sto bene, grazie.", "bene"),
)  # fmt: skip


def task(rng: Random) -> Task:
    """One instruction, sometimes with several constraints."""
    prompt, checks, answer = rng.choice(_KINDS)(rng)
    polite = rng.choice(("{}", "{}", "{}", "Please follow this instruction: {}", "{} Thank you.", "Hello! {}"))
    return single("instructions", polite.format(prompt), all_of(*checks), answer)


def sentence(rng: Random, topic: str, words: int = 0) -> str:
    """A sentence about a topic, with that many words if a number is given."""
    return rng.choice(SENTENCES[words or rng.randint(4, 8)]).format(topic)


def _number(rng: Random, low: int, high: int) -> tuple[int, str]:
    number = rng.randint(low, high)
    return number, rng.choice((COUNTS[number], str(number)))


def _write(rng: Random, topic: str) -> str:
    return rng.choice(
        (
            f"Write a sentence about the {topic}",
            f"Write one sentence about the {topic}",
            f"Tell me something about the {topic}",
            f"Give me a sentence about the {topic}",
            f"Make a short sentence about the {topic}",
        )
    )


def _length(rng: Random) -> Made:
    topic, (count, said) = rng.choice(TOPICS), _number(rng, 3, 8)
    prompt = rng.choice(
        (
            f"{_write(rng, topic)} with exactly {said} words.",
            f"{_write(rng, topic)} in {said} words.",
            f"Write exactly {said} words about the {topic}.",
            f"{_write(rng, topic)}. It must have exactly {said} words.",
        )
    )
    checks, answer = [part("word_count", exactly=count), part("contains", all=[topic])], sentence(rng, topic, count)
    return _cased(rng, prompt, checks, answer, 0.3)


def _cased(rng: Random, prompt: str, checks: list[Rule], answer: str, chance: float) -> Made:
    """Sometimes adds the demand for one case."""
    if rng.random() >= chance:
        return prompt, checks, answer
    form = rng.choice(("lower", "upper"))
    prompt += rng.choice(
        (f" Use only {form} case.", f" Write everything in {form} case letters.", f" All in {form} case.")
    )
    return prompt, [*checks, part("case", form=form)], answer.lower() if form == "lower" else answer.upper()


def _case(rng: Random) -> Made:
    topic = rng.choice(TOPICS)
    return _cased(rng, f"{_write(rng, topic)}.", [part("contains", all=[topic])], sentence(rng, topic), 1)


def _shout(rng: Random) -> Made:
    text = " ".join(rng.sample(_PLAIN, rng.randint(1, 3)))
    form = rng.choice(("upper", "upper", "lower"))
    given, answer = (text, text.upper()) if form == "upper" else (text.upper(), text)
    prompt = rng.choice(
        (
            f"Write '{given}' in {form} case.",
            f"Change this to {form} case: {given}",
            f"{given}\nPut this into {form} case.",
        )
    )
    return prompt, [part("equals", values=[answer], exact=True)], answer


def _items(rng: Random) -> Made:
    group = rng.choice(list(GROUPS))
    words = [en for en, _, _ in GROUPS[group]]
    count, said = _number(rng, 2, min(5, len(words)))
    plural = PLURALS[group]
    prompt = rng.choice(
        (
            f"List {said} {plural}, each on a line with a dash.",
            f"Give me a list of {said} {plural}. Begin each line with a dash.",
            f"Name {said} {plural} as a list with dashes.",
            f"Write a list with exactly {said} {plural}. Use dashes.",
        )
    )
    chosen = rng.sample(words, count)
    checks = [part("list_items", count=count), part("contains", any=words)]
    return _cased(rng, prompt, checks, "\n".join(f"- {word}" for word in chosen), 0.2)


def _begin(rng: Random) -> Made:
    topic, word = rng.choice(TOPICS), rng.choice(_OPENERS)
    prompt = rng.choice(
        (
            f"{_write(rng, topic)} that begins with the word '{word}'.",
            f"{_write(rng, topic)}. Begin with '{word}'.",
            f"{_write(rng, topic)}. The first word must be '{word}'.",
            f"Start with the word '{word}'. {_write(rng, topic)}.",
        )
    )
    plain = sentence(rng, topic, rng.randint(4, 6))
    answer = f"{word} {plain if plain.startswith('I ') else plain[0].lower() + plain[1:]}"
    checks = [part("starts_with", text=word), part("contains", all=[topic])]
    if rng.random() < 0.25:
        ender = rng.choice(_ENDERS)
        prompt += f" End with the word '{ender}'."
        return prompt, [*checks, part("ends_with", text=ender)], f"{answer[:-1]} {ender}."
    return _cased(rng, prompt, checks, answer, 0.15)


def _end(rng: Random) -> Made:
    topic, word = rng.choice(TOPICS), rng.choice(_ENDERS)
    prompt = rng.choice(
        (
            f"{_write(rng, topic)} that ends with the word '{word}'.",
            f"{_write(rng, topic)}. End with '{word}'.",
            f"{_write(rng, topic)}. The last word must be '{word}'.",
        )
    )
    answer = f"{sentence(rng, topic, rng.randint(4, 5))[:-1]} {word}."
    return _cased(rng, prompt, [part("ends_with", text=word), part("contains", all=[topic])], answer, 0.15)


def _repeat(rng: Random) -> Made:
    word, (count, said) = rng.choice(_WORDS), _number(rng, 2, 6)
    prompt = rng.choice(
        (
            f"Repeat the word '{word}' {said} times.",
            f"Write the word '{word}' {said} times.",
            f"Say '{word}' exactly {said} times.",
            f"Write '{word}' {said} times and nothing else.",
        )
    )
    return prompt, [part("count", text=word, times=count), part("word_count", exactly=count)], " ".join([word] * count)


def _include(rng: Random) -> Made:
    one, two = rng.sample(TOPICS, 2)
    prompt = rng.choice(
        (
            f"Write a sentence with the words '{one}' and '{two}'.",
            f"Use the words '{one}' and '{two}' in one sentence.",
            f"Make a sentence that contains '{one}' and '{two}'.",
            f"Write a sentence in which '{one}' and '{two}' occur.",
        )
    )
    between = rng.choice(("is near", "reminds me of", "is next to", "and", "is not far from"))
    answer = f"I like the {one} and the {two}." if between == "and" else f"The {one} {between} the {two}."
    return _cased(rng, prompt, [part("contains", all=[one, two])], answer, 0.2)


def _json(rng: Random) -> Made:
    if rng.random() < 0.5:
        subject, thing, values = rng.choice(facts.FACTS)
        value = values.split("|")[0]
        key = rng.choice(("answer", "result", "value", subject.name))
        asked = capital(rng.choice(subject.asked).format(thing=thing))
        prompt = rng.choice(
            (
                f"{asked} Answer in JSON with the key '{key}'.",
                f"{asked} Reply with a JSON object that has the key '{key}'.",
                f"Answer this in JSON with the key '{key}': {asked}",
            )
        )
        return prompt, [part("json_key", key=key, value=value)], json.dumps({key: value}, ensure_ascii=False)
    name, age, city = (
        rng.choice(PEOPLE),
        rng.randint(5, 90),
        rng.choice(("Rome", "Berlin", "Paris", "Vienna", "London")),
    )
    record: dict[str, str | int] = {"name": name, "age": age} if rng.random() < 0.5 else {"name": name, "city": city}
    said = f"{name} is {age} years old." if "age" in record else f"{name} lives in {city}."
    first, second = record
    prompt = rng.choice(
        (
            f"{said} Write this as JSON with the keys '{first}' and '{second}'.",
            f"Make a JSON object with the keys '{first}' and '{second}': {said}",
            f"Put this into JSON with '{first}' and '{second}' as keys. {said}",
        )
    )
    return prompt, [part("json_key", key=key, value=value) for key, value in record.items()], json.dumps(record)


def _spell(rng: Random) -> Made:
    word = rng.choice([word for word in _PLAIN if 3 <= len(word) <= 6 and word.isalpha()])
    prompt = rng.choice(
        (
            f"Spell the word '{word}' with hyphens.",
            f"Spell '{word}' with a hyphen between the letters.",
            f"How do you spell '{word}'? Put hyphens between the letters.",
            f"Write the letters of '{word}' with hyphens between them.",
        )
    )
    return prompt, [part("equals", values=["-".join(word)])], "-".join(word)


def _sort(rng: Random) -> Made:
    while True:
        words = rng.sample(_PLAIN, 3)
        if len({word[0] for word in words}) == 3:
            break
    given, answer = ", ".join(words), ", ".join(sorted(words))
    prompt = rng.choice(
        (
            f"Sort these words alphabetically: {given}",
            f"Put these words in alphabetical order: {given}",
            f"Write these words in alphabetical order, separated by commas: {given}",
            f"{given}\nSort these words from A to Z.",
        )
    )
    return prompt, [part("equals", values=[answer])], answer


def _foreign(rng: Random) -> Made:
    asked, german, german_word, italian, italian_word = rng.choice(_FOREIGN)
    language, answer, word = rng.choice((("German", german, german_word), ("Italian", italian, italian_word)))
    prompt = rng.choice(
        (
            f"{asked} Answer in {language}.",
            f"Answer in {language}: {asked}",
            f"{asked} Please reply in {language}.",
            f"Give your answer in {language}. {asked}",
            f"{asked} Use {language} for your answer.",
        )
    )
    return prompt, [part("contains", any=[word])], answer


_KINDS: tuple[Callable[[Random], Made], ...] = (
    _length,
    _length,
    _case,
    _shout,
    _items,
    _items,
    _begin,
    _end,
    _repeat,
    _include,
    _json,
    _json,
    _spell,
    _sort,
    _foreign,
)
