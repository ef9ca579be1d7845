"""Numbers that are no numbers, stopped where they arise: none reaches a picture or a report."""

import torch
from torch import Tensor

from inversion.errors import RealEditError


def finite(values: Tensor, what: str) -> Tensor:
    """The `values` that `what` gave, all of them finite.

    Raises:
        RealEditError: some are not.
    """
    if not torch.isfinite(values).all():
        raise RealEditError(f"{what} gave no finite numbers; try --dtype float32, or another model")
    return values
