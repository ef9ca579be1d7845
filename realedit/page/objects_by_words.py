"""What the model sees in the photo of a page: which of the words that are said of it, and where."""

from realedit.files.captions import FROM_OPTION
from realedit.jobs.model_run import ModelRun
from realedit.jobs.regions import named_mask
from realedit.objects.grounding import unique_phrases
from realedit.objects.recognition import knows_photo, probe_words
from realedit.page.job_queue import Job
from realedit.page.opened_photo import OpenedPhoto
from realedit.page.selections import Selection
from realedit.sampling.inverted_image import model_image
from realedit.sampling.session import Session
from realedit.settings import Settings


def seen_words(job: Job, run: ModelRun, prompt: str | None, photo: OpenedPhoto) -> list[str]:
    """The phrases of what is said of a photo that the model sees in it; none where it does not know the photo.

    Raises:
        EditError: nothing is said of it.
        Stopped: the job was stopped.
    """
    job.show("looking at the photo")
    said = _prompt(run, prompt, photo)
    session = Session(run.model, progress=job.show)
    image = model_image(session.model, photo.photo)
    if not knows_photo(session, image):
        return []
    found = []
    for phrase in unique_phrases(session.model, said):
        job.show("looking at the photo")
        if probe_words(session, image, said, phrase).sees():
            found.append(phrase)
    return found


def named_selection(job: Job, run: ModelRun, prompt: str | None, photo: OpenedPhoto, words: str) -> Selection:
    """What words of the prompt name in a photo; its number is still to be given.

    Raises:
        RealEditError: the model does not see it.
        Stopped: the job was stopped.
    """
    job.show("finding the object")
    settings = Settings(steps=run.steps, seed=run.seed, method=run.method)
    session = Session(run.model, settings, job.show)
    mask = named_mask(session, photo.photo, _prompt(run, prompt, photo), words)
    return Selection(0, photo.number, mask[0, 0].numpy() > 0.5, words=words)


def _prompt(run: ModelRun, prompt: str | None, photo: OpenedPhoto) -> str:
    run = run.saying(prompt, FROM_OPTION) if prompt else run
    return run.prompt_of(photo.path, photo.file).text
