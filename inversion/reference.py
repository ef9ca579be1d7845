"""What was recorded of one photo: saved as safetensors, refused where it does not belong."""

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
from inversion.text import Embedding

FORMAT = 3  # raise when the meaning of a saved tensor changes


@dataclass(frozen=True)
class Header:
    """What a reference was made with. Two references are interchangeable only if these agree."""

    model: str
    prompt: str
    method: str
    timesteps: tuple[int, ...]
    guidance_scale: float
    format: int = FORMAT

    def require(self, wanted: "Header") -> None:
        """Raise `ReferenceMismatch` naming both values where this header is not the `wanted` one."""
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
    """One photo in the model's noise, and what the model saw on the way back.

    `pivots` (steps + 1, C, h, w), `unconditional` and `residuals` (steps, C, h, w) or None, float32: see
    `Inverted`.
    `attention[layer]` (steps, tokens, h, w) and `features[layer]` (steps, C, h, w), half precision,
    of the prompted row, at the same timesteps as the header's.
    """

    header: Header
    pivots: Tensor
    unconditional: Embedding
    attention: dict[str, Tensor]
    features: dict[str, Tensor]
    residuals: Tensor | None = None

    def save(self, path: Path) -> None:
        """Write to `path`; the file appears only when it is whole."""
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
            os.replace(part, path)
        finally:
            Path(part).unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, wanted: Header) -> "Reference":
        """Read a reference that was made with `wanted`.

        Raises:
            ReferenceMismatch: it was made with something else, or the file is damaged.
        """
        try:
            with safe_open(path, framework="pt") as file:
                fields = json.loads((file.metadata() or {})["header"])
                header = Header(**{**fields, "timesteps": tuple(fields["timesteps"])})
                header.require(wanted)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
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
    """The name of a photo's reference: a hash of its pixels and of everything in the header."""
    digest = hashlib.sha256(json.dumps(asdict(header), sort_keys=True).encode())
    digest.update(str(tuple(photo.shape)).encode())
    digest.update((photo * 255).round().to(torch.uint8).cpu().numpy().tobytes())
    return digest.hexdigest()[:32]
