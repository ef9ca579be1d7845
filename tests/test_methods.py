"""The systems as values of the one loop: each is diffusers' own where diffusers has it, and what its paper says."""

import itertools
from dataclasses import replace

import pytest
import torch
from diffusers import DDIMScheduler, RePaintScheduler, StableDiffusionImg2ImgPipeline, UNet2DConditionModel

from inversion.errors import EditError, PhraseError
from inversion.replacement import AttentionReplacement, replaced
from inversion.schedule import Parameterisation, Schedule
from inversion.taps import Sites, tap
from realedit.editing.plate import PlateFill
from realedit.engines import Pix2PixZero, PlugAndPlay, PromptToPrompt, RePaint, SDEdit, SentenceBank
from realedit.evaluation.report_parts import FillReport
from realedit.inpainting.filler import RepaintFill
from realedit.inpainting.photo_fill import Sketch
from realedit.methods.pix2pix_zero import different_words, direction, pix2pix_zero
from realedit.methods.plug_and_play import injected_modules, plug_and_play
from realedit.methods.prompt_to_prompt import LocalBlend, prompt_to_prompt
from realedit.methods.repaint import jump_walk, repaint
from realedit.methods.sampler_run import Task
from realedit.methods.sdedit import sdedit
from realedit.methods.systems import SYSTEMS
from realedit.methods.word_alignment import word_map
from realedit.sampling.prediction import Step
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session
from realedit.sampling.stepping import DdimSteps
from realedit.settings import Settings
from tests.conftest import CAPTIONS, PROMPT, random_latent

STEPS, SEED = 6, 3
HEIGHT, WIDTH = 24, 40  # of a picture as the tiny models see it: 12 by 20 cells


def task_of(model, words=PROMPT, free=None, steps=STEPS):
    image = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    everywhere = torch.ones(1, 1, HEIGHT, WIDTH)
    session = Session(model, Settings(steps=steps, seed=SEED, method="ddim"))
    return Task(session, image, PROMPT, words, everywhere if free is None else free)


def right_half():
    free = torch.zeros(1, 1, HEIGHT, WIDTH)
    free[..., WIDTH // 2 :] = 1
    return free


class TestSDEdit:
    @pytest.mark.parametrize("eta", [0.0, 1.0])
    @pytest.mark.parametrize("kind", ["epsilon", "v_prediction"], indirect=True)
    def test_once_it_is_the_image_to_image_pipeline(self, pipe, tiny, eta):
        task = task_of(tiny)
        engine = SDEdit(strength=0.7, repeats=1, eta=eta, guidance_scale=4.0)
        ours = sdedit(task, engine).latent(task.session)
        scheduler = DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
        parts = {**pipe.components, "scheduler": scheduler}
        theirs = StableDiffusionImg2ImgPipeline(**parts, requires_safety_checker=False)
        theirs.set_progress_bar_config(disable=True)
        wanted = theirs(
            PROMPT,
            image=task.latent,
            strength=0.7,
            num_inference_steps=STEPS,
            guidance_scale=4.0,
            eta=eta,
            generator=torch.Generator().manual_seed(SEED),
            output_type="latent",
        ).images
        torch.testing.assert_close(ours, wanted, atol=1e-5, rtol=1e-5)

    def test_what_is_held_is_the_photo_and_each_repeat_costs_as_much(self, model):
        task = task_of(model, CAPTIONS[1], right_half())
        with model.metered() as meter:
            found = sdedit(task, SDEdit(strength=0.5, repeats=2)).latent(task.session)
        assert meter.forward_equivalents == 2 * 2 * STEPS // 2
        half = found.shape[-1] // 2
        assert torch.equal(found[..., :half], task.latent[..., :half])
        assert not torch.equal(found[..., half:], task.latent[..., half:])

    def test_the_more_strength_the_farther_from_the_photo(self, model):
        task = task_of(model)
        far = [
            float((sdedit(task, SDEdit(strength=s, repeats=1, eta=0)).latent(task.session) - task.latent).norm())
            for s in (0.2, 0.5, 1.0)
        ]
        assert far == sorted(far)

    def test_a_strength_without_a_step_is_refused(self, model):
        with pytest.raises(EditError, match=r"a strength of 0\.1 leaves none of 6 steps"):
            sdedit(task_of(model), SDEdit(strength=0.1))


def scheduled_walk(steps, jump, repeats):
    """The levels that diffusers' scheduler goes through."""
    scheduler = RePaintScheduler()
    scheduler.set_timesteps(steps, jump, repeats)
    levels, before = [0], steps
    for t in (int(t) // (1000 // steps) for t in scheduler.timesteps):
        levels.append(levels[-1] + (1 if t < before else -1))
        before = t
    return tuple(levels)


class TestRePaint:
    @pytest.mark.parametrize(
        ("steps", "jump", "repeats", "drawn"),
        [(250, 10, 10, 2410), (50, 10, 10, 410), (50, 5, 3, 140), (7, 2, 3, 19), (5, 5, 2, 5), (4, 1, 1, 4)],
    )
    def test_the_walk_is_that_of_diffusers(self, steps, jump, repeats, drawn):
        walk = jump_walk(steps, jump, repeats)
        assert walk == scheduled_walk(steps, jump, repeats)
        assert sum(b > a for a, b in itertools.pairwise(walk)) == drawn

    def test_a_step_is_that_of_diffusers_where_nothing_is_known(self):
        scheduler = RePaintScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False
        )
        scheduler.set_timesteps(10, 1, 1)
        times = tuple(int(t) for t in scheduler.timesteps)
        alphas = scheduler.alphas_cumprod
        nexts = torch.stack([alphas[t] if t >= 0 else torch.tensor(1.0) for t in (*times[1:], -1)])
        schedule = Schedule(times, alphas[list(times)], nexts, Parameterisation.EPSILON)
        z, noise, unknown = random_latent(1), random_latent(2), torch.zeros(1, 1, 8, 12)
        scheduler.eta = 1.0
        for i, t in enumerate(times[:-1]):
            theirs = scheduler.step(noise, t, z, z, unknown, torch.Generator().manual_seed(5)).prev_sample
            ours = DdimSteps.seeded(1.0, 5).down(schedule, z, noise, i)
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)

    def test_what_is_known_is_exact_and_what_was_in_the_hole_is_not_looked_at(self, model):
        task = task_of(model, free=right_half())
        engine = RePaint(jump=2, repeats=2)
        found = repaint(task, engine).latent(task.session)
        half = found.shape[-1] // 2
        assert torch.equal(found[..., :half], task.latent[..., :half])
        other = replace(task, image=task.image)
        spoilt = task.latent.clone()
        spoilt[..., half:] = 7.0
        vars(other)["latent"] = spoilt
        assert torch.equal(repaint(other, engine).latent(other.session), found)

    def test_as_a_filler_it_changes_nothing_but_the_hole_and_does_not_see_what_was_there(self, model):
        photo = torch.rand(1, 3, 50, 70, generator=torch.Generator().manual_seed(2))
        hole = torch.zeros(1, 1, 50, 70)
        hole[..., 20:32, 30:45] = 1
        session = replace(task_of(model).session, settings=Settings(steps=2, seed=1))
        plate = PlateFill(session, RepaintFill(RePaint(jump=1, repeats=1)), PROMPT)
        with pytest.raises(EditError, match="does not know what is edited"):
            plate(photo, hole, 0 * hole)
        filled, told = plate(photo, hole, 0 * hole, Sketch(photo, 1.0))
        assert told == FillReport("RePaint", "as asked")
        outside = hole.expand_as(photo) < 0.5
        assert torch.equal(filled[outside], photo[outside])
        assert not torch.equal(filled, photo)
        other = torch.where(hole > 0.5, 1 - photo, photo)
        assert torch.equal(plate(other, hole, 0 * hole, Sketch(photo, 1.0))[0], filled)

    def test_the_seed_alone_decides(self, model):
        first = repaint(task_of(model, free=right_half()), RePaint(jump=2, repeats=2))
        again = repaint(task_of(model, free=right_half()), RePaint(jump=2, repeats=2))
        session = task_of(model).session
        assert torch.equal(first.latent(session), again.latent(session))


class TestPromptToPrompt:
    old, new = PROMPT, "a photo of a cat ball and a striped blue can on a wooden table"

    def test_the_same_words_give_the_photo_back(self, tiny):
        """Along pivots that the sampler itself went through, so that the inversion has no error."""
        task, levels = task_of(tiny), []
        rows = task.rows(1.0)
        sample(
            tiny, random_latent(1, 12, 20), task.session.schedule, rows, callbacks=[lambda z, _: levels.append(z) or z]
        )
        vars(task)["pivots"] = torch.cat(levels)
        run = prompt_to_prompt(task, PromptToPrompt(guidance_scale=1.0))
        torch.testing.assert_close(run.latent(task.session), levels[-1], atol=2e-3, rtol=1e-3)

    def test_inside_the_windows_attention_is_the_photos_and_after_them_it_is_not(self, model):
        """Replaced words: every token of the new row attends where that of the photo's row did."""
        task = task_of(model, self.new)
        control = prompt_to_prompt(task, PromptToPrompt(cross_until=0.5, self_until=0.0)).controllers[0]
        layer, times = model.sites.attention[0], task.session.schedule.timesteps
        for i in (0, 2):
            now, change = [], control.at(i)[layer].change
            seen = AttentionReplacement(lambda p, now=now, change=change: now.append(change(p)) or now[0])
            with torch.no_grad(), tap(model.unet, Sites((layer,))) as tape:
                model.predict(task.pivots[i : i + 1], times[i], [model.embed(self.old)])
            with torch.no_grad(), replaced(model.unet, {layer: seen}):
                model.predict(random_latent(4, 12, 20), times[i], [model.embed(self.new)])
            mean = now[0].mean(1).transpose(1, 2).unflatten(-1, tape.attention[layer].shape[-2:])
            red, cat = model.positions(self.old, "ball"), model.positions(self.new, "ball")
            torch.testing.assert_close(mean[:, list(cat)], tape.attention[layer][:, list(red)], atol=1e-4, rtol=1e-3)
        assert control.at(3) == {}

    def test_replaced_words_share_what_stood_at_their_place(self, model):
        words = word_map(model, self.old, self.new, {})
        red, cat = (model.positions(text, word) for text, word in ((self.old, "red"), (self.new, "cat")))
        assert words.sources(cat) == list(red)
        assert words.share.min() == 1
        assert words.carried[:, list(cat)].sum() == pytest.approx(len(red))
        blank = torch.rand(1, 2, 6, len(words.share))
        then = torch.rand(1, 2, 6, len(words.share))
        ball = model.positions(self.old, "ball"), model.positions(self.new, "ball")
        assert torch.equal(words(then, blank)[..., list(ball[1])], then[..., list(ball[0])])

    def test_refined_words_keep_what_is_theirs(self, model):
        new = "a photo of a red ball and a striped blue wooden can on a wooden table"
        words = word_map(model, self.old, new, {"striped blue": 2.5})
        inserted = [t for t in range(len(words.share)) if words.share[t] == 0]
        assert inserted
        assert words.sources(inserted) == []
        then, now = torch.rand(1, 2, 6, len(words.share)), torch.rand(1, 2, 6, len(words.share))
        mixed = words(then, now)
        assert torch.equal(mixed[..., inserted], now[..., inserted])
        table = model.positions(self.old, "table"), model.positions(new, "table")
        assert torch.equal(mixed[..., list(table[1])], then[..., list(table[0])])
        blue = model.positions(self.old, "blue"), model.positions(new, "blue")
        torch.testing.assert_close(mixed[..., list(blue[1])], 2.5 * then[..., list(blue[0])])

    def test_blending_keeps_the_photo_where_the_words_are_not(self, model):
        blend = LocalBlend(random_latent(1, 12, 20).expand(3, -1, -1, -1).clone())
        maps = torch.zeros(2, 1, 3 * 5)
        maps[0, 0, 0] = maps[1, 0, 14] = 1.0  # the photo's word in one corner, the new one in the other
        blend.note(0, "layer", maps)
        z = random_latent(2, 12, 20)
        found = blend(z, 2)
        changed = (found == z).all(1)[0]
        assert changed[0, 0]
        assert changed[-1, -1]
        assert not changed[0, -1]
        assert torch.equal(found[..., 0, -1], blend.pivots[2:3][..., 0, -1])
        assert torch.equal(blend(z, 0), z)

    @pytest.mark.parametrize(
        ("words", "engine", "error", "said"),
        [
            ("cat bench", PromptToPrompt(), EditError, "have no word in common"),
            (new, PromptToPrompt(weights={"dog": 2.0}), PhraseError, '"dog" is not in the prompt'),
            (new, PromptToPrompt(blend="dog"), PhraseError, '"dog" is not in the prompt'),
            ("cat bench", Pix2PixZero(), EditError, "have no word in common"),
            (PROMPT, Pix2PixZero(), EditError, "say the same"),
        ],
    )
    def test_what_cannot_be_meant_is_said(self, model, words, engine, error, said):
        with pytest.raises(error, match=said):
            SYSTEMS[type(engine)].check(task_of(model).session, (PROMPT, words), engine)


class TestPlugAndPlay:
    def test_inside_the_windows_every_row_has_the_photos_tensors(self, model):
        task = task_of(model, CAPTIONS[1])
        run = plug_and_play(task, PlugAndPlay(features_until=0.8, attention_until=0.5))
        control = run.controllers[0]
        assert [bool(control.at(i)) for i in range(STEPS)] == [True, True, True, True, True, False]
        assert set(control.at(3)) == set(control.features)
        name, rows = control.features[0], [model.unprompted(), model.embed(CAPTIONS[1])]
        with torch.no_grad(), replaced(model.unet, control.at(1)), tap(model.unet, Sites(features=(name,))) as tape:
            model.predict(random_latent(4, 12, 20), task.session.schedule.timesteps[1], rows)
        assert torch.equal(tape.features[name], control.source.outputs(1)[name].expand_as(tape.features[name]))

    def test_of_stable_diffusion_the_layers_are_the_papers(self):
        with torch.device("meta"):
            unet = UNet2DConditionModel(cross_attention_dim=768)
        features, attention = injected_modules(unet)
        assert features == ("up_blocks.1.resnets.1.conv2",)
        layers = {name.split(".transformer_blocks.")[0] for name in attention}
        expected = {f"up_blocks.{b}.attentions.{k}" for b in (1, 2, 3) for k in range(3)} - {"up_blocks.1.attentions.0"}
        assert layers == expected

    def test_the_cost_is_three_rows_a_step_while_anything_is_injected(self, model):
        task = task_of(model, CAPTIONS[1])
        run = plug_and_play(task, PlugAndPlay())
        with model.metered() as meter:
            run.latent(task.session)
        assert meter.forward_equivalents == 2 * STEPS + 5


class TestPix2PixZero:
    def test_a_step_of_descent_lowers_what_is_kept(self, model):
        task = task_of(model, "a photo of a cat ball and a striped blue can on a wooden table")
        run = pix2pix_zero(task, Pix2PixZero(rate=1.0))
        descent = run.callbacks[-1]
        z = task.pivots[2:3] + 0.3 * random_latent(9, 12, 20)
        step = Step(model, task.session.schedule, run.rows, 2)

        def energy(latent):
            with torch.no_grad(), tap(model.unet, model.sites) as tape:
                model.predict(latent, step.timestep, [run.rows.prompt])
            return descent.kept.evaluate(tape, 2, STEPS).item()

        assert energy(descent(z, 2)) < energy(z)
        assert torch.equal(replace(descent, rate=0.0)(z, 2), z)
        assert torch.equal(descent(z, STEPS), z)

    def test_the_direction_is_the_difference_of_means(self, model):
        one, two, three = "a cat", "a ball", "a can"
        found = direction(model, [one], [two, three])
        wanted = (model.embed(two).tokens + model.embed(three).tokens) / 2 - model.embed(one).tokens
        torch.testing.assert_close(found, wanted)
        engine = Pix2PixZero(bank=SentenceBank(old=(one,), new=(two, three)))
        run = pix2pix_zero(task_of(model), engine)
        torch.testing.assert_close(run.rows.prompt.tokens, model.embed(PROMPT).tokens + wanted)

    @pytest.mark.parametrize(
        ("old", "new", "pair"),
        [
            ("a red cat on a mat", "a dog on a mat", ("red cat", "dog")),
            ("a cat", "a cat with a hat", ("a cat", "a cat with a hat")),
            ("a cat and a dog on a mat", "a bird and a horse on a mat", ("cat and dog", "bird and horse")),
        ],
    )
    def test_words_that_differ(self, old, new, pair):
        assert different_words(old, new) == pair
