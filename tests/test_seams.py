"""The sampler's seams beside rows and guidance: each is diffusers' own where diffusers has it, and nothing where it is
not used."""

import itertools

import pytest
import torch
from diffusers import DDIMScheduler
from diffusers.guiders import AdaptiveProjectedGuidance, ClassifierFreeGuidance

from inversion.replacement import AttentionReplacement, OutputReplacement, replaced
from inversion.taps import Sites, tap
from realedit.sampling.combination import AdaptiveProjected, ClassifierFree, Interval, Predictions, Rescaled
from realedit.sampling.prediction import Conditioning, Step
from realedit.sampling.sampler import sample
from realedit.sampling.stepping import DdimSteps
from realedit.settings import Guider
from tests.tiny_models import PROMPT, random_latent

CROSS = "up_blocks.1.attentions.0.transformer_blocks.0.attn2"


def rows_of(model, steps, scale=4.0, **more):
    return Conditioning(model.embed(PROMPT), model.unprompted().repeat(steps), scale, **more)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_stochastic_steps_are_those_of_diffusers(pipe, tiny, eta):
    z, noise = random_latent(), random_latent(5)
    scheduler = DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
    scheduler.set_timesteps(6)
    schedule = tiny.schedule(6)
    for i, t in enumerate(scheduler.timesteps):
        ours = DdimSteps.seeded(eta, 3).down(schedule, z, noise, i)
        theirs = scheduler.step(noise, t, z, eta=eta, generator=torch.Generator().manual_seed(3)).prev_sample
        torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=1e-5)
        assert eta > 0 or torch.equal(ours, schedule.down(z, noise, i))


def test_going_up_gives_the_spread_of_the_noisier_level(model):
    """Of a latent that is all signal: sqrt(ab) of it is left, and the rest is noise of variance 1 - ab."""
    schedule, ones = model.schedule(10), torch.ones(1, 4, 64, 80)
    alphas = schedule.alphas()
    up = DdimSteps.seeded(1.0, 0).up(schedule, ones, 8, 3)
    kept = alphas[3] / alphas[8]
    assert up.mean().item() == pytest.approx(kept.sqrt().item(), abs=0.03)
    assert up.var().item() == pytest.approx(1 - kept.item(), abs=0.03)
    assert torch.equal(up, DdimSteps.seeded(0.0, 0).up(schedule, ones, 8, 3))


def test_a_walk_goes_where_it_says_and_the_network_is_asked_on_the_way_down_alone(model):
    walk, levels = (0, 1, 2, 3, 1, 2, 3, 4), []
    with model.metered() as meter:
        sample(
            model,
            random_latent(),
            model.schedule(4),
            rows_of(model, 4, 1.0),
            walk=walk,
            callbacks=[lambda z, level: (levels.append(level), z)[1]],
        )
    assert tuple(levels) == walk
    assert meter.forward_equivalents == sum(b > a for a, b in itertools.pairwise(walk))
    with pytest.raises(ValueError, match="no step leads from level 0 to level 2"):
        sample(model, random_latent(), model.schedule(4), rows_of(model, 4), walk=(0, 2))


class TestCombining:
    one, two = random_latent(1), random_latent(2)

    def test_rescaled_is_that_of_diffusers(self):
        theirs = ClassifierFreeGuidance(7.5, guidance_rescale=0.7)
        theirs.set_state(0, 10, 0)
        wanted = theirs.forward(self.two, self.one).pred
        torch.testing.assert_close(Rescaled(0.7)(Predictions(self.one, self.two), 7.5, 0.1), wanted)
        plain = ClassifierFree()(Predictions(self.one, self.two), 7.5, 0.1)
        torch.testing.assert_close(Rescaled(0.0)(Predictions(self.one, self.two), 7.5, 0.1), plain)

    def test_adaptive_projected_is_that_of_diffusers_over_steps(self):
        theirs = AdaptiveProjectedGuidance(
            6.5, adaptive_projected_guidance_momentum=-0.75, adaptive_projected_guidance_rescale=7.5, eta=0.0,
            use_original_formulation=True,
        )  # fmt: skip
        ours = AdaptiveProjected()
        for k in range(3):
            theirs.set_state(k, 10, 0)
            theirs.prepare_inputs({"z": (self.one, self.one)})  # which sets up its momentum
            one, two = random_latent(10 + k), random_latent(20 + k)
            wanted = theirs.forward(two, one).pred
            torch.testing.assert_close(ours(Predictions(one, two), 7.5, k / 10), wanted, atol=1e-5, rtol=1e-4)

    def test_outside_the_interval_one_row_is_asked(self, model):
        z, schedule, rows = random_latent(), model.schedule(10), rows_of(model, 10, combine=Interval(0.25, 0.75))
        costs = []
        for i in range(10):
            with model.metered() as meter:
                found = Step(model, schedule, rows, i).unguided(z)
            costs.append(meter.forward_equivalents)
            plain = Step(model, schedule, rows_of(model, 10, 4.0 if 0.25 <= i / 10 < 0.75 else 1.0), i).unguided(z)
            assert torch.equal(found, plain)
        assert costs == [1, 1, 1, 2, 2, 2, 2, 2, 1, 1]

    @pytest.mark.parametrize("steps", [25, 50])
    def test_the_interval_is_one_of_noise_levels(self, model, steps):
        alphas = model.schedule(steps).alpha_from
        sigma = ((1 - alphas) / alphas).sqrt().tolist()
        asked = [Interval().asks(7.5, i / steps) for i in range(steps)]
        assert asked == [0.28 < each <= 2.9 for each in sigma]
        assert not Interval().asks(1.0, 0.5)

    def test_a_guider_is_a_combination_of_its_own_for_each_run(self, model):
        rows = rows_of(model, 4, combine=Interval())
        assert rows.guided_by(Guider.PLAIN) is rows
        one, two = (rows.guided_by(Guider.APG).combine for _ in range(2))
        assert isinstance(one, AdaptiveProjected)
        assert one is not two
        assert isinstance(rows.guided_by(Guider.RESCALED).combine, Rescaled)

    def test_other_rows_reach_the_combination(self, model):
        """A third row that takes the prompted one's place: the sampler goes where its text leads."""

        class Third:
            def asks(self, scale, done):
                return True

            def __call__(self, rows, scale, done):
                assert rows.unprompted is not None
                return rows.others[0]

        other, z, schedule = model.embed("a cat on a bench"), random_latent(), model.schedule(3)
        found = sample(model, z, schedule, rows_of(model, 3, combine=Third(), others=(other,)))
        wanted = sample(model, z, schedule, Conditioning(other, other.repeat(3), 1.0))
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


class Always:
    """A controller that replaces the same at every step."""

    def __init__(self, **replacements):
        self.replacements = replacements

    def at(self, i):
        return self.replacements


class TestReplacing:
    def layer(self, model):
        return next(name for name in model.sites.attention if name.startswith("up_blocks"))

    def test_attention_that_is_kept_leaves_the_output(self, tiny):
        z, rows, seen = random_latent(), [tiny.unprompted(), tiny.embed(PROMPT)], []

        def look(probabilities):
            seen.append(probabilities)
            return probabilities

        with torch.no_grad():
            plain = tiny.predict(z, 500, rows)
            with replaced(tiny.unet, {self.layer(tiny): AttentionReplacement(look)}):
                kept = tiny.predict(z, 500, rows)
        torch.testing.assert_close(kept, plain, atol=1e-5, rtol=1e-4)
        assert seen[0].shape[0] == 1
        assert seen[0].shape[-1] == rows[0].tokens.shape[1]
        torch.testing.assert_close(seen[0].sum(-1), torch.ones_like(seen[0][..., 0]))

    def test_attention_is_replaced_in_the_prompted_row_alone(self, tiny):
        """All of it on the first token: every cell of that row then gets the same from the layer."""
        z, rows, name = random_latent(), [tiny.embed("a cat on a bench"), tiny.embed(PROMPT)], self.layer(tiny)

        def on_the_first(probabilities):
            return torch.zeros_like(probabilities).index_fill_(-1, torch.tensor([0]), 1.0)

        change = {name: AttentionReplacement(on_the_first)}
        with torch.no_grad(), replaced(tiny.unet, change), tap(tiny.unet, Sites(features=(name,))) as tape:
            tiny.predict(z, 500, rows)
        output = tape.features[name]
        assert output[1].std(0).max() < 1e-6
        assert output[0].std(0).max() > 1e-4

    def test_attention_of_every_row_is_replaced_where_that_is_said(self, model):
        z, rows, name = random_latent(), [model.unprompted(), model.embed(PROMPT)], self.layer(model)
        seen = []
        look = AttentionReplacement(lambda p: seen.append(p) or p, every_row=True)
        with torch.no_grad(), tap(model.unet, Sites((name,))) as tape, replaced(model.unet, {name: look}):
            model.predict(z, 500, rows)
        flat = seen[0].mean(1).transpose(1, 2)
        torch.testing.assert_close(flat, tape.attention[name].flatten(2))

    @pytest.mark.parametrize("guided", [False, True])
    def test_every_row_is_replaced_where_that_is_said(self, model, guided):
        """Also where rows are evaluated apart, as guidance does it."""
        from tests.test_sampler import centroid_guidance

        name, seen = "mid_block", []

        def note(output):
            seen.append(len(output))
            return output

        step = Step(model, model.schedule(4), rows_of(model, 4), 1, [Always(mid_block=OutputReplacement(note, True))])
        if guided:
            step.guided(random_latent(), centroid_guidance(model, 4, (0.2, 0.2)))
        else:
            step.unguided(random_latent())
        assert name in model.unet._modules
        assert seen == ([1, 1] if guided else [2])


def test_residual_inputs_are_what_a_hook_of_the_middle_would_do(tiny):
    z, steps = random_latent(), 3
    shape = []
    handle = tiny.unet.mid_block.register_forward_hook(lambda m, a, out: shape.append(out.shape[1:]))
    tiny.predict(z, 500, [tiny.unprompted()])
    handle.remove()
    added = torch.randn(1, *shape[0], generator=torch.Generator().manual_seed(0))
    skips = 1 + sum(len(b.resnets) + len(b.downsamplers or ()) for b in tiny.unet.down_blocks)

    class InTheMiddle:
        def __call__(self, z, t, texts):
            assert len(z) == len(texts)
            return {
                "down_block_additional_residuals": (torch.zeros(()),) * skips,
                "mid_block_additional_residual": added.expand(len(z), -1, -1, -1),
            }

    schedule, rows = tiny.schedule(steps), rows_of(tiny, steps)
    plain = sample(tiny, z, schedule, rows)
    ours = sample(tiny, z, schedule, rows, residuals=InTheMiddle())
    hooked = Always(mid_block=OutputReplacement(lambda output: output + added, every_row=True))
    assert not torch.allclose(plain, ours, atol=1e-3)
    torch.testing.assert_close(ours, sample(tiny, z, schedule, rows, controllers=[hooked]), atol=1e-5, rtol=1e-4)
