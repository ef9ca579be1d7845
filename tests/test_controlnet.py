"""ControlNet as residual inputs of the sampler: diffusers' pipeline on tiny random parts, and its maps and networks as
files."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from diffusers import (
    ControlNetModel,
    DDIMScheduler,
    MultiControlNetModel,
    StableDiffusionControlNetPipeline,
    StableDiffusionXLControlNetPipeline,
)
from PIL import Image

from inversion.errors import EditError, ModelError
from inversion.properties import centroid
from realedit.cli import main
from realedit.editing.filling import fill_marked
from realedit.editing.generation import generate
from realedit.editing.pipeline import edit
from realedit.editing.request import Hints
from realedit.edits import Move
from realedit.engines import RePaint
from realedit.evaluation.metrics import PerceptualMetric
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.geometry.crop import Crop
from realedit.geometry.transform import Placement
from realedit.inpainting.filler import PhotoFill, RepaintFill
from realedit.inpainting.repaint_filler import RepaintFiller
from realedit.methods.controlnet import ControlMap, ControlResiduals, load_controlnet
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session
from realedit.settings import Mode, Settings
from samples.train_controlnet import build_controlnet
from tests.conftest import PROMPT, random_latent

STEPS, SCALE = 3, 4.0
SAMPLES = Path(__file__).parent.parent / "samples" / "photos"
NO_DISTANCE = PerceptualMetric("none", lambda one, two: torch.zeros_like(one[:, :1]))


def tiny_controlnet(unet, seed: int) -> ControlNetModel:
    """Of a tiny model, with a hint encoder that halves once, as its autoencoder does; and random where an untrained one
    is zero."""
    torch.manual_seed(seed)
    network = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32))
    for name, weights in network.named_parameters():
        if not weights.any():
            torch.nn.init.normal_(weights, std=0.3 if "bias" not in name else 0.1)
    return network.eval()


def edges(width: int = 48, height: int = 32) -> torch.Tensor:
    """A map (1, 3, H, W): a white square on black."""
    picture = torch.zeros(1, 3, height, width)
    picture[..., 8:24, 10:30] = 1
    return picture


@pytest.fixture(scope="module")
def networks(folders, pipelines, tmp_path_factory) -> dict[str, list[Path]]:
    """Two ControlNets for each tiny model, saved as people share them."""
    root, found = tmp_path_factory.mktemp("controlnets"), {}
    for kind in ("epsilon", "xl"):
        found[kind] = [root / f"{kind}-{k}" for k in range(2)]
        for k, folder in enumerate(found[kind]):
            tiny_controlnet(pipelines[kind].unet, k).save_pretrained(folder)
    return found


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", ["epsilon", "xl"], indirect=True)
def test_the_latent_is_the_pipelines(kind, pipe, tiny, networks, count):
    loaded = [load_controlnet(str(folder), tiny) for folder in networks[kind][:count]]
    scales = [0.7, 1.5][:count]
    together = MultiControlNetModel(loaded) if count > 1 else loaded[0]
    parts = pipe.components | {"controlnet": together, "scheduler": DDIMScheduler.from_config(tiny.scheduler.config)}
    parts["scheduler"].register_to_config(clip_sample=False)
    if kind == "xl":
        theirs = StableDiffusionXLControlNetPipeline(**parts, add_watermarker=False)
    else:
        theirs = StableDiffusionControlNetPipeline(**parts, requires_safety_checker=False)
    theirs.set_progress_bar_config(disable=True)
    z = random_latent(height=16, width=24)
    wanted = theirs(
        PROMPT,
        image=edges() if count == 1 else [edges(), 1 - edges()],
        controlnet_conditioning_scale=scales[0] if count == 1 else scales,
        latents=z.clone(),
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        height=32,
        width=48,
        output_type="latent",
    ).images
    maps = [ControlMap(*each) for each in zip(loaded, (edges(), 1 - edges()), scales, strict=False)]
    rows = Conditioning(tiny.embed(PROMPT), tiny.unprompted().repeat(STEPS), SCALE)
    ours = sample(tiny, z, tiny.schedule(STEPS), rows, residuals=ControlResiduals(tiny, maps))
    torch.testing.assert_close(ours, wanted, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(ours, sample(tiny, z, tiny.schedule(STEPS), rows), atol=1e-2)


def test_a_map_goes_along_with_the_part_of_the_photo_and_has_its_shape():
    whole = ControlMap(None, edges(48, 32))
    part = whole.cut_out(Crop((96, 64), (20, 16, 60, 48)))
    assert part.picture.shape == (1, 3, 32, 40)
    assert part.picture.mean() > 0.95  # the square, at twice its size, but for its edge
    whole.check((480, 320))
    with pytest.raises(EditError, match="the control map is 48x32, the picture 96x96; give one of its shape"):
        whole.check((96, 96))


def test_a_drawn_picture_follows_its_map(model, networks):
    network = load_controlnet(str(networks["epsilon"][0]), model)
    few = Settings(steps=STEPS, seed=1)
    plain, one, other = (
        generate(model, PROMPT, (48, 32), few, controls=[ControlMap(network, each)] if each is not None else []).rgb
        for each in (None, edges(), 0 * edges())
    )
    assert plain.shape == one.shape
    assert (one != plain).any()
    assert (one != other).any()


def test_a_map_goes_along_with_a_moved_object_and_holds_nothing_where_it_stood():
    mask = torch.zeros(1, 1, 32, 48)
    mask[..., 8:24, 4:16] = 1
    picture = torch.zeros(1, 3, 64, 96)  # the map is larger than the masks
    picture[..., 16:48, 8:32] = 1  # the object
    picture[..., 60:62, :] = 1  # an edge of what stays
    to = Placement((10 / 48, 0.5), (34 / 48, 0.5))  # by half the width
    moved = ControlMap(None, picture).rearranged([(mask, (to,))]).picture
    assert moved.shape == (1, 3, 32, 48)
    assert moved[..., 9:23, 5:15].max() == 0  # where it stood
    assert moved[..., 9:23, 29:39].min() > 0.95
    assert moved[..., 30, :].min() > 0.4
    gone = ControlMap(None, picture).rearranged([(mask, ())]).picture
    assert gone[..., :28, :].max() < 0.1  # but for ringing
    assert ControlMap(None, picture).rearranged([]).picture is picture


def test_what_is_filled_follows_a_map_and_nothing_else_changes(model, networks):
    network = load_controlnet(str(networks["epsilon"][0]), model)
    photo = Photo(torch.randint(0, 255, (32, 48, 3), generator=torch.Generator().manual_seed(0)).byte().numpy())
    hole = torch.zeros(1, 1, 32, 48)
    hole[..., 8:24, 12:30] = 1
    session, choice = Session(model, Settings(steps=2)), RepaintFill(RePaint(jump=1, repeats=1))

    def filled(*maps: ControlMap) -> torch.Tensor:
        return RepaintFiller(session, choice.engine, PROMPT, maps)(photo.tensor(), hole, 0 * hole)

    plain, one, other = filled(), filled(ControlMap(network, edges())), filled(ControlMap(network, 0 * edges()))
    inside = (hole > 0.5).expand_as(plain)
    assert torch.equal(one[~inside], plain[~inside])
    assert not torch.equal(one[inside], plain[inside])
    assert not torch.equal(one[inside], other[inside])
    with pytest.raises(EditError, match="give --fill repaint"):
        fill_marked(session, photo, PROMPT, hole, PhotoFill(), [ControlMap(network, edges())])
    with pytest.raises(EditError, match="the control map is 32x32, the picture 48x32"):
        fill_marked(session, photo, PROMPT, hole, choice, [ControlMap(network, edges(32, 32))])


class Shown(Exception):
    """Ends an edit when its map was seen."""


def test_what_moves_is_not_held_by_the_map_while_a_photo_is_regenerated(tabletop, shared_cache):
    """A map that is white: where the vase stood it says nothing, where it goes it is white."""
    photo = load_photo(SAMPLES / "03.png")
    network = build_controlnet(tabletop.unet)

    def show(own, args, named, out):
        raise Shown(named["controlnet_cond"])

    network.register_forward_hook(show, with_kwargs=True)
    hints = Hints(controls=(ControlMap(network, torch.ones(1, 3, photo.size[1], photo.size[0])),))
    settings = Settings(steps=2, method="ddim", mode=Mode.REGENERATE)
    caption, move = (SAMPLES / "03.txt").read_text().strip(), Move("black vase", by=(-0.2, 0.4))
    with pytest.raises(Shown) as seen:
        edit(tabletop, photo, caption, move, hints=hints, settings=settings, perceptual=NO_DISTANCE)
    blank = (seen.value.args[0][0, 0] < 0.5).float()
    assert 0.01 < blank.mean() < 0.2
    assert (centroid(blank) - torch.tensor((0.39, 0.41))).norm() < 0.05


def test_the_bundled_one_is_small_and_says_something(tabletop):
    network = load_controlnet("tabletop-edges", tabletop)
    folder = SAMPLES.parent / "tabletop-edges"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 8e6
    residuals = ControlResiduals(tabletop, [ControlMap(network, edges(128, 128))])
    z = random_latent(height=32, width=32)
    shown = residuals(z, 600, tabletop.embed(PROMPT))
    assert all(each.abs().max() > 1e-3 for each in shown["down_block_additional_residuals"])


def test_networks_that_cannot_be_used_are_told_in_one_line(model, networks, tmp_path):
    (tmp_path / "empty").mkdir()
    for name, said in (
        (str(tmp_path / "empty"), "cannot be had"),
        (str(networks["xl"][0]), "is for another kind of model than"),
    ):
        with pytest.raises(ModelError, match=said) as error:
            load_controlnet(name, model, offline=True)
        assert "\n" not in str(error.value)


def test_the_command_draws_it_and_again(folders, networks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray((edges(96, 64)[0].permute(1, 2, 0) * 255).byte().numpy()).save("edges.png")
    shared = ["--model", str(folders["epsilon"]), "--steps", "2", "--prompt", PROMPT, "-o", "out.png"]
    network = str(networks["epsilon"][0])
    done = CliRunner().invoke(main, ["generate", "--control", "edges.png", "--controlnet", network, *shared])
    assert done.exit_code == 0, done.output
    assert Image.open("out.png").size == (40, 24)  # the map's shape, at the model's size
    again = CliRunner().invoke(main, ["redo", "out.png"])
    assert again.exit_code == 0, again.output
    assert "the sidecar asks for the ControlNet" in again.stderr
    assert "the same pixels" in again.stderr
    wrong = CliRunner().invoke(main, ["generate", "--control", "edges.png", *shared, "--force"])
    assert wrong.exit_code == 2
    assert "as many --controlnet as --control" in wrong.stderr
    square = ["--size", "32,32", "--force"]
    other = CliRunner().invoke(main, ["generate", "--control", "edges.png", "--controlnet", network, *shared, *square])
    assert other.exit_code == 2
    assert "the control map is 96x64, the picture 32x32" in other.stderr
