"""What was recorded of one photo: saved as safetensors, and loaded only for the settings it was made with."""

import errno
import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from inversion.errors import ReferenceMismatch
from inversion.file_mode import usual_mode
from inversion.text import Embedding

FORMAT = 3  # raise when the meaning of a saved tensor changes


@dataclass(frozen=True)
class Header:
    """What a reference was made with. Two references of a photo are interchangeable only if these agree.

    `model`: the fingerprint of its weights. `method`: the name of the inversion method. `timesteps`: training timesteps
    in sampling order, one per step. `format`: the version of the file format.
    """

    model: str
    prompt: str
    method: str
    timesteps: tuple[int, ...]
    guidance_scale: float
    format: int = FORMAT

    def require(self, wanted: "Header") -> None:
        """Check that this header is the `wanted` one.

        Raises:
            ReferenceMismatch: they differ; the message names both values of the first difference.
        """
        for name, value in asdict(wanted).items():
            mine = getattr(self, name)
            if name == "timesteps" and len(mine) != len(value):
                name, mine, value = "step count", len(mine), len(value)
            if mine != value:
                raise ReferenceMismatch(
                    f"the reference was made with {name} {mine!r}, but {value!r} is asked for; "
                    "use the same or invert the photo again"
                )


@dataclass(frozen=True, eq=False)
class Reference:
    """An inverted photo, and the attention and features recorded at its pivots; all tensors are on the CPU.

    `pivots` (steps + 1, C, h, w), `unconditional` (steps texts) and `residuals` (steps, C, h, w) or None, float32: see
    `Inverted`.
    `attention[layer]` (steps, tokens, h, w) and `features[layer]` (steps, C, h, w), half precision: of the prompted
    row, at the header's timesteps.
    """

    header: Header
    pivots: Tensor
    unconditional: Embedding
    attention: dict[str, Tensor]
    features: dict[str, Tensor]
    residuals: Tensor | None = None

    def save(self, path: Path) -> None:
        """Write to `path`; the file appears there only when it is complete.

        Raises:
            OSError: it cannot be written.
        """
        # Most steps share one unprompted text: each is kept once, with which step has which.
        tokens, pooled = self.unconditional.tokens, self.unconditional.pooled
        flat = tokens.flatten(1) if pooled is None else torch.cat([tokens.flatten(1), pooled], dim=1)
        texts, which = torch.unique(flat, dim=0, return_inverse=True)
        length = tokens[0].numel()
        tensors = {"pivots": self.pivots, "which": which, "texts": texts[:, :length].unflatten(1, tokens.shape[1:])}
        if pooled is not None:
            tensors["pooled"] = texts[:, length:]
        if self.residuals is not None:
            tensors["residuals"] = self.residuals
        tensors |= {f"attention/{k}": v for k, v in self.attention.items()}
        tensors |= {f"features/{k}": v for k, v in self.features.items()}
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        os.close(handle)
        try:
            save_file(
                {k: v.contiguous() for k, v in tensors.items()}, part, {"header": json.dumps(asdict(self.header))}
            )
            os.chmod(part, usual_mode())  # like any file, so that those who share the folder may read it
            os.replace(part, path)
        except SafetensorError as error:  # its name of a full disk
            raise OSError(errno.EIO, str(error)) from error
        finally:
            Path(part).unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, wanted: Header) -> "Reference":
        """Read a reference that was made with `wanted`.

        Raises:
            OSError: there is no such file, or it cannot be read.
            ReferenceMismatch: it was made with something else, or the file is damaged.
        """
        try:
            with safe_open(path, framework="pt") as file:
                fields = json.loads((file.metadata() or {})["header"])
                header = Header(**{**fields, "timesteps": tuple(fields["timesteps"])})
                header.require(wanted)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReferenceMismatch(f"{path} is not a whole reference; delete it and invert again") from error

        def group(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

        return cls(
            header,
            tensors["pivots"],
            Embedding(tensors["texts"], tensors.get("pooled"))[tensors["which"]],
            group("attention/"),
            group("features/"),
            tensors.get("residuals"),
        )


def cache_key(photo: Tensor, header: Header) -> str:
    """The name (32 hex digits) of the reference of a photo (1, 3, H, W) in [0, 1]: a hash of its pixels at 8 bits and
    of everything in the header."""
    digest = hashlib.sha256(json.dumps(asdict(header), sort_keys=True).encode())
    digest.update(str(tuple(photo.shape)).encode())
    digest.update((photo * 255).round().to(torch.uint8).cpu().numpy().tobytes())
    return digest.hexdigest()[:32]
