"""Chat templates that are somebody's program: what runs on, what takes all memory, what reads other files."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from dragoman.corpora.records import Turn
from dragoman.errors import TemplateError
from dragoman.prompts.render import Renderer
from dragoman.prompts.template import Template
from dragoman.sandbox import bounds
from dragoman.sandbox.bounds import fault_of

Made = Callable[..., Any]
CHATML = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@pytest.fixture(autouse=True)
def no_process_is_left_over() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (LOOP, "comes to no end: after 2 seconds of processor time"),
        ("{% if messages | length > 2 %}" + LOOP + "{% endif %}", "comes to no end"),  # a second turn
        ("{{ 9 ** (9 ** 9) }}", "comes to no end"),  # as it is compiled
        ("{{ 'x' * 10 ** 11 }}", "takes more than 256 MiB of memory"),
        ("{{ 'x' | center(10 ** 10) }}", "takes more than 256 MiB of memory"),
        ("{% set s = namespace(t='x') %}{% for _ in range(40) %}{% set s.t = s.t + s.t %}{% endfor %}", "256 MiB"),
        ("{{ 'x' * 1000001 }}", "makes 1,000,0.. characters of a short question"),
        ("{% for _ in range(10 ** 9) %}{% endfor %}", "can't be rendered: OverflowError: Range too big"),
        ("{% include 'other.jinja' %}", "takes in another template .* nothing but itself is ever read"),
        ("{% import '/etc/passwd' as other %}", "takes in another template"),
        ("{% extends 'base' %}", "takes in another template"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "can't be rendered: RecursionError"),
        ("{{ 1 / 0 }}", "can't be rendered: ZeroDivisionError: division by zero"),
        ("{% for m in messages %}", "refuses a conversation whose turns are user. It says: Unexpected end of template"),
        ("{{ raise_exception('no! ' * 10000) }}", r"It says: (no! ){75}\.$"),
    ],
)
def test_a_template_that_can_t_be_relied_on_is_refused_with_a_sentence(made: Made, more: str, said: str) -> None:
    with pytest.raises(TemplateError, match=f"(?s)^the chat template of bytes .*{said}") as caught:
        Renderer(made(CHATML + more))
    assert len(str(caught.value)) < 700


def test_ordinary_templates_are_tried_and_left_as_they_are(
    renderer: Callable[[str], Renderer], any_backbone: str
) -> None:
    """In a process with threads, as those that hold a model have."""
    here = threading.Event()
    thread = threading.Thread(target=here.wait)
    thread.start()
    tokenizer = renderer(any_backbone).tokenizer
    Template(tokenizer, any_backbone, None).try_out([Turn("user", "Who are you?")])
    here.set()
    thread.join()


def test_trying_a_template_takes_a_fraction_of_a_second_of_a_processor(made: Made) -> None:
    template = Template(made(CHATML), "bytes", None)
    template.render([Turn("user", "x")])
    before = os.times()
    for _ in range(5):
        template.try_out([Turn("user", "x")])
    after = os.times()
    spent = [after[place] - before[place] for place in range(4)]  # of this process and of those that it waited for
    assert sum(spent) / 5 < 0.25


def test_faults_of_a_function() -> None:
    held: list[bytes] = []
    assert fault_of(lambda: None) is None
    assert fault_of(lambda: 1 / 0) is None  # its caller will see
    assert fault_of(lambda: held.append(bytes(bounds.MEMORY + (64 << 20)))) == "memory"
    assert fault_of(lambda: os.kill(os.getpid(), 9)) == "memory"  # as a machine without memory ends a process
    assert fault_of(lambda: os._exit(9)) == "crash"
    assert held == []


def test_what_only_waits_is_no_fault_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that gives it no time nobody can tell."""
    monkeypatch.setattr(bounds, "PATIENCE", 0.2)
    assert fault_of(lambda: time.sleep(100)) is None


def test_a_template_whose_place_has_another_one_is_not_run(tmp_path: Path, made: Made) -> None:
    made(CHATML + LOOP).save_pretrained(tmp_path)
    assert LOOP in AutoTokenizer.from_pretrained(tmp_path).chat_template
    assert Renderer.load(tmp_path, chat="tower").end == (257,)


def test_a_template_of_megabytes_is_not_read(tmp_path: Path, made: Made) -> None:
    made(CHATML).save_pretrained(tmp_path)
    Renderer.load(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{# " + "x" * 1_000_000 + " #}" + CHATML)
    with pytest.raises(TemplateError, match=r"chat_template.jinja has 1,000,0.. bytes, and no chat template has more"):
        Renderer.load(tmp_path)


def children() -> set[str]:
    """Processes that this one started and has not waited for."""
    found: set[str] = set()
    for task in os.listdir("/proc/self/task"):
        with suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/self/task/{task}/children") as file:
            found |= set(file.read().split())  # unless that thread has just ended
    return found
