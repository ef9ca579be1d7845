"""Self-guidance energies (arXiv 2306.00986, sections 3.2 and 3.3): zero when the edit is true.

Each energy reads one forward pass of the prompted row and compares it with the reference recorded
at the same step. All are averages over layers and words of absolute differences, so they do not
depend on how many layers, words or cells a model has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.properties import above_floor, appearance, centroid, shape, size
from inversion.record import pooled
from inversion.reference import Reference
from inversion.taps import Tape
from realedit.geometry.transform import Placement
from realedit.geometry.warp import warp
from realedit.sampling.attention import attention_of, object_shape
from realedit.settings import Weights


class Energy(Protocol):
    """A scalar >= 0 of what the network shows at step `i`; 0 where the edit asks for nothing more."""

    def __call__(self, tape: Tape, i: int) -> Tensor: ...


Targets = dict[str, Tensor]  # per layer (steps, ...), float32


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()


@dataclass(frozen=True, eq=False)
class ShapeEnergy:
    """Mean |target shape - shape| of the words (eq. 5 to 8 of the paper, for edited or kept objects)."""

    tokens: tuple[int, ...]
    targets: Targets  # (steps, words, h, w)

    def __call__(self, tape: Tape, i: int) -> Tensor:
        now = attention_of(tape.attention, self.tokens)
        return _mean([(shape(now[n])[0] - t[i].to(now[n].device)).abs().mean() for n, t in self.targets.items()])


@dataclass(frozen=True, eq=False)
class CentroidEnergy:
    """Mean |target centroid - centroid|, both coordinates, of what is above the floor of each map."""

    tokens: tuple[int, ...]
    targets: Targets  # (steps, words, 2)

    def __call__(self, tape: Tape, i: int) -> Tensor:
        now = attention_of(tape.attention, self.tokens)
        centres = {name: centroid(above_floor(now[name]))[0] for name in self.targets}
        return _mean([(centres[n] - t[i].to(centres[n].device)).abs().mean() for n, t in self.targets.items()])


@dataclass(frozen=True, eq=False)
class SizeEnergy:
    """Mean |target size - size|."""

    tokens: tuple[int, ...]
    targets: Targets  # (steps, words)

    def __call__(self, tape: Tape, i: int) -> Tensor:
        now = attention_of(tape.attention, self.tokens)
        return _mean([(size(now[n])[0] - t[i].to(now[n].device)).abs().mean() for n, t in self.targets.items()])


@dataclass(frozen=True, eq=False)
class AppearanceEnergy:
    """Mean |target - appearance| over channels, each in units of its spread in the reference.

    The live object is where its own words attend now; the mask carries no gradient."""

    tokens: tuple[int, ...]
    targets: Targets  # per feature site (steps, C)
    spread: Targets  # per feature site (steps, C)

    def __call__(self, tape: Tape, i: int) -> Tensor:
        mask = object_shape(attention_of(tape.attention, self.tokens))[0]
        terms = []
        for name, target in self.targets.items():
            now = appearance(pooled(tape.features[name].float())[0], mask)
            terms.append(((now - target[i].to(now.device)) / self.spread[name][i].to(now.device)).abs().mean())
        return _mean(terms)


@dataclass(frozen=True, eq=False)
class GlobalAppearanceEnergy:
    """As `AppearanceEnergy`, of the whole frame."""

    targets: Targets  # per feature site (steps, C)
    spread: Targets  # per feature site (steps, C)

    def __call__(self, tape: Tape, i: int) -> Tensor:
        terms = []
        for name, target in self.targets.items():
            now = pooled(tape.features[name].float())[0].mean((-2, -1))
            terms.append(((now - target[i].to(now.device)) / self.spread[name][i].to(now.device)).abs().mean())
        return _mean(terms)


@dataclass(frozen=True, eq=False)
class GhostEnergy:
    """The share of the words' attention, above the floor of each map, that lies on the vacated place."""

    tokens: tuple[int, ...]
    vacated: Tensor  # (1, 1, H, W)

    def __call__(self, tape: Tape, i: int) -> Tensor:
        shares = []
        for read in attention_of(tape.attention, self.tokens).values():
            maps = above_floor(read)
            place = F.interpolate(self.vacated.to(maps.device), size=maps.shape[-2:], mode="area")
            shares.append(((maps * place).sum((-2, -1)) / maps.sum((-2, -1)).clamp(min=1e-9)).mean())
        return _mean(shares)


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """A sum of energies; what one edit asks for."""

    terms: tuple[tuple[float, Energy], ...]

    def __call__(self, tape: Tape, i: int) -> Tensor:
        if not self.terms:
            return torch.zeros(())
        return torch.stack([weight * energy(tape, i) for weight, energy in self.terms]).sum()


@dataclass(frozen=True, eq=False)
class ObjectTarget:
    """What is asked of one object. Its words were at the tokens `reference_tokens` of the reference's prompt and are
    at `tokens` of the prompt that is sampled; it is drawn at each of `placements`; nothing of it shall stay
    on the `vacated` place (1, 1, H, W). Its look is kept, or is that of `appearance` (features and words of a
    reference), or is left to the words (`new_appearance`)."""

    reference_tokens: tuple[int, ...]
    tokens: tuple[int, ...]
    placements: tuple[Placement, ...]
    vacated: Tensor
    new_appearance: bool = False
    appearance: tuple[Reference, tuple[int, ...]] | None = None


def edit_energies(
    reference: Reference, targets: Sequence[ObjectTarget], others: Sequence[tuple[int, ...]], weights: Weights
) -> WeightedSum:
    """What an edit asks for: every object's shape where its placements put it, its look as it was or
    shall be, the `others` (their tokens) as they were, and nothing on vacated places."""
    terms: list[tuple[float, Energy]] = []
    for each in targets:
        terms += object_energies(reference, each, weights)
    for other in others:
        kept = {name: shape(m) for name, m in attention_of(reference.attention, other).items()}
        terms.append((weights.others / len(others), ShapeEnergy(other, kept)))
    return WeightedSum(tuple((w, e) for w, e in terms if w > 0))


def object_energies(reference: Reference, target: ObjectTarget, weights: Weights) -> list[tuple[float, Energy]]:
    """The terms of one object."""
    maps, now = attention_of(reference.attention, target.reference_tokens), target.tokens
    terms: list[tuple[float, Energy]] = []
    if target.vacated.any():
        terms.append((weights.ghost, GhostEnergy(now, target.vacated)))
    if not target.placements:
        return terms

    def per_word(values: Tensor) -> Tensor:  # other words than then: each gets what all had on average
        return values.mean(1, keepdim=True).repeat_interleave(len(now), 1) if target.new_appearance else values

    shapes, centres, sizes = {}, {}, {}
    for name, m in maps.items():
        shapes[name] = per_word(torch.stack([warp(shape(m), p) for p in target.placements]).amax(0))
        centres[name] = per_word(
            torch.stack([_placed_points(centroid(above_floor(m)), p) for p in target.placements]).mean(0)
        )
        sizes[name] = per_word(torch.stack([size(m) * p.scale**2 for p in target.placements]).sum(0))
    terms += [
        (weights.shape, ShapeEnergy(now, shapes)),
        (weights.centroid, CentroidEnergy(now, centres)),
        (weights.size, SizeEnergy(now, sizes)),
    ]
    source = target.appearance or (None if target.new_appearance else (reference, target.reference_tokens))
    if source is not None:
        terms.append((weights.appearance, appearance_energy(now, *source)))
    return terms


def appearance_energy(
    tokens: tuple[int, ...], reference: Reference, reference_tokens: tuple[int, ...]
) -> AppearanceEnergy:
    """The look that the `tokens` of a reference have there, for the tokens `tokens`."""
    where = object_shape(attention_of(reference.attention, reference_tokens))
    features = {name: f.float() for name, f in reference.features.items()}
    looks = {name: appearance(f, where) for name, f in features.items()}
    spread = {name: f.std((-2, -1)).clamp(min=1e-3) for name, f in features.items()}
    return AppearanceEnergy(tokens, looks, spread)


def global_appearance_energy(reference: Reference) -> GlobalAppearanceEnergy:
    """The look of a whole picture."""
    features = {name: f.float() for name, f in reference.features.items()}
    looks = {name: f.mean((-2, -1)) for name, f in features.items()}
    return GlobalAppearanceEnergy(looks, {name: f.std((-2, -1)).clamp(min=1e-3) for name, f in features.items()})


def _placed_points(points: Tensor, placement: Placement) -> Tensor:
    anchor, target, turn = (torch.tensor(part) for part in (placement.anchor, placement.target, placement.linear))
    return (points - anchor) @ turn.T * placement.scale + target
