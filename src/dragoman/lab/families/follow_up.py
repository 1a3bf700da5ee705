"""Conversations whose last turn makes sense only with what was said before."""

from collections.abc import Callable
from random import Random

from dragoman.corpora.records import Check, Question, Turn
from dragoman.lab.families import facts
from dragoman.lab.families.instructions import sentence
from dragoman.lab.families.knowledge import SUBJECTS
from dragoman.lab.families.tasks import Task, all_of, capital, part
from dragoman.lab.families.words import COUNTS, GROUPS, PEOPLE, PLURALS, TOPICS

# what was said, what was answered, what is said now, check, answer
Talk = tuple[list[str], str, Check, str]


def task(rng: Random) -> Task:
    """One conversation; its last turn is the question."""
    said, now, check, answer = rng.choice(_KINDS)(rng)
    turns = [Turn("assistant" if at % 2 else "user", text) for at, text in enumerate(said)]
    return Task(Question("follow_up", (*turns, Turn("user", now)), check), answer)


def _name(rng: Random) -> Talk:
    name = rng.choice(PEOPLE)
    hello = rng.choice(
        (
            f"Hi, my name is {name}.",
            f"Hello, I am {name}.",
            f"My name is {name}. Nice to meet you.",
            f"Good morning! I'm {name}.",
        )
    )
    greeting = rng.choice((f"Hello {name}! How can I help you?", f"Nice to meet you, {name}!", f"Good day, {name}."))
    said = [hello, greeting, *_aside(rng)]
    now = rng.choice(
        ("What is my name?", "Do you remember my name?", "Who am I?", "Tell me my name.", "What was my name?")
    )
    return said, now, Check("contains", {"any": [name]}), f"Your name is {name}."


def _favourite(rng: Random) -> Talk:
    group = rng.choice(("animal", "colour", "fruit", "drink", "day", "season", "number"))
    word = rng.choice(GROUPS[group])[0]
    tell = rng.choice(
        (
            f"My favourite {group} is {word}.",
            f"I like one {group} most: {word}.",
            f"Please remember my {group}: {word}.",
        )
    )
    said = [
        tell,
        rng.choice(("I will remember that.", "That is good to know.", "Thank you for telling me.")),
        *_aside(rng),
    ]
    now = rng.choice(
        (
            f"What is my favourite {group}?",
            f"Which {group} did I tell you?",
            f"Which {group} do I like?",
            f"Do you remember my {group}?",
        )
    )
    return said, now, Check("contains", {"any": [word]}), f"Your {group} is {word}."


def _aside(rng: Random) -> list[str]:
    """Sometimes, another exchange in between."""
    if rng.random() < 0.6:
        return []
    drawn = facts.task(rng)
    return [drawn.question.turns[0].text, drawn.answer]


def _calculate(rng: Random) -> Talk:
    a, b, c = rng.randint(5, 50), rng.randint(2, 20), rng.randint(2, 20)
    first = rng.choice((f"What is {a} + {b}?", f"Calculate {a} plus {b}.", f"How much is {a} plus {b}?"))
    total = a + b
    said = [first, f"{a} + {b} = {total}. The answer is {total}."]
    kind = rng.choice("+-*")
    if kind == "+":
        value, now = total + c, rng.choice((f"Now add {c} to it.", f"Add {c} to that.", f"And {c} more?", f"Plus {c}?"))
    elif kind == "-":
        c = min(c, total - 1)
        value, now = total - c, rng.choice((f"Now take {c} away from it.", f"Subtract {c} from that.", f"Minus {c}?"))
    else:
        c = 2
        value, now = total * 2, rng.choice(("Now double it.", "Multiply that by 2.", "And twice that?"))
    return said, now, Check("number", {"value": value}), f"{total} {kind} {c} = {value}. The answer is {value}."


def _rewrite(rng: Random) -> Talk:
    topic = rng.choice(TOPICS)
    first = rng.choice(
        (
            f"Write a sentence about the {topic}.",
            f"Tell me something about the {topic}.",
            f"Say something about the {topic}.",
        )
    )
    text = sentence(rng, topic)
    said = [first, text]
    kind = rng.choice(("upper", "lower", "shorter", "repeat", "twice", "words"))
    if kind in ("upper", "lower"):
        now = rng.choice((f"Write it in {kind} case.", f"Now in {kind} case, please.", f"The same in {kind} case."))
        answer = text.upper() if kind == "upper" else text.lower()
        return said, now, Check("equals", {"values": [answer], "exact": True}), answer
    if kind == "shorter":
        long = sentence(rng, topic, rng.choice((6, 7, 8)))
        now = rng.choice(
            ("Make it shorter.", "Shorter, please.", "Can you say it in fewer words?", "That is too long.")
        )
        check = all_of(part("word_count", at_most=4), part("contains", all=[topic]))
        return (
            [first, long],
            now,
            check,
            rng.choice((f"The {topic} is nice.", f"I see the {topic}.", f"See the {topic}!")),
        )
    if kind == "repeat":
        now = rng.choice(("Repeat that, please.", "Please say it again.", "What did you say?", "Once more, please."))
        return said, now, Check("equals", {"values": [text]}), text
    if kind == "twice":
        now = rng.choice(("Say it twice.", "Write it two times.", "Now write it twice."))
        return said, now, Check("equals", {"values": [f"{text} {text}"]}), f"{text} {text}"
    now = rng.choice(
        ("How many words did you write?", "Count the words of your sentence.", "How many words are in it?")
    )
    count = len(text.split())
    return said, now, Check("contains", {"any": [str(count), COUNTS[count]]}), f"It has {COUNTS[count]} words."


def _another(rng: Random) -> Talk:
    group = rng.choice(list(GROUPS))
    words = [en for en, _, _ in GROUPS[group]]
    before, after = rng.sample(words, 2)
    article = "an" if group[0] in "aeiou" else "a"
    first = rng.choice(
        (
            f"Name {article} {group}.",
            f"Tell me one of the {PLURALS[group]}.",
            f"Give me an example of {article} {group}.",
        )
    )
    now = rng.choice(("Give me another one.", "Another one, please.", "Now a different one.", "And one more?"))
    others = [word for word in words if word != before]
    return (
        [first, capital(before) + "."],
        now,
        Check("contains", {"any": others, "none": [before]}),
        capital(after) + ".",
    )


def _foreign(rng: Random) -> Talk:
    group = rng.choice(list(GROUPS))
    english, german, italian = rng.choice(GROUPS[group])
    article = "an" if group[0] in "aeiou" else "a"
    first = rng.choice(
        (
            f"Name {article} {group}.",
            f"Give me an example of {article} {group}.",
            f"Tell me one of the {PLURALS[group]}.",
        )
    )
    language, word = rng.choice((("German", german), ("Italian", italian)))
    now = rng.choice(
        (
            f"What is that in {language}?",
            f"Say it in {language}.",
            f"And in {language}?",
            f"How do you say that in {language}?",
        )
    )
    told = f"In {language}, '{english}' is '{word}'."
    return [first, capital(english) + "."], now, Check("contains", {"any": [word]}), told


def _pick(rng: Random) -> Talk:
    group = rng.choice([group for group in GROUPS if len(GROUPS[group]) >= 6])
    count = rng.randint(3, 5)
    words = rng.sample([en for en, _, _ in GROUPS[group]], count)
    first = rng.choice((f"List {COUNTS[count]} {PLURALS[group]}.", f"Name {COUNTS[count]} {PLURALS[group]}."))
    said = [first, "\n".join(f"- {word}" for word in words)]
    at, order = rng.choice(((0, "first"), (1, "second"), (2, "third"), (-1, "last")))
    if rng.random() < 0.3:
        now = rng.choice(("Write them in one line with commas.", "Now separated by commas, please."))
        return said, now, Check("equals", {"values": [", ".join(words)]}), ", ".join(words)
    now = rng.choice(
        (
            f"Which one was the {order}?",
            f"Only the {order} one, please.",
            f"Repeat the {order} one.",
            f"What is the {order} word?",
        )
    )
    others = [word for word in words if word != words[at]]
    return said, now, Check("contains", {"any": [words[at]], "none": others}), capital(words[at]) + "."


def _and(rng: Random) -> Talk:
    subject = rng.choice(
        [s for s in SUBJECTS if s.name in ("capital", "language", "young", "sound", "opposite", "symbol", "home")]
    )
    (one, first_value), (two, values) = rng.sample(subject.facts, 2)
    said = [
        rng.choice(subject.asked).format(thing=one),
        subject.told.format(thing=one, value=first_value.split("|")[0]),
    ]
    quoted = (
        f"'{two}'"
        if subject.name == "opposite"
        else two
        if subject.name in ("capital", "language", "symbol")
        else f"a {two}"
    )
    now = rng.choice(
        (f"And of {quoted}?", f"What about {quoted}?", f"And for {quoted}?", f"The same for {quoted}, please.")
    )
    accepted = values.split("|")
    return said, now, Check("contains", {"any": accepted}), subject.told.format(thing=two, value=accepted[0])


def _asked(rng: Random) -> Talk:
    drawn = facts.task(rng)
    question = drawn.question.turns[0].text
    now = rng.choice(
        ("What did I ask you?", "What was my question?", "Repeat my question.", "Which question did I ask?")
    )
    return [question, drawn.answer], now, Check("contains", {"all": [question[:-1]]}), f"You asked: {question}"


_KINDS: tuple[Callable[[Random], Talk], ...] = (
    _name,
    _favourite,
    _calculate,
    _calculate,
    _rewrite,
    _rewrite,
    _rewrite,
    _another,
    _foreign,
    _pick,
    _and,
    _asked,
)
