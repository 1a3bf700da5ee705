"""Chat templates: rendering conversations with a backbone's own template, and checking that it can be relied on.

A template is a program that somebody else wrote. It runs in transformers' sandbox, which protects files and
attributes, but not against running for ever or taking all memory; so it is first tried in a process whose time and
memory are limited.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import TemplateError as JinjaError

from dragoman.corpora.records import Turn
from dragoman.errors import TemplateError
from dragoman.prompts.formats import message
from dragoman.sandbox.bounds import MEMORY, SECONDS, Fault, fault_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LONGEST = 1_000_000  # characters of a few short turns
ADVICE = (
    "Correct the template in the backbone's folder (chat_template.jinja), or take another backbone; with another "
    "`chat` in the recipe, such as `chat: alpaca`, it is not used."
)
_FAULTS: dict[Fault, str] = {
    "time": f"comes to no end: after {SECONDS} seconds of processor time it was still rendering a few short turns",
    "memory": f"takes more than {MEMORY >> 20} MiB of memory to render a few short turns",
    "crash": "ended the process that rendered a few short turns with it",
}

# What a template must hand through unchanged. All are stripped at both ends, as every text is here.
PROBES = (
    "Good morning!",
    "first line\nsecond line",
    "a\n\nb",
    "above\n\n\n\nbelow",
    "(An aside.) Then more …",
    "– „Guten Morgen“, sagte er: «Ça va ?»",
    "早上好！这是一句话。",
    "Доброе утро, мир; как дела?",
    "two  spaces, a\ttab, and  more",
    'He said "yes" & <b>left</b>, it\'s {{ fine }}.',
    "```python\ndef f(x):\n    return {x: [1, 2]}\n```",
    "line \n separator\u2028and 👩‍🔬 e\u0301",
    "1. one\n2. two\n\n- three: 3.5 % # ok\\n",
)


class Template:
    """A tokenizer's chat template, perhaps with a system prompt for every conversation that has none."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", name: str, system: str | None):
        self.tokenizer = tokenizer
        self.name = name
        self.system = system

    @property
    def there(self) -> bool:
        """Whether the tokenizer has a template at all."""
        return bool(self.tokenizer.chat_template)

    def require(self) -> None:
        """Raises a `TemplateError` if there is none."""
        if not self.there:
            raise TemplateError(
                f"{self.name} has no chat template, so there is no telling how it expects a question. "
                "Take the instruct or chat version of this model, put a chat_template.jinja in its folder, or write "
                "`chat: alpaca` in the recipe: a base model is then asked and taught with Alpaca's prompt."
            )

    def render(self, turns: Sequence[Turn]) -> str:
        """The text of a conversation. `TemplateError` if the template refuses it, or fails."""
        self.require()
        if self.system is not None and turns[0].role != "system":
            turns = [Turn("system", self.system), *turns]
        messages = [message(turn) for turn in turns]
        try:
            return str(self.tokenizer.apply_chat_template(messages, tokenize=False, strftime_now=_same_day))
        except JinjaError as error:
            roles = ", ".join(turn.role for turn in turns)
            advice = (
                " It knows no system prompt: leave `system` out of the recipe." if turns[0].role == "system" else ""
            )
            raise TemplateError(
                f"the chat template of {self.name} refuses a conversation whose turns are {roles}. It says: "
                f"{_short(error)}.{advice}"
            ) from error
        except Exception as error:  # whatever a program can fail with
            if "no loader for this environment" in str(error):
                why = "it takes in another template (include, import or extends), and nothing but itself is ever read"
            else:
                why = f"{type(error).__name__}: {_short(error)}"
            raise TemplateError(f"the chat template of {self.name} can't be rendered: {why}. {ADVICE}") from error

    def try_out(self, question: list[Turn]) -> None:
        """`TemplateError` if the template does not finish, takes too much memory, or leaves the system prompt out."""
        answer = Turn("assistant", "I am an assistant.")
        conversations = [question, [*question, answer], [*question, answer, *question, answer]]
        if found := fault_of(lambda: self._render_all(conversations)):
            raise TemplateError(f"the chat template of {self.name} {_FAULTS[found]}. {ADVICE}")
        longest = len(self.render(question))
        if longest > LONGEST:
            raise TemplateError(
                f"the chat template of {self.name} makes {longest:,} characters of a short question. {ADVICE}"
            )
        if self.system is not None and self.system.strip() not in self.render(question):
            raise TemplateError(
                f"the chat template of {self.name} leaves the system prompt out. Take `system` out of the recipe, or "
                "use a backbone whose template knows system messages."
            )

    def check_probes(self, question: list[Turn], before: str, after: str) -> None:
        """`TemplateError` if the template alters what the assistant says."""
        for probe in PROBES:
            rendered = self.render([*question, Turn("assistant", probe)])
            if rendered != before + probe + after:
                middle = rendered.removeprefix(before).removesuffix(after)
                raise TemplateError(
                    f"the chat template of {self.name} alters the assistant's text: it turned {probe!r} into "
                    f"{middle!r}. A model trained through it would learn other text than the references. "
                    "Correct the template in the backbone's folder (chat_template.jinja), or take another backbone."
                )

    def not_as_it_is(self, mark: str, rendered: str) -> TemplateError:
        return TemplateError(
            f"the chat template of {self.name} does not render the assistant's text as it is: {mark!r} is not in "
            f"{rendered[-200:]!r}. Correct the template in the backbone's folder, or take another backbone."
        )

    def _render_all(self, conversations: Sequence[Sequence[Turn]]) -> None:
        """Renders all conversations. Only running out of memory is raised: other failures recur in the real
        rendering.
        """
        for turns in conversations:
            try:
                self.render(turns)
            except TemplateError as error:
                if isinstance(error.__cause__, MemoryError):
                    raise error.__cause__ from None


def check_size(folder: str | Path) -> None:
    """`TemplateError` if a template is too long to be genuine; transformers would read the whole file."""
    path = Path(folder) / "chat_template.jinja"
    if path.is_file() and path.stat().st_size > LONGEST:
        raise TemplateError(
            f"{path} has {path.stat().st_size:,} bytes, and no chat template has more than {LONGEST:,}. Take the "
            "model's own file, or another backbone."
        )


def _short(error: Exception) -> str:
    return str(error)[:300].rstrip(".")


def _same_day(form: str) -> str:
    """Replaces the clock: some templates write today's date into the prompt, and ids must not depend on it."""
    return datetime(2024, 7, 26).strftime(form)
