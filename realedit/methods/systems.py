"""Which system is meant by each engine's value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realedit.engines import Pix2PixZero, PlugAndPlay, PromptToPrompt, SDEdit
from realedit.methods.pix2pix_zero import pix2pix_zero
from realedit.methods.plug_and_play import plug_and_play
from realedit.methods.prompt_to_prompt import prompt_to_prompt
from realedit.methods.sampler_run import SamplerRun, Task
from realedit.methods.sdedit import sdedit


@dataclass(frozen=True)
class System:
    """How an engine's value becomes a `run` of the sampler, and whether the result `keeps` the photo's structure, to
    which the photo's own fine detail then still belongs."""

    run: Callable[[Task, Any], SamplerRun]
    keeps: bool


SYSTEMS: dict[type, System] = {
    SDEdit: System(sdedit, keeps=False),
    PromptToPrompt: System(prompt_to_prompt, keeps=True),
    PlugAndPlay: System(plug_and_play, keeps=True),
    Pix2PixZero: System(pix2pix_zero, keeps=True),
}
