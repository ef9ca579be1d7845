"""Where words of a prompt attend in a picture, under fresh noise at a few levels of the schedule.

The words' own maps are vague with most models: they have a floor, favour some parts of a thing, and spill over it. The
network's self-attention tells which places are alike, so each map is carried along it (DiffSegmenter, Wang et al.,
arXiv 2309.02773; iSeg, Sun et al., arXiv 2409.03209), and what then stands out is the thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.errors import EditError
from inversion.properties import above_floor
from inversion.taps import Sites, tap
from realedit.geometry.boxes import mask_centre
from realedit.geometry.transform import Point
from realedit.objects.segmentation import object_mask, upsampled_attention
from realedit.sampling.attention import attention_of
from realedit.sampling.noising import noised_latents
from realedit.sampling.session import Session

PROBED_LEVELS = 0.55, 0.65, 0.75, 0.85  # the fractions of the schedule at which attention is read
SHARPENING = 1.5  # the power that what stands out is raised to


@dataclass(frozen=True, eq=False)
class AttentionProbe:
    """What a network attends to in one picture of `size` (width, height): at each level of noise the cross-attention of
    every layer, `words` (1, tokens, h, w), and how much each place of a grid of `grid` (h, w) cells attends to each
    other, `alike` (h w, h w), rows of which sum to 1."""

    words: tuple[dict[str, Tensor], ...]
    alike: tuple[Tensor, ...]
    grid: tuple[int, int]
    size: tuple[int, int]

    def attention(self, tokens: Sequence[int], grouped: float = 1.0) -> Tensor:
        """The soft mask (1, 1, H, W) in [0, 1] of some tokens; so much of it, from 0 to 1, is `grouped`: carried along
        the self-attention."""
        maps = torch.stack([self._map(level, tokens, grouped) for level in range(len(self.words))])
        return _relative(upsampled_attention(maps.cpu(), self.size)) ** SHARPENING

    def _map(self, level: int, tokens: Sequence[int], grouped: float) -> Tensor:
        """The map (h, w) of tokens at one level, of all layers alike."""
        layers = [maps.sum(1, keepdim=True) for maps in attention_of(self.words[level], tokens).values()]
        peaks = [F.interpolate(each / each.amax().clamp(min=1e-12), size=self.grid, mode="bilinear") for each in layers]
        own = _relative(torch.stack(peaks).mean(0)).flatten()
        carried = self.alike[level] @ own
        return torch.lerp(own, carried / carried.amax().clamp(min=1e-12), grouped).reshape(self.grid)


def _relative(maps: Tensor) -> Tensor:
    """Maps (..., h, w) above their floor, in [0, 1]."""
    above = above_floor(maps)
    return above / above.amax((-2, -1), keepdim=True).clamp(min=1e-12)


@torch.no_grad()
def probe(session: Session, photo: Tensor, prompt: str, levels: Sequence[float] = PROBED_LEVELS) -> AttentionProbe:
    """Look at a photo (1, 3, h, w) at the model's size, under fresh noise at these levels, fractions of the schedule.
    The noise is fixed by the seed."""
    model = session.model
    latent, text = model.encode(photo), model.embed(prompt)
    words, alike, grid = [], [], (0, 0)
    cross, grouping = model.sites.attention, model.grouping_sites
    with tap(model.unet, Sites((*cross, *grouping))) as tape:
        for noised in noised_latents(latent, session.schedule, levels, session.settings.seed):
            model.predict(noised.z, noised.timestep, [text])
            words.append({name: tape.attention[name] for name in cross})
            found = torch.stack([tape.attention[name][0] for name in grouping]).mean(0)
            grid = found.shape[1], found.shape[2]
            alike.append(found.flatten(1).T)
    return AttentionProbe(tuple(words), tuple(alike), grid, (photo.shape[-1], photo.shape[-2]))


@dataclass(frozen=True)
class Detection:
    """Where the model sees an object: its centre, and its share of the frame."""

    position: Point
    size: float


def detect(session: Session, photo: Tensor, prompt: str, span: tuple[int, int]) -> Detection | None:
    """Find the object that the characters [start, end) of a prompt name in a photo (1, 3, h, w) at the
    model's size; None where they attend to nothing in particular. The noise is fixed by the seed."""
    tokens = session.model.span_positions(prompt, span)
    try:
        mask = object_mask(photo, probe(session, photo, prompt).attention(tokens), prompt[slice(*span)])
    except EditError:
        return None
    return Detection(mask_centre(mask), float(mask.mean()))
