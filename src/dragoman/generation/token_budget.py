"""The token budget of an answer: what fits into a model's context, for every engine that knows its model."""

from collections.abc import Sequence

from dragoman.errors import EngineError
from dragoman.generation.ask import Ids


def rooms(prompts: Sequence[Ids], context: int | None, max_tokens: int, *, heal: bool = False) -> list[int]:
    """The number of tokens that each prompt's answer may have: `max_tokens`, or fewer if the context ends first.

    With `heal`, the last token of each prompt counts as part of the answer. EngineError if a prompt is empty (or
    would be without its last token), or leaves no room for an answer.
    """
    lengths = [len(prompt) for prompt in prompts]
    if 0 in lengths:
        raise EngineError(f"Prompt {lengths.index(0)} is empty: there is nothing to continue.")
    if heal and 1 in lengths:
        raise EngineError(
            f"Prompt {lengths.index(1)} is a single token: nothing would be left to generate it from, so it "
            "cannot be healed. Set `boundary: exact`."
        )
    if context is None:
        return [max_tokens] * len(lengths)
    long = [length for length in lengths if length >= context]
    if long:
        raise EngineError(
            f"{len(long)} of {len(prompts)} prompts leave no room for an answer: the longest has {max(long)} "
            f"tokens, and the model's context is {context}. Leave such records out, or take another backbone."
        )
    return [min(max_tokens, context - length + heal) for length in lengths]


def check_ids(prompts: Sequence[Ids], vocabulary: int) -> None:
    """EngineError if a prompt has a token outside the model's vocabulary: engines would crash, or worse."""
    beyond = max((max(prompt, default=0) for prompt in prompts), default=0)
    if beyond >= vocabulary or any(min(prompt, default=0) < 0 for prompt in prompts):
        raise EngineError(
            f"A prompt has the token {beyond}, and the model knows {vocabulary}: it was rendered for another "
            "vocabulary."
        )
