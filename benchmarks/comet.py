"""How fast COMET is here, against the official package on the same checkpoints, texts and threads.

`make bench-comet` makes an environment of its own for the official package, which cannot live in ours. A process there
and this one score the same segments turn by turn, models loaded before, nothing kept from one turn to the next:
the two tiny models with official reference scores, and a model with random weights that is as large as XLM-R base.
`python benchmarks/comet.py --official .venv-comet/bin/python [--data DIR] [--segments 500] [--large 48] [--out FILE]`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import command

Sample = dict[str, str]
WAYS: dict[str, dict[str, Any]] = {"gpus=0": {"batch_size": 16, "gpus": 0}, "default": {}}
LARGE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
SIZES = [3072, 1024]
LINES = "generaltest2022.en-de"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def measure(official: Path, data: Path, segments: int = 500, large: int = 48, rounds: int = 3) -> dict[str, Any]:
    """Seconds of both for one system and for four over the same sources and references, in each model."""
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    tiny = data / "comet_tiny"
    with tempfile.TemporaryDirectory(prefix="dragoman-comet-") as made:
        base = large_model(tiny, Path(made) / "large")
        models = [("tiny, with references", tiny / "regression", tiny / "encoder", segments, ("fp32",), rounds)]
        models += [("tiny, without references", tiny / "unified_qe", tiny / "encoder", segments, ("fp32",), rounds)]
        if large:
            models += [("12 layers of 768, with references", base, base / "encoder", large, ("fp32", "bf16"), 2)]
        found = {}
        for label, folder, encoder, count, precisions, turns in models:
            found[label] = compare(official, folder, encoder, systems(data, count), precisions, turns, threads)
            print(f"{label}: {json.dumps(found[label])}", file=sys.stderr, flush=True)
    return {"threads": threads, "models": found}


def compare(
    official: Path,
    folder: Path,
    encoder: Path,
    outputs: Sequence[Sequence[Sample]],
    precisions: Sequence[str],
    rounds: int,
    threads: int,
) -> dict[str, Any]:
    """One model: the best seconds of each way, ratios to the better of the official ones, and how scores differ."""
    import torch

    from dragoman.scoring.comet.model import Comet, Triple, open_comet

    torch.set_num_threads(threads)
    ours: dict[str, Comet] = {name: open_comet(folder, encoder, name) for name in precisions}  # type: ignore[arg-type]

    def here(name: str, samples: Sequence[Sample]) -> list[float]:
        return ours[name].score([Triple(one["src"], one["mt"], one["ref"]) for one in samples])

    with serving(official, folder, encoder, threads) as there:
        ways: dict[str, Callable[[Sequence[Sample]], list[float]]] = {
            **{f"official {name}": lambda some, name=name: there(name, some) for name in WAYS},
            **{f"ours {name}": lambda some, name=name: here(name, some) for name in precisions},
        }
        for way in ways.values():
            way(outputs[0][:8])  # the first calls pay for what is set up once
        found: dict[str, Any] = {"segments": len(outputs[0])}
        for label, samples in (("one system", outputs[0]), ("four systems", [one for some in outputs for one in some])):
            seconds = dict.fromkeys(ways, float("inf"))
            scores: dict[str, list[float]] = {}
            for _ in range(rounds):
                for name, way in ways.items():
                    start = time.perf_counter()
                    scores[name] = way(samples)
                    seconds[name] = min(seconds[name], time.perf_counter() - start)
            reference = scores["official gpus=0"]
            best = min(seconds[f"official {name}"] for name in WAYS)
            found[label] = {
                "seconds": {name: round(value, 3) for name, value in seconds.items()},
                "ratio": {name: round(best / seconds[f"ours {name}"], 2) for name in precisions},
                "largest_difference": {
                    name: max(abs(a - b) for a, b in zip(scores[f"ours {name}"], reference, strict=True))
                    for name in precisions
                },
            }
    return found


def systems(data: Path, count: int) -> list[list[Sample]]:
    """Four outputs for the same sources and references of WMT22 English-German, lines taken from all of the set.

    A system's and the second reference are real; the other two are these without every fourth word.
    """
    folder = data / "wmt22" / "txt"

    def lines(kind: str, part: str) -> list[str]:
        return (folder / kind / f"{LINES}.{part}").read_text(encoding="utf-8").rstrip("\n").split("\n")

    sources, references = lines("sources", "src.en"), lines("references", "ref.A.de")
    real = [lines("system-outputs", "hyp.Online-W.de"), lines("references", "ref.B.de")]
    outputs = [*real, *([_thinned(line) for line in some] for some in real)]
    chosen = range(0, len(sources), max(len(sources) // count, 1))[:count]
    return [[{"src": sources[at], "mt": some[at], "ref": references[at]} for at in chosen] for some in outputs]


def _thinned(line: str) -> str:
    return " ".join(word for place, word in enumerate(line.split(" "), start=1) if place % 4)


def large_model(tiny: Path, folder: Path) -> Path:
    """A checkpoint of the size of XLM-R base with random weights; its layers all count, as before any training."""
    import torch

    from dragoman.scoring.comet import head as comet_head
    from dragoman.scoring.comet.encoder import Shape

    config = {**json.loads((tiny / "encoder" / "config.json").read_text(encoding="utf-8")), **LARGE}
    shape = Shape.of(config)
    shapes = {
        **shape.weights(),
        **comet_head.mix_shapes(shape.layers),
        **comet_head.head_shapes(6 * shape.hidden, SIZES),
    }
    draw = torch.Generator().manual_seed(0)
    weights = {name: torch.randn(size, generator=draw) * 0.02 for name, size in shapes.items()}
    weights |= {name: torch.ones(size) for name, size in shapes.items() if name.endswith(("LayerNorm.weight", "gamma"))}
    weights |= {name: torch.zeros(1) for name in weights if ".scalar_parameters." in name}
    weights["estimator.ff.6.weight"] *= 5  # scores that differ by more than their rounding
    data = torch.load(tiny / "regression" / "checkpoints" / "model.ckpt", weights_only=True)
    told = {**data["hyper_parameters"], "hidden_sizes": SIZES, "pretrained_model": "encoder"}
    (folder / "checkpoints").mkdir(parents=True)
    torch.save({**data, "state_dict": weights, "hyper_parameters": told}, folder / "checkpoints" / "model.ckpt")
    (folder / "hparams.yaml").write_bytes((tiny / "regression" / "hparams.yaml").read_bytes())
    (folder / "encoder").mkdir()
    (folder / "encoder" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for name in ("tokenizer.json", "tokenizer_config.json", "sentencepiece.bpe.model"):
        (folder / "encoder" / name).write_bytes((tiny / "encoder" / name).read_bytes())
    return folder


@contextmanager
def serving(
    official: Path, folder: Path, encoder: Path, threads: int
) -> Iterator[Callable[[str, Sequence[Sample]], list[float]]]:
    """The official package in its own process; what is given asks it for the scores of samples, in one of its ways."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    # -P: this file is called as the package is, and must not be found in its place
    command = [str(official), "-P", str(Path(__file__).resolve()), "--serve", str(folder), str(encoder)]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def ask(way: str, samples: Sequence[Sample]) -> list[float]:
            asked.write(json.dumps([way, list(samples)]) + "\n")
            asked.flush()
            answer = answers.readline()
            if not answer:
                said.seek(0)
                raise SystemExit(f"the official package gave up:\n{said.read()[-4000:]}")
            scores: list[float] = json.loads(answer)
            return scores

        yield ask
        asked.close()


def serve(folder: Path, encoder: Path) -> None:
    """What runs in the official package's environment: a line with samples comes in, a line with scores goes out."""
    import logging
    import warnings

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the package prints is no answer
    warnings.simplefilter("ignore")
    import torch
    import yaml
    from comet import models

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    for name in ("pytorch_lightning", "lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    told = yaml.safe_load((folder / "hparams.yaml").read_text(encoding="utf-8"))
    patched = told["layer_transformation"] == "sparsemax_patch"
    model = models.str2model[told["class_identifier"]].load_from_checkpoint(
        str(folder / "checkpoints" / "model.ckpt"),
        load_pretrained_weights=False,
        strict=False,
        map_location="cpu",
        pretrained_model=str(encoder.resolve()),
        **({"layer_transformation": "softmax"} if patched else {}),
    )
    for line in sys.stdin:
        way, samples = json.loads(line)
        scores = model.predict(samples, progress_bar=False, **WAYS[way])["scores"]
        answers.write(json.dumps(scores) + "\n")
        answers.flush()


def page(result: Mapping[str, Any]) -> str:
    """The results as a section of a Markdown page."""
    lines = [
        "## COMET",
        "",
        f"Against `predict` of unbabel-comet 2.2.7 with batches of 16, the better of `gpus=0` and its defaults, on "
        f"WMT22 English-German, {result['threads']} thread{'s' if result['threads'] > 1 else ''}, fp32, models loaded; "
        "`bf16` is not the same computation, and its scores differ by as much as is shown. The larger model has random "
        "weights, and all its layers count.",
        "",
        "| model | segments | systems | official, s | ours, s | ratio | largest difference |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for label, model in result["models"].items():
        for name, several in (("one system", 1), ("four systems", 4)):
            told = model[name]
            best = min(seconds for way, seconds in told["seconds"].items() if way.startswith("official"))
            for precision, ratio in told["ratio"].items():
                what = label + (", ours in bf16" if precision == "bf16" else "")
                seconds, apart = told["seconds"][f"ours {precision}"], told["largest_difference"][precision]
                shown = (
                    what,
                    model["segments"],
                    several,
                    f"{best:.2f}",
                    f"{seconds:.2f}",
                    f"{ratio} ×",
                    f"{apart:.1e}",
                )
                lines.append(f"| {' | '.join(map(str, shown))} |")
    return "\n".join([*lines, ""])


def main() -> None:
    options = command.parser(__doc__)
    options.add_argument(
        "--official", type=Path, default=Path(".venv-comet/bin/python"), help="Python with the package"
    )
    options.add_argument("--data", type=Path, default=Path(os.environ.get("DRAGOMAN_TEST_DATA", SHARED)))
    options.add_argument("--segments", type=int, default=500)
    options.add_argument("--large", type=int, default=48, help="segments for the larger model; 0: leave it out")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--serve", type=Path, nargs=2, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.serve:
        serve(*arguments.serve)
        return
    result = measure(arguments.official, arguments.data, arguments.segments, arguments.large, arguments.rounds)
    command.tell(result, arguments.out, page(result))


if __name__ == "__main__":
    main()
