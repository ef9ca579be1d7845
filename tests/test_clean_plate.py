"""The scene without the object, on the bundled model."""

import torch

from realedit.evaluation.metrics import psnr
from realedit.inpainting.clean_plate import clean_plate, held_until
from realedit.inpainting.completion import complete
from realedit.inpainting.plate_agreement import without_things
from realedit.morphology import dilate
from realedit.sampling.background import ANY_BACKGROUND, background_prompt
from realedit.sampling.inverted_image import invert_image
from realedit.sampling.session import Session
from realedit.settings import Settings
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, Scene, sample_scene


def test_surroundings_of_a_prompt():
    prompt = "a photo of a red ball and a can on a table"
    assert background_prompt(prompt, ["red ball", "can"]) == "a photo of a table"
    assert background_prompt("a red ball", ["Red ball"]) == ANY_BACKGROUND


def alone(scene: Scene) -> bool:
    return len(scene.things) == 1 and 0.03 < render([scene]).masks[0, 0].mean() < 0.1


def test_where_no_surroundings_are_named_no_other_object_is_drawn(tabletop):
    scene = next(s for s in map(sample_scene, range(FIRST_HELD_OUT_SEED + 910, FIRST_HELD_OUT_SEED + 999)) if alone(s))
    phrase, session = scene.things[0].phrase, Session(tabletop, Settings(steps=6, method="ddim"))
    before, without = render([scene, scene.without(0)]).photos.split(1)
    inverted = invert_image(session, before, f"a photo of a {phrase}")
    hole = dilate(((before - without).abs().amax(1, keepdim=True) > 0.02).float(), 0.02)
    prompt, others = background_prompt(inverted.prompt, [phrase]), torch.zeros_like(hole)
    plate = clean_plate(session, inverted, prompt, hole, others)
    outside = (hole < 0.5).expand_as(plate)
    assert torch.equal(plate[outside], inverted.image[outside])
    assert psnr(plate, without, hole) > 24 > psnr(before, without, hole)


def test_what_can_be_trusted_of_the_copies_stays_as_it_is(tabletop):
    """A plain ground beside noise: where copies match, the model changes nothing; elsewhere it draws."""
    photo = torch.full((1, 3, 128, 128), 0.6)
    photo[..., 64:, :] = torch.rand(1, 3, 64, 128, generator=torch.Generator().manual_seed(0))
    hole = torch.zeros(1, 1, 128, 128)
    hole[..., 20:44, 52:76] = hole[..., 84:108, 52:76] = 1
    session, others = Session(tabletop, Settings(steps=4, method="ddim")), torch.zeros_like(hole)
    inverted = invert_image(session, photo, "a photo of a checked tablecloth")
    copies = complete(inverted.image, hole, others)
    plate = clean_plate(session, inverted, "a photo of a checked tablecloth", hole, others)
    sure, unsure = (hole > 0.5) & (copies.confidence > 0.999), (hole > 0.5) & (copies.confidence < 0.1)
    assert sure.sum() > 200
    assert unsure.sum() > 200
    moved = (plate - copies.image).abs().amax(1, keepdim=True)
    assert moved[sure].max() < 0.002
    assert moved[unsure].mean() > 0.02


def test_the_less_copies_can_be_trusted_the_earlier_the_model_draws():
    confidence = torch.zeros(1, 1, 16, 32)
    confidence[..., 8:16], confidence[..., 16:24], confidence[..., 24:] = 0.25, 0.5, 1.0
    settings = Settings(plate_from=0.7, structure_from=0.5)
    held = held_until(confidence, torch.ones(1, 1, 2, 4), settings)
    assert torch.allclose(held, torch.tensor((0.5, 0.6, 0.7, 0.7)).expand(1, 1, 2, 4))


def test_a_thing_that_one_plate_alone_shows_goes_if_the_other_is_nearer_to_what_is_around():
    ground = torch.full((1, 3, 90, 140), 0.6)
    hole = torch.zeros(1, 1, 90, 140)
    hole[..., 20:70, 30:110] = 1
    with_thing = ground.clone()
    with_thing[:, :, 30:40, 40:60] = torch.tensor((0.1, 0.2, 0.9))[None, :, None, None]
    assert torch.equal(without_things(with_thing, ground, hole), ground)
    assert torch.equal(without_things(ground, with_thing, hole), ground)
    tinted = ground.clone()
    tinted[:, :, 30:40, 40:60] += 0.2  # a tone, and no thing
    assert torch.equal(without_things(tinted, ground, hole), tinted)
    beside = ground.clone()
    beside[:, :, 30:40, 4:20] = 0.1  # outside the hole
    assert torch.equal(without_things(beside, ground, hole), beside)
