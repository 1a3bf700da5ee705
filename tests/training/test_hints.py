"""Hints after a training: what they say of losses that do not fall, blow up, or rise again."""

from collections.abc import Sequence

from dragoman.recipe.training import Lora
from dragoman.training.hints import hints
from tests.training.training_kit import settings

Lines = list[dict[str, float]]


def lines(losses: Sequence[float], dev: Sequence[tuple[int, float]] = (), segment: str = "reference") -> Lines:
    """The log of a training with these losses, and with these validation losses after steps."""
    found: Lines = [{"step": at, "loss": loss, f"loss/{segment}": loss} for at, loss in enumerate(losses, 1)]
    return [*found, *({"step": step, "validation_loss": loss} for step, loss in dev)]


def falling(first: float, last: float, count: int = 40) -> list[float]:
    return [first + (last - first) * at / (count - 1) for at in range(count)]


def test_a_loss_that_falls_has_no_hint() -> None:
    assert hints(lines(falling(3.9, 2.0)), settings()) == []
    assert hints(lines(falling(3.9, 2.0), [(0, 3.0), (20, 2.5), (40, 2.45)]), settings()) == []


def test_a_loss_that_hardly_moves_has_three_things_to_try_with_their_present_values() -> None:
    chosen = settings(learning_rate=1e-7, epochs=2, lora=Lora(targets=("q_proj", "v_proj")))
    (hint,) = hints(lines(falling(3.91, 3.88)), chosen)
    assert hint.startswith("the loss has hardly moved (3.90 → 3.89). Three things to try: ")
    for said in ("training.learning_rate, now 1e-07", "training.epochs, now 2 (40 steps", "now q_proj, v_proj)"):
        assert said in hint
    (hint,) = hints(lines(falling(3.91, 3.88), [(0, 3.5), (40, 3.495)]), settings(lora=None))
    assert "(3.91 → 3.88; validation 3.50 → 3.50)" in hint
    assert "lora.targets" not in hint


def test_the_validation_loss_decides_where_the_training_loss_is_noise() -> None:
    noise = [2.0, 1.9, 2.1, 2.0, 2.05, 1.95, 2.0, 2.2, 1.8, 1.95]
    assert "hardly moved" in hints(lines(noise, [(0, 2.0), (10, 1.995)]), settings())[0]
    assert hints(lines(noise, [(0, 2.0), (10, 1.9)]), settings()) == []


def test_passes_over_the_same_examples_are_compared_as_wholes() -> None:
    batches = [0.90, 0.80, 0.95, 0.85, 0.92, 0.78]  # its beginning and its end differ, and nothing is learnt
    assert "hardly moved (0.87 → 0.87)" in hints(lines(3 * batches), settings(epochs=3))[0]
    learnt = [*batches, *(0.97 * loss for loss in batches), *(0.94 * loss for loss in batches)]
    assert hints(lines(learnt), settings(epochs=3)) == []


def test_text_of_the_models_own_need_not_be_learnt() -> None:
    assert hints(lines(falling(0.31, 0.305), segment="own"), settings()) == []
    both = [{**line, "loss/rationale": 0.3} for line in lines(falling(0.31, 0.305))]
    assert "hardly moved" in hints(both, settings())[0]


def test_a_loss_that_blows_up_names_a_lower_rate_and_nothing_else() -> None:
    losses = [0.9, 0.95, 6.0, 9.0, 8.0, 7.0, *falling(7.0, 6.9, 30)]
    (hint,) = hints(lines(losses, [(0, 0.9), (36, 6.9)]), settings(learning_rate=1.0, batch_size=64))
    assert hint == (
        "the loss rose from 0.90 to 8.00 (from step 2 on): the steps are too large. Lower training.learning_rate, "
        "now 1, to a tenth, or let it rise slowly (training.warmup: 0.05)."
    )


def test_one_high_step_is_no_blow_up() -> None:
    assert hints(lines([2.0, 1.9, 5.0, 1.8, 1.7, *falling(1.7, 1.2)]), settings(batch_size=64)) == []


def test_a_validation_loss_that_rises_again_names_the_best_step() -> None:
    dev = [(0, 3.0), (10, 2.0), (20, 1.8), (30, 1.9), (40, 2.2)]
    (hint,) = hints(lines(falling(3.9, 0.5), dev), settings(epochs=4))
    assert "was 1.80 after step 20 and 2.20 at the end" in hint
    assert "`training: {keep: best}`" in hint
    assert "training.epochs, now 4; the lowest was after 2 epochs)" in hint
    assert hints(lines(falling(3.9, 0.5), dev), settings(epochs=4, keep="best")) == []
    assert hints(lines(falling(3.9, 0.5), [(0, 3.0), (20, 1.8), (40, 1.82)]), settings()) == []


def test_a_validation_loss_that_only_rises_is_said_whatever_is_kept() -> None:
    for keep in ("last", "best"):
        (hint,) = hints(lines(falling(3.9, 0.5), [(0, 2.0), (20, 2.2), (40, 2.5)]), settings(keep=keep))
        assert "never below its start (2.00; the lowest after it was 2.20, the last 2.50)" in hint


def test_a_few_steps_tell_nothing() -> None:
    assert hints(lines([3.0, 3.0, 3.0, 9.0]), settings()) == []


def drifting(values: dict[int, float], kind: str = "general") -> Lines:
    """The log of a training that learns little, with the drift after some steps."""
    return [*lines(falling(3.91, 3.9)), *({"step": step, f"drift/{kind}": value} for step, value in values.items())]


def test_a_budget_that_ended_a_training_is_all_that_is_said() -> None:
    chosen = settings(budget={"drift": 0.05}, learning_rate=2e-4)
    assert hints(drifting({0: 0.0, 10: 0.02, 20: 0.061}), chosen) == [
        "after step 20 drift on general prompts was 0.061, over the budget of 0.05 (training.budget): the training "
        "ended there. A lower training.learning_rate, now 0.0002, or more replay keeps it within."
    ]
    (hint,) = hints([{"step": 1, "loss": 3.0}, {"step": 1, "drift/translation": 0.2}], chosen)
    assert "drift on dev pairs was 0.200" in hint
    assert "It was the first measure after the start; training.validate_every has more of them." in hint


def test_a_budget_that_lowered_the_rate_says_how_often() -> None:
    chosen = settings(budget={"drift": 0.05, "then": "lower"})
    *_, hint = hints(drifting({0: 0.0, 10: 0.02, 20: 0.061, 30: 0.07, 40: 0.01}), chosen)
    assert "over the budget of 0.05 (training.budget): the learning rate was halved there, and once more later." in hint
    *_, hint = hints(drifting({0: 0.0, 10: 0.02, 20: 0.061, 30: 0.07, 40: 0.06}), chosen)
    assert "halved there, and 2 times more later. At the end it was 0.060, over the budget still. A lower " in hint
    *_, hint = hints(drifting({0: 0.0, 10: 0.06, 20: 0.08, 30: 0.09}), chosen)  # never within it
    assert "2 times more later. At the end it was 0.090, over the budget still. It was the first measure " in hint
    assert len(hints(drifting({0: 0.0, 10: 0.02}), chosen)) == 1  # that the loss has hardly moved


def test_a_gate_that_weighs_tokens_is_to_be_compared_with_less_weight() -> None:
    found = [{**line, "gate/reference": 0.3 + 0.2 * (line["step"] % 2)} for line in lines(falling(3.9, 2.0))]
    chosen = settings(learning_rate=1e-4, segments={"reference": {"gate": "eaft"}, "own": {"gate": "eaft"}})
    (hint,) = hints(found, chosen)
    assert hint.startswith("the gate eaft weighed the tokens of reference 0.4 on average. ")
    assert "one with training.learning_rate 4e-05, one with reference: {weight: 0.4} (training.segments)." in hint
    assert hints(found, settings(segments={"reference": {"gate": "mask_target"}})) == []
