"""What fills the places that objects leave, at the photo's own size: as the user says, or as the model knows them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.errors import EditError
from realedit.editing.drawn_plate import fill_as_drawn
from realedit.editing.measurement import NOT_ASKED
from realedit.evaluation.report_parts import FillReport
from realedit.inpainting.filler import (
    AutomaticFill,
    FillChoice,
    Filler,
    MiganFill,
    ModelFill,
    PhotoFill,
    PromptedFiller,
    RepaintFill,
)
from realedit.inpainting.photo_fill import Sketch, fill_from_photo
from realedit.inpainting.plain_ground import fill_plainly, is_plain
from realedit.inpainting.repaint_filler import RepaintFiller
from realedit.inpainting.sketch_fill import fill_like
from realedit.sampling.background import ANY_BACKGROUND, background_prompt
from realedit.sampling.session import Session
from realedit.settings import Mode, Settings

ENLARGED_MOST = 1.5  # times: a plate that is enlarged by more lacks detail
KNOWN = "the model knows what is edited"
ASKED = "as asked"
PLAIN = "what is around it is plain"


def why_unknown(settings: Settings) -> str:
    """Why an edit is made without the text-to-image model, in words."""
    return NOT_ASKED if settings.mode is Mode.PIXELS else "the model does not know what is edited"


@dataclass(frozen=True, eq=False)
class PlateFill:
    """Fills holes in one photo, as `choice` says; `prompt` names what is behind the objects."""

    session: Session
    choice: FillChoice | Filler
    prompt: str = ANY_BACKGROUND

    def __call__(
        self, photo: Tensor, hole: Tensor, others: Tensor, drawn: Sketch | None = None
    ) -> tuple[Tensor, FillReport]:
        """The photo (1, 3, H, W) with its `hole` (1, 1, H, W) filled, but not from the `others` (1, 1, H, W); and by
        what, and why. `drawn`: what the model drew there, or None where it does not know what is edited.

        Raises:
            EditError: there is nothing to fill it from, or the model is to do it that does not know what is edited.
        """
        seed, unknown = self.session.settings.seed, why_unknown(self.session.settings)
        if isinstance(self.choice, ModelFill | RepaintFill) and drawn is None:
            raise EditError(f"{unknown}, so it cannot fill its place; take --fill migan, or another --model")
        if isinstance(self.choice, AutomaticFill | ModelFill) and drawn is not None:
            why = KNOWN if isinstance(self.choice, AutomaticFill) else ASKED
            if drawn.detail < ENLARGED_MOST:
                return torch.where(hole > 0.5, drawn.image, photo), FillReport("model", why)
            return fill_like(photo, hole, others, seed, drawn), FillReport("model, with the photo's detail", why)
        if isinstance(self.choice, AutomaticFill) and is_plain(photo, hole):
            return fill_plainly(photo, hole, others, seed), FillReport("soft tones, with the photo's grain", PLAIN)
        if isinstance(self.choice, AutomaticFill | MiganFill):
            why = unknown if isinstance(self.choice, AutomaticFill) else ASKED
            return fill_as_drawn(photo, hole, others, seed), FillReport("MI-GAN, with the photo's detail", why)
        if isinstance(self.choice, PhotoFill):
            return fill_from_photo(photo, hole, others, seed), FillReport("photo", ASKED)
        filler = self.choice
        if isinstance(filler, RepaintFill):
            filler = RepaintFiller(self.session, filler.engine)
        assert callable(filler)
        if isinstance(filler, PromptedFiller):
            filler = filler.with_prompt(self.prompt, self.session.settings, self.session.steps_of("filling"))
        return filler(photo, hole, others), FillReport(filler.name, ASKED)


def place_behind(prompt: str, objects: Sequence[str]) -> str:
    """What a prompt says of the place, if it names all the `objects`; else a background."""
    said = prompt.lower()
    return background_prompt(prompt, objects) if all(each.lower() in said for each in objects) else ANY_BACKGROUND
