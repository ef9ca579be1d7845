"""What is kept of a guided run so that it can be explained: energies by term, attention, and predicted pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inversion.reference import Reference
from inversion.taps import Tape
from realedit.geometry.warp import warp
from realedit.sampling.attention import phrase_map
from realedit.sampling.energies import Energy, ObjectTarget, WeightedSum

PREVIEWS = 5  # predicted pictures of a run that are kept


@dataclass(frozen=True)
class AttentionTriple:
    """Where the words of one object are attended to, maps (h, w) in [0, 1]: `before` in the photo, as was `wanted`, and
    `after`, in the last step that was guided."""

    before: Tensor
    wanted: Tensor
    after: Tensor


@dataclass(eq=False)
class Trace:
    """Of one run: the weighted `energies` by the name of their term at each measured step, how strongly the gradient
    acted there (`strengths`), and the clean latents (1, C, h, w) that some steps predicted, by step."""

    steps: int
    energies: dict[int, dict[str, float]] = field(default_factory=dict)
    strengths: dict[int, float] = field(default_factory=dict)
    predicted: dict[int, Tensor] = field(default_factory=dict)
    _attention: tuple[int, Mapping[str, Tensor]] | None = None

    def preview(self, i: int, clean: Tensor) -> None:
        """Told by the sampler what step `i` predicts."""
        if i % max(1, self.steps // PREVIEWS) == 0 or i == self.steps - 1:
            self.predicted[i] = clean

    def watched(self, energy: WeightedSum) -> Energy:
        """The same energy, of which note is taken."""
        return _Watched(energy, self)

    def note(self, i: int, values: Sequence[tuple[str, float]], attention: Mapping[str, Tensor]) -> None:
        """Take down the weighted terms of step `i`, and where words were attended to then."""
        sums: dict[str, float] = {}
        for name, value in values:
            sums[name] = sums.get(name, 0.0) + value
        self.energies[i] = sums
        self._attention = i, {name: maps[-1:].detach() for name, maps in attention.items()}

    def attention_of(self, reference: Reference, target: ObjectTarget) -> AttentionTriple | None:
        """Of an object that is still to be seen; None if nothing was measured."""
        if self._attention is None or not target.placements:
            return None
        i, now = self._attention
        then = {name: maps[i : i + 1] for name, maps in reference.attention.items()}
        before = phrase_map(then, target.reference_tokens)
        wanted = torch.stack([warp(before[None], placement)[0] for placement in target.placements]).amax(0)
        return AttentionTriple(before[0], wanted[0], phrase_map(dict(now), target.tokens)[0].cpu())


@dataclass(frozen=True, eq=False)
class _Watched:
    energy: WeightedSum
    trace: Trace

    def __call__(self, tape: Tape, i: int) -> Tensor:
        values = [(term_name(energy), weight * energy(tape, i)) for weight, energy in self.energy.terms]
        self.trace.note(i, [(name, value.item()) for name, value in values], tape.attention)
        return torch.stack([value for _, value in values]).sum() if values else torch.zeros(())


def term_name(energy: Energy) -> str:
    """What a term is called: its class's name, without "Energy".

    >>> from realedit.sampling.energies import SizeEnergy
    >>> term_name(SizeEnergy((1,), {}))
    'size'
    """
    return type(energy).__name__.removesuffix("Energy").lower()
