"""Readout heads: their values by hand, what they pull and to where, whose they are, and what the bundled ones see."""

import math
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner

from inversion.errors import EditError, ModelError
from inversion.problem import Inverted
from inversion.properties import above_floor, centroid, size
from inversion.record import record
from inversion.reference import Header, Reference
from inversion.schedule import Parameterisation, Schedule
from inversion.taps import Sites, Tape, tap
from inversion.weights import bundled_samples
from realedit.cli import main
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import named_models, renamed
from realedit.geometry.transform import IDENTITY
from realedit.methods.readout import (
    BUNDLED_HEADS,
    READ_MAPS,
    ColourEnergy,
    PresenceEnergy,
    ReadoutEnergy,
    ReadoutMaps,
    map_reading,
    presence,
)
from realedit.methods.readout_heads import READOUT_TENSORS, ReadoutHeader, ReadoutHeads, load_heads, new_heads
from realedit.sampling.energies import CentroidEnergy, ObjectTarget, SizeEnergy, WeightedSum, edit_energies
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.map_reading import ATTENTION_MAPS
from realedit.settings import ENERGIES, Strength, Weights
from samples.renderer import render
from samples.scenes import COLOURS, FIRST_HELD_OUT_SEED, sample_scene
from samples.train_readout import SMALL_HEADS
from tests.conftest import PROMPT, random_latent
from tests.test_cli import error_line

STEPS = 3
LEVEL = 500  # of the training timesteps, about mid noise
MOVE = {"edit": [{"kind": "move", "object": "red ball", "by": [0.1, 0]}]}


def heads_of(model, *, linear=False) -> ReadoutHeads:
    torch.manual_seed(5)
    return new_heads(model, ("red", "blue"), linear=linear).requires_grad_(False).eval()


def one_number_heads() -> ReadoutHeads:
    """Linear heads of two maps of one channel and texts of one number: 2 a + 3 b is hidden, a word's number times that
    its score."""
    heads = ReadoutHeads(ReadoutHeader("m", {"a": 1, "b": 1}, 1, ("red", "blue"), linear=True, width=1))
    heads.requires_grad_(False)
    for layer, weight in zip(heads.bottlenecks, (2.0, 3.0), strict=True):
        layer.weight.fill_(weight)
        layer.bias.zero_()
    for layer, weight, bias in ((heads.words, 1.0, 0.0), (heads.bias, 0.0, -1.0)):
        layer.weight.fill_(weight)
        layer.bias.fill_(bias)
    heads.colour.weight.copy_(torch.tensor([[1.0], [-1.0]]))
    heads.colour.bias.zero_()
    return heads


def test_a_linear_head_by_hand():
    """A coarse map of 0.5 and a fine one that is 1 in one cell: hidden is 1, and 4 there."""
    heads, fine = one_number_heads(), torch.zeros(1, 1, 4, 6)
    fine[..., 1, 4] = 1
    features = {"a": torch.full((1, 1, 2, 3), 0.5), "b": fine}
    text = torch.tensor([[[0.0], [0.5], [-1.0]]])
    maps = heads.maps(features, torch.tensor(0.3), text)
    assert maps.shape == (1, 3, 4, 6)
    for token, number in enumerate((0.0, 0.5, -1.0)):
        assert maps[0, token, 1, 4].item() == pytest.approx(torch.tensor(4 * number - 1).sigmoid().item())
        assert maps[0, token, 2, 2].item() == pytest.approx(torch.tensor(number - 1).sigmoid().item())
    mask = torch.zeros(1, 4, 6)
    mask[:, 1, 4], mask[:, 0, 0] = 1, 0.5
    scores = heads.colours(heads.hidden(features, torch.tensor(0.3)), mask)
    torch.testing.assert_close(scores, torch.tensor([[3.0, -3.0]]))  # (4 + 0.5) / 1.5


def test_small_heads_are_told_the_noise_level_and_linear_ones_are_not(model):
    features = {name: torch.randn(2, count, 4, 6) for name, count in heads_of(model).header.channels.items()}
    text = torch.randn(1, 5, 32)
    for linear in (False, True):
        heads = heads_of(model, linear=linear)
        one, other = (heads.maps(features, torch.tensor(level), text) for level in (0.9, 0.1))
        assert one.shape == (2, 5, 4, 6)
        assert torch.equal(one, other) == linear


def test_presence_is_how_sure_a_map_is_where_it_says():
    maps = torch.zeros(3, 4, 6)
    maps[0, 1:3, 2:4], maps[1, 0, 0], maps[1, 3, 3] = 0.75, 0.9, 0.3
    torch.testing.assert_close(presence(maps), torch.tensor([0.75, (0.81 + 0.09) / 1.2, 0.0]))
    for target, short in ((0.9, 0.15), (0.75, 0), (0.6, 0)):  # as sure as it was is enough
        energy = PresenceEnergy((0,), torch.tensor([target]))
        assert energy(Tape({READ_MAPS: maps[None]}), 0).item() == pytest.approx(short, abs=1e-6)


def test_a_colour_that_is_seen_is_asked_for_no_more():
    """Of two colours with scores 3 and -3 the first is nearly sure, the second -log p = 6."""
    features = {"a": torch.full((1, 1, 2, 3), 1.0), "b": torch.full((1, 1, 4, 6), 1 / 3)}
    tape = Tape({READ_MAPS: torch.full((1, 2, 4, 6), 0.2)}, features)
    schedule = Schedule((0,), torch.ones(1), torch.ones(1), Parameterisation.EPSILON)
    seen, other = (ColourEnergy(one_number_heads(), schedule, (1,), k)(tape, 0).item() for k in (0, 1))
    assert seen == 0
    assert other == pytest.approx((6.00248 + math.log(0.9)) / math.log(1.8), rel=1e-4)


def test_an_energy_reads_the_heads_and_asks_the_reference_for_nothing_more(model):
    """At the photo's own pivots every energy of what stays where it is is 0, in a frame that is wider than high."""
    schedule, reading = model.schedule(STEPS), ReadoutMaps(heads_of(model))
    pivots = torch.cat([random_latent(k) for k in range(STEPS + 1)])[..., :8, :12]
    empty = model.unprompted().repeat(STEPS)
    own = record(model, Inverted(pivots, empty, 1.0), PROMPT, schedule, "ddim")
    read = reading.reference(model, own)
    assert set(read.attention) == {READ_MAPS}
    assert read.attention[READ_MAPS].shape == (STEPS, model.texts.length(PROMPT), 8, 12)
    assert ATTENTION_MAPS.reference(model, own) is own
    tokens, text = model.positions(PROMPT, "red ball"), model.embed(PROMPT)
    target = ObjectTarget(tokens, tokens, (IDENTITY,), torch.zeros(1, 1, 8, 12))
    asked = edit_energies(read, [target], (), Weights()).terms
    asked += tuple(reading.terms(schedule, read, [("red ball", target)], Weights()))
    energy = reading.energy(schedule, text, WeightedSum(asked))
    guidance = Guidance(energy, pivots[:1], Strength(), 0.1, GuidedSteps(0, 1), read=reading.sites)
    i, sites = 1, Sites(features=(*model.sites.features, *guidance.sites))
    with torch.no_grad(), tap(model.unet, sites) as tape:
        model.predict(pivots[i : i + 1], schedule.timesteps[i], [text])
        here = energy(tape, i).item()
        model.predict(pivots[:1] + 0.5, schedule.timesteps[i], [text])
        elsewhere = energy(tape, i).item()
    assert here < 0.01 < 0.05 < elsewhere  # maps are kept in half precision


def test_a_photos_new_look_asks_for_the_colour_that_its_words_name(model):
    reading, nothing = ReadoutMaps(heads_of(model)), torch.zeros(1, 1, 8, 12)
    kept = ObjectTarget((1,), (1,), (IDENTITY,), nothing)
    new, weights = replace(kept, new_appearance=True), Weights(presence=0.5, colour=2.0)
    said = [("red ball", kept), ("striped Blue ball", new), ("red and blue ball", new)]
    read = Reference(Header("m", PROMPT, "ddim", (1,), 1.0), *(nothing,) * 2, {READ_MAPS: torch.rand(1, 2, 8, 12)}, {})
    terms = reading.terms(model.schedule(STEPS), read, said, weights)
    assert [(w, type(e)) for w, e in terms] == [
        (0.5, PresenceEnergy),
        (0.5, PresenceEnergy),
        (2.0, ColourEnergy),
        (0.5, PresenceEnergy),
    ]
    assert terms[2][1].colour == 1


def test_heads_come_back_and_only_to_their_model(model, tmp_path):
    own, folder = heads_of(model), tmp_path / "heads"
    own.save(folder)
    again = load_heads(folder, model)
    assert again.header == own.header
    for name, value in again.state_dict().items():
        assert torch.equal(value, own.state_dict()[name].half().float()), name
    again.save(tmp_path / "again")
    assert (tmp_path / "again" / READOUT_TENSORS).read_bytes() == (folder / READOUT_TENSORS).read_bytes()
    with pytest.raises(ModelError, match="read features of another model"):
        load_heads(folder, replace(model, fingerprint="0" * 16))
    with pytest.raises(ModelError, match="read features of another model"):
        map_reading(model, ENERGIES[1])  # the bundled model's
    (folder / READOUT_TENSORS).write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="holds no readout heads"):
        map_reading(model, str(folder))


@pytest.fixture(scope="module")
def scenes(tabletop):
    """Held-out scenes, wide, tall and square, their latents in noise, and the mask of the first object of each."""
    frames, found = ((160, 96), (96, 160), (128, 128), (128, 128)), []
    for k, frame in enumerate(frames):
        scene = sample_scene(FIRST_HELD_OUT_SEED + 7000 + k, *frame)
        drawn = render([scene], *frame)
        noise = torch.randn(1, 4, frame[1] // 4, frame[0] // 4, generator=torch.Generator().manual_seed(k))
        alpha_bar = tabletop.scheduler.alphas_cumprod[LEVEL]
        noisy = alpha_bar.sqrt() * tabletop.encode(drawn.photos) + (1 - alpha_bar).sqrt() * noise
        found.append((scene, noisy, drawn.masks[0, 0]))
    return found


class TestBundled:
    @pytest.mark.parametrize("kind", ["", SMALL_HEADS])
    def test_they_find_objects_that_training_never_saw(self, tabletop, scenes, kind):
        """At alpha_bar 0.28 centroids are within 6 % of the frame, on the mean 4 %; and most colours are told."""
        heads = load_heads(bundled_samples() / BUNDLED_HEADS / kind, tabletop)
        alpha_bar, off, right = tabletop.scheduler.alphas_cumprod[LEVEL], [], 0
        for scene, noisy, mask in scenes:
            words, text = tabletop.positions(scene.caption, scene.things[0].phrase), tabletop.embed(scene.caption)
            with torch.no_grad(), tap(tabletop.unet, Sites(features=heads.sites)) as tape:
                tabletop.predict(noisy, LEVEL, [text])
            hidden = heads.hidden(tape.features, alpha_bar)
            maps = heads.scores(hidden, text.tokens).sigmoid()[:, list(words)]
            off.append(float((centroid(above_floor(maps))[0].mean(0) - centroid(mask)).norm()))
            told = heads.colours(hidden, maps.mean(1)).argmax()
            right += heads.header.colours[int(told)] == scene.things[0].colour
        assert heads.header.colours == tuple(COLOURS)
        assert max(off) < 0.06, off
        assert sum(off) / len(off) < 0.04, off
        assert right >= 3

    def test_energies_pull_to_either_side(self, tabletop, scenes):
        """A step of the noisy latent against the gradient moves the read position, or size, as it is asked to."""
        scene, noisy, _ = scenes[0]
        heads = load_heads(bundled_samples() / BUNDLED_HEADS, tabletop)
        words, text = tabletop.positions(scene.caption, scene.things[0].phrase), tabletop.embed(scene.caption)
        schedule = tabletop.schedule(2)
        schedule = replace(schedule, alpha_from=tabletop.scheduler.alphas_cumprod[[LEVEL, LEVEL]])

        def read(tape: Tape) -> tuple[float, float]:
            maps = heads.maps(tape.features, schedule.alpha_from[0], text.tokens)[:, list(words)].detach()
            return float(centroid(above_floor(maps))[..., 0].mean()), float(size(maps).mean())

        with tap(tabletop.unet, Sites(features=heads.sites)) as tape:
            z = noisy.clone().requires_grad_()
            tabletop.predict(z, LEVEL, [text])
            before, moved = read(tape), []
            places = [torch.tensor((before[0] + by, 0.5)).expand(1, len(words), 2) for by in (-0.2, 0.2)]
            sizes = [torch.full((1, len(words)), before[1] * by) for by in (0.2, 3.0)]
            energies = [*(CentroidEnergy(words, {READ_MAPS: p}) for p in places)]
            energies += [*(SizeEnergy(words, {READ_MAPS: s}) for s in sizes)]
            values = [ReadoutEnergy(heads, schedule, text.tokens, each)(tape, 0) for each in energies]
            gradients = [torch.autograd.grad(value, z, retain_graph=True)[0] for value in values]
            with torch.no_grad():
                for each in gradients:
                    tabletop.predict(noisy - 0.05 * each / each.square().mean().sqrt(), LEVEL, [text])
                    moved.append(read(tape))
        left, right, smaller, larger = moved
        assert left[0] < before[0] < right[0]
        assert smaller[1] < before[1] < larger[1]


def test_a_recipe_names_heads_as_a_model_and_wants_the_model_to_draw():
    asked = Recipe.model_validate({**MOVE, "mode": "regenerate", "energies": "nets/heads"})
    assert named_models(asked)["nets/heads"] == "readout heads"
    there = renamed(asked, lambda name: name, lambda name: f"models/{name}")
    assert there.energies == "models/nets/heads"
    by_name = Recipe.model_validate({**MOVE, "mode": "regenerate", "energies": "readout"})
    assert "readout" not in named_models(by_name)
    assert renamed(by_name, lambda name: name, lambda name: "elsewhere").energies == "readout"
    with pytest.raises(EditError, match="give --mode regenerate with it"):
        Recipe.model_validate({**MOVE, "energies": "readout"})


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--energies", "readout"], 2, "give --mode regenerate with it"),
        (["--mode", "regenerate", "--energies", "none/such"], 3, "holds no readout heads"),
        (["--mode", "regenerate", "--energies", "readout"], 3, "of another model"),
    ],
)
def test_what_cannot_be_is_one_line(arguments, code, said, folders, plain, tmp_path):
    out = tmp_path / "out.png"
    asked = ["move", str(plain), "disc", "--by", "0.1,0", "--box", "0.3,0.3,0.6,0.6", "-o", str(out)]
    done = CliRunner().invoke(main, [*asked, "--model", str(folders["epsilon"]), *arguments])
    assert done.exit_code == code, done.output
    assert said in error_line(done)
    assert not out.exists()
