"""A whole picture: from what is asked to the picture in memory. What needs torch is imported when all that can be
checked without it was."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inversion.errors import Notice
from realedit.engines import DiffuseIT, Drag
from realedit.files.captions import Prompt
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.files.recipe_files import named_files, renamed
from realedit.files.xmp import DigitalSourceType
from realedit.generations import Controlled, Filling, Generation, GlobalAppearance, Redrawing, SameLayout, TextToImage
from realedit.images import to_bytes
from realedit.jobs.control_maps import control_maps
from realedit.jobs.model_run import ModelRun
from realedit.sampling.background import ANY_BACKGROUND
from realedit.settings import DEFAULTS, Settings

if TYPE_CHECKING:
    from torch import Tensor

    from realedit.files.reading import PhotoFile
    from realedit.sampling.session import Progress, Session, StepGuide

NO_TRANSFORMER = "no --vit is given: structure is told by the model's autoencoder, which knows edges and no things"


@dataclass(frozen=True, eq=False)
class GenerationJob:
    """A whole picture to draw under a prompt. `path` and `photo` are what it is drawn from, None for words
    alone; `folder` is what other paths start from."""

    whole: Generation
    prompt: Prompt
    path: Path | None = None
    photo: Photo | None = None
    folder: Path = Path()
    asked_by: tuple[Path, ...] = ()

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file that is read, and those that asked for it: a sidecar and its result."""
        own = (*([self.path] if self.path else []), *self.asked_by)
        return (*own, *(self.folder / name for name in named_files(self.whole)))

    @property
    def edited(self) -> Photo | None:
        """The photo, where the picture is an edit of it; the others are new pictures."""
        return self.photo if isinstance(self.whole, GlobalAppearance | Redrawing | Filling) else None

    @property
    def mark(self) -> DigitalSourceType:
        """How the picture comes about."""
        return DigitalSourceType.EDITED if self.edited else DigitalSourceType.GENERATED


def settings_of_whole(whole: Generation) -> Settings:
    """How a whole picture is drawn."""
    return Settings(steps=whole.steps, seed=whole.seed, method=whole.method, guider=whole.guider)


def prompt_of_whole(run: ModelRun, whole: Generation, path: Path, file: "PhotoFile") -> Prompt:
    """The prompt under which a picture is drawn from the photo at `path`; what is only filled needs none.

    Raises:
        EditError: there is none.
    """
    return run.prompt_of(path, file, assumed=ANY_BACKGROUND if isinstance(whole, Filling) else None)


def draw_whole(run: ModelRun, job: GenerationJob, progress: "Progress") -> Photo:
    """The picture of a job; `progress` is told of stages and their steps.

    Raises:
        RealEditError: it cannot be drawn.
    """
    from realedit.sampling.session import Session

    session = Session(run.model, settings_of_whole(job.whole), progress, guide=_guide(run, job))
    if isinstance(job.whole, TextToImage) or job.photo is None:
        return _from_words(run, job, session)
    if isinstance(job.whole, Redrawing):
        return _redrawn(run, job, job.whole, job.photo, session)
    if isinstance(job.whole, Filling):
        return _filled(run, job, job.whole, job.photo, session)
    return _from_photo(run, job, job.photo, session)


def _guide(run: ModelRun, job: GenerationJob) -> "StepGuide | None":
    """What guides to the classes that are asked for; raises what `guiding_classes` does."""
    asked = job.whole.classes if isinstance(job.whole, Controlled) else None
    if asked is None:
        return None
    from realedit.methods.classifier_guidance import guiding_classes

    return guiding_classes(run.model, asked)


def _from_words(run: ModelRun, job: GenerationJob, session: "Session") -> Photo:
    from realedit.editing.generation import generate_in

    maps = control_maps(run, job.whole, job.folder)
    asked = job.whole.size if isinstance(job.whole, TextToImage) else None
    return generate_in(session, job.prompt.text, asked, maps)


def _redrawn(run: ModelRun, job: GenerationJob, whole: Redrawing, photo: Photo, session: "Session") -> Photo:
    from realedit.editing.redrawing import redraw

    words = whole.words or job.prompt.text
    mask = _free(run, job, whole, photo, words)
    from_here = renamed(whole, lambda name: str(job.folder / name), lambda name: name)
    texts, engine = (job.prompt.text, words), from_here.engine
    if isinstance(engine, DiffuseIT):
        session = _seeing(run, engine, session)
    return redraw(session, photo, texts, engine, mask, control_maps(run, whole, job.folder))


def _free(run: ModelRun, job: GenerationJob, whole: Redrawing, photo: Photo, words: str) -> "Tensor | None":
    """What may change, (1, 1, H, W): what is marked, and of an object that is dragged its way; None: everything."""
    from realedit.jobs.regions import region_mask
    from realedit.methods.drag import way_of

    where, engine = whole.where, whole.engine
    if where is None:
        return None
    marked = region_mask(where, photo, words, job.folder, offline=run.which.offline)
    is_object = where.mask is None
    return way_of(engine, marked, DEFAULTS.margin) if is_object and isinstance(engine, Drag) else marked


def _seeing(run: ModelRun, engine: DiffuseIT, session: "Session") -> "Session":
    """With the vision transformer that the engine names."""
    if engine.vit is None:
        warnings.warn(Notice(NO_TRANSFORMER), stacklevel=2)
        return session
    from realedit.methods.vision_transformer import load_vision_transformer

    seeing = load_vision_transformer(engine.vit, session.model.device, offline=run.which.offline)
    return replace(session, descriptor=seeing)


def _filled(run: ModelRun, job: GenerationJob, whole: Filling, photo: Photo, session: "Session") -> Photo:
    from realedit.editing.filling import fill_marked
    from realedit.inpainting.filler import RepaintFill, parse_fill
    from realedit.jobs.regions import region_mask

    words, choice = whole.words or job.prompt.text, parse_fill(whole.fill)
    mask = region_mask(whole.where, photo, words, job.folder, offline=run.which.offline)
    choice = RepaintFill(whole.repaint) if isinstance(choice, RepaintFill) else choice
    return fill_marked(session, photo, words, mask, choice, control_maps(run, whole, job.folder))


def _from_photo(run: ModelRun, job: GenerationJob, photo: Photo, session: "Session") -> Photo:
    """Draw from a photo, which the model has to know: of others it sees nothing that could be kept."""
    from realedit.editing.generation import same_appearance, same_layout, transfer_global_appearance
    from realedit.objects.recognition import require_known
    from realedit.sampling.inverted_image import invert_photo, model_image

    whole = job.whole
    require_known(session, model_image(session.model, photo), job.prompt.text)
    if isinstance(whole, GlobalAppearance):
        other = load_photo(job.folder / whole.photo)
        require_known(session, model_image(session.model, other), whole.prompt)
        inverted = invert_photo(session, photo, job.prompt.text)
        return transfer_global_appearance(session, photo, inverted, invert_photo(session, other, whole.prompt))
    maps = control_maps(run, whole, job.folder)
    for each in maps:
        each.check(photo.size)
    inverted = invert_photo(session, photo, job.prompt.text)
    if isinstance(whole, SameLayout):
        return Photo(to_bytes(same_layout(session, inverted, whole.words or job.prompt.text, maps)))
    return Photo(to_bytes(same_appearance(session, inverted)))
