"""What the tests of methods share: two records with their token ids, and a way to tell a generator its answers."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from dragoman.corpora.records import Dialogue, Pair, Record, Turn
from dragoman.generation.ask import Ask, Completion
from dragoman.methods import Lesson
from dragoman.prompts.examples import Example
from dragoman.prompts.speak import Speaker

Ids = tuple[int, ...]

PAIR = Pair("Der Hund schläft.", "The dog sleeps.", "de", "en")
CHAT = Dialogue(
    (Turn("user", "2+2?"), Turn("assistant", "4"), Turn("user", "And 3?"), Turn("assistant", "6")), "sums.json"
)
RECORDS: list[Record] = [PAIR, CHAT]


@dataclass(frozen=True)
class Known:
    """The ids of `PAIR` and `CHAT` in one vocabulary, looked up by hand."""

    prompt: Ids
    """<user> Could you please translate this sentence from German to English?⏎Der Hund schläft. <assistant>"""
    reference: Ids
    """The dog sleeps."""
    first: tuple[Ids, Ids]
    """<user> 2+2? <assistant> and 4"""
    second: tuple[Ids, Ids]
    """<user> And 3? <assistant> and 6, as they follow"""
    end: Ids
    own: Ids
    """The dog is asleep."""

    @property
    def chat_prompt(self) -> Ids:
        return (*self.first[0], *self.first[1], *self.end, *self.second[0])


LAB = Known(
    prompt=(1, 4, 1694, 355, 742, 1125, 359, 348, 501, 445, 336, 426, 481, 1080, 1649, 3010, 19, 2, 5),
    reference=(308, 904, 1620, 88, 19),
    first=((1, 4, 23, 16, 23, 36, 2, 5), (25,)),
    second=((4, 1349, 226, 24, 36, 2, 5), (27,)),
    end=(2,),
    own=(308, 904, 291, 595, 299, 679, 19),
)
MISTRAL = Known(
    prompt=(
        *(1, 733, 16289, 28793, 13955, 368, 4665, 17824, 456, 12271, 477, 5567, 298, 4300, 28804, 13, 15266, 382, 915),
        *(1543, 15135, 632, 28723, 733, 28748, 16289, 28793),
    ),
    reference=(415, 3914, 7767, 2671, 28723),
    first=((1, 733, 16289, 28793, 28705, 28750, 28806, 28750, 28804, 733, 28748, 16289, 28793), (28705, 28781)),
    second=((733, 16289, 28793, 1015, 28705, 28770, 28804, 733, 28748, 16289, 28793), (28705, 28784)),
    end=(2,),
    own=(415, 3914, 349, 15231, 28723),
)


def told(
    making: Generator[Ask, list[Completion], Lesson], *answers: Callable[[Ask], list[Completion]]
) -> tuple[list[Ask], Lesson]:
    """Runs a method with written answers: each is a function from an ask to its completions."""
    asks: list[Ask] = []
    try:
        ask = next(making)
        for answer in answers:
            asks.append(ask)
            ask = making.send(answer(ask))
    except StopIteration as end:
        return asks, end.value
    raise AssertionError(f"the method asked once more: {ask.purpose}")


def says(*completions: Completion) -> Callable[[Ask], list[Completion]]:
    """These completions, whatever is asked."""
    return lambda _: list(completions)


def ended(ids: Ids, text: str, speak: Speaker) -> Completion:
    """An answer that the model ended itself."""
    return Completion((*ids, speak.stop[0]), text, "stop")


def segments(example: Example) -> list[tuple[str, Ids, float]]:
    return [(segment.name, segment.ids, segment.weight) for segment in example.segments]


def plain(known: Known) -> list[list[tuple[str, Ids, float]]]:
    """The segments of both records where the reference is what is learnt."""
    return [
        [("prompt", known.prompt, 0), ("reference", known.reference, 1), ("end", known.end, 1)],
        [("prompt", known.chat_prompt, 0), ("reference", known.second[1], 1), ("end", known.end, 1)],
    ]
