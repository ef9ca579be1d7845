"""A run of so many steps on the noise levels of a checkpoint, with its own spacing and offset."""

from typing import Any

import torch

from inversion.errors import ModelError, StepsError
from inversion.schedule import Parameterisation, Schedule


def most_steps(scheduler: Any) -> int:
    """The number of steps of the longest run on the noise levels of a DDIM scheduler of diffusers."""
    longest = range(int(scheduler.config.num_train_timesteps), 1, -1)
    return next((steps for steps in longest if _spaced(scheduler, steps) is not None), 1)


def spaced(scheduler: Any, steps: int, name: str) -> Schedule:
    """The schedule of `steps` steps on the noise levels of a DDIM scheduler, which stays as it is; `name` is what
    messages call the model.

    Raises:
        StepsError: `steps` is below 1 or above the number of training timesteps, or leads beyond them.
        ModelError: the network predicts the noise, and would begin where nothing but noise is.
    """
    limit = int(scheduler.config.num_train_timesteps)
    if not 1 <= steps <= limit:
        raise StepsError(f"steps must lie between 1 and {limit}, the training steps of {name}, not {steps}")
    run = _spaced(scheduler, steps)
    if run is None:
        raise StepsError(f"the noise levels of {name} cannot be spaced in {steps} steps; take one less")
    timesteps = [int(t) for t in run.timesteps]
    stride, alpha_bar, final = limit // steps, run.alphas_cumprod, run.final_alpha_cumprod
    parameterisation = Parameterisation(run.config.prediction_type)
    if parameterisation is Parameterisation.EPSILON and alpha_bar[timesteps[0]] == 0:
        raise ModelError(
            f'"{name}" begins at pure noise (zero terminal SNR) and predicts the noise, which then says nothing of the '
            "picture; its scheduler_config.json needs v_prediction, or no rescale_betas_zero_snr"
        )
    return Schedule(
        tuple(timesteps),
        torch.stack([alpha_bar[t] for t in timesteps]),
        torch.stack([alpha_bar[t - stride] if t >= stride else final for t in timesteps]),
        parameterisation,
    )


def _spaced(scheduler: Any, steps: int) -> Any:
    """A copy of a scheduler, set to so many steps; None where its spacing does not give as many, as rounding has it for
    some numbers, or leads beyond what was trained."""
    run = type(scheduler).from_config(scheduler.config)
    run.set_timesteps(steps)
    timesteps = [int(t) for t in run.timesteps]
    inside = 0 <= min(timesteps) <= max(timesteps) < run.config.num_train_timesteps
    return run if len(timesteps) == steps and inside else None
