"""Whole pictures, from files to files: what every command that draws one does. Heavy imports stay inside
functions."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realedit.commands.context import RunOptions
from realedit.commands.edit_job import Outputs, ways_to_save
from realedit.commands.options import settings_from
from realedit.files.kinds import PIPE
from realedit.files.sidecar import SidecarOrigin, pixels_hash, write_sidecar
from realedit.generations import Generation, GlobalAppearance, SameLayout, TextToImage

if TYPE_CHECKING:
    from inversion.model import DiffusionModel
    from realedit.files.photo import Photo
    from realedit.settings import Settings


@dataclass(frozen=True, eq=False)
class GenerationJob:
    """A whole picture to draw under a prompt. `path` and `photo` are what it is drawn from, None for words
    alone; `folder` is what other paths start from."""

    whole: Generation
    prompt: str
    path: Path | None = None
    photo: "Photo | None" = None
    folder: Path = Path()

    def inputs(self) -> tuple[Path, ...]:
        """Every file that is read."""
        own = (self.path,) if self.path else ()
        return (*own, self.folder / self.whole.photo) if isinstance(self.whole, GlobalAppearance) else own


def run_whole(
    shared: RunOptions, job: GenerationJob, outputs: Outputs, load: Callable[[], "DiffusionModel"]
) -> tuple["Photo", str]:
    """Check, draw, write. Returns the picture and the hash of its pixels."""
    from realedit.files.writing import parent_of, save_photo
    from realedit.files.xmp import DigitalSourceType

    outputs.check(job.inputs())
    edited = isinstance(job.whole, GlobalAppearance)
    saving, signer = ways_to_save(outputs.files, None if edited else DigitalSourceType.GENERATED)
    settings = settings_from(job.whole.steps, job.whole.seed)
    model = load()
    with shared.progress(7 * settings.steps) as on_step:
        picture = _drawn(shared, job, model, settings, on_step)
    parent = parent_of(job.path, job.photo) if signer and edited and job.path and job.photo else None
    save_photo(picture, outputs.result, saving, signer, parent)
    pixels = pixels_hash(picture.rgb)
    if outputs.sidecar:
        made = SidecarOrigin(job.path, job.folder, outputs.result, job.whole, job.prompt)
        write_sidecar(made, shared.which, model.fingerprint, settings, pixels)
    shared.say(f"wrote {outputs.result}", when=outputs.result != PIPE)
    return picture, pixels


def _drawn(
    shared: RunOptions,
    job: GenerationJob,
    model: "DiffusionModel",
    settings: "Settings",
    on_step: Callable[[str], None],
) -> "Photo":
    from realedit.editing.generation import same_appearance, same_layout, transfer_global_appearance_photo
    from realedit.files.photo import Photo
    from realedit.files.reading import load_photo
    from realedit.images import to_bytes
    from realedit.sampling.inverted_image import invert_photo

    def drawing(i: int) -> None:
        on_step("drawing")

    def inverting(i: int) -> None:
        on_step("inverting")

    whole = job.whole
    if isinstance(whole, TextToImage) or job.photo is None:
        return _from_words(shared, job, model, settings, drawing)
    seen = invert_photo(model, job.photo, job.prompt, settings, whole.method, inverting)
    if isinstance(whole, GlobalAppearance):
        other = invert_photo(
            model, load_photo(job.folder / whole.photo), whole.prompt, settings, whole.method, inverting
        )
        return transfer_global_appearance_photo(model, job.photo, seen, other, settings, drawing)
    if isinstance(whole, SameLayout):
        return Photo(to_bytes(same_layout(model, seen, whole.words or job.prompt, settings.seed, settings, drawing)))
    return Photo(to_bytes(same_appearance(model, seen, settings.seed, settings, drawing)))


def _from_words(
    shared: RunOptions,
    job: GenerationJob,
    model: "DiffusionModel",
    settings: "Settings",
    on_step: Callable[[int], None],
) -> "Photo":
    from realedit.editing.generation import generate
    from realedit.files.exif import described
    from realedit.files.photo import Photo
    from realedit.images import to_bytes, working_size

    side = model.native_size
    asked = job.whole.size if isinstance(job.whole, TextToImage) else None
    fitting = working_size(asked or (side, side), side, model.pixel_multiple)
    if asked and fitting != asked:
        shared.say(f"drawn at {fitting[0]}x{fitting[1]}, the nearest that the model can")
    seen = generate(model, job.prompt, fitting, settings, on_step)
    return Photo(to_bytes(seen.image), description=job.prompt, exif=described(job.prompt))
