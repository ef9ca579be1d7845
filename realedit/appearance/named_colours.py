"""Colours that words name, as CSS names them."""

import itertools
import re

import torch
from PIL import ImageColor
from torch import Tensor

from inversion.errors import EditError

# What people mean by these words where they are not the primaries of a screen, which no paint has.
EVERYDAY = {
    **{"red": "#c81e28", "orange": "#f07d1e", "yellow": "#f0c81e", "green": "#1e963c", "blue": "#2350c8"},
    **{"purple": "#782da0", "pink": "#f091af", "brown": "#784b28", "cream": "#fff3d2", "grey": "#808080"},
}


def named_colour(words: str, phrase: str) -> Tensor:
    """The colour (1, 3), sRGB in [0, 1], that `words` give an object of this `phrase`, whose own words name none.

    >>> named_colour("white ball", "orange").tolist()
    [[1.0, 1.0, 1.0]]

    Raises:
        EditError: they name none, or several.
    """
    spoken = [word for word in _spoken(words) if word not in _spoken(phrase)]
    found = [pair for pair in map("".join, itertools.pairwise(spoken)) if _is_colour(pair)]
    found = found or [word for word in spoken if _is_colour(word)]
    if len(set(found)) != 1:
        said = "several colours" if found else "no colour"
        raise EditError(
            f'"{words}" names {said}, and the model does not know this object, so that all it can take on is a colour: '
            f'name one, such as "red {phrase.split()[-1]}"'
        )
    red, green, blue = ImageColor.getrgb(EVERYDAY.get(found[0], found[0]))[:3]
    return torch.tensor([[red, green, blue]]) / 255


def _spoken(words: str) -> list[str]:
    return re.findall(r"[a-z]+", words.lower())


def _is_colour(word: str) -> bool:
    return word in EVERYDAY or word in ImageColor.colormap
