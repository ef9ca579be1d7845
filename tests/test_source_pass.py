"""The photo's own row beside the one that is sampled: residuals, features and injected cross-attention."""

import pytest
import torch

from inversion import ddim
from inversion.problem import InversionProblem
from inversion.record import record
from inversion.replacement import OutputReplacement, as_map, as_tokens, replaced
from inversion.taps import Sites, tap
from realedit.geometry.correspondence import Correspondence, Origin
from realedit.geometry.transform import Placement
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.source_pass import CrossAttentionInjection, FeatureEnergy, SourcePass, SourceResidual
from tests.tiny_models import PROMPT, random_latent

STEPS = 6
NOTHING = Correspondence([], None)


@pytest.fixture
def source(tiny):
    schedule = tiny.schedule(STEPS)
    inverted = ddim.invert(InversionProblem(tiny, random_latent(), PROMPT, schedule, 1.0))
    return SourcePass.of(tiny, record(tiny, inverted, PROMPT, schedule, "ddim"))


def moved(height: int, width: int) -> Correspondence:
    """The left half of a frame, moved to the right one."""
    left = torch.zeros(1, 1, height, width)
    left[..., : width // 2] = 1
    return Correspondence([Origin.of_placement(left, Placement((0.25, 0.5), (0.75, 0.5)))], None)


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
    assert torch.equal(as_map(as_tokens(maps), (12, 16)), maps)
    assert as_tokens(maps)[0, 5].tolist() == [maps[0, 0, 1, 1], maps[0, 1, 1, 1]]


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


def test_feature_energy_is_zero_where_the_features_are_the_carried_ones(tiny, source):
    z = source.pivots[1:2]
    correspondence = moved(z.shape[-2], z.shape[-1])
    energy, still = FeatureEnergy(source, correspondence), FeatureEnergy(source, NOTHING)
    with torch.no_grad(), tap(tiny.unet, Sites(features=energy.sites)) as tape:
        tiny.predict(z, source.schedule.timesteps[1], [tiny.embed(PROMPT)])
    assert still(tape, 1) == 0
    assert energy(tape, 1) > 0.1
    for name, then in source.features(1).items():
        tape.features[name] = correspondence.at(tuple(then.shape[-2:])).carry(then)
    assert energy(tape, 1) == 0


def test_injection_that_moves_nothing_changes_nothing_and_ends_when_told(tiny, source):
    z, t = source.pivots[2:3], source.schedule.timesteps[2]
    name = source.injected[0]
    now = source.outputs(2)[name] + 1
    assert torch.equal(CrossAttentionInjection(source, NOTHING, 1.0).at(2)[name].change(now), now)
    assert CrossAttentionInjection(source, NOTHING, 2 / STEPS).at(2) == {}
    correspondence = moved(z.shape[-2], z.shape[-1])
    with torch.no_grad():
        plain = tiny.predict(z, t, [tiny.embed(PROMPT)])
        with replaced(tiny.unet, CrossAttentionInjection(source, correspondence, 1.0).at(2)):
            injected = tiny.predict(z, t, [tiny.embed(PROMPT)])
    assert not torch.equal(plain, injected)
