"""Plain text of the lab: short documents in one of its tongues, of sentences that pairs to learn from are made of.

The backbone has not read them, and no test asks them.
"""

from itertools import islice
from random import Random

from dragoman.corpora.records import Text
from dragoman.errors import DataError
from dragoman.lab import world

ORIGIN = "lab-texts"
LENGTHS = (2, 3, 4, 6, 8)  # sentences of a document


def texts(language: str, count: int, seed: int) -> list[Text]:
    """`count` different documents; the same ones for the same seed, and of another count a part of them."""
    if language not in world.LANGUAGES:
        raise DataError(f"{ORIGIN} has no {language!r}; it has {', '.join(world.LANGUAGES)}")
    rng = Random(f"texts {language} {seed}")
    fresh = world.meanings("train", f"texts {language} {seed}")
    documents = (" ".join(world.say(one, language) for one in islice(fresh, rng.choice(LENGTHS))) for _ in range(count))
    return [Text(document, language, ORIGIN) for document in documents]
