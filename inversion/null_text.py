"""Null-text optimisation (Mokady et al., arXiv 2211.09794): an optimised embedding for the unprompted row at every
step, so that guided sampling stays on the path of the inversion.

Differences from the published code, whose settings are `TEXTBOOK`:

- Pivots are corrected (fixed-point inversion, arXiv 2309.04907).
- Optimisation starts from the prompt's own embedding, which as the unprompted row already leads back along the pivots
  (arXiv 2305.16807): most steps pass the first check at no cost.
- The loss is checked before a gradient step, and not only after it.
- The error left below the tolerance is kept as the step's residual (arXiv 2310.01506), because a latent error of
  0.01 can grow a hundredfold along the path.
- The prediction that passed the check is used for the step, the prompted row is predicted once a step, and weights
  are frozen.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.ddim import walk_up
from inversion.fixed_point import corrected_walk
from inversion.problem import InversionProblem, Inverted
from inversion.text import Embedding, joined


@dataclass(frozen=True)
class NullTextSettings:
    """The numbers of the optimisation.

    `inner_steps`: gradient steps at each step, at most. `rate`: Adam's learning rate, falling linearly to half of it
    towards the photo. `tolerance`: the mean squared latent error that is accepted, changing linearly from the first
    value at the noise to the second at the photo. `from_prompt`: start from the prompt's embedding rather than the
    empty text's. `check_first`: take no gradient step where the error is accepted already. `corrections`: of every
    pivot, at most; 0 gives the pivots of DDIM inversion. `keep_rest`: keep the error that is left as residuals.
    """

    inner_steps: int = 3
    rate: float = 3e-2
    tolerance: tuple[float, float] = (1e-3, 1e-3)
    from_prompt: bool = True
    check_first: bool = True
    corrections: int = 1
    keep_rest: bool = True

    def at(self, i: int, steps: int) -> tuple[float, float]:
        """The learning rate and the tolerance of step `i` of so many."""
        first, last = self.tolerance
        return self.rate * (1 - i / (2 * steps)), first + (last - first) * i / max(1, steps - 1)


TEXTBOOK = NullTextSettings(
    10, 1e-2, (1e-5, 9.9e-4), from_prompt=False, check_first=False, corrections=0, keep_rest=False
)
"""The published code's own numbers, for 50 steps at a guidance scale of 7.5."""


@dataclass(frozen=True, eq=False)
class _Step:
    """Step `i` of the guided way back: from `z`, with the prompted row's output, to the `pivot`."""

    problem: InversionProblem
    i: int
    z: Tensor
    prompted: Tensor
    pivot: Tensor

    def land(self, unprompted: Tensor) -> Tensor:
        """The latent that the step leads to with this output of the unprompted row."""
        return self.problem.guided_down(self.z, unprompted, self.prompted, self.i)


def invert(problem: InversionProblem, settings: NullTextSettings = NullTextSettings()) -> Inverted:
    """Pivots, one optimised unprompted embedding (float32) per step, and the residuals if `settings` keep them."""
    cond = problem.prompted
    # Only the way back is watched: it passes every pivot.
    pivots = corrected_walk(problem, settings.corrections) if settings.corrections else walk_up(problem)
    null = cond if settings.from_prompt else problem.model.unprompted()
    found, residuals, z = [], [], pivots[:1]
    for i in range(len(problem.schedule)):
        with torch.no_grad(), problem.watch(i):
            prompted = problem.predict_prompted(z, i)
        step = _Step(problem, i, z, prompted, pivots[i + 1 : i + 2])
        null, z = _optimise(step, null, settings)
        found.append(null)
        if settings.keep_rest:
            residuals.append(step.pivot - z)
            z = z + residuals[-1]
        problem.on_step(i)
    return Inverted(pivots, joined(found), problem.guidance_scale, torch.cat(residuals) if residuals else None)


def _optimise(step: _Step, null: Embedding, settings: NullTextSettings) -> tuple[Embedding, Tensor]:
    """The embedding whose guided step lands on the pivot, and where it lands."""
    model, schedule = step.problem.model, step.problem.schedule
    rate, tolerance = settings.at(step.i, len(schedule))
    t = schedule.timesteps[step.i]
    if null is step.problem.prompted:  # both rows are one, so its prediction is known already
        landed = step.land(step.prompted)
        if settings.check_first and F.mse_loss(landed, step.pivot) <= tolerance:
            return null, landed
    tokens = null.tokens.clone().requires_grad_()
    optimiser = torch.optim.Adam([tokens], lr=rate)
    spent, enough = 0, False
    while True:
        last = spent == settings.inner_steps or enough
        with torch.set_grad_enabled(not last), torch.autocast(step.z.device.type, enabled=False):
            landed = step.land(model.predict(step.z, t, [null.with_tokens(tokens)]))
            loss = F.mse_loss(landed, step.pivot)
        if last or (settings.check_first and loss <= tolerance):
            return null.with_tokens(tokens.detach()), landed.detach()
        enough = not settings.check_first and bool(loss <= tolerance)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        spent += 1
