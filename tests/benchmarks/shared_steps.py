"""Steps that variants of the program have in common: made once for equal inputs, and charged to every variant."""

import hashlib
import io
import pickle
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.editing import decomposition, pipeline, preparation, sampled_edit
from realedit.editing.request import EditRequest
from realedit.inpainting import clean_plate
from realedit.sampling.session import Session

STEPS: dict[str, tuple[Any, str]] = {  # where they are called from
    "recognition": (preparation, "require_words"),
    "inversion": (preparation, "invert_crop"),
    "camera": (EditRequest, "camera"),
    "preparation": (pipeline, "prepare"),
    "completion": (clean_plate, "complete"),
    "plate": (decomposition, "clean_plate"),
    "decomposition": (sampled_edit, "decompose"),
    "placement": (sampled_edit, "with_placements"),
}
KEPT = 60  # results, the newest


@dataclass(frozen=True)
class Cost:
    """Of some steps: network evaluations, and seconds."""

    evaluations: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.evaluations + other.evaluations, self.seconds + other.seconds)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.evaluations - other.evaluations, self.seconds - other.seconds)


class SharedSteps:
    """What steps of the program gave, by what they were given. `spared` is what it cost to make it, for all calls that
    found it made."""

    def __init__(self, model: DiffusionModel) -> None:
        self.spared = Cost()
        self._model = model
        self._made: OrderedDict[str, tuple[Any, Cost]] = OrderedDict()

    @contextmanager
    def sharing(self, names: Sequence[str]) -> Iterator[None]:
        """For the block, steps of these names are made once for equal inputs."""
        with ExitStack() as stack:
            for name in names:
                owner, attribute = STEPS[name]
                stack.enter_context(patch.object(owner, attribute, self.once(name, getattr(owner, attribute))))
            yield

    def once(self, name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        """A step that looks first whether it was made for equal inputs."""

        def shared(*given: Any) -> Any:
            key = content_key((name, given))
            if key in self._made:
                result, cost = self._made[key]
                self.spared += cost
                return result
            began, before = time.perf_counter(), self.spared
            with self._model.metered() as meter:
                result = step(*given)
            own = Cost(meter.forward_equivalents, time.perf_counter() - began)
            self._made[key] = result, own + (self.spared - before)
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
            return result

        return shared


def content_key(value: Any) -> str:
    """Equal for values of equal content. Models count as equal, sessions if they invert in the same way."""
    stream = io.BytesIO()
    _ContentPickler(stream).dump(value)
    return hashlib.sha256(stream.getvalue()).hexdigest()


class _ContentPickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            pixels = value.detach().cpu().contiguous()
            return tuple(value.shape), str(value.dtype), hashlib.sha256(pixels.numpy().tobytes()).hexdigest()
        if isinstance(value, Session):
            return "session", value.settings.method
        return "model" if isinstance(value, DiffusionModel) else None
