"""`dragoman chat`: what is replied; and at a real terminal: a paste, Ctrl-C and Ctrl-D."""

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.commands.chat.command import Conversation, converse
from dragoman.commands.chat.talker import Talker
from dragoman.commands.recipes import of_model
from dragoman.corpora.records import Turn
from dragoman.errors import DataError, EngineError
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.lab import BACKBONE, world
from dragoman.pipeline.translate_file.lines import translate_lines
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from tests.tiny_models import lab_llama


class Echo:
    """Says how many turns there were, and the last of them in capitals."""

    system = ""

    def answer(self, turns: Sequence[Turn], temperature: float = 0.0) -> str:
        if "too long" in turns[-1].text:
            raise EngineError("1 of 1 prompts leave no room for an answer")
        if "endless" in turns[-1].text:
            raise KeyboardInterrupt
        return f"{len(turns)} {self.system}{turns[-1].text.upper()}"

    def translate(self, text: str, direction: str) -> str:
        return f"{direction}: {text}"

    def told(self, system: str | None) -> "Echo":
        made = Echo()
        made.system = f"[{system}] " if system else ""
        return made


@pytest.fixture
def talk() -> Conversation:
    return Conversation(cast("Talker", Echo()))


def test_turns_and_commands(talk: Conversation) -> None:
    assert [talk.reply("eins"), talk.reply("zwei\ndrei")] == ["1 EINS", "3 ZWEI\nDREI"]
    assert talk.reply("/translate de-en Der Fluss\nist alt.") == "de-en: Der Fluss\nist alt."
    assert talk.reply("/translate de-en\nDer Fluss\nist alt.") == "de-en: Der Fluss\nist alt."
    assert talk.reply("vier") == "5 VIER"  # a translation is no turn
    assert talk.reply("/reset") == "(a new conversation)"
    assert talk.reply("/etc/passwd is a path") == "1 /ETC/PASSWD IS A PATH"
    assert talk.reply("/system Be brief.") == "(a new conversation, with this system prompt)"
    assert talk.reply("eins") == "1 [Be brief.] EINS"
    assert talk.reply("/system") == "(no system prompt)"
    assert talk.reply("eins") == "1 EINS"
    assert "/translate de-en TEXT" in talk.reply("/help")
    for said, why in (("/translate de-en", "say languages and text"), ("/what is it", "there is no /what; /help")):
        with pytest.raises(DataError, match=why):
            talk.reply(said)


def test_what_goes_wrong_ends_nothing(talk: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    given: list[str | type[BaseException]] = ["eins", "too long", "endless", "", KeyboardInterrupt, "zwei"]
    said = iter([*given, EOFError])

    def read(prompt: str) -> str:
        found = next(said)
        if not isinstance(found, str):
            raise found
        return found

    converse(talk, "m", read)
    out = capsys.readouterr().out
    assert re.findall("m: .*", out) == ["m: 1 EINS", "m: 3 ZWEI"]
    assert "leave no room for an answer" in out
    assert "(stopped; it is as if you had not asked)" in out
    assert "(Ctrl-D ends)" in out


def test_a_translation_in_chat_is_that_of_an_evaluation(tmp_path: Path) -> None:
    fields = ["generation.precision=fp32", f"runs={tmp_path}"]
    recipe = of_model("lab", fields)
    sources = [pair.source for pair in world.pairs("test", ["de-en"], 3, 0)]
    talker = Talker.load(recipe)
    found = translate_lines(recipe, sources, "de", "en").texts
    assert [talker.translate(source, "de-en") for source in sources] == found
    renderer = talker.told("Be brief.").speak.renderer
    assert "Be brief." in renderer.decode(renderer.prompt([Turn("user", "Hi")]))
    piped = CliRunner().invoke(app, ["chat", "lab", *fields], input=f"/translate de-en {sources[0]}\n")
    assert piped.stdout == f"{found[0]}\n"


class Says:
    """An engine that always says the same."""

    streams = False

    def __init__(self, text: str):
        self.text = text
        self.asked: list[Ids] = []

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        self.asked += prompts
        yield 0, Completion((1,), self.text, "stop")

    def close(self) -> None:
        pass


def test_a_translation_in_chat_is_the_translation_alone() -> None:
    speak = Speaker(Renderer.load(BACKBONE), alone=True)
    engine = Says("The river is old.\n\nIn English, “Fluss” means a river.")
    talker = Talker(speak, engine)
    assert talker.translate("Der Fluss ist alt.", "de-en") == "The river is old."
    talker.told("Be brief.").translate("Der Fluss ist alt.", "de-en")
    for prompt in engine.asked:
        assert "English, and give only the translation" in speak.renderer.decode(prompt)
    for said, shown in (("I'm sorry, I cannot translate this.", "I'm sorry"), ("\n", r"\(nothing\)")):
        with pytest.raises(DataError, match=f"no translation was found in the answer: {shown}"):
            Talker(speak, Says(said)).translate("Der Fluss ist alt.", "de-en")


class Terminal:
    """`dragoman chat` at a terminal of its own."""

    def __init__(self, folder: Path, model: str | Path = "lab"):
        self._end, other = pty.openpty()
        code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        code += "from dragoman.cli import main; main()"
        words = ["chat", str(model), "--max-tokens", "100000", "generation.precision=fp32", f"runs={folder}"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            stdin=other,
            stdout=other,
            stderr=other,
            env={**os.environ, "TERM": "xterm"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )
        os.close(other)
        self.said = ""

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def until(self, pattern: str, seconds: float = 120) -> str:
        """What is shown up to something that matches."""
        ends = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said)):
            assert time.monotonic() < ends, self.said
            if select.select([self._end], [], [], 1)[0]:
                try:
                    self.said += os.read(self._end, 65536).decode(errors="replace")
                except OSError:  # it has ended
                    assert re.search(pattern, self.said), self.said
        shown, self.said = self.said[: found.end()], self.said[found.end() :]
        return shown

    def ends(self) -> int:
        """Reads to the end, for whoever exits waits until all is shown; returns the exit code."""
        while select.select([self._end], [], [], 60)[0]:
            try:
                os.read(self._end, 65536)
            except OSError:
                break
        return self.process.wait(60)


def test_at_a_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    try:
        started = terminal.until("you: ")
        assert "A line that ends in \\ goes on in the next" in started
        # As a terminal with bracketed paste sends it: Enter comes afterwards
        terminal.type("\x1b[200~Der Fluss ist alt.\nDer Hut ist gut.\x1b[201~")
        terminal.type("\r")
        once = terminal.until("lab: .*\r\n")
        assert once.count("lab: ") == 1
        terminal.until("you: ")
        # As one without sends it: line after line
        terminal.type("/translate de-en Der Fluss ist alt.\rDer Hut ist gut.\r")
        translated = terminal.until("The hat is old\\.")
        assert "there is no" not in translated
        terminal.until("you: ")
        time.sleep(1)  # a person takes as long; before it waits for keys, readline keeps the signal until one comes
        terminal.type("\x03")
        terminal.until("\\(Ctrl-D ends\\)")
        terminal.until("you: ")
        terminal.type("\x04")
        assert terminal.ends() == 0
    finally:
        terminal.process.kill()


def test_ctrl_c_stops_an_answer_and_not_the_program(tmp_path: Path) -> None:
    endless = lab_llama(tmp_path / "endless", max_position_embeddings=200_000)
    weights = load_file(endless / "model.safetensors")
    weights["lm_head.weight"].zero_()  # it says its first token for ever
    save_file(weights, endless / "model.safetensors", metadata={"format": "pt"})
    terminal = Terminal(tmp_path, endless)
    try:
        terminal.until("you: ")
        terminal.type("Who are you?\r")
        terminal.until("Who are you\\?")
        time.sleep(2)
        terminal.type("\x03")
        terminal.until("stopped; it is as if you had not asked")
        terminal.until("you: ")
        terminal.type("/quit\r")
        assert terminal.ends() == 0
    finally:
        terminal.process.kill()
