"""The colours of new looks: those of the object that a look is taken from, or those that the model gives to
what new words name when nothing else is asked of it.

Among the objects of a photo, and on top of an old look, a model takes colours from the neighbours and from
what was there. What it draws of the same words alone has them right.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from realedit.drawing import draw_noise
from realedit.edits import Look, Source
from realedit.guests import Guest
from realedit.looking import look_mask
from realedit.masks import object_mask
from realedit.paste import core
from realedit.rewording import describe
from realedit.sampler import Rows, sample
from realedit.settings import Settings

PORTRAITS = 3
HASTE = 0.5  # of the steps: enough for colours


def palettes(
    model: DiffusionModel,
    looks: Sequence[Look],
    guests: Mapping[Source, Guest],
    settings: Settings,
    on_step: Callable[[int], None],
) -> dict[Look, Tensor]:
    """The colours (n, 3), sRGB, of every look; none for words that the model draws nothing of."""
    found = {}
    for look in dict.fromkeys(looks):
        if look.source is not None:
            found[look] = guests[look.source].palette()
        elif look.words is not None and len(colours := imagined(model, look.words, settings, on_step)):
            found[look] = colours
    return found


def imagined(model: DiffusionModel, words: str, settings: Settings, on_step: Callable[[int], None]) -> Tensor:
    """The colours (n, 3), sRGB, of what the words name in a few pictures that the model draws of it alone."""
    prompt = describe({words: words}, "")
    hasty = replace(settings, steps=max(2, round(HASTE * settings.steps)))
    schedule, size = model.schedule(hasty.steps), (model.native_size, model.native_size)
    rows = Rows(model.embed(prompt.prompt), model.unprompted().repeat(hasty.steps), settings.draw_guidance_scale)
    colours = [torch.zeros(0, 3)]
    for n in range(PORTRAITS):
        noise = draw_noise(model, size, settings.seed + n)
        picture = model.decode(sample(model, noise, schedule, rows, on_step=on_step)).cpu()
        with suppress(EditError):  # nothing in particular was drawn
            seen = look_mask(model, picture, prompt.prompt, prompt.spans[words], hasty)
            mask = object_mask(picture, seen, words)
            colours.append(picture[0][:, core(mask)[0, 0] > 0.5].T)
    return torch.cat(colours)
