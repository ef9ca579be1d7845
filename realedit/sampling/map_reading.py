"""In what the energies of an edit read where words are: cross-attention as it is recorded, or maps of the same form
that something else makes of what the network shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from inversion.model import DiffusionModel
from inversion.reference import Reference
from inversion.schedule import Schedule
from inversion.text import Embedding
from realedit.sampling.energies import Energy, ObjectTarget
from realedit.settings import Weights

Named = tuple[str, ObjectTarget]  # the words that name an object now, and what is asked of it
WeightedTerms = list[tuple[float, Energy]]


class MapReading(Protocol):
    """Puts maps (steps or 1, tokens, h, w) in the place of attention, on both sides of an energy's comparison."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Modules whose feature maps it reads, beside those of the model's own `sites`."""
        ...

    def reference(self, model: DiffusionModel, reference: Reference) -> Reference:
        """A photo's reference with such maps of every step."""
        ...

    def terms(self, schedule: Schedule, read: Reference, targets: Sequence[Named], weights: Weights) -> WeightedTerms:
        """What it can ask of objects that are still to be seen, beside the closed-form energies; `read`: the reference
        with its maps."""
        ...

    def energy(self, schedule: Schedule, prompt: Embedding, energy: Energy) -> Energy:
        """The energy, of such maps, while a row of this prompt is sampled."""
        ...


@dataclass(frozen=True)
class AttentionMaps:
    """Attention as it is."""

    sites: tuple[str, ...] = ()

    def reference(self, model: DiffusionModel, reference: Reference) -> Reference:
        return reference

    def terms(self, schedule: Schedule, read: Reference, targets: Sequence[Named], weights: Weights) -> WeightedTerms:
        return []

    def energy(self, schedule: Schedule, prompt: Embedding, energy: Energy) -> Energy:
        return energy


ATTENTION_MAPS = AttentionMaps()
