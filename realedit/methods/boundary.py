"""The boundary between samples of two kinds: a linear support vector machine, by scikit-learn, as in BoundaryDiffusion
(Zhu et al., arXiv 2302.08357); and how much it tells of samples that it was not fitted to."""

from typing import Any

import torch
from torch import Tensor

from inversion.errors import EditError

FOLDS = 5


def require_scikit_learn() -> None:
    """Raises `EditError` if boundaries cannot be found on this machine."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise EditError('finding a direction needs another package: pip install "realedit[directions]"') from error


def boundary_normal(samples: Tensor, sides: Tensor) -> Tensor:
    """The unit normal (d,) of the boundary of samples (n, d), towards those whose side (n,) is 1 and not -1."""
    machine = _machine().fit(_centred(samples), sides.numpy())
    normal = torch.from_numpy(machine.coef_[0].copy())
    return (normal / normal.norm().clamp(min=1e-12)).float()


def held_out_accuracy(samples: Tensor, sides: Tensor, seed: int = 0) -> float:
    """The share of samples (n, d) that fall on their side of a boundary fitted without them, in up to 5 parts with as
    much of each side."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    fewest = min(int((sides == side).sum()) for side in (1, -1))
    parts = StratifiedKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    told = cross_val_predict(_machine(), _centred(samples), sides.numpy(), cv=parts)
    return float((told == sides.numpy()).mean())


def _machine() -> Any:
    """One whose samples weigh at most 1, not yet fitted."""
    from sklearn.svm import SVC  # takes a second

    return SVC(kernel="linear", C=1.0)


def _centred(samples: Tensor) -> Any:
    """Samples less their mean, which changes no boundary but keeps digits."""
    return (samples - samples.mean(0)).double().numpy()
