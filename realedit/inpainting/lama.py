"""LaMa, which fills holes in one pass (Suvorov et al. 2022, arXiv 2109.07161), as an ONNX file."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inversion.errors import ModelError, first_line
from inversion.loading import usable_device
from realedit.inpainting.hole_view import fill_through_view, on_square

LAMA_SIDE = 512  # pixels of the square that the exported network takes
BYTE_RANGE = 255.0  # what white is in the output of Carve/LaMa-ONNX; other exports end at 1
CHANNELS = {"image": 3, "mask": 1}
LAMA_EXPECTED = "expected LaMa with the inputs image 1x3x512x512 and mask 1x1x512x512 and one output 1x3x512x512"


@dataclass(frozen=True, eq=False)
class Lama:
    """A `Filler`. It sees the part around the hole with 512 pixels along the longer side, so a hole with its
    surroundings that is larger is filled without the photo's finest detail."""

    name: str
    session: Any

    def __call__(self, photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
        """See `Filler`."""
        return fill_through_view(photo, hole, others, LAMA_SIDE, self._draw)

    def _draw(self, image: Tensor, hidden: Tensor) -> Tensor:
        return on_square(image, hidden, LAMA_SIDE, self._draw_square)

    def _draw_square(self, image: Tensor, hidden: Tensor) -> Tensor:
        """A square (1, 3, 512, 512) as the network draws it, where `hidden` (1, 1, 512, 512) and elsewhere."""
        (output,) = self.session.run(None, {"image": image.float().numpy(), "mask": hidden.numpy()})
        if output.shape != image.shape:
            raise ModelError(f"{self.name}: {LAMA_EXPECTED}; its output is {_sizes(output.shape)}")
        drawn = torch.from_numpy(output.astype(np.float32))
        return drawn / _white_of(drawn, image, hidden)


def _white_of(drawn: Tensor, image: Tensor, hidden: Tensor) -> float:
    """What white is in an output, 1 or 255: where nothing is `hidden`, it shows the `image`, whose white is 1."""
    visible = 1 - hidden
    errors = {white: float(((drawn / white - image).abs() * visible).sum()) for white in (BYTE_RANGE, 1.0)}
    return min(errors, key=errors.__getitem__)


def load_lama(path: Path, device: str = "auto") -> Lama:
    """The filler of an ONNX file in the layout of Carve/LaMa-ONNX: inputs `image` in [0, 1] and `mask`, 1 in the hole;
    the output shows the whole picture from 0 to 255, or to 1.

    Raises:
        ModelError: onnxruntime is not installed, or the file is damaged or something else.
        RealEditError: the device does not exist on this machine.
    """
    place = usable_device(device)
    try:
        runtime = import_module("onnxruntime")
    except ImportError as error:
        raise ModelError('--fill with LaMa needs another package: pip install "realedit[lama]"') from error
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # fatal: what fails is raised
    options.intra_op_num_threads = torch.get_num_threads()
    providers: list[Any] = ["CPUExecutionProvider"]
    if place.type == "cuda" and "CUDAExecutionProvider" in runtime.get_available_providers():
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": place.index or 0}))
    try:
        session = runtime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # the runtime has a type of its own for every way in which a file can be wrong
        raise ModelError(f'"{path}" is not readable as ONNX; {LAMA_EXPECTED} ({first_line(error)})') from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = {value.name: value for value in inputs}.keys() == CHANNELS.keys() and len(outputs) == 1
    if not fits or not all(_takes(value, CHANNELS[value.name]) for value in inputs):
        raise ModelError(
            f'"{path}" is another model: {LAMA_EXPECTED}; it has inputs {_listed(inputs)} '
            f"and outputs {_listed(outputs)}"
        )
    return Lama(f"LaMa ({path.name})", session)


def _takes(value: Any, channels: int) -> bool:
    """Whether an input takes one float32 picture of these channels and LaMa's size. Sizes that an export leaves open
    are words."""
    wanted = (1, channels, LAMA_SIDE, LAMA_SIDE)
    shape = tuple(value.shape)
    fits = len(shape) == 4 and all(not isinstance(n, int) or n == w for n, w in zip(shape, wanted, strict=True))
    return fits and value.type == "tensor(float)"


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(f"{v.name} {_sizes(v.shape)} {v.type}" for v in values) or "none"


def _sizes(shape: Sequence[int | str | None]) -> str:
    return "x".join(str(n) if n is not None else "?" for n in shape) or "scalar"
