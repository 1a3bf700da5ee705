"""In which order documents of several texts come: drawn at random, in the shares that a recipe wants."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import TypeVar

from dragoman.recipe.data.texts import Mixture, Texts

T = TypeVar("T")


def shares(said: Sequence[Texts], sizes: Sequence[float], temperature: float | None) -> list[float]:
    """The share of each text: its own, or of what these leave one by its size^(1/T)."""
    fixed = sum(one.share or 0 for one in said)
    scaled = [0 if one.share else size ** (1 / (temperature or 1)) for one, size in zip(said, sizes, strict=True)]
    whole = sum(scaled)
    return [one.share or (1 - fixed) * part / whole for one, part in zip(said, scaled, strict=True)]


def drawn(
    texts: Mapping[int, Callable[[], Iterator[T]]],
    counts: Mapping[int, int],
    chances: Mapping[int, float],
    mixture: Mixture,
) -> Iterator[tuple[int, T]]:
    """Documents of several texts, each with the number of its text, until the mixture says stop.

    `counts` are how many each text has, at least one, and `chances` how likely each is drawn from.
    """
    rng = Random(f"mixture {mixture.seed}")
    running = {number: begin() for number, begin in texts.items()}
    left, used = dict(counts), set[int]()
    total = 0
    while running and (mixture.documents is None or total < mixture.documents):
        numbers = list(running)
        (number,) = rng.choices(numbers, [chances[one] for one in numbers])
        yield number, next(running[number])
        total += 1
        left[number] -= 1
        if left[number]:
            continue
        used.add(number)
        if mixture.stop == "first" or (mixture.stop == "all" and len(used) == len(texts)):
            return
        if mixture.stop == "once":
            del running[number]
        else:
            running[number], left[number] = texts[number](), counts[number]
