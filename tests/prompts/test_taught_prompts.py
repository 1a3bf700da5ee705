"""What rows are taught to be asked: to the character and the token, with the systems' own files."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dragoman.corpora.records import Dialogue, Pair, Turn
from dragoman.errors import DataError
from dragoman.prompts.examples import Example, ExampleTable, write_examples
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.prompts.systems import SYSTEMS, taught
from dragoman.prompts.translation import Instruction, instructions_in
from dragoman.recipe.judging import Chat, TaughtPrompt
from dragoman.recipe.training import Training
from dragoman.training.batching import Batcher, Mixture
from tests import real_ones

PAIR = Pair("我爱机器翻译。", "I love machine translation.", "zh", "en")
LLAMAS = pytest.mark.parametrize("name", ["llama-2-like", "llama-like", *real_ones("llama-2-7b-chat", "llama-7b")])
CONVERSING = {name: system.chat for name, system in SYSTEMS.items() if system.chat}


@pytest.fixture
def speaker(tokenizer_folder: Callable[[str], Path]) -> Callable[..., Speaker]:
    """The speaker of a row with a prompt, in the system's chat format, over one of the backbones."""

    def make(name: str, chat: Chat | None = None, **said: Any) -> Speaker:
        format = taught(TaughtPrompt.model_validate(said))
        own = chat or (format.chat if format else None) or "own"
        return Speaker(Renderer.load(tokenizer_folder(name), chat=own), format=format)

    return make


def text(speak: Speaker, example: Example) -> str:
    return str(speak.renderer.tokenizer.decode(example.ids, clean_up_tokenization_spaces=False))


def parts(example: Example) -> list[tuple[str, float]]:
    return [(segment.name, segment.weight) for segment in example.segments]


def whole(speak: Speaker, written: str) -> list[int]:
    """The ids of a text as the systems' scripts get them, with an end of text behind it."""
    return [*speak.renderer.tokenizer(written)["input_ids"], *speak.renderer.end_of_text]


# --- ALMA


@LLAMAS
def test_almas_example_is_its_text_tokenised_as_a_whole(name: str, speaker: Callable[..., Speaker]) -> None:
    speak = speaker(name, system="alma")
    example = speak.example(speak.prefix(PAIR))
    written = "Translate this from Chinese to English:\nChinese: 我爱机器翻译。\nEnglish:I love machine translation."
    assert list(example.ids) == whole(speak, written)
    assert parts(example) == [("prompt", 0.0), ("reference", 1.0), ("end", 1.0)]
    prompt, reference, end = (segment.ids for segment in example.segments)
    assert prompt == speak.translate(PAIR)  # judged as it is taught
    assert prompt[0] == 1
    assert end == (2,)
    tokens = speak.renderer.tokenizer.convert_ids_to_tokens(list(reference))
    assert tokens[0] == "I"  # and not "▁I": there is no blank before the translation


def test_real_pairs_in_almas_format(real_data: Path, speaker: Callable[..., Speaker]) -> None:
    """Of its own data: the ids of the whole text, but `:"` and the like are parted: a model is asked with `:`."""
    speak = speaker("llama-7b", system="alma")
    tokenizer = speak.renderer.tokenizer
    parted = Counter[str]()
    for language in ("cs", "de", "ru", "zh"):
        file = real_data / "alma" / "human_written_data" / f"{language}en" / f"valid.{language}-en.json"
        for row in json.loads(file.read_text(encoding="utf-8"))[:300]:
            said = row["translation"]
            for source, target in ((language, "en"), ("en", language)):
                pair = Pair(said[source], said[target], source, target)
                prefix = speak.prefix(pair)
                ids = tokenizer(SYSTEMS["alma"].ask(pair) + pair.target.strip())["input_ids"]
                (over,) = tokenizer.convert_ids_to_tokens([ids[len(prefix.prompt) - 1]])
                if over != ":":
                    parted[over] += 1
                    apart = tokenizer.convert_ids_to_tokens(prefix.ids[len(prefix.prompt) - 1 :][: len(over)])
                    assert "".join(apart).startswith(over)
                    assert speak.decode(prefix.ids) == speak.decode(ids)
                else:
                    assert list(prefix.ids) == ids
                assert prefix.prompt == speak.translate(pair)
    assert set(parted) == {':"', ":'", ":("}
    assert 50 < sum(parted.values()) < 200


def test_a_token_over_the_boundary_is_parted(speaker: Callable[..., Speaker]) -> None:
    """A model is asked with the prompt's own ids, so these are learnt; the answer is tokenised by itself."""
    speak = speaker("llama-2-like", template="{source}: {text} {target}: (")
    prefix = speak.prefix(Pair("a", "b) c", "de", "en"))
    assert prefix.prompt == speak.translate(Pair("a", "", "de", "en"))
    assert speak.decode(prefix.ids) == "German: a English: (b) c"
    ended = speaker("llama-2-like", template="{text}")
    assert ended.decode(ended.prefix(Pair("hel", "lo", "de", "en")).ids) == "hello"
    assert ended.prefix(Pair("hel", "lo", "de", "en")).prompt == ended.translate(Pair("hel", "", "de", "en"))


@LLAMAS
def test_spaces_at_the_end_of_a_template_belong_to_the_answer(name: str, speaker: Callable[..., Speaker]) -> None:
    speak = speaker(name, template="{text}\n[TGT]: ")
    prefix = speak.prefix(PAIR)
    assert speak.renderer.tokenizer.convert_ids_to_tokens(prefix.reference[0]) == "▁I"
    assert prefix.prompt == speak.translate(PAIR)
    assert (
        list(prefix.ids)
        == speak.renderer.tokenizer("我爱机器翻译。\nEnglish: I love machine translation.")["input_ids"]
    )


@LLAMAS
def test_an_end_that_is_spelt_out_stays_text(name: str, speaker: Callable[..., Speaker]) -> None:
    speak = speaker(name, system="alma")
    prefix = speak.prefix(Pair("Hallo", "a</s> b", "de", "en"))
    assert 2 not in prefix.reference
    assert speak.decode(prefix.reference) == "a</s> b"


@LLAMAS
def test_without_an_end(name: str, speaker: Callable[..., Speaker]) -> None:
    for said in ({"system": "alma"}, {"system": "bayling"}):
        speak = speaker(name, **said, end=False)
        assert parts(speak.example(speak.prefix(PAIR))) == [("prompt", 0.0), ("reference", 1.0)]
        assert speak.referenced(PAIR).answer == speak.prefix(PAIR).reference


# --- systems that are asked in a chat format


@LLAMAS
@pytest.mark.parametrize("system", sorted(set(CONVERSING) - {"tower"}))
def test_a_row_is_judged_in_the_words_of_the_published_system(
    name: str, system: str, speaker: Callable[..., Speaker]
) -> None:
    speak = speaker(name, system=system)
    assert list(speak.translate(PAIR)) == speak.renderer.tokenizer(SYSTEMS[system].ask(PAIR))["input_ids"]
    assert speak.after(" I love it.\n", PAIR) == SYSTEMS[system].after(" I love it.\n", PAIR)


@LLAMAS
@pytest.mark.parametrize("system", sorted(set(CONVERSING) - {"tower", "bigtrans"}))
def test_a_row_learns_what_it_is_asked(name: str, system: str, speaker: Callable[..., Speaker]) -> None:
    speak = speaker(name, system=system)
    example = speak.example(speak.prefix(PAIR))
    assert list(example.ids) == whole(speak, SYSTEMS[system].ask(PAIR) + PAIR.target)
    assert example.segments[0].ids == speak.translate(PAIR)


@pytest.mark.parametrize("name", ["qwen-2.5-like", *real_ones("qwen2.5-7b-instruct")])
def test_towers_example(name: str, speaker: Callable[..., Speaker]) -> None:
    speak = speaker(name, system="tower")
    example = speak.example(speak.prefix(PAIR))
    assert text(speak, example) == f"{SYSTEMS['tower'].ask(PAIR)}I love machine translation.<|im_end|>"
    assert example.segments[0].ids == speak.translate(PAIR) == speak.written(SYSTEMS["tower"].ask(PAIR))


@LLAMAS
def test_conversations_are_learnt_in_the_systems_chat_format(name: str, speaker: Callable[..., Speaker]) -> None:
    turns = (Turn("user", "Hello!"), Turn("assistant", "Hi."), Turn("user", "Sort.", "b a"), Turn("assistant", "a b"))
    speak = speaker(name, system="bayling")
    said = text(speak, speak.dialogue(Dialogue(turns)))
    assert said.endswith(
        "completes the request.\n\n### Instruction:\nHello!\n### Response:\nHi.</s>\n### Instruction:\nSort.\n\nb a\n"
        "### Response:\na b</s>"
    )
    one = speaker(name, system="parrot")
    dialogue = one.example(one.prefix(Dialogue(turns[2:])))
    assert text(one, dialogue).endswith("### Instruction:\nSort.\n\n### Input:\nb a\n\n### Response:a b</s>")
    prefix = one.instructed("key", "Sort.", "b a\n\n### Hint: ascending", "a b")
    hinted = one.example(prefix)
    assert hinted.key == "key"
    assert text(one, hinted).endswith("### Input:\nb a\n\n### Hint: ascending\n\n### Response:a b</s>")


# --- instructions


def test_bigtrans_is_trained_with_28_requests(speaker: Callable[..., Speaker]) -> None:
    system = taught(TaughtPrompt(system="bigtrans"))
    assert system is not None
    said = [system.turn(PAIR, place).whole for place in range(28)]
    assert len(system.instructions) == len(set(said)) == 28
    assert said[0] == "请将以下汉语句子翻译成英语：我爱机器翻译。"
    assert sum("汉语" in one for one in said) == 14
    assert sum("文本" in one for one in said) == 14
    assert sum("句子" in one for one in said) == 14
    assert {"这个句子“我爱机器翻译。”用英语怎么说？", "如何用英语表达汉语文本“我爱机器翻译。”"} <= set(said)
    speak = speaker("llama-2-like", system="bigtrans")
    pairs = [Pair(f"Satz {number}.", "A sentence.", "de", "en") for number in range(2800)]
    drawn = Counter(system.place(pair, 0, 0) for pair in pairs)
    assert len(drawn) == 28
    assert all(60 < count < 140 for count in drawn.values())
    assert {speak.decode(speak.translate(pair)).count("请将以下德语句子翻译成英语：") for pair in pairs[:50]} == {1}


def test_bigtrans_input_files(real_data: Path) -> None:
    """Its script's two kinds of input hold one sentence a line; both are asked in the first form."""
    folder = real_data / "prior_systems" / "bigtrans"
    sentences = [json.loads(line)["input"] for line in (folder / "en.json").read_text(encoding="utf-8").splitlines()]
    plain = (folder / "en.txt").read_text(encoding="utf-8").splitlines()
    table = (folder / "languages_abbreviation2fullname.txt").read_text(encoding="utf-8").splitlines()
    names = {code: chinese for code, _, chinese in (line.split("\t") for line in table)}
    for sentence in [*sentences, *plain]:
        asked = SYSTEMS["bigtrans"].ask(Pair(sentence, "", "en", "de"))
        assert asked == (
            "以下是一个描述任务的指令，请写一个完成该指令的适当回复。\n\n### 指令:\n"
            f"请将以下{names['en']}句子翻译成{names['de']}：{sentence.strip()}\n\n### 回复:"
        )


@pytest.fixture
def parrots(real_data: Path) -> Path:
    return real_data / "prior_systems" / "parrot"


def test_parrots_33_instructions(parrots: Path, speaker: Callable[..., Speaker]) -> None:
    lines = (parrots / "instruct_follow.txt").read_text(encoding="utf-8").splitlines()
    said: dict[str, Any] = {"system": "parrot", "instructions": {"file": str(parrots / "instruct_follow.txt")}}
    speak = speaker("llama-7b", **said)
    begin = (
        "<s> Below is an instruction that describes a task, paired with an input that provides further context. Write "
        "a response that appropriately completes the request.\n\n### Instruction:\n"
    )
    seen = Counter[str]()
    for number in range(1000):
        pair = Pair(f"第{number}句。", "A sentence.", "zh", "en")
        written = text(speak, speak.example(speak.prefix(pair)))
        after = f"\n\n### Input:\n第{number}句。\n\n### Response:A sentence.</s>"
        assert written.startswith(begin)
        assert written.endswith(after)
        seen[written.removeprefix(begin).removesuffix(after)] += 1
        assert speak.translate(pair) == speak.written(SYSTEMS["parrot"].ask(pair))  # judged: the first of them
    assert set(seen) == {line.replace("[SRC]", "Chinese").replace("[TGT]", "English") for line in lines}
    assert len(seen) == 33


def test_parrots_requests_at_inference(parrots: Path) -> None:
    """Each of its files of one instruction, with a hint or without, comes to what its script writes."""
    for name, system in {
        "instruct_inf": "parrot",
        "instruct_inf_e2t": "parrot-hint",
    }.items():
        (instruction,) = instructions_in(parrots / "test" / f"{name}.txt")
        assert (instruction,) == SYSTEMS[system].instructions
    hints = [instructions_in(parrots / "test" / f"instruct_inf_{kind}.txt")[0].hint for kind in ("e2t_minor", "t2t")]
    assert hints == ["A translation with minor errors could be", "We prefer to translate it to"]


def test_parrots_training_hints(parrots: Path) -> None:
    contrastive = instructions_in(parrots / "instruct_t2t.txt")
    assert len(contrastive) == 33
    assert contrastive[24] == Instruction(
        "Could you supply the {target} translation for the upcoming sentences?", "A superior translation would be"
    )
    with pytest.raises(DataError, match=r"instruct_e2t.txt:1: .* has the placeholder \[SEV\]"):
        instructions_in(parrots / "instruct_e2t.txt")
    guided = instructions_in(parrots / "instruct_e2t.txt", ("[SEV]", "[ERR]"))
    assert guided[24].hint == guided[24 % 11].hint == "A rendition having [SEV] [ERR] errors is possible"


def test_baylings_requests(real_data: Path, speaker: Callable[..., Speaker]) -> None:
    """Its script's words, and those with terms, over its own file of constraints."""
    file = real_data / "prior_systems" / "bayling" / "constrained_translation" / "constraints.en-zh.zh.jsonl"
    speak = speaker("llama-7b", system="bayling")
    for line in file.read_text(encoding="utf-8").splitlines()[:50]:
        row = json.loads(line)
        pair = Pair(row["src"], row["tgt"], "en", "zh")
        asked = f"Provide the Chinese translation for this sentence: {row['src'].strip()}"
        assert SYSTEMS["bayling"].turn(pair).whole == asked
        terms = f"{asked}\nMake sure to include these words: {', '.join(row['constraint'])}"
        example = speak.example(speak.instructed("key", terms, "", row["tgt"]))
        assert f"### Instruction:\n{terms}\n### Response:\n{row['tgt'].strip()}</s>" in text(speak, example)


def test_the_kth_row_takes_the_kth_instruction(speaker: Callable[..., Speaker]) -> None:
    speak = speaker("llama-2-like", "alpaca", instructions=["One [TGT].", "Two {target}.", "{text} three."], pick="row")
    pairs = [Pair(f"Satz {number}.", "A sentence.", "de", "en") for number in range(7)]
    known = speak.counting(pairs, 4)
    turns = [known.texts(pair)[0] for pair in pairs]
    assert turns[:3] == ["Two English.\n\nSatz 0.", "Satz 1. three.", "One English.\n\nSatz 2."]
    assert [known.prefix(pair).prompt for pair in pairs] == [known.request(pair) for pair in pairs]
    assert known.but({}).texts(pairs[0]) == known.texts(pairs[0])
    assert speak.texts(pairs[0])[0] == "One English.\n\nSatz 0."
    assert known.translate(pairs[0]) == speak.translate(pairs[0]) == speak.request(pairs[0])  # the first, when judged
    drawn = speaker("llama-2-like", "alpaca", instructions=["One [TGT].", "Two {target}."])
    assert drawn.counting(pairs, 0) is drawn
    assert {drawn.texts(pair)[0].split()[0] for pair in pairs} == {"One", "Two"}


def test_languages_of_ones_own_words_keep_their_script(speaker: Callable[..., Speaker]) -> None:
    speak = speaker("llama-2-like", "alpaca", instructions=["Into {target}:"])
    assert speak.texts(Pair("a", "b", "de", "zh_Hant"))[0] == "Into Traditional Chinese:\n\na"


def test_a_hint_follows_the_sentence(speaker: Callable[..., Speaker]) -> None:
    speak = speaker("llama-2-like", system="parrot", instructions=["Translate.###A good one", "{text}: what?###Well"])
    said = speak.format
    assert said is not None
    assert said.turn(PAIR, 0) == Turn("user", "Translate.", "我爱机器翻译。\n\n### Hint: A good one")
    assert said.turn(PAIR, 1) == Turn("user", "我爱机器翻译。: what?\n\n### Hint: Well")


# --- what is learnt of it


@pytest.mark.parametrize("line", [0, 512])
def test_an_end_that_also_pads_is_learnt(line: int, speaker: Callable[..., Speaker], tmp_path: Path) -> None:
    """A vocabulary without padding gets its end of text for that; ALMA's code then never learns to stop."""
    speak = speaker("llama-like", system="alma")
    speak.renderer.tokenizer.pad_token = speak.renderer.tokenizer.eos_token
    end = speak.renderer.tokenizer.pad_token_id
    pairs = [PAIR, Pair("早上好！", "Good morning, and a good day to everybody who is here!", "zh", "en")]
    write_examples(tmp_path, 0, [speak.example(speak.prefix(pair)) for pair in pairs])
    (micro,) = Batcher(10_000, line)(list(ExampleTable(tmp_path))).micros
    learnt = micro.targets[micro.weights > 0].tolist()
    assert learnt.count(end) == 2
    assert len(learnt) == sum(len(speak.prefix(pair).reference) + 1 for pair in pairs)


def test_the_loss_may_be_on_all(speaker: Callable[..., Speaker], tmp_path: Path) -> None:
    """`segments` trains the request as well, whatever the format."""
    speak = speaker("llama-like", system="alma")
    write_examples(tmp_path, 0, [speak.example(speak.prefix(PAIR))])
    table = ExampleTable(tmp_path)
    alone, every = (
        Mixture(table, None, Training.model_validate({"segments": said}))[0] for said in ({}, {"prompt": {"weight": 1}})
    )
    assert alone.weights.sum() == len(speak.prefix(PAIR).reference) + 1
    assert every.weights.sum() == len(every.ids)


# --- faults


def refused(**said: Any) -> str:
    with pytest.raises(ValidationError) as found:
        TaughtPrompt.model_validate(said)
    (error,) = found.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def test_faults() -> None:
    assert refused(template="{source}: ") == "template: has no {text}, which is where the sentence goes"
    assert "has the placeholder {txt}; there are {source}, {target} and {text}" in refused(template="{txt} {text}")
    assert "has a brace without its other half" in refused(template="{text} }")
    assert TaughtPrompt(template="[INST] {text} [/INST] {{x}}").template
    assert "has the placeholder [LNG]" in refused(instructions=["Into [TGT].", "Into [LNG]."])
    assert refused(instructions=[]).startswith("instructions: has no instruction; give a list of them, or a file")
    assert refused(instructions=["Into [TGT].", " "]).startswith("instructions: has no instruction")
    assert "keep one" in refused(instructions={"file": "a", "texts": ["b"]})
    assert "keep one" in refused(instructions=["a"], template="{text}")
    assert "has none of its own" in refused(system="alma", pick="row")
    assert "'almaa'" in str(refused(system="almaa")) or "Input should be" in refused(system="almaa")


def test_files_without_instructions(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    said = TaughtPrompt.model_validate({"instructions": {"file": str(file)}})
    with pytest.raises(DataError, match="there is no file"):
        taught(said)
    file.write_text("\n \n", encoding="utf-8")
    with pytest.raises(DataError, match=r"own.txt has no instruction; write some"):
        taught(said)
    file.write_text("Into [TGT].\n\nInto {lang}.\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"own.txt:3: 'Into \{lang\}.' has the placeholder \{lang\}"):
        taught(said)


@pytest.mark.parametrize(
    "said",
    [
        "alma",
        "own",
        {"system": "parrot", "instructions": {"file": "a.txt"}, "pick": "row"},
        {"instructions": ["Into {target}.", "{text}?"], "end": False},
        {"template": "{source}: {text}\n{target}:"},
    ],
)
def test_a_prompt_is_written_as_it_was_said(said: Any) -> None:
    found = TaughtPrompt.model_validate(said)
    assert found.written() == said
    assert TaughtPrompt.model_validate(found.written()) == found
    system = taught(found) if "file" not in str(said) else None
    assert system is None or json.dumps(system.told, ensure_ascii=False)


def test_another_wording_has_another_name() -> None:
    forms: Sequence[Any] = [
        "alma",
        "parrot",
        "parrot-hint",
        "bigtrans",
        {"template": "{text}"},
        {"instructions": ["a"]},
    ]
    forms = [*forms, {"instructions": ["b"]}, {"system": "alma", "end": False}, {"instructions": ["a", "b"]}]
    forms = [*forms, {"instructions": ["a", "b"], "pick": "row"}, {"system": "parrot", "instructions": ["a", "b"]}]
    told = [json.dumps(system.told) for said in forms if (system := taught(TaughtPrompt.model_validate(said)))]
    assert len(set(told)) == len(forms)
