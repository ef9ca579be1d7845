"""What of this machine the page may use: models and a signing key that the command named. The page chooses among them
by name; it can name no others, so no path is ever taken from it. Nothing heavy: the page is there before torch is."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realedit.files.recipe_files import FILLS


@dataclass(frozen=True)
class Offered:
    """SAMs that find what is marked, inpainting models that fill old places, ControlNets, and the certificate and key
    (PEM) with which results are signed if that is wished."""

    segmenters: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    controlnets: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None

    @property
    def fills(self) -> tuple[str, ...]:
        """All that may fill a hole, as a recipe says it."""
        return (*FILLS, *self.fillers)

    @property
    def signing(self) -> str | None:
        """The options that sign, as they are typed; None where nothing can be signed."""
        if self.certificate is None or self.key is None:
            return None
        return shlex.join(["--sign-cert", str(self.certificate), "--sign-key", str(self.key)])

    def as_dict(self) -> dict[str, Any]:
        """For the page."""
        models = {"segmenters": self.segmenters, "fillers": self.fillers, "controlnets": self.controlnets}
        return models | {"signing": self.signing}
