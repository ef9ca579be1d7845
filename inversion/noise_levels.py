"""The noise levels of a sampler's configuration, as diffusers computes them, walked by DDIM."""

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from inversion.errors import ModelError, Notice, first_line
from inversion.families import SUPPORTED, check_scheduler
from inversion.libraries import quiet_libraries

SPACINGS = ("leading", "trailing", "linspace")
DEFAULTS_USED = "_use_default_values"  # fields that a file left out; diffusers takes those of the next sampler instead
SAME_LEVEL = 1e-6  # of alpha_bar: some samplers of diffusers keep the last level this far from 0


def named_sampler(config: Mapping[str, Any], name: str) -> Any:
    """The diffusers sampler that a scheduler's configuration names; `name` is what messages call the model.

    Raises:
        ModelError: diffusers has no such sampler, it has no DDIM steps, or its noise levels cannot be computed.
    """
    import diffusers

    check_scheduler(config, name)
    kind = str(config.get("_class_name"))
    named: Any = getattr(diffusers, kind, None)
    if kind in _needs_more() and not _is_sampler(named):
        named = diffusers.DDPMScheduler  # of the same noise levels, where what else it needs is not installed
    if not _is_sampler(named):
        raise ModelError(f'"{name}" names the sampler "{kind}", which diffusers does not have; {SUPPORTED}')
    try:
        with quiet_libraries(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return named.from_config(dict(config))
    except Exception as error:  # whatever a value of a wrong kind leads to
        raise ModelError(f'"{name}": the noise levels of its {kind} cannot be computed: {first_line(error)}') from error


def _is_sampler(named: Any) -> bool:
    from diffusers import SchedulerMixin

    return isinstance(named, type) and issubclass(named, SchedulerMixin)


def _needs_more() -> list[str]:
    """The samplers of diffusers that differ in their steps alone, some of which need further packages."""
    from diffusers import DDIMScheduler

    return list(DDIMScheduler._compatibles)


def as_ddim(sampler: Any, name: str) -> Any:
    """DDIM over the noise levels of any sampler of diffusers, which stays as it is; a `Notice` says so.

    Raises:
        ModelError: its noise levels are no such levels, or DDIM cannot take them over.
    """
    kind = type(sampler).__name__
    config = {**sampler.config, "_class_name": kind}
    if kind == "DDIMScheduler":
        config.pop(DEFAULTS_USED, None)
    check_scheduler(config, name)
    levels = getattr(sampler, "alphas_cumprod", None)
    if not isinstance(levels, Tensor):
        raise ModelError(f'"{name}" was trained for {kind}, which has no DDIM steps; {SUPPORTED}')
    _check_levels(levels.float().cpu(), sampler.config, name)
    ddim = _over(config, {}, levels)
    if ddim is None:
        betas = {"trained_betas": sampler.betas.tolist(), "rescale_betas_zero_snr": False}
        ddim = _over(config, betas, levels)
    if ddim is None:
        raise ModelError(f'"{name}": DDIM cannot follow the noise levels of its {kind}; {SUPPORTED}')
    if kind != "DDIMScheduler":
        warnings.warn(Notice(f"{name} is sampled with DDIM and not with its own {kind}"), stacklevel=2)
    return ddim


def _over(config: dict[str, Any], changed: dict[str, Any], levels: Tensor) -> Any:
    """DDIM of a configuration with some fields changed; None if its noise levels are others."""
    from diffusers import DDIMScheduler

    try:
        ddim = DDIMScheduler.from_config({**config, **changed}, clip_sample=False, thresholding=False)
    except NotImplementedError:  # a formula that DDIM does not know
        return None
    ddim = DDIMScheduler.from_config({k: v for k, v in ddim.config.items() if k != DEFAULTS_USED})
    own = ddim.alphas_cumprod
    same = own.shape == levels.shape and torch.allclose(own, levels.to(own), rtol=0, atol=SAME_LEVEL)
    return ddim if same else None


def _check_levels(levels: Tensor, config: Mapping[str, Any], name: str) -> None:
    """Check the levels, alpha_bar (training timesteps,), and how a run is spaced on them.

    Raises:
        ModelError: they do not fall from 1 towards 0, or the spacing is unknown.
    """
    if not torch.isfinite(levels).all():
        raise ModelError(f'"{name}": the noise levels of its scheduler end in not-a-number; fetch the model again')
    trained = config["num_train_timesteps"]
    if len(levels) != trained:
        raise ModelError(f'"{name}": its scheduler has {len(levels)} noise levels for {trained} training timesteps')
    falling = len(levels) > 1 and bool((levels[1:] <= levels[:-1]).all()) and bool(levels[-1] < levels[0])
    if not falling or levels[0] > 1 or levels[-1] < 0 or (levels[:-1] <= 0).any():
        raise ModelError(
            f'"{name}": the noise levels of its scheduler do not fall from 1 towards 0: alpha_bar is '
            f"{levels[0]:g} at first and {levels[-1]:g} at last"
        )
    spacing = config.get("timestep_spacing", SPACINGS[0])
    if spacing not in SPACINGS:
        raise ModelError(f'"{name}": timestep_spacing is {spacing!r}, expected {", ".join(SPACINGS)}')
    offset = config.get("steps_offset", 0)
    if type(offset) is not int:
        raise ModelError(f'"{name}": steps_offset is {offset!r}, expected a whole number')
