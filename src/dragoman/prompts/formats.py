"""Chat formats for models without a chat template: Alpaca's prompt, and those of published systems.

Stanford Alpaca and alpaca-lora put one instruction, with or without an input, into a fixed text; ParroT, BigTrans and
BayLing have texts of their own, TowerInstruct has ChatML. Here each is a chat template, so that such a model goes
through the one renderer like any other, and a merged model carries its format with it. What the originals leave open
is decided so:

- a further turn of the user follows the end of the answer after a blank line, without the preamble (BayLing has
  dialogues, and TowerInstruct: there it is theirs);
- a system prompt stands in place of the preamble;
- every answer is closed by the vocabulary's end of text, as alpaca-lora closes what it trains on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.corpora.records import Turn
from dragoman.recipe.judging import Chat

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PREAMBLE = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
PREAMBLE_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request."
)

BIGTRANS = "以下是一个描述任务的指令，请写一个完成该指令的适当回复。\n\n"
BAYLING = (
    "I am an intelligent language assistant developed by the NLP Group of ICT/CAS.\n"
    "Below is a dialog consisting of instructions and responses. Write a response that completes the request.\n\n"
)

# BEGIN stands for what a text of this vocabulary begins with.
ALPACA = f"""BEGIN
{{%- for message in messages %}}
    {{%- set about = message['input'] if message['input'] is defined else '' %}}
    {{%- if message['role'] not in ['system', 'user', 'assistant'] %}}
        {{{{- raise_exception('Roles are system, user and assistant, not ' + message['role']) }}}}
    {{%- elif message['role'] == 'system' and not loop.first %}}
        {{{{- raise_exception('Only the first message may be a system prompt') }}}}
    {{%- elif loop.first and message['role'] != 'system' %}}
        {{{{- '{PREAMBLE_INPUT}\\n\\n' if about else '{PREAMBLE}\\n\\n' }}}}
    {{%- elif not loop.first and messages[loop.index0 - 1]['role'] == 'assistant' %}}
        {{{{- '\\n\\n' }}}}
    {{%- endif %}}
    {{%- if message['role'] == 'system' %}}
        {{{{- message['content'] + '\\n\\n' }}}}
    {{%- elif message['role'] == 'assistant' %}}
        {{{{- '### Response:\\n' + message['content'] }}}}{{{{- eos_token }}}}
    {{%- elif about %}}
        {{{{- '### Instruction:\\n' + message['instruction'] + '\\n\\n### Input:\\n' + about + '\\n\\n' }}}}
    {{%- else %}}
        {{{{- '### Instruction:\\n' + message['content'] + '\\n\\n' }}}}
    {{%- endif %}}
{{%- endfor %}}
{{%- if add_generation_prompt and messages[-1]['role'] != 'assistant' %}}
    {{{{- '### Response:\\n' }}}}
{{%- endif %}}"""


# A dialogue whose turns stand between fixed words: `words` has those before and after each of them.
DIALOGUE = """BEGIN
{%- for message in messages %}
    {%- if message['role'] not in ['system', 'user', 'assistant'] %}
        {{- raise_exception('Roles are system, user and assistant, not ' + message['role']) }}
    {%- elif message['role'] == 'system' and not loop.first %}
        {{- raise_exception('Only the first message may be a system prompt') }}
    {%- elif loop.first and message['role'] != 'system' %}
        {{- words['preamble'] }}
    {%- endif %}
    {{- words[message['role']][0] + message['content'] }}
    {%- if message['role'] == 'assistant' %}
        {{- words['end'] or eos_token }}
    {%- endif %}
    {{- words[message['role']][1] }}
{%- endfor %}
{%- if add_generation_prompt and messages[-1]['role'] != 'assistant' %}
    {{- words['assistant'][0] }}
{%- endif %}"""


@dataclass(frozen=True, slots=True)
class Format:
    """A chat template, and what a conversation begins with in it."""

    template: str
    first: str


def _dialogue(preamble: str, end: str = "", **turns: tuple[str, str]) -> Format:
    """A template with these words around each role's turns; without `end`, the end-of-text token closes an answer."""
    words = json.dumps({"preamble": preamble, "end": end, **turns}, ensure_ascii=False)
    return Format(f"{{%- set words = {words} %}}{DIALOGUE}", preamble + turns["user"][0])


FORMATS: Mapping[Chat, Format] = {
    "alpaca": Format(ALPACA, PREAMBLE),
    "parrot": Format(ALPACA.replace(r"### Response:\n", "### Response:"), PREAMBLE),
    "bigtrans": _dialogue(BIGTRANS, system=("", "\n\n"), user=("### 指令:\n", "\n\n"), assistant=("### 回复:", "\n\n")),
    "bayling": _dialogue(
        BAYLING, system=("", "\n\n"), user=("### Instruction:\n", "\n"), assistant=("### Response:\n", "\n")
    ),
    "tower": _dialogue(
        "",
        end="<|im_end|>",
        system=("<|im_start|>system\n", "<|im_end|>\n"),
        user=("<|im_start|>user\n", "<|im_end|>\n"),
        assistant=("<|im_start|>assistant\n", "\n"),
    ),
}
"""Chat formats by their names in recipes (`chat`)."""


def message(turn: Turn) -> dict[str, str]:
    """A turn in the form that chat templates expect; if it separates instruction and input, both stand beside the
    content.
    """
    apart = {"instruction": turn.text, "input": turn.input} if turn.input else {}
    return {"role": turn.role, "content": turn.whole, **apart}


def chat_template(chat: Chat, tokenizer: "PreTrainedTokenizerBase") -> str:
    """A format as a chat template for this tokenizer: rendering gives the ids of the whole text as it stands.

    Texts begin with the vocabulary's begin-of-text token if the tokenizer, or its own chat template, puts one.
    """
    found = FORMATS[chat]
    return found.template.replace("BEGIN", _beginning(tokenizer, found.first), 1)


def _beginning(tokenizer: "PreTrainedTokenizerBase", first: str) -> str:
    begin = tokenizer.bos_token
    if begin is None:
        return ""
    plain = tokenizer(first, add_special_tokens=False)["input_ids"]
    whole = tokenizer(first)["input_ids"]
    if whole[:1] != [tokenizer.bos_token_id]:
        return "{{- bos_token }}" if "bos_token" in str(tokenizer.chat_template) else ""
    # After a special token SentencePiece puts no space of its own before a word, as it does where a text begins.
    direct = tokenizer(begin + first, add_special_tokens=False)["input_ids"]
    return "{{- bos_token }}" if direct == whole[: len(plain) + 1] else "{{- bos_token + ' ' }}"


def unloadable(path: str, error: Exception) -> str:
    """Explains to the person why the tokenizer could not be loaded."""
    first = str(error).strip().split("\n")[0][:300]
    if Path(path).is_dir():
        names = sorted(item.name for item in Path(path).iterdir())[:12]
        return (
            f"no tokenizer can be loaded from the folder {path}, which holds {', '.join(names) or 'nothing'}. It "
            f"needs at least tokenizer.json and tokenizer_config.json. transformers said: {first}"
        )
    return (
        f"no tokenizer found for {path!r}: there is no such folder here, and the Hugging Face hub did not give one. "
        "Check the spelling; without a network (or with HF_HUB_OFFLINE=1) the model must have been downloaded "
        f"before. transformers said: {first}"
    )
