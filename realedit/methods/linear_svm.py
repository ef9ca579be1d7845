"""A linear support vector machine in its dual form, for few samples of many dimensions: only their inner products are
needed."""

import torch
from torch import Tensor

PENALTY = 1.0  # C: of a sample inside the margin
MOST_PASSES = 1000
CONVERGED = 1e-4  # of the largest violation of the optimum's conditions, a margin being 1
FOLDS = 5


def support_weights(gram: Tensor, sides: Tensor) -> Tensor:
    """The dual weights times the side of each sample, (n,): the normal is their sum of the samples. `gram` (n, n),
    float64: the inner products of centred samples; `sides` (n,): 1 or -1. By dual coordinate descent (Hsieh et al.,
    ICML 2008, algorithm 1); the bias is that of a constant feature as long as the samples are on average."""
    products = (gram + gram.diagonal().mean()).numpy()
    labels = sides.double().numpy()
    signed = products * labels[:, None] * labels[None]
    alpha = torch.zeros(len(sides), dtype=torch.float64).numpy()
    for _ in range(MOST_PASSES):
        worst = 0.0
        for k in range(len(alpha)):
            slope = float(signed[k] @ alpha) - 1
            blocked = (alpha[k] == 0 and slope > 0) or (alpha[k] == PENALTY and slope < 0)
            worst = worst if blocked else max(worst, abs(slope))
            alpha[k] = min(max(alpha[k] - slope / max(signed[k, k], 1e-12), 0.0), PENALTY)
        if worst < CONVERGED:
            break
    return torch.from_numpy(alpha * labels)


def held_out_accuracy(samples: Tensor, sides: Tensor, seed: int = 0) -> float:
    """The share of samples (n, d) that fall on their side of a boundary fitted without them, in up to 5 parts with as
    much of each side."""
    gram = inner_products(samples)
    part = _parts(sides, seed)
    right = 0
    for k in range(int(part.max()) + 1):
        train, test = part != k, part == k
        seen = gram[:, train].mean(1, keepdim=True)
        mean = gram[train][:, train].mean()
        centred = gram - seen - seen.T + mean
        weights = support_weights(centred[train][:, train], sides[train])
        bias = weights.sum() * centred[train][:, train].diagonal().mean()
        right += int(((centred[test][:, train] @ weights + bias).sign() == sides[test]).sum())
    return right / len(sides)


def boundary_normal(samples: Tensor, sides: Tensor) -> Tensor:
    """The unit normal (d,) of the boundary of samples (n, d), towards the side 1."""
    centred = (samples - samples.mean(0)).double()
    normal = support_weights(centred @ centred.T, sides) @ centred
    return (normal / normal.norm().clamp(min=1e-12)).float()


def inner_products(samples: Tensor) -> Tensor:
    """(n, n), float64, of samples (n, d) less their mean."""
    centred = (samples - samples.mean(0)).double()
    return centred @ centred.T


def _parts(sides: Tensor, seed: int) -> Tensor:
    """The part (n,) in which each sample is held out."""
    generator = torch.Generator().manual_seed(seed)
    found = torch.zeros(len(sides), dtype=torch.long)
    count = min(FOLDS, *(int((sides == side).sum()) for side in (1, -1)))
    for side in (1, -1):
        mine = (sides == side).nonzero()[:, 0]
        found[mine[torch.randperm(len(mine), generator=generator)]] = torch.arange(len(mine)) % count
    return found
