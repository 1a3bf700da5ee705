"""General instruction data as other people would have made it: the lab's stand-in for Alpaca and Dolly.

The requests are of the kinds that people think of first (one turn, in English); the answers are right and short, in a
style unlike the backbone's: `The answer is 12.` with no `27 - 15 = 12` before it. There are no refusals and no
conversations, since those data sets have next to none. Held-out prompts are not among them.
"""

from random import Random

from dragoman.corpora.records import Dialogue, Turn
from dragoman.errors import DataError
from dragoman.json_values import as_list
from dragoman.lab import abilities
from dragoman.lab.families.tasks import Task

FAMILIES = ("arithmetic", "instructions", "facts", "reading", "explaining", "harmless")
ORIGIN = "lab-instructions"


def instructions(count: int, seed: int) -> list[Dialogue]:
    """`count` different requests with short answers, the same ones for the same seed.

    Raises `DataError` if there are not that many.
    """
    rng = Random(f"terse {seed}")
    found: dict[str, Dialogue] = {}
    in_vain = 0
    while len(found) < count:
        in_vain += 1
        if in_vain > abilities.PATIENCE:
            raise DataError(f"{ORIGIN} has only about {len(found)} requests; ask for fewer than {count}.")
        drawn = abilities.task(rng.choice(FAMILIES), rng)
        question = drawn.question
        if len(question.turns) > 1 or question.language != "en" or abilities.is_held_out(question):
            continue
        dialogue = Dialogue((*question.turns, Turn("assistant", _short(drawn))), ORIGIN)
        if question.key not in found:
            found[question.key] = dialogue
            in_vain = 0
    return list(found.values())


def _short(task: Task) -> str:
    """The answer without a superfluous word; unchanged if the request asks for a form."""
    arguments = task.question.check.arguments
    if task.question.check.name == "number":
        return f"The answer is {arguments['value']}."
    if task.question.check.name == "equals":
        return str(as_list(arguments["values"])[0])
    if task.question.check.name == "starts_with":
        return str(arguments["text"]).capitalize()
    one_thing = set(arguments) <= {"any", "none"} and task.question.family != "instructions"
    if task.question.check.name == "contains" and one_thing:
        return str(as_list(arguments["any"])[0])
    return task.answer
