"""What is kept of a guided run so that it can be explained: energies by term, attention, and predicted latents."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inversion.reference import Reference
from inversion.taps import Tape
from realedit.geometry.warp import warp
from realedit.sampling.attention import phrase_map
from realedit.sampling.energies import Energy, ObjectTarget, ShapeEnergy, WeightedSum

PREVIEWS = 5  # parts of a run, of each of which the first prediction is kept


@dataclass(frozen=True, eq=False)
class AttentionTriple:
    """Where the words of one object are attended to, maps (h, w) in [0, 1]: `before` in the photo, as was `wanted`, and
    `after`, in the last step that was guided."""

    before: Tensor
    wanted: Tensor
    after: Tensor


@dataclass(eq=False)
class Trace:
    """Of one run of so many `steps`, guided from a `reference` to what is asked of objects (`targets`, by their names):
    the weighted energies of each measured step by the names of their `terms`, summed over objects; and the clean
    latents (1, C, h, w) that some steps predicted, by step."""

    steps: int
    reference: Reference
    targets: Mapping[str, ObjectTarget]
    terms: dict[int, dict[str, float]] = field(default_factory=dict)
    predicted: dict[int, Tensor] = field(default_factory=dict)
    _attention: dict[str, Tensor] = field(default_factory=dict)

    def preview(self, i: int, clean: Tensor) -> None:
        """Told by the sampler what step `i` predicts. The last one is kept too."""
        begins = i * PREVIEWS // self.steps != (i - 1) * PREVIEWS // self.steps
        if begins or i == self.steps - 1:
            self.predicted[i] = clean

    def watched(self, energy: WeightedSum) -> Energy:
        """The same energy, to the bit, of which note is taken."""

        def watching(tape: Tape, i: int) -> Tensor:
            values = [weight * term(tape, i) for weight, term in energy.terms]
            self.terms[i] = {}
            for (_, term), value in zip(energy.terms, values, strict=True):
                name = self._name(term)
                self.terms[i][name] = self.terms[i].get(name, 0.0) + value.item()
            self._attention = {name: maps.detach() for name, maps in tape.attention.items()}
            return torch.stack(values).sum() if values else torch.zeros(())

        return watching

    def attention(self) -> dict[str, AttentionTriple]:
        """Of every object that is still to be seen, by its name; of none if nothing was measured."""
        if not self.terms:
            return {}
        return {name: self._triple(target) for name, target in self.targets.items() if target.placements}

    def _triple(self, target: ObjectTarget) -> AttentionTriple:
        last = max(self.terms)
        then = {name: maps[last : last + 1] for name, maps in self.reference.attention.items()}
        before = phrase_map(then, target.reference_tokens).cpu()
        wanted = torch.stack([warp(before[None], placement)[0] for placement in target.placements]).amax(0)
        after = phrase_map(self._attention, target.tokens).cpu()
        return AttentionTriple(before[0], wanted[0], after[0])

    def _name(self, term: Energy) -> str:
        """The class's name without "Energy"; shapes that are no target's are those of others."""
        if isinstance(term, ShapeEnergy) and all(term.tokens != target.tokens for target in self.targets.values()):
            return "others"
        return type(term).__name__.removesuffix("Energy").lower()
