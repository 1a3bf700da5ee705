"""What is taught. A method turns records into examples; it asks models and never holds one.

A method is one file of this folder: a class `Options` and a generator function with the file's
name. It yields `Ask`s, is sent the completions, and returns a `Lesson`. Two constants are optional:
`EXAMPLES`, how many examples it makes of each record, and `MIXES = True`, where general instruction
data follows the records that are to be learnt.
"""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from dragoman.corpora.records import Record
from dragoman.generation.ask import Ask, Completion
from dragoman.generation.rationales import RationaleReport
from dragoman.prompts.examples import Example
from dragoman.prompts.speak import Speaker
from dragoman.recipe.fields import Strict


class MethodOptions(Strict):
    """Options that every method has."""

    label: str | None = None
    """Name of this row in tables, where a method is used more than once."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a method made of some records, and what it counted on the way."""

    examples: list[Example]
    notes: Counter[str] = field(default_factory=Counter)
    report: RationaleReport | None = None
    """What became of the rationales, where there are any."""


Making = Generator[Ask, list[Completion], Lesson]


@dataclass(frozen=True, slots=True)
class Method:
    """A method by name: its options and the function."""

    name: str
    options: type[MethodOptions]
    make: Callable[[Sequence[Record], Speaker, MethodOptions], Making]
    examples: int = 1
    """Examples of each record. The batch grows with them, so that the number of steps is that of the other methods."""
    mixes: bool = False
    """Whether it also sees the recipe's general instruction data (`data.instructions`)."""


def available() -> dict[str, Method]:
    """All methods of this folder by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return {
        name: Method(
            name,
            module.Options,
            vars(module)[name],
            getattr(module, "EXAMPLES", 1),
            getattr(module, "MIXES", False),
        )
        for name, module in modules.items()
    }
