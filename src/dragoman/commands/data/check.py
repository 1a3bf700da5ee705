"""`dragoman data check`: whether question files are sound, and what each of their families has."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.errors import DataError, listed
from dragoman.recipe.judging import Evaluation
from dragoman.suites.questions.checks import check as judge
from dragoman.suites.questions.question_files import Entry, distinct, read_entries
from dragoman.terminal import say

MOST = Evaluation().questions


@dataclass(frozen=True, slots=True)
class Family:
    """A family of questions in a file: what stands there, and how the right answers that it names do."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def distinct(self) -> list[Entry]:
        return distinct(self.entries)

    @property
    def repeats(self) -> list[str]:
        """The places of questions that stand further up as well."""
        first = {id(entry) for entry in self.distinct}
        return [entry.place.rpartition(", ")[2] for entry in self.entries if id(entry) not in first]

    @property
    def answers(self) -> int:
        return sum(len(entry.answers) for entry in self.entries)

    def failed(self) -> list[str]:
        """Right answers that do not pass their check, each with its place. Runs programs in the sandbox."""
        found = []
        for entry in self.entries:
            for answer in entry.answers:
                verdict = judge(entry.question.check, answer)
                if not verdict.passed:
                    why = "" if verdict.extracted else ", which finds nothing to judge in it"
                    name = entry.question.check.name
                    found.append(f"{entry.place}: the answer {answer!r:.60} does not pass the check {name!r}{why}")
        return found

    def told(self, failed: int) -> str:
        """One line about the family."""
        checks = Counter(entry.question.check.name for entry in self.distinct)
        many = len(self.entries)
        parts = [f"{many:,} question{'s' * (many != 1)}, {len(self.distinct):,} distinct"]
        parts.append("checks: " + ", ".join(f"{name} ({count:,})" for name, count in checks.most_common()))
        if self.answers:
            parts.append(f"gold answers: {self.answers - failed:,} of {self.answers:,} pass")
        return f"  {self.name}: {'; '.join(parts)}"


def families(entries: Sequence[Entry]) -> list[Family]:
    """The families of a file's questions, in the order in which they first appear."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.question.family, []).append(entry)
    return [Family(name, tuple(some)) for name, some in found.items()]


def checked(path: Path) -> bool:
    """Prints what stands in a question file, and what is wrong with it; returns whether all of it is sound."""
    try:
        found = families(read_entries(path))
    except DataError as error:
        say(error, fg="red", err=True)
        return False
    say(path, bold=True)
    sound = True
    for family in found:
        failed = family.failed()
        sound = sound and not failed
        say(family.told(len(failed)))
        if family.repeats:
            say(f"    asked further up as well, counted once: {listed(family.repeats)}")
        if len(family.distinct) > MOST:
            say(f"    {MOST:,} of them are asked, unless a recipe says otherwise (evaluation.questions)")
        for fault in failed:
            say(fault, fg="red", err=True)
    return sound
