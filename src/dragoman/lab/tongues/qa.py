"""Question answering over a short text, in English, German or Italian: the lab's stand-in for XQuAD and MLQA.

The answer is words of the text, and nothing around them.
"""

from random import Random

from dragoman.corpora.records import Check, Question, Turn
from dragoman.lab.families import reading
from dragoman.lab.families.tasks import Task
from dragoman.lab.grammar.entries import Language

_ASKED: dict[Language, tuple[str, ...]] = {
    "en": (
        "Read the text and answer the question in as few words as you can.\n{text}\n{question}",
        "{text}\n{question} Answer with words from the text.",
        "Give a short answer from the text.\nText: {text}\nQuestion: {question}",
    ),
    "de": (
        "Lies den Text und beantworte die Frage so kurz wie möglich.\n{text}\n{question}",
        "{text}\n{question} Antworte mit Wörtern aus dem Text.",
        "Gib eine kurze Antwort aus dem Text.\nText: {text}\nFrage: {question}",
    ),
    "it": (
        "Leggi il testo e rispondi alla domanda con meno parole possibile.\n{text}\n{question}",
        "{text}\n{question} Rispondi con parole del testo.",
        "Dai una risposta breve dal testo.\nTesto: {text}\nDomanda: {question}",
    ),
}


def task(rng: Random, language: Language) -> Task:
    """A text of three to five sentences, and a question about it."""
    frame = rng.randrange(len(_ASKED[language]))
    text, questions = reading.story(rng, language, 3, 5)
    while not questions:
        text, questions = reading.story(rng, language, 3, 5)
    question, answer = rng.choice(questions)
    prompt = _ASKED[language][frame].format(text=text, question=question)
    check = Check("squad", {"values": [answer], "language": language})
    asked = Question(f"qa-{language}", (Turn("user", prompt),), check, language)
    return Task(asked, answer)
