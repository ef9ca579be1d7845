"""Every energy: never negative, zero at its target, pulled back from both sides."""

import pytest
import torch

from inversion.properties import above_floor, appearance, centroid, shape, size
from inversion.reference import Header, Reference
from inversion.taps import Tape
from realedit.geometry.transform import IDENTITY, IDENTITY_MATRIX, Placement
from realedit.geometry.warp import warp
from realedit.sampling.energies import (
    AppearanceEnergy,
    CentroidEnergy,
    GhostEnergy,
    ObjectTarget,
    ShapeEnergy,
    SizeEnergy,
    edit_energies,
    object_energies,
)
from realedit.settings import Weights

H, W = 12, 20


def soft_blob(x: float, y: float, radius: float = 0.15, peak: float = 0.6) -> torch.Tensor:
    """A smooth blob at (x, y) on a grid that is wider than high, as an attention map (H, W)."""
    gx = (torch.arange(W) + 0.5) / W
    gy = (torch.arange(H) + 0.5) / H
    distance = (gx[None] - x) ** 2 + ((gy[:, None] - y) * H / W) ** 2
    return peak * torch.exp(-distance / (2 * radius**2)) + 0.01


def tape_of(*maps: torch.Tensor, features: torch.Tensor | None = None) -> Tape:
    """One layer whose tokens are begin-of-text and the given maps."""
    stacked = torch.stack((torch.full((H, W), 0.2), *maps))[None]
    return Tape({"layer": stacked}, {} if features is None else {"site": features})


def targets(values: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"layer": values[None, None]}


CASES = {
    "shape": lambda m: ShapeEnergy((1,), targets(shape(m))),
    "centroid": lambda m: CentroidEnergy((1,), targets(centroid(above_floor(m)))),
    "size": lambda m: SizeEnergy((1,), targets(size(m))),
}


@pytest.mark.parametrize("name", CASES)
def test_zero_at_the_target_and_positive_elsewhere(name):
    here = soft_blob(0.5, 0.5, 0.12)
    energy = CASES[name](here)
    assert energy(tape_of(here), 0).item() == pytest.approx(0, abs=1e-6)
    for other in (soft_blob(0.3, 0.4, 0.2), soft_blob(0.7, 0.6, 0.06)):
        assert energy(tape_of(other), 0).item() > 0.004


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("axis", [0, 1])
def test_centroid_gradient_points_to_the_target_from_both_sides(axis, side):
    offset = [0.0, 0.0]
    offset[axis] = 0.2 * side
    energy = CASES["centroid"](soft_blob(0.5, 0.5))
    assert_small_step_lowers(energy, soft_blob(0.5 + offset[0], 0.5 + offset[1]))


@pytest.mark.parametrize("radius", [0.08, 0.2])
def test_size_is_corrected_from_both_sides(radius):
    assert_small_step_lowers(CASES["size"](soft_blob(0.5, 0.5, 0.13)), soft_blob(0.5, 0.5, radius))


@pytest.mark.parametrize("x", [0.3, 0.7])
def test_shape_is_corrected_from_both_sides(x):
    assert_small_step_lowers(CASES["shape"](soft_blob(0.5, 0.5)), soft_blob(x, 0.5))


def assert_small_step_lowers(energy, start):
    start = start.clone().requires_grad_()
    value = energy(tape_of(start), 0)
    (gradient,) = torch.autograd.grad(value, start)
    stepped = start.detach() - 0.01 * gradient / gradient.abs().max()
    assert energy(tape_of(stepped), 0) < value


def test_energies_are_symmetric():
    energy = CASES["centroid"](soft_blob(0.5, 0.5))
    left, right = (energy(tape_of(soft_blob(x, 0.5)), 0).item() for x in (0.4, 0.6))
    assert left == pytest.approx(right, rel=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_duplicated_layers_and_words_leave_the_value(name):
    here, now = soft_blob(0.5, 0.5), soft_blob(0.35, 0.6, 0.1)
    energy = CASES[name](here)
    single = energy(tape_of(now), 0)
    twice = tape_of(now)
    twice.attention["again"] = twice.attention["layer"]
    doubled = type(energy)((1,), energy.targets | {"again": energy.targets["layer"]})
    assert doubled(twice, 0).item() == pytest.approx(single.item())
    two_words = type(energy)((1, 2), {"layer": energy.targets["layer"].repeat_interleave(2, 1)})
    assert two_words(tape_of(now, now), 0).item() == pytest.approx(single.item())


def test_appearance_is_zero_for_the_same_look_and_counts_channels():
    here = soft_blob(0.5, 0.5)
    features = torch.randn(1, 5, 2 * H, 2 * W, generator=torch.Generator().manual_seed(0))
    look = appearance(torch.nn.functional.avg_pool2d(features, 2)[0], shape(here))
    assert look.shape == (5,)
    energy = AppearanceEnergy((1,), {"site": look[None]}, {"site": torch.ones(1, 5)})
    assert energy(tape_of(here, features=features), 0).item() == pytest.approx(0, abs=1e-6)
    shifted = features + torch.tensor([1.0, -1, 0, 0, 0])[None, :, None, None]
    assert energy(tape_of(here, features=shifted), 0).item() == pytest.approx(2 / 5, rel=1e-4)


def test_ghost_is_the_share_on_the_vacated_place():
    vacated = torch.zeros(1, 1, H, W)
    vacated[..., : W // 2] = 1
    energy = GhostEnergy((1,), vacated)
    left = torch.zeros(H, W)
    left[3, 2] = 0.5
    right = torch.zeros(H, W)
    right[3, 15] = 0.5
    assert energy(tape_of(left), 0).item() == pytest.approx(1)
    assert energy(tape_of(right), 0).item() == 0
    assert energy(tape_of(left + 3 * right), 0).item() == pytest.approx(0.25)


def reference_of(maps: torch.Tensor) -> Reference:
    attention = torch.stack((torch.full((H, W), 0.2), maps, soft_blob(0.8, 0.3, 0.08)))[None].half()
    features = torch.randn(1, 5, H, W, generator=torch.Generator().manual_seed(0)).half()
    header = Header("m", "p", "ddim", (500,), 1.0)
    return Reference(header, torch.zeros(2, 4, H, W), torch.zeros(1, 4, 8), {"layer": attention}, {"site": features})


def wanted(*placements: Placement, **more) -> ObjectTarget:
    return ObjectTarget((1,), (1,), placements, torch.zeros(1, 1, H, W), **more)


def test_an_edit_that_asks_for_nothing_has_energy_zero():
    """Reference and live pass agree: only half precision is between them."""
    maps = soft_blob(0.4, 0.5)
    energy = edit_energies(reference_of(maps), [wanted(IDENTITY)], [(2,)], Weights(appearance=0))
    assert energy(tape_of(maps, soft_blob(0.8, 0.3, 0.08)), 0).item() == pytest.approx(0, abs=5e-3)


def test_a_move_is_satisfied_by_the_moved_map_and_scale_reaches_the_energy():
    start, target = (0.3, 0.5), (0.6, 0.5)
    reference = reference_of(soft_blob(*start, 0.1))
    weights = Weights(appearance=0)
    energy = edit_energies(reference, [wanted(Placement(start, target))], [], weights)
    moved, stayed = (energy(tape_of(soft_blob(*p, 0.1)), 0).item() for p in (target, start))
    assert moved < 0.1 * stayed
    larger = edit_energies(reference, [wanted(Placement(start, start, 1.6))], [], weights)
    grown, same = (larger(tape_of(soft_blob(*start, r)), 0).item() for r in (0.16, 0.1))
    assert grown < 0.35 * same


@pytest.mark.parametrize("floor", [0, 0.1, 0.2, 0.3])
def test_a_move_is_satisfied_whatever_the_words_have_everywhere(floor):
    start, target = (0.3, 0.5), (0.7, 0.5)
    before, after = (floor + (1 - floor) * soft_blob(*p, 0.1, 1.0) for p in (start, target))
    vacated = (warp(shape(before)[None, None], Placement(start, start)) > 0.5).float()
    asked = ObjectTarget((1,), (1,), (Placement(start, target),), vacated)
    energies = [energy for _, energy in object_energies(reference_of(before), asked, Weights(appearance=0))]
    names = "ghost", "shape", "centroid", "size"
    moved, stayed = (
        {name: energy(tape_of(maps), 0).item() for name, energy in zip(names, energies[:4], strict=True)}
        for maps in (after, before)
    )
    assert moved["centroid"] < 0.01
    assert stayed["centroid"] == pytest.approx(0.2, abs=0.01), "the mean of 0.4 across and 0 down"
    assert moved["ghost"] < 0.02
    assert stayed["ghost"] > 0.4
    assert moved["size"] < 0.01
    assert moved["shape"] < 0.02


def test_a_turned_move_is_satisfied_by_the_turned_map():
    """Two blobs, one over the other, come to lean."""
    upright = soft_blob(0.4, 0.3, 0.1) + soft_blob(0.4, 0.7, 0.1)
    shifted, turned = (
        Placement((0.4, 0.5), (0.6, 0.5), linear=t) for t in (IDENTITY_MATRIX, ((1.0, -0.5), (0.0, 1.0)))
    )
    energy = edit_energies(reference_of(upright), [wanted(turned)], [], Weights(appearance=0))
    leaning, straight = (energy(tape_of(warp(upright[None, None], p)[0, 0]), 0).item() for p in (turned, shifted))
    assert leaning < 0.3 * straight


def test_targets_carry_no_graph():
    energy = edit_energies(
        reference_of(soft_blob(0.4, 0.5)), [wanted(Placement((0.4, 0.5), (0.6, 0.5)))], [(2,)], Weights()
    )
    for _, term in energy.terms:
        for value in getattr(term, "targets", {}).values():
            assert not value.requires_grad


def test_half_precision_would_lose_what_float32_keeps():
    """Gradients of 1e-7 per cell survive, because energies run in float32."""
    start = soft_blob(0.3, 0.5).requires_grad_()
    (gradient,) = torch.autograd.grad(1e-6 * CASES["centroid"](soft_blob(0.5, 0.5))(tape_of(start), 0), start)
    assert gradient.abs().max() < 1e-6
    assert gradient.half().unique().numel() < 0.5 * gradient.unique().numel()
