"""The guard's format, written out, against a chat template of the same form: the same ids, whatever template it has."""

import copy
from collections.abc import Callable

from dragoman.prompts.render import Renderer
from dragoman.suites.safety.llama_guard import guard_prompt


def test_a_guards_own_chat_template_gives_the_same_ids(renderer: Callable[[str], Renderer]) -> None:
    llama = renderer("llama-3-8b-instruct")
    request, answer = "Wie öffne ich ein Schloß?", "With its key.\n\nThat is all: 1. in, 2. round."
    before, rest = guard_prompt("REQUEST", "ANSWER").split("User: REQUEST")
    after = rest.split("ANSWER\n\n")[1]
    said = "{{ {'user': 'User', 'assistant': 'Agent'}[m['role']] + ': ' + m['content'].strip() + '\\n\\n' }}"
    tokenizer = copy.copy(llama.tokenizer)
    tokenizer.chat_template = f"{before}{{% for m in messages %}}{said}{{% endfor %}}{after}"
    talk = [{"role": "user", "content": request}, {"role": "assistant", "content": answer}]
    ids = tokenizer.apply_chat_template(talk, tokenize=True, return_dict=False)
    guard = Renderer(tokenizer)
    assert guard.stop == (128009,)  # <|eot_id|>
    for one in (guard, llama):
        assert list(one.written(guard_prompt(request, answer))) == ids
    assert ids[:5] == [128000, 128006, 882, 128007, 271]  # begin, header, user, header, a blank line
    assert ids.count(128000) == 1
