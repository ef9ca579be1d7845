"""Directions: boundaries against hand-computed ones, steps against their formulas, and both on the command line."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel

from inversion.errors import EditError, ModelError, PhraseError
from inversion.loading import load_model
from inversion.replacement import OutputReplacement, replaced
from inversion.taps import Sites, tap
from realedit.cli import main
from realedit.editing import redrawing
from realedit.engines import Asyrp, BoundaryDiffusion
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.files.writing import save_photo
from realedit.images import working_size
from realedit.methods.asyrp import AsymmetricSteps, ShiftedBottleneck, asyrp
from realedit.methods.boundary import boundary_normal, held_out_accuracy, require_scikit_learn
from realedit.methods.boundary_diffusion import boundary_diffusion, mixing_level
from realedit.methods.direction import LAYER, Level, bottleneck, load_direction
from realedit.methods.direction_fit import fit_direction, noisiest_of_the_best
from realedit.methods.sampler_run import Task
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session
from realedit.sampling.stepping import DdimSteps
from realedit.settings import Settings
from tests.test_cli import error_line, run

STEPS = 5
SIDES = torch.tensor([1.0, 1.0, -1.0, -1.0])


def tiny_unconditional(folder: Path, **changed: object) -> Path:
    torch.manual_seed(5)
    values = {
        "sample_size": 16,
        "in_channels": 3,
        "out_channels": 3,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        "norm_num_groups": 8,
        "attention_head_dim": 8,
    }
    DDPMPipeline(UNet2DModel(**{**values, **changed}), DDPMScheduler()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def without_words(tmp_path_factory):
    """A tiny random model of pixels."""
    return tiny_unconditional(tmp_path_factory.mktemp("pixels") / "tiny")


def pictures(count: int, level: float, side: int, seed: int) -> torch.Tensor:
    """Noisy pictures of about this brightness."""
    noise = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))
    return (0.3 * noise + level).clamp(0, 1)


def bright_and_dark(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    return pictures(4, 0.6, side, 1), pictures(3, 0.1, side, 2)


@pytest.fixture(scope="module")
def session(without_words):
    return Session(load_model(str(without_words), device="cpu"), Settings(steps=STEPS, method="ddim", seed=2))


@pytest.fixture(scope="module")
def found(session):
    return fit_direction(session, bright_and_dark(16), "")


@pytest.fixture(scope="module")
def folder(found, tmp_path_factory):
    there = tmp_path_factory.mktemp("direction")
    for path, data in found.files(there).items():
        path.write_bytes(data)
    return there


def task_of(session: Session) -> Task:
    width, height = working_size((48, 32), session.model.native_size, session.model.pixel_multiple)
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    return Task(session, image, "", "", torch.ones(1, 1, height, width))


class TestBoundary:
    def test_the_normal_of_four_points_is_the_one_between_them(self):
        points = torch.tensor([[4.0, 0.0, 1.0], [4.0, 2.0, 1.0], [0.0, 0.0, 1.0], [0.0, 2.0, 1.0]])
        torch.testing.assert_close(boundary_normal(points, SIDES), torch.tensor([1.0, 0.0, 0.0]), atol=1e-3, rtol=0)
        torch.testing.assert_close(boundary_normal(points, -SIDES), torch.tensor([-1.0, 0.0, 0.0]), atol=1e-3, rtol=0)

    def test_without_scikit_learn_one_line_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "sklearn", None)
        with pytest.raises(EditError, match=r'pip install "realedit\[directions\]"'):
            require_scikit_learn()

    def test_held_out_samples_tell_what_is_learnt_from_what_is_fitted(self):
        """In many dimensions any sides can be parted; only true ones are told of samples that were not seen."""
        samples = torch.randn(40, 400, generator=torch.Generator().manual_seed(5))
        by_lot = torch.ones(40)
        by_lot[::2] = -1
        assert 0.2 < held_out_accuracy(samples, by_lot) < 0.75
        told = samples + 0.5 * by_lot[:, None]
        assert held_out_accuracy(told, by_lot) == 1.0


class TestFit:
    def test_bright_is_told_from_dark_and_the_normal_points_to_it(self, session, found):
        header = found.header
        assert header.pictures == (4, 3)
        assert header.found.latent_accuracy == 1.0
        assert [each.timestep for each in header.scanned] == [600, 400]
        assert found.differences.shape == (STEPS, 32, 8, 8)
        assert found.latent.norm() == pytest.approx(1, abs=1e-4)
        assert found.bottleneck.norm() == pytest.approx(1, abs=1e-4)
        assert found.latent.mean() > 0
        assert min(header.gaps) > 0
        turned = fit_direction(session, bright_and_dark(16)[::-1], "")
        assert turned.latent.mean() < 0
        torch.testing.assert_close(turned.differences, -found.differences)

    def test_of_levels_that_cannot_be_told_apart_the_noisiest_is_taken(self):
        """Of 64 pictures a standard error is 5 % where 80 % are told: 0.76 is as good as 0.8, and 0.7 is not."""
        told = {6: 0.7, 7: 0.76, 8: 0.8, 9: 0.79}
        scanned = {i: Level(100 * i, mean + 0.1, mean - 0.1, 1.0, 1.0) for i, mean in told.items()}
        assert noisiest_of_the_best(scanned, 64) == 7
        assert noisiest_of_the_best(scanned, 6400) == 8
        perfect = {i: Level(100 * i, mean, mean, 1.0, 1.0) for i, mean in {5: 0.99, 6: 0.997, 7: 1.0, 8: 1.0}.items()}
        assert noisiest_of_the_best(perfect, 256) == 6

    def test_radii_are_those_of_the_forward_process(self, session, found):
        level = found.header.scanned[0]
        clean = torch.cat(bright_and_dark(16)) * 2 - 1
        i = session.schedule.timesteps.index(level.timestep)
        alpha_bar = session.schedule.alpha_from[i]
        expected = (alpha_bar * clean.flatten(1).square().sum(1) + (1 - alpha_bar) * clean[0].numel()).sqrt().mean()
        assert level.noised_radius == pytest.approx(float(expected), rel=1e-5)

    def test_it_comes_back_from_its_files(self, found, folder):
        again = load_direction(folder)
        assert again.header == found.header
        assert torch.equal(again.bottleneck, found.bottleneck)
        assert torch.equal(again.differences, found.differences.half())

    def test_fewer_steps_shift_by_more(self, found):
        half = found.difference(600, 2 * STEPS)
        torch.testing.assert_close(half * 2, found.difference(600, STEPS))
        torch.testing.assert_close(found.difference(610, STEPS), found.differences[1:2])


class TestAsyrp:
    def test_a_shifted_middle_is_what_residual_inputs_would_make_of_it(self, tiny):
        """A mid-block hook is ControlNet's door with zeros for the skips."""
        z, text = torch.randn(1, 4, 12, 20), [tiny.embed("a cat on a bench")]
        middle, _ = bottleneck(tiny, z, 500, text)
        shift = torch.randn(middle.shape, generator=torch.Generator().manual_seed(1))
        skips = []
        handles = [
            block.register_forward_hook(lambda module, args, output: skips.extend(output[1]))
            for block in tiny.unet.down_blocks
        ]
        handles.append(tiny.unet.conv_in.register_forward_hook(lambda module, args, output: skips.append(output)))
        tiny.predict(z, 500, text)
        for each in handles:
            each.remove()

        def residuals(z, t, texts):
            zeros = tuple(torch.zeros_like(each) for each in skips)
            return {"down_block_additional_residuals": zeros, "mid_block_additional_residual": shift}

        wanted = tiny.predict(z, 500, text, residuals)

        with replaced(tiny.unet, {LAYER: OutputReplacement(lambda now: now + shift)}):
            hooked = tiny.predict(z, 500, text)
        torch.testing.assert_close(hooked, wanted)
        assert not torch.allclose(hooked, tiny.predict(z, 500, text))

    def test_a_step_takes_the_clean_latent_of_the_shifted_middle_and_the_noise_of_the_own(self, tiny):
        """x_s = sqrt(ab_s) P(eps~) + sqrt(1 - ab_s) eps, against the after-step edit."""
        schedule, text = tiny.schedule(STEPS), tiny.embed("a cat on a bench")
        z = torch.randn(1, 4, 12, 20, generator=torch.Generator().manual_seed(2))
        middle, own = bottleneck(tiny, z, schedule.timesteps[1], [text])
        rows = Conditioning(text, tiny.unprompted().repeat(STEPS), 1.0)
        shift = ShiftedBottleneck(_Constant(torch.full_like(middle, 0.5)), schedule, 2.0)
        with replaced(tiny.unet, shift.at(1)):
            other = tiny.predict(z, schedule.timesteps[1], [text])
        split = schedule.parameterisation.split
        clean, _ = split(other, z, schedule.alpha_from[1])
        _, noise = split(own, z, schedule.alpha_from[1])
        alpha = schedule.alpha_to[1]
        wanted = alpha**0.5 * clean + (1 - alpha) ** 0.5 * noise
        steps = AsymmetricSteps(tiny, rows, shift, DdimSteps(), DdimSteps.seeded(1.0, 0), until=2, noisy_from=4)
        torch.testing.assert_close(steps.down(schedule, z, own, 1), wanted, atol=1e-5, rtol=1e-4)
        assert torch.equal(steps.down(schedule, z, own, 2), schedule.down(z, own, 2))
        assert not torch.equal(steps.down(schedule, z, own, 4), schedule.down(z, own, 4))

    def test_by_nothing_it_is_plain_sampling_and_both_ways_differ(self, session, folder):
        task = task_of(session)

        def drawn(by: float) -> torch.Tensor:
            run = asyrp(task, Asyrp(direction=str(folder), by=by, noisy_from=1.0))
            return replace(run, callbacks=()).latent(session)

        plain = sample(session.model, task.pivots[:1], session.schedule, task.rows(1.0))
        assert torch.equal(drawn(0.0), plain)
        more, less = drawn(0.02) - plain, drawn(-0.02) - plain
        assert float((more * less).sum()) < 0


class _Constant:
    """A direction that is the same at every timestep."""

    def __init__(self, value: torch.Tensor) -> None:
        self.value = value

    def difference(self, timestep: int, steps: int) -> torch.Tensor:
        return self.value


class TestBoundaryDiffusion:
    @pytest.mark.parametrize("by", [-2.0, 1.5])
    def test_it_starts_so_many_gaps_beside_the_photo_along_the_normal(self, session, found, folder, by):
        width = found.latent.shape[-1]
        image = torch.rand(1, 3, width, width, generator=torch.Generator().manual_seed(0))
        task = Task(session, image, "", "", torch.ones(1, 1, width, width))
        run = boundary_diffusion(task, BoundaryDiffusion(direction=str(folder), by=by))
        level = mixing_level(found, session.schedule.timesteps)
        moved = run.start - task.pivots[level : level + 1]
        torch.testing.assert_close(moved, by * found.header.gaps[1] * found.latent)
        assert run.walk == tuple(range(level, STEPS + 1))

    def test_the_middle_is_the_moved_one_and_then_lags_a_step(self, session, found, folder):
        task = task_of(session)
        run = boundary_diffusion(task, BoundaryDiffusion(direction=str(folder), by=1.0))
        (control,) = run.controllers
        first, times, model = run.walk[0], session.schedule.timesteps, session.model
        z, text = torch.randn(1, 3, *task.image.shape[-2:]), [model.embed("")]
        own, given = [], []
        for i in (first, first + 1):
            own.append(bottleneck(model, z, times[i], text)[0])
            with replaced(model.unet, control.at(i)), tap(model.unet, Sites(features=(LAYER,))) as tape:
                model.predict(z, times[i], text)
            given.append(tape.features[LAYER])
        assert torch.equal(given[0], control.start)
        torch.testing.assert_close(given[1], own[0])
        assert not torch.allclose(given[1], own[1])


class TestWithoutWords:
    def test_it_predicts_and_samples_as_diffusers_does(self, without_words, session):
        pipe = DDPMPipeline.from_pretrained(without_words)
        sampler = DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
        sampler.set_timesteps(STEPS)
        z = torch.randn(1, 3, 16, 24, generator=torch.Generator().manual_seed(7))
        wanted = z
        with torch.no_grad():
            for t in sampler.timesteps:
                wanted = sampler.step(pipe.unet(wanted, t).sample, t, wanted).prev_sample
        rows = Conditioning.plain(session.model, "anything", STEPS, 1.0)
        assert torch.equal(sample(session.model, z, session.schedule, rows), wanted)

    def test_pictures_are_their_own_latents_and_no_words_are_found(self, session):
        image = torch.rand(1, 3, 16, 24)
        torch.testing.assert_close(session.model.decode(session.model.encode(image)), image)
        with pytest.raises(PhraseError, match='no words guide this model, so it cannot find "ball"'):
            session.model.positions("a ball", "ball")

    def test_what_is_no_model_of_colour_pictures_is_refused(self, tmp_path):
        folder = tiny_unconditional(tmp_path / "grey", in_channels=1)
        with pytest.raises(ModelError, match="of 1 channels to 3, expected 3 of each"):
            load_model(str(folder), device="cpu")


def test_a_direction_of_another_model_or_layer_is_refused(session, found, model):
    with pytest.raises(EditError, match="belongs to the model tiny"):
        found.require(model)
    other = replace(found, header=replace(found.header, layer="up_blocks.0"))
    with pytest.raises(EditError, match=r'belongs to the layer "up_blocks\.0", expected "mid_block"'):
        other.require(session.model)
    found.require(session.model)


def noisy_photo(seed: int, level: float, path: Path) -> Path:
    values = np.random.default_rng(seed).integers(0, 60, (72, 96, 3)) + level
    save_photo(Photo(values.astype(np.uint8)), path)
    return path


@pytest.fixture
def photo_folders(tmp_path):
    """Photos, not square, that are bright and dark."""
    for name, level in (("bright", 150), ("dark", 20)):
        (tmp_path / name).mkdir()
        for k in range(3):
            noisy_photo(k, level, tmp_path / name / f"{k}.png")
    return tmp_path


def test_from_folders_to_a_slider_and_back(photo_folders, without_words, monkeypatch):
    monkeypatch.setattr(redrawing, "require_known", lambda *asked: None)  # a random model knows no photo
    used = ["--model", without_words, "--steps", 4, "--method", "ddim"]
    there = photo_folders / "brightness"
    told = run(
        "direction", "fit", photo_folders / "bright", photo_folders / "dark", "-o", there, *used, "--json"
    ).stdout
    assert json.loads(told)["pictures"] == [3, 3]
    assert str(photo_folders) not in (there / "direction.json").read_text()
    photo, out = noisy_photo(9, 80, photo_folders / "photo.png"), photo_folders / "out.png"
    box = (0.25, 0.25, 0.75, 0.75)
    marked = ["--box", ",".join(map(str, box))]
    run("direction", "apply", photo, there, "--by", "-2..2", *marked, *used, "-o", out)
    results = [load_photo(photo_folders / f"out-{k}.png").rgb for k in range(1, 6)]
    before = load_photo(photo).rgb
    kept = np.ones(before.shape[:2], bool)
    kept[13:59, 19:77] = False  # a tenth of the box beyond it, which its object may take
    assert all(np.array_equal(each[kept], before[kept]) for each in results)
    assert len({each.tobytes() for each in results}) == 5
    assert (photo_folders / "out-sheet.png").is_file()
    assert "the same pixels" in run("redo", photo_folders / "out-5.png", "--allow-outside").stderr
    run("direction", "apply", photo, there, "--by", 1, "--engine", "asyrp", *used, "-o", out)
    assert not np.array_equal(load_photo(out).rgb, before)


REFUSED = {
    "one picture": (["fit", "ONE", "dark", "-o", "new"], 2, "holds 1 photo; a direction needs at least 2 of each"),
    "no folder": (["fit", "photo.png", "dark", "-o", "new"], 2, "photo.png is no folder"),
    "no pictures": (["fit", "EMPTY", "dark", "-o", "new"], 1, "holds no photos"),
    "a broken picture": (["fit", "BROKEN", "dark", "-o", "new"], 1, "0.png"),
    "no such place": (["fit", "bright", "dark", "-o", "none/new"], 1, "does not exist"),
    "no direction": (["apply", "photo.png", "dark", "--by", "1", "-o", "out.png"], 2, "dark is no direction"),
    "no folder of one": (["apply", "photo.png", "none", "--by", "1", "-o", "out.png"], 2, "none is no direction"),
    "damaged numbers": (["apply", "photo.png", "BAD", "--by", "1", "-o", "out.png"], 2, "is damaged"),
    "cut-off tensors": (["apply", "photo.png", "CUT", "--by", "1", "-o", "out.png"], 2, "is damaged"),
    "another model's": (["apply", "photo.png", "OTHER", "--by", "1", "-o", "out.png"], 2, "belongs to the model"),
    "no range": (["apply", "photo.png", "GOOD", "--by", "2..", "-o", "out.png"], 2, "neither a number nor a range"),
    "no extent": (["apply", "photo.png", "GOOD", "--by", "2..2", "-o", "out.png"], 2, "without extent"),
    "too far": (["apply", "photo.png", "GOOD", "--by", "90", "-o", "out.png"], 2, "not in the range"),
    "two to a pipe": (["apply", "photo.png", "GOOD", "--by", "-1..1", "-o", "-"], 2, "one picture"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_one_line_and_writes_nothing(name, photo_folders, folder, without_words, monkeypatch):
    arguments, code, said = REFUSED[name]
    monkeypatch.chdir(photo_folders)
    noisy_photo(9, 80, photo_folders / "photo.png")
    for made in ("ONE", "EMPTY", "BROKEN", "GOOD", "BAD", "CUT", "OTHER"):
        (photo_folders / made).mkdir()
    noisy_photo(1, 30, photo_folders / "ONE" / "0.png")
    for k in range(2):
        (photo_folders / "BROKEN" / f"{k}.png").write_bytes(b"\x89PNG\r\n")
    told, tensors = ((folder / name).read_bytes() for name in ("direction.json", "direction.safetensors"))
    other = json.dumps({**json.loads(told), "model": "0" * 16}).encode()
    for made, header, data in (("GOOD", told, tensors), ("BAD", told[:-9], tensors), ("CUT", told, tensors[:-9])):
        (photo_folders / made / "direction.json").write_bytes(header)
        (photo_folders / made / "direction.safetensors").write_bytes(data)
    (photo_folders / "OTHER" / "direction.json").write_bytes(other)
    (photo_folders / "OTHER" / "direction.safetensors").write_bytes(tensors)
    before = {path for path in photo_folders.rglob("*") if "cache" not in path.parts}
    done = CliRunner().invoke(main, ["direction", *arguments, "--model", str(without_words), "--steps", "4", "-q"])
    assert done.exit_code == code, done.output
    assert said in error_line(done)
    assert {path for path in photo_folders.rglob("*") if "cache" not in path.parts} == before
