"""Measuring a trained model for `dragoman tune`, in its own process: held-out pairs, and drift on general prompts."""

from dataclasses import replace
from pathlib import Path

from dragoman.analysis.drift import drift, losses
from dragoman.analysis.results import MeasuredRate
from dragoman.pipeline.analyses.measuring import drawn, own_answers
from dragoman.pipeline.data.record_files import read_pairs, read_questions
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.models.drift import views_of
from dragoman.pipeline.models.speakers import speaker
from dragoman.progress import progress
from dragoman.recipe.schema import Recipe
from dragoman.scoring.divergence import text_drift
from dragoman.suites import is_skill

PROMPTS = 64  # general prompts
LONGEST = 64  # tokens of the backbone's answers to them, along which drift is measured


def measure_rate(
    recipe: Recipe, backbone: Model, trained: Path, held_out: int, data: Path, cache: Path, label: str
) -> MeasuredRate:
    """The losses of at most `held_out` dev pairs, and the drift along the backbone's own answers to general prompts."""
    speak = speaker(recipe, backbone)
    pairs = drawn(
        list(read_pairs(data / "dev.jsonl")), lambda pair: (pair.direction, pair.key), held_out, recipe.evaluation.seed
    )
    draws = read_questions(data / "questions.jsonl")
    asked = [one for one in (draws[0] if draws else []) if not is_skill(one.family, recipe.evaluation.skills)]
    questions = drawn(asked, lambda one: (one.family, one.key), PROMPTS, recipe.evaluation.seed)
    prompts = [speak.question(question) for question in questions]
    longest = min(LONGEST, recipe.evaluation.max_tokens)
    answered = own_answers(recipe, backbone, {"questions": (prompts, longest)}, speak, cache)["questions"]
    before, tuned = views_of(recipe, backbone, replace(backbone, folder=trained))
    budget = recipe.generation.batch_tokens
    with progress(label, len(pairs) + len(answered), "texts") as bar:
        lost = losses(tuned, [speak.referenced(pair) for pair in pairs], budget, bar.advance)
        moved = drift(before, tuned, answered, budget, bar.advance) if answered else None
    return {
        "texts": lost.tolist(),
        "drift": None if moved is None else text_drift([moved], recipe.evaluation.bootstrap),
    }
