"""Whole pictures, from files to files: what every command that draws one does."""

from realedit.commands.context import RunOptions
from realedit.commands.results import Outputs, Result, print_result, save_result, ways_to_save
from realedit.files.encoding import losses
from realedit.files.photo import Photo
from realedit.files.sidecar import SidecarOrigin
from realedit.generations import TextToImage
from realedit.jobs.generation_job import GenerationJob, draw_whole, settings_of_whole


def run_whole(shared: RunOptions, job: GenerationJob, outputs: Outputs) -> tuple[Photo, str]:
    """Check, draw, write. Returns the picture and the hash of its pixels."""
    whole = job.whole
    outputs.check(job.inputs)
    before = job.edited
    ways = ways_to_save(outputs.files, job.mark)
    if before is not None:
        for note in (*before.notes, *losses(before, ways[0].kind(outputs.result, before), ways[0])):
            shared.say(note)
    with shared.stages() as show:
        show(shared.loading)
        picture = draw_whole(shared, job, show)
        show("writing")
        origin = SidecarOrigin(job.path, job.folder, outputs.result, whole, job.prompt)
        result = Result(picture, before, shared.model.fingerprint, settings_of_whole(whole))
        pixels = save_result(shared.which, outputs, ways, origin, result)
    if isinstance(whole, TextToImage) and whole.size not in (None, picture.size):
        shared.say(f"drawn at {picture.size[0]}x{picture.size[1]}, the nearest that the model can")
    print_result(shared, outputs, job.path)
    return picture, pixels
