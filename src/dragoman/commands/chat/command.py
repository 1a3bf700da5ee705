"""The command `dragoman chat`: reads what is said, and says what is answered."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragoman.commands.chat.messages import HOW, read_message, terminal_lines
from dragoman.commands.options import Adapter, Longest, Model, Overrides, System, Way
from dragoman.corpora.records import Turn
from dragoman.errors import DataError, DragomanError
from dragoman.terminal import put, say

if TYPE_CHECKING:
    from dragoman.commands.chat.talker import Talker

HELP = f"""{HOW}
/translate de-en TEXT   the translation alone, as it would be scored; TEXT may be a block
/system TEXT            another system prompt, in a new conversation; without TEXT none
/reset                  a new conversation
/quit                   the end, as Ctrl-D; Ctrl-C stops an answer"""


def chat(
    model: Model,
    overrides: Overrides = None,
    system: System = None,
    prompt: Way = "",
    temperature: Annotated[float, typer.Option(min=0.0, help="0 is greedy.")] = 0.0,
    adapter: Adapter = None,
    max_tokens: Longest = 512,
) -> None:
    """Talk with a model, and have it translate. What is piped in is one message."""
    from dragoman.commands import recipes
    from dragoman.commands.chat.talker import Talker

    given = {"system": system, "prompt": prompt or None}
    options = [f"{name}={json.dumps(value)}" for name, value in given.items() if value is not None]
    recipe = recipes.of_model(model, [*options, *(overrides or ())])
    at_terminal = sys.stdin.isatty()
    if at_terminal:
        say(f"loading {model} …", dim=True)
    talk = Conversation(Talker.load(recipe, adapter, max_tokens), temperature)
    if not at_terminal:
        if said := _piped():
            put(talk.reply(said))
        return
    say(f"{HOW} /help tells more, Ctrl-D ends.", dim=True)
    converse(talk, model, terminal_lines)


class Conversation:
    """The turns so far, with a model that answers them."""

    def __init__(self, talker: "Talker", temperature: float = 0.0):
        self._talker = talker
        self._temperature = temperature
        self._turns: list[Turn] = []

    def reply(self, said: str) -> str:
        """What is answered to a message or a command. A DragomanError leaves the conversation as it was."""
        word, rest = (*said.split(maxsplit=1), "", "")[:2]
        match word:
            case "/help":
                return HELP
            case "/reset":
                self._turns = []
                return "(a new conversation)"
            case "/system":
                self._talker, self._turns = self._talker.told(rest or None), []
                return "(a new conversation, with this system prompt)" if rest else "(no system prompt)"
            case "/translate":
                direction, text = (*rest.split(maxsplit=1), "", "")[:2]
                if not text:
                    raise DataError("say languages and text, as in /translate de-en Der Fluss ist alt.")
                return self._talker.translate(text, direction)
            case _ if word.startswith("/") and word[1:].isalpha():
                raise DataError(f"there is no {word}; /help tells what there is")
        turns = [*self._turns, Turn("user", said)]
        answer = self._talker.answer(turns, self._temperature)
        self._turns = [*turns, Turn("assistant", answer)]
        return answer


def converse(talk: Conversation, model: str, read: Callable[[str], str]) -> None:
    """Messages and answers, until the input ends. Ctrl-C stops an answer, or drops what is being written."""
    while True:
        try:
            said = read_message(read)
            said.encode()
        except EOFError:
            say()
            return
        except UnicodeError:
            say("(that was no UTF-8)")
            continue
        except KeyboardInterrupt:
            say("\n(Ctrl-D ends)", dim=True)
            continue
        if said == "/quit":
            return
        if not said:
            continue
        try:
            answer = talk.reply(said)
        except DragomanError as error:
            say(error, fg="red")
        except KeyboardInterrupt:
            say("\n(stopped; it is as if you had not asked)", dim=True)
        else:
            say(answer if said.startswith("/") else f"{_called(model)}: {answer}")


def _called(model: str) -> str:
    return Path(model).name if Path(model).is_dir() else model


def _piped() -> str:
    try:
        return sys.stdin.buffer.read().decode().strip()
    except UnicodeDecodeError as error:
        raise DataError(f"standard input: not valid UTF-8 ({error.start + 1} bytes into it)") from None
