"""BayLing (Zhang et al., 2023): interactive translation, in dialogues that a teacher makes of the pairs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.language import in_wrong_language
from dragoman.corpora.records import Dialogue, Pair, Record, Turn, draw
from dragoman.errors import DataError
from dragoman.generation.ask import Ask, Asking, Completion, Sampling
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.speak import Speaker
from dragoman.recipe.fields import Distinct, Positive

TITLE = "BayLing"
Kind = Literal["terms", "shorter", "longer", "formal", "informal", "question"]
ASKED: dict[Kind, str] = {
    "terms": "Make sure to include these words: {words}",
    "shorter": "Make the translation shorter.",
    "longer": "Say it at greater length.",
    "formal": "Make the translation more formal.",
    "informal": "Make the translation more casual.",
    "question": "What does “{words}” mean in this translation?",
}
"""What a user says for each kind of turn. The first is BayLing's; of the others nothing was published."""
ALONE = 2  # turns of a translation that nothing follows
TERMS = 2  # words of a reference that a user insists on
MARKS = ".,;:!?…\"'“”„«»()[]。，、；：！？（）「」"


class Options(MethodOptions):
    teacher: str | None = None
    """The model that drafts and revises: a directory, or a name on the hub. The backbone when absent."""
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1), Distinct] = tuple(ASKED)
    """What users ask for after the first translation. `terms`: words of the reference that a draft lacks, and the
    reference is the answer; the others are answered by the teacher, and checked by rule where there is one."""
    turns: Positive = 3
    """Most requests after the first; each pair draws from one to so many, of different kinds."""
    max_tokens: Positive = 256
    """Longest answer of the teacher; one that is cut off here is no answer."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy."""
    seed: int = 0
    """Decides who asks for what, and sampled answers."""


@dataclass(slots=True)
class _Dialogue:
    """A dialogue about a pair as far as it has come, and what its user will still ask for."""

    pair: Pair
    turns: tuple[Turn, ...]
    wanted: tuple[Kind, ...]

    @property
    def answer(self) -> str:
        return self.turns[-1].text


def bayling(records: Sequence[Record], speak: Speaker, options: Options) -> Making:
    """L = -log P of every turn of the assistant. What fails its check is left out with all that would follow it, but a
    draft alone, in whose place the dialogue begins with the reference; a pair of which nothing else is left is a plain
    translation. Conversations are learnt as they are. DataError if requests are written out, and so no turns.
    """
    if speak.format and speak.format.template:
        raise DataError(
            "bayling teaches dialogues, and its prompt is a template that is written out; take `prompt: bayling`, or "
            "none"
        )
    model = options.teacher or "backbone"
    teacher = speak.of(model)
    sampling = Sampling(options.max_tokens, teacher.stop, options.temperature, seed=options.seed)
    notes = Counter[str]()
    begun = [_begun(record, speak, options) for record in records if isinstance(record, Pair)]

    drafted = [one for one in begun if one.wanted[0] == "terms"]
    if drafted:
        asks = [teacher.turns((Turn("user", one.turns[0].whole),)) for one in drafted]
        drafts = yield Ask(model, asks, sampling, "drafts")
        for one, draft in zip(drafted, drafts, strict=True):
            notes["requests: terms"] += 1
            if fault := _with_terms(one, draft):
                notes[f"terms left out: {fault}"] += 1
    while going := [one for one in begun if one.wanted]:
        for one in going:
            words = ", ".join(sorted(_words(one.answer), key=len)[-1:])
            one.turns += (Turn("user", ASKED[one.wanted[0]].format(words=words)),)
        asks = [teacher.turns(one.turns) for one in going]
        answers = yield Ask(model, asks, sampling, "revisions")
        for one, answer in zip(going, answers, strict=True):
            kind, *rest = one.wanted
            notes[f"requests: {kind}"] += 1
            if fault := _fault(kind, answer, one):
                notes[f"{kind} left out: {fault}"] += 1
                one.turns, one.wanted = one.turns[:-1], ()
            else:
                one.turns, one.wanted = (*one.turns, Turn("assistant", answer.text.strip())), tuple(rest)

    every = iter(begun)
    examples = []
    for record in records:
        about = next(every) if isinstance(record, Pair) else None
        if about and len(about.turns) > ALONE:
            examples.append(speak.dialogue(Dialogue(about.turns, about.pair.direction, about.pair.target_language)))
        else:  # as everybody learns it
            examples.append(speak.example(speak.prefix(record)))
            notes["pairs without a request after the translation"] += about is not None
    context = speak.context
    fitting = [one for one in examples if context is None or len(one.ids) <= context]
    notes[f"left out: longer than {context} tokens"] += len(examples) - len(fitting)
    return Lesson(fitting, +notes)


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    """Each request is taken to be answered at the length of a reference, after all that was said before."""
    pairs = learnt.where(lambda kind: kind.pairs).total
    base, requests = learnt.total, (1 + min(options.turns, len(options.kinds))) / 2
    more = requests * pairs.records * expected.own_answer(pairs, options.max_tokens)
    asked = requests * (pairs.asked + pairs.answered) + more * (requests - 1) / 2
    trained = base.answered + more
    asking = Asking(requests * pairs.records, asked, more)
    return Forecast(base.records, base.asked + trained, trained, asking, "revisions", alike=options.model_dump_json())


def _begun(pair: Pair, speak: Speaker, options: Options) -> _Dialogue:
    """The first translation, and what its user will ask for: `terms` first of all, for which it begins with a draft."""
    asked, reference = speak.texts(pair)
    ranked = sorted(options.kinds, key=lambda kind: draw(pair.key, kind, options.seed))
    count = 1 + int(draw(pair.key, "turns", options.seed) * min(options.turns, len(ranked)))
    wanted = sorted(ranked[:count], key=lambda kind: kind != "terms")
    return _Dialogue(pair, (Turn("user", asked), Turn("assistant", reference)), tuple(wanted))


def _with_terms(one: _Dialogue, draft: Completion) -> str:
    """Puts a draft, and the request for words that it lacks, before the reference; else says why not."""
    one.wanted = one.wanted[1:]
    said = draft.text.strip()
    lacking = [word for word in _words(one.answer) if word.casefold() not in said.casefold()]
    fault = _unusable(draft, one) or ("" if lacking else "the draft has all words of the reference")
    if not fault:
        chosen = sorted(sorted(lacking, key=len)[-TERMS:], key=one.answer.index)
        request = Turn("user", ASKED["terms"].format(words=", ".join(chosen)))
        one.turns = (one.turns[0], Turn("assistant", said), request, one.turns[1])
    return fault


def _fault(kind: Kind, answer: Completion, one: _Dialogue) -> str:
    """What is wrong with a teacher's answer by rule; empty if nothing is."""
    if fault := _unusable(answer, one, translates=kind != "question"):
        return fault
    before, said = one.turns[-2].text, answer.text.strip()
    if (kind == "shorter" and len(said) >= len(before)) or (kind == "longer" and len(said) <= len(before)):
        return f"not {kind}"
    return ""


def _unusable(answer: Completion, one: _Dialogue, translates: bool = True) -> str:
    said = answer.text.strip()
    if answer.finish == "failed":
        return "failed"
    if not said:
        return "empty"
    if answer.finish == "length":
        return "cut off at the limit"
    if any(said == turn.text for turn in one.turns if turn.role == "assistant"):
        return "as before"
    if translates and in_wrong_language(said, one.pair.source_language, one.pair.target_language):
        return "in the wrong language"
    return ""


def _words(text: str) -> list[str]:
    """The words of a text, each once; where words are not parted by spaces, runs of two characters."""
    words = [word.strip(MARKS) for word in text.split()]
    if len(words) == 1 and not text.isascii():
        words = [first + second for first, second in pairwise(words[0]) if not {first, second} & {*MARKS}]
    return [word for word in dict.fromkeys(words) if word]
