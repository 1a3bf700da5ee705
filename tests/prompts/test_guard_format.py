"""The guard's format, written out, against a chat template of the same form: the same ids, whatever template it has."""

import copy
from collections.abc import Callable

import pytest

from dragoman.prompts.render import Renderer
from dragoman.suites.safety.llama_guard import guard_prompt


@pytest.mark.parametrize("name", ["llama-3-like", "llama-3-8b-instruct"])
def test_a_guards_own_chat_template_gives_the_same_ids(name: str, renderer: Callable[[str], Renderer]) -> None:
    llama = renderer(name)
    request, answer = "Wie öffne ich ein Schloß?", "With its key.\n\nThat is all: 1. in, 2. round."
    before, rest = guard_prompt("REQUEST", "ANSWER").split("User: REQUEST")
    after = rest.split("ANSWER\n\n")[1]
    said = "{{ {'user': 'User', 'assistant': 'Agent'}[m['role']] + ': ' + m['content'].strip() + '\\n\\n' }}"
    tokenizer = copy.copy(llama.tokenizer)
    tokenizer.chat_template = f"{before}{{% for m in messages %}}{said}{{% endfor %}}{after}"
    talk = [{"role": "user", "content": request}, {"role": "assistant", "content": answer}]
    ids = tokenizer.apply_chat_template(talk, tokenize=True, return_dict=False)
    guard = Renderer(tokenizer)
    names = ("<|begin_of_text|>", "<|start_header_id|>", "user", "<|end_header_id|>", "<|eot_id|>")
    begin, header, user, closed, end = (guard.tokenizer(one, add_special_tokens=False)["input_ids"] for one in names)
    assert guard.stop == tuple(end)
    for one in (guard, llama):
        assert list(one.written(guard_prompt(request, answer))) == ids
    blank = guard.tokenizer("\n\n", add_special_tokens=False)["input_ids"]
    head = [*begin, *header, *user, *closed, *blank]
    assert ids[: len(head)] == head
    assert ids.count(begin[0]) == 1
