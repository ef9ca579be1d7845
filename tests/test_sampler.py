"""The loop: diffusers' pipeline without guidance, and a falling energy with it."""

import pytest
import torch
from diffusers import DDIMScheduler

from inversion.errors import RealEditError
from inversion.taps import Tape, tap
from realedit.sampling.combination import classifier_free
from realedit.sampling.energies import CentroidEnergy
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.prediction import Conditioning, Step
from realedit.sampling.sampler import sample
from realedit.settings import Strength
from tests.tiny_models import PROMPT, random_latent


@pytest.mark.parametrize("scale", [1.0, 7.5])
@pytest.mark.parametrize("steps", [4, 9])
def test_unguided_picture_is_the_pipelines_to_the_bit(pipe, tiny, scale, steps):
    z = random_latent(height=16, width=24)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    theirs = pipe(
        PROMPT,
        latents=z.clone(),
        num_inference_steps=steps,
        guidance_scale=scale,
        height=32,
        width=48,
        output_type="pt",
    ).images
    rows = Conditioning(tiny.embed(PROMPT), tiny.unprompted().repeat(steps), scale)
    ours = tiny.decode(sample(tiny, z, tiny.schedule(steps), rows))
    assert ours.shape == (1, 3, 32, 48)
    assert torch.equal(ours, theirs)


def test_classifier_free_by_hand():
    assert classifier_free(torch.tensor(1.0), torch.tensor(3.0), 7.5).item() == 16.0


def rows_of(model, steps, scale=4.0):
    return Conditioning(model.embed(PROMPT), model.unprompted().repeat(steps), scale)


def centroid_guidance(model, steps, target, **changes):
    targets = {name: torch.tensor(target).expand(steps, 1, 2) for name in model.sites.attention}
    values = {"strength": Strength(0.5, 0.5, 0.5), "tolerance": 1e-3, "guided": GuidedSteps(0.0, 1.0)} | changes
    return Guidance(CentroidEnergy((6,), targets), torch.ones(1, 1, 8, 12), **values)


def test_guidance_pulls_the_energy_down_from_both_sides(tiny):
    """Targets left and right of where the attention is: each is approached, so the sign is right."""
    steps, z = 8, random_latent(7)
    rows, schedule = rows_of(tiny, steps), tiny.schedule(steps)
    for target in ((0.05, 0.5), (0.95, 0.5)):
        guidance = centroid_guidance(tiny, steps, target)
        values = []
        for how in (None, guidance):
            end = sample(tiny, z, schedule, rows, guidance=how)
            with tap(tiny.unet, tiny.sites) as tape:
                tiny.predict(end, schedule.timesteps[-1], [rows.prompt])
            values.append(guidance.energy(tape, steps - 1).item())
        assert values[1] < values[0]


def test_unprompted_row_and_weights_are_never_in_a_graph(tiny):
    guidance = centroid_guidance(tiny, 4, (0.2, 0.2))
    step = Step(tiny, tiny.schedule(4), rows_of(tiny, 4), 0)
    gradient, output = step.energy_gradient(random_latent(), guidance)
    assert not gradient.requires_grad
    assert not output.requires_grad
    assert gradient.abs().sum() > 0


def test_unguided_steps_build_no_graph(tiny):
    seen = []

    def watch(latent, level):
        seen.append(latent.requires_grad)
        return latent

    sample(tiny, random_latent(), tiny.schedule(4), rows_of(tiny, 4), callbacks=[watch])
    assert seen == [False] * 5


def test_edits_see_every_level_once(model):
    levels = []
    sample(
        model,
        random_latent(),
        model.schedule(3),
        rows_of(model, 3),
        callbacks=[lambda z, level: (levels.append(level), z)[1]],
    )
    assert levels == [0, 1, 2, 3]


def test_satisfied_energy_changes_nothing(tiny):
    """An energy that is zero asks for nothing, so the sampler gives the unguided latent."""

    class Nothing:
        def __call__(self, tape, i):
            return 0 * next(iter(tape.attention.values())).sum()

    steps, z = 4, random_latent()
    guided = sample(
        tiny,
        z,
        tiny.schedule(steps),
        rows_of(tiny, steps),
        guidance=Guidance(Nothing(), torch.ones(1, 1, 8, 12), Strength(), 0.1, GuidedSteps(0.0, 1.0)),
    )
    plain = sample(tiny, z, tiny.schedule(steps), rows_of(tiny, steps))
    torch.testing.assert_close(guided, plain, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("steps", [10, 50, 200])
def test_the_same_share_of_any_schedule_is_guided(model, steps):
    guidance = centroid_guidance(model, 1, (0.5, 0.5), guided=GuidedSteps(0.2, 0.8))
    share = sum(guidance.active(i, steps) for i in range(steps)) / steps
    assert share == pytest.approx(0.3, abs=0.051)
    assert not guidance.active(0, steps)
    assert not guidance.active(steps - 1, steps)


def test_beginning_later_is_the_end_of_the_whole_walk(tiny):
    schedule, rows, seen = tiny.schedule(6), rows_of(tiny, 6), {}
    whole = sample(tiny, random_latent(), schedule, rows, callbacks=[lambda z, level: (seen.update({level: z}), z)[1]])
    late = sample(tiny, seen[4], schedule, rows, walk=range(4, 7))
    assert torch.equal(whole, late)


def test_what_is_not_finite_ends_and_names_the_step(tiny):
    def spoil(z, level):
        return z * float("nan") if level == 2 else z

    with pytest.raises(RealEditError, match="step 3 of 4 gave no finite numbers"):
        sample(tiny, random_latent(), tiny.schedule(4), rows_of(tiny, 4), callbacks=[spoil])


class TestShift:
    def rule(self, **changes):
        region = torch.zeros(1, 1, 4, 6)
        region[..., 1:3, 2:5] = 1
        values = {
            "energy": lambda tape, i: torch.tensor(1.0),
            "region": region,
            "strength": Strength(0.2, 0.05, 0.4, 2.0),
            "tolerance": 0.1,
            "guided": GuidedSteps(0.0, 1.0),
        }
        return Guidance(**(values | changes))

    def test_length_is_set_against_the_noise_inside_the_region(self):
        rule, gradient = self.rule(), torch.randn(1, 4, 4, 6)
        rule.evaluate(Tape(), 0, 10)
        shift = rule.shift(gradient, torch.full((1, 4, 4, 6), 3.0), torch.tensor(0.5))
        inside = shift[..., 1:3, 2:5]
        assert inside.square().mean().sqrt().item() == pytest.approx(0.2 * 3.0, rel=1e-5)
        assert torch.equal(shift * (1 - rule.region), torch.zeros_like(shift))

    def test_scale_of_the_gradient_does_not_matter(self):
        rule, gradient, noise = self.rule(), torch.randn(1, 4, 4, 6), torch.randn(1, 4, 4, 6)
        one = rule.shift(gradient, noise, torch.tensor(0.5))
        torch.testing.assert_close(one, rule.shift(1e-9 * gradient, noise, torch.tensor(0.5)))
        assert torch.equal(rule.shift(0 * gradient, noise, torch.tensor(0.5)), torch.zeros(1, 4, 4, 6))

    def test_it_is_satisfied_below_the_tolerance_alone_and_remembers(self):
        energies = iter((0.2, 0.11, 0.1))
        rule = self.rule(energy=lambda tape, i: torch.tensor(next(energies), dtype=torch.float64))
        assert [rule.evaluate(Tape(), i, 10) is None for i in range(3)] == [False, False, True]
        assert [m.energy for m in rule.history] == [0.2, 0.11, 0.1]
        assert [m.done for m in rule.history] == [0.0, 0.1, 0.2]
