"""The wording of a benchmark's questions: an instruction and an input, with slots for the benchmark's texts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dragoman.corpora.records import Turn, content_key
from dragoman.errors import DataError

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Wording:
    """An instruction and an input such as `{context}\\n\\nQuestion: {question}`."""

    instruction: str
    input: str

    @property
    def name(self) -> str:
        """Eight characters that change with any word of it: a score's signature contains them."""
        return content_key(self.instruction, self.input)[:8]

    def turn(self, slots: Mapping[str, str]) -> Turn:
        """The user's turn. Braces in the texts that fill slots are left alone."""

        def fill(text: str) -> str:
            return _SLOT.sub(lambda slot: slots.get(slot[1], slot[0]), text)

        return Turn("user", fill(self.instruction), fill(self.input))

    def require(self, *slots: str) -> "Wording":
        """Returns itself. `DataError` if a slot is missing or unknown."""
        found = set(_SLOT.findall(self.instruction + self.input))
        if missing := [slot for slot in slots if slot not in found]:
            raise DataError(
                f"the wording {self.input!r} has no place for {' and '.join(f'{{{slot}}}' for slot in missing)}; "
                "write it into `input`"
            )
        if unknown := sorted(found - set(slots)):
            raise DataError(
                f"the wording {self.input!r} has a slot {{{unknown[0]}}}; known are "
                + ", ".join(f"{{{slot}}}" for slot in slots)
            )
        return self
