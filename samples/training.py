"""What both trainings share: a run folder with resumable state, a log of losses, an average of weights."""

import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SAVE_EVERY_SECONDS = 120


class Run:
    """A training run in a folder: `state.pt` to resume from, `losses.jsonl` to read.

    `parts` are the objects whose state_dict makes up the run (networks, optimiser, averages); `on_save` is called
    whenever these were saved."""

    def __init__(
        self, directory: Path, parts: dict[str, Any], steps: int, on_save: Callable[[], None] = lambda: None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.parts, self.steps, self.on_save = directory, parts, steps, on_save
        self.step = 0
        self._path = directory / "state.pt"
        if self._path.exists():
            state = torch.load(self._path, weights_only=True)
            self.step = state.pop("step")
            for name, part in parts.items():
                part.load_state_dict(state[name])

    def save(self) -> None:
        state = {name: part.state_dict() for name, part in self.parts.items()} | {"step": self.step}
        torch.save(state, self._path.with_suffix(".part"))
        os.replace(self._path.with_suffix(".part"), self._path)
        self.on_save()

    def log(self, **values: float | torch.Tensor) -> None:
        line = json.dumps(
            {"step": self.step, **{k: round(float(torch.as_tensor(v).detach()), 5) for k, v in values.items()}}
        )
        with (self.directory / "losses.jsonl").open("a") as file:
            file.write(line + "\n")

    def remaining(self) -> Iterator[int]:
        """Count the steps still to do, saving the state every two minutes and at the end."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        saved = time.monotonic()
        with Progress(*columns) as bar:
            task = bar.add_task("training", total=self.steps, completed=self.step)
            while self.step < self.steps:
                yield self.step
                self.step += 1
                bar.update(task, completed=self.step)
                if time.monotonic() - saved > SAVE_EVERY_SECONDS:
                    self.save()
                    saved = time.monotonic()
        self.save()


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over the first 2 %, then a cosine down to 2 % of the peak."""
    warm = max(1, steps // 50)
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))))


M = TypeVar("M", bound=torch.nn.Module)


class Average(Generic[M]):
    """Exponential moving average of a module's weights (decay rises to `decay` as steps pass)."""

    def __init__(self, module: M, decay: float = 0.999) -> None:
        self.module: M = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, module: torch.nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for mine, theirs in zip(self.module.parameters(), module.parameters(), strict=True):
            mine.lerp_(theirs, 1 - decay)

    def state_dict(self) -> dict[str, Any]:
        return self.module.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state)
