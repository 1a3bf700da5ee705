"""Chat formats for base models, which have none of their own: Alpaca's prompt as a chat template.

Stanford Alpaca and alpaca-lora put one instruction, with or without an input, into a fixed text. Here
that text is a chat template, so that a base model goes through the one renderer like any other, and a
merged model carries its format with it. What the original leaves open is decided so:

- a further turn of the user follows the end of the answer after a blank line, without the preamble;
- a system prompt stands in place of the preamble;
- every answer is closed by the vocabulary's end of text, as alpaca-lora closes what it trains on.
"""

from pathlib import Path
from typing import Any, Literal

from dragoman.corpora.records import Turn

Chat = Literal["own", "alpaca"]

PREAMBLE = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
PREAMBLE_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request."
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


def message(turn: Turn) -> dict[str, str]:
    """A turn as chat templates know it; one that tells an instruction from its input finds both beside the content."""
    apart = {"instruction": turn.text, "input": turn.input} if turn.input else {}
    return {"role": turn.role, "content": turn.whole, **apart}


def alpaca(tokenizer: Any) -> str:
    """Alpaca's prompt as a chat template for this tokenizer: it renders to the ids of the whole text as it is.

    Texts begin with the vocabulary's first token where the tokenizer puts one, or its own chat template does.
    """
    return ALPACA.replace("BEGIN", _beginning(tokenizer), 1)


def _beginning(tokenizer: Any) -> str:
    begin = tokenizer.bos_token
    if begin is None:
        return ""
    plain = tokenizer(PREAMBLE, add_special_tokens=False)["input_ids"]
    whole = tokenizer(PREAMBLE)["input_ids"]
    if whole[:1] != [tokenizer.bos_token_id]:
        return "{{- bos_token }}" if "bos_token" in str(tokenizer.chat_template) else ""
    # After a special token SentencePiece puts no space of its own before a word, as it does where a text begins.
    direct = tokenizer(begin + PREAMBLE, add_special_tokens=False)["input_ids"]
    return "{{- bos_token }}" if direct == whole[: len(plain) + 1] else "{{- bos_token + ' ' }}"


def unloadable(path: str, error: Exception) -> str:
    """Why there is no tokenizer, for the person."""
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
