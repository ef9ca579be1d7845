"""The photo's own row beside the one that is sampled: residuals and features; and another picture, inverted in part."""

import pytest
import torch

from inversion import ddim
from inversion.fixed_point import corrected_walk
from inversion.problem import InversionProblem
from inversion.record import record
from inversion.replacement import OutputReplacement, as_map, replaced
from inversion.taps import Sites, tap
from realedit.geometry.correspondence import Correspondence
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.source_pass import FeatureEnergy, SourcePass, SourceResidual, invert_up_to
from tests.tiny_models import PROMPT, random_latent

STEPS = 6
NOTHING = Correspondence(torch.zeros(1, 1, 4, 4), None)


@pytest.fixture
def source(tiny):
    schedule = tiny.schedule(STEPS)
    inverted = ddim.invert(InversionProblem(tiny, random_latent(), PROMPT, schedule, 1.0))
    return SourcePass.of(tiny, record(tiny, inverted, PROMPT, schedule, "ddim"))


def test_replacing_changes_the_last_row_of_one_module_alone(tiny, source):
    name, z = source.injected[0], random_latent()
    rows = [tiny.unprompted(), tiny.embed(PROMPT)]
    sites = Sites(features=(name,))
    with torch.no_grad(), tap(tiny.unet, sites) as plain:
        before = tiny.predict(z, 500, rows)
    with (
        torch.no_grad(),
        replaced(tiny.unet, {name: OutputReplacement(torch.zeros_like)}),
        tap(tiny.unet, sites) as changed,
    ):
        after = tiny.predict(z, 500, rows)
    assert torch.equal(changed.features[name][0], plain.features[name][0])
    assert not changed.features[name][1].any()
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])
    with torch.no_grad():
        assert torch.equal(tiny.predict(z, 500, rows), before)


def test_sequences_are_maps_row_by_row():
    maps = torch.arange(2 * 3 * 4.0).reshape(1, 2, 3, 4)
    assert torch.equal(as_map(maps.flatten(2).transpose(1, 2), (12, 16)), maps)


def test_with_its_residuals_sampling_retraces_the_inversion(tiny, source):
    rows = Conditioning(tiny.embed(PROMPT), tiny.unprompted().repeat(STEPS), 1.0)
    levels = []

    def remember(z: torch.Tensor, level: int) -> torch.Tensor:
        levels.append(z)
        return z

    nowhere = torch.zeros_like(source.pivots[:1, :1])
    callbacks = [SourceResidual(source, nowhere), remember]
    sample(tiny, source.pivots[:1], source.schedule, rows, callbacks=callbacks)
    torch.testing.assert_close(torch.cat(levels), source.pivots, atol=2e-4, rtol=1e-4)
    half = nowhere.clone()
    half[..., :4, :] = 1
    released = SourceResidual(source, half)(source.pivots[1:2], 1) - source.pivots[1:2]
    assert not released[..., :4, :].any()
    torch.testing.assert_close(released[..., 4:, :], source.residual(0)[..., 4:, :], atol=1e-6, rtol=1e-4)


def test_one_evaluation_a_step_whatever_is_read(tiny, source):
    with tiny.metered() as meter:
        for read in (source.features, source.outputs, source.residual, source.features):
            read(2)
        assert meter.forward_equivalents == 1
        source.features(3)
    assert meter.forward_equivalents == 2


def right_half(height: int, width: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., width // 2 :] = 1
    return mask


def test_a_latent_is_inverted_as_far_as_asked_and_its_features_are_kept(tiny, source):
    """The same way as a whole inversion takes, in one evaluation a step and one for its start."""
    clean, first = random_latent(1), 2
    problem = InversionProblem(tiny, clean, PROMPT, source.schedule, 1.0)
    whole = corrected_walk(problem, 1)
    with tiny.metered() as meter:
        found = invert_up_to(first, clean, source, PROMPT)
    assert meter.forward_equivalents == STEPS - first + 1
    torch.testing.assert_close(found.latent, whole[first : first + 1])
    assert sorted(found.features) == list(range(first, STEPS))
    last, schedule = STEPS - 1, source.schedule
    noise = schedule.parameterisation.split(problem.predict_prompted(clean, last), clean, schedule.alpha_to[last])[1]
    with torch.no_grad(), tap(tiny.unet, Sites(features=source.compared)) as tape:
        problem.predict_prompted(schedule.up_along(clean, noise, last), last)
    for name, kept in found.features[last].items():
        torch.testing.assert_close(kept.float(), tape.features[name], atol=2e-3, rtol=2e-3)


def test_feature_energy_is_zero_where_the_features_are_the_wanted_ones(tiny, source):
    z = source.pivots[3:4]
    warped = invert_up_to(2, random_latent(1), source, PROMPT)
    correspondence = Correspondence(right_half(z.shape[-2], z.shape[-1]), None)
    energy, still = FeatureEnergy(source, warped, correspondence), FeatureEnergy(source, None, NOTHING)
    with torch.no_grad(), tap(tiny.unet, Sites(features=energy.sites)) as tape:
        tiny.predict(z, source.schedule.timesteps[3], [tiny.embed(PROMPT)])
    assert still(tape, 3) == 0
    assert energy(tape, 3) > 0.1
    for name, then in source.features(3).items():
        right = right_half(then.shape[-2], then.shape[-1]) > 0.5
        tape.features[name] = torch.where(right, warped.features[3][name].float(), then)
    assert energy(tape, 3) < 1e-6
