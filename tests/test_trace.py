"""What is kept of a guided run, and that keeping it changes nothing."""

import pytest
import torch

from realedit.geometry.transform import IDENTITY, Placement
from realedit.sampling.energies import edit_energies
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.sampler import sample
from realedit.sampling.trace import Trace
from realedit.settings import Strength, Weights
from tests.test_energies import reference_of, soft_blob, tape_of, wanted
from tests.test_sampler import centroid_guidance, rows_of
from tests.tiny_models import random_latent

MOVED = Placement((0.3, 0.5), (0.6, 0.5))


def traced(*placements: Placement) -> tuple[Trace, torch.Tensor, torch.Tensor]:
    """A trace that has seen one step of an object and another, and the energy without and with it."""
    reference, target = reference_of(soft_blob(0.3, 0.5)), wanted(*placements)
    energy = edit_energies(reference, [target], [(2,)], Weights(appearance=0))
    trace, tape = Trace(1, reference, {"ball": target}), tape_of(soft_blob(0.4, 0.4), soft_blob(0.8, 0.35, 0.08))
    return trace, energy(tape, 0), trace.watched(energy)(tape, 0)


def test_the_watched_energy_is_the_plain_one_to_the_bit_and_the_sum_of_its_terms():
    trace, plain, watched = traced(MOVED)
    assert torch.equal(plain, watched)
    assert set(trace.terms[0]) == {"shape", "centroid", "size", "others"}
    assert sum(trace.terms[0].values()) == pytest.approx(plain.item(), rel=1e-6)


def test_attention_is_that_of_the_photo_shifted_as_asked_and_of_the_last_step():
    (maps,) = traced(MOVED)[0].attention().values()
    columns = [int(m.argmax()) % m.shape[1] for m in (maps.before, maps.wanted, maps.after)]
    width = maps.before.shape[1]
    assert columns == [pytest.approx(x * width, abs=1) for x in (0.3, 0.6, 0.4)]
    assert all(m.max().item() == pytest.approx(1, abs=0.05) for m in (maps.before, maps.wanted, maps.after))


def test_what_is_gone_and_what_was_never_measured_have_no_attention():
    assert traced()[0].attention() == {}
    assert Trace(1, reference_of(soft_blob(0.3, 0.5)), {"ball": wanted(IDENTITY)}).attention() == {}


@pytest.mark.parametrize(
    ("steps", "first", "kept"),
    [(25, 0, [0, 5, 10, 15, 20, 24]), (9, 0, [0, 2, 4, 6, 8]), (3, 0, [0, 1, 2]), (25, 18, [20, 24])],
)
def test_a_prediction_of_each_fifth_part_is_kept(steps, first, kept):
    trace = Trace(steps, reference_of(soft_blob(0.3, 0.5)), {})
    for i in range(first, steps):
        trace.preview(i, torch.full((1, 4, 2, 3), float(i)))
    assert list(trace.predicted) == kept
    assert all(latent.mean() == i for i, latent in trace.predicted.items())


def test_a_run_with_previews_is_the_run_without(model):
    trace, rows = Trace(6, reference_of(soft_blob(0.3, 0.5)), {}), rows_of(model, 6)
    ends = [
        sample(
            model,
            random_latent(),
            model.schedule(6),
            rows,
            guidance=centroid_guidance(model, 6, (0.2, 0.5)),
            preview=preview,
        )
        for preview in (None, trace.preview)
    ]
    assert torch.equal(*ends)
    assert not trace.predicted[5].requires_grad


def test_strengths_are_those_that_acted():
    """From 0.4 to 0.1: stays above what is due, falls below, and is met, where nothing is asked any more."""
    energies = iter((0.4, 0.4, 0.11, 0.1))
    rule = Guidance(
        lambda tape, i: torch.tensor(next(energies), dtype=torch.float64),
        torch.ones(1, 1, 4, 6),
        Strength(0.2, 0.05, 0.8, 2.0),
        0.1,
        GuidedSteps(0.0, 1.0),
    )
    used = []
    for i in range(4):
        asked = rule.evaluate(tape_of(), i, 4) is not None
        used.append(rule.current if asked else 0.0)
    assert rule.strengths() == used == [0.2, 0.4, 0.2, 0.0]
