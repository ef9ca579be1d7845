"""Self-guidance by readout heads (Readout Guidance, Luo et al., arXiv 2312.02150): the energies of an edit read maps
that heads make of the decoder's features, where they otherwise read cross-attention."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.reference import Reference
from inversion.schedule import Schedule
from inversion.taps import Sites, Tape, tap
from inversion.text import Embedding
from inversion.weights import bundled_samples
from realedit.methods.readout_heads import ReadoutHeads, load_heads
from realedit.sampling.attention import attention_of
from realedit.sampling.energies import Energy
from realedit.sampling.map_reading import ATTENTION_MAPS, MapReading, Named, WeightedTerms
from realedit.settings import ENERGIES, Weights

BUNDLED_HEADS = "readout"  # their folder, beside the bundled model's
SURE = 0.9  # probability from which a colour counts as seen
READ_MAPS = "readout"  # the name of the one layer that the maps of heads count as


@dataclass(frozen=True, eq=False)
class ReadoutEnergy:
    """An `energy` of the maps that `heads` read at step `i` of a schedule for the tokens of one text (1, T, E)."""

    heads: ReadoutHeads
    schedule: Schedule
    text: Tensor
    energy: Energy

    def __call__(self, tape: Tape, i: int) -> Tensor:
        maps = self.heads.maps(tape.features, self.schedule.alpha_from[i], self.text)
        return self.energy(replace(tape, attention={READ_MAPS: maps}), i)


def presence(maps: Tensor) -> Tensor:
    """How sure maps (..., h, w) in [0, 1] are of an object: the mean of each, weighted by itself."""
    return maps.square().sum((-2, -1)) / maps.sum((-2, -1)).clamp(min=1e-9)


def _presence_of(maps: dict[str, Tensor], tokens: tuple[int, ...]) -> Tensor:
    """The mean over words, (steps or B,), of what is read."""
    return presence(attention_of(maps, tokens)[READ_MAPS]).mean(1)


@dataclass(frozen=True, eq=False)
class PresenceEnergy:
    """By how much the presence of the words, on the mean, falls short of what it was: the heads' maps are
    probabilities, so that an object can be asked to be there."""

    tokens: tuple[int, ...]
    target: Tensor  # (steps,)

    def __call__(self, tape: Tape, i: int) -> Tensor:
        now = _presence_of(tape.attention, self.tokens)[0]
        return (self.target[i].to(now.device) - now).clamp(min=0)


@dataclass(frozen=True, eq=False)
class ColourEnergy:
    """- log p of a colour, by its number, inside the words' map, which carries no gradient: from `SURE` on 0, and 1
    where nothing is known."""

    heads: ReadoutHeads
    schedule: Schedule
    tokens: tuple[int, ...]
    colour: int

    def __call__(self, tape: Tape, i: int) -> Tensor:
        hidden = self.heads.hidden(tape.features, self.schedule.alpha_from[i])
        mask = attention_of(tape.attention, self.tokens)[READ_MAPS].mean(1).detach()
        scores = self.heads.colours(hidden, mask)[0]
        missing = math.log(SURE) - scores.log_softmax(0)[self.colour]
        return missing.clamp(min=0) / math.log(SURE * len(scores))


@dataclass(frozen=True, eq=False)
class ReadoutMaps:
    """A `MapReading` by heads."""

    heads: ReadoutHeads

    @property
    def sites(self) -> tuple[str, ...]:
        return self.heads.sites

    @torch.no_grad()
    def reference(self, model: DiffusionModel, reference: Reference) -> Reference:
        """The photo's reference with the heads' maps of its pivots, half precision on the CPU: a pass for each step."""
        prompt, length = model.embed(reference.header.prompt), model.texts.length(reference.header.prompt)
        schedule = model.schedule(len(reference.header.timesteps))
        found = []
        with tap(model.unet, Sites(features=self.sites)) as tape:
            for i, t in enumerate(schedule.timesteps):
                model.predict(reference.pivots[i : i + 1].to(model.device), t, [prompt])
                maps = self.heads.maps(tape.features, schedule.alpha_from[i], prompt.tokens[:, :length])
                found.append(maps.half().cpu())
        return replace(reference, attention={READ_MAPS: torch.cat(found)})

    def terms(self, schedule: Schedule, read: Reference, targets: Sequence[Named], weights: Weights) -> WeightedTerms:
        """Every object shall be there as surely as it was, and a new look have its colour, if the heads know the one
        that its words name."""
        found: WeightedTerms = []
        for words, target in targets:
            was = _presence_of(read.attention, target.reference_tokens)
            found.append((weights.presence, PresenceEnergy(target.tokens, was)))
            said = words.lower().split()
            named = [k for k, colour in enumerate(self.heads.header.colours) if colour in said]
            if target.new_appearance and len(named) == 1:
                found.append((weights.colour, ColourEnergy(self.heads, schedule, target.tokens, named[0])))
        return found

    def energy(self, schedule: Schedule, prompt: Embedding, energy: Energy) -> Energy:
        return ReadoutEnergy(self.heads, schedule, prompt.tokens, energy)


def map_reading(model: DiffusionModel, name: str) -> MapReading:
    """What energies of this `name` read (`realedit.settings.ENERGIES`): attention, the bundled model's heads, or else
    the heads in a folder.

    Raises:
        ModelError: they cannot be had, or are of another model.
    """
    attention, readout = ENERGIES
    if name == attention:
        return ATTENTION_MAPS
    return ReadoutMaps(load_heads(bundled_samples() / BUNDLED_HEADS if name == readout else Path(name), model))
