"""The colours of new appearances: those of the object that an appearance is taken from, or those that the model gives
to what new words name when nothing else is asked of it.

Among the objects of a photo, and on top of an old appearance, a model takes colours from the neighbours and from
what was there. What it draws of the same words alone has them right, but in a light of its own: what the photo's
makes of the old appearance, as the model samples that, it will make of the new one.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inversion.errors import EditError
from realedit.appearance.dichromatic import LUMA
from realedit.appearance.highlights import has_highlights
from realedit.morphology import interior
from realedit.objects.attention_probe import probe
from realedit.objects.segmentation import object_mask
from realedit.sampling.noising import fresh_noise
from realedit.sampling.prediction import Conditioning
from realedit.sampling.prompts import object_prompt
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session

SAMPLED_PICTURES = 3
SAMPLED_STEPS = 0.5  # of the steps: enough for colours
# An object is lit unlike the sampled pictures of it by this factor at most, and has their colour but for a root mean
# square of this: else its words do not say its colour. These vary too: this power of the factor is nearest to the
# truth.
LARGEST_EXPOSURE, HUE_TOLERANCE, EXPOSURE_POWER = 1.4, 0.06, 0.7


@dataclass(frozen=True, eq=False)
class TargetColours:
    """The `colours` (n, 3), sRGB, of a new look, and whether it is `matte`: it has no highlights where the old one had
    some, both as the model imagines them."""

    colours: Tensor
    matte: bool = False


def target_colours(own: Tensor, old: Tensor, new: Tensor) -> TargetColours:
    """Those of new words of which the model's pictures have the colours `new` (n, 3), for an object whose pixels are
    `own` (n, 3), and of whose old words they have the colours `old` (n, 3). All are sRGB."""
    light = exposure_ratio(own, old)
    return TargetColours((new * light).clamp(0, 1), has_highlights(old) and not has_highlights(new))


def exposure_ratio(own: Tensor, imagined_own: Tensor) -> float:
    """By which factor an object is brighter in its photo, with the colours `own` (n, 3), sRGB, than as the model
    samples its words; as far as a few pictures can be trusted with it. 1 where the words do not say its colour."""
    if not len(own) or not len(imagined_own):
        return 1.0
    mean, expected = own.mean(0), imagined_own.mean(0)
    bright = mean.new_tensor(LUMA)
    ratio = float(mean @ bright) / max(float(expected @ bright), 1e-6)
    unlike = float((mean - ratio * expected).square().mean().sqrt())
    if not 1 / LARGEST_EXPOSURE < ratio < LARGEST_EXPOSURE or unlike > HUE_TOLERANCE:
        return 1.0
    return ratio**EXPOSURE_POWER


def sampled_colours(session: Session, words: str) -> Tensor:
    """The colours (n, 3), sRGB, of what the words name in a few pictures that the model draws of it alone; none (0, 3)
    where it draws nothing in particular."""
    model, settings = session.model, session.settings
    few = replace(session, settings=replace(settings, steps=max(2, round(SAMPLED_STEPS * settings.steps))))
    prompt = object_prompt({words: words}, "")
    conditioning = Conditioning.plain(model, prompt.prompt, few.settings.steps, settings.draw_guidance_scale)
    colours = [torch.zeros(0, 3)]
    for n in range(SAMPLED_PICTURES):
        noise = fresh_noise(model, (model.native_size, model.native_size), settings.seed + n)
        latent = sample(model, noise, few.schedule, conditioning, on_step=few.steps_of("sampling the new look"))
        picture = model.decode(latent).cpu()
        with suppress(EditError):  # nothing in particular was drawn
            tokens = model.span_positions(prompt.prompt, prompt.spans[words])
            mask = object_mask(picture, probe(few, picture, prompt.prompt).attention(tokens), words)
            colours.append(picture[0][:, interior(mask)[0, 0] > 0.5].T)
    return torch.cat(colours)
