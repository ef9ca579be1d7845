"""The inversion methods, by the names that users give them."""

from collections.abc import Callable

from inversion import ddim, fixed_point, negative_prompt, null_text, residual
from inversion.problem import InversionProblem, Inverted

Method = Callable[[InversionProblem], Inverted]
"""An inversion method; all differ only in how they invert, at what cost, and how exact they are."""

METHODS: dict[str, Method] = {
    "fixed-point": fixed_point.invert,
    "null-text": null_text.invert,
    "negative-prompt": negative_prompt.invert,
    "residual": residual.invert,
    "ddim": ddim.invert,
}
