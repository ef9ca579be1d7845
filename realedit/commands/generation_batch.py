"""Several whole pictures with one command: variations of one photo, and many photos in the look of another."""

from dataclasses import replace
from pathlib import Path

from realedit.commands.batch import BatchEntry, for_each, gather
from realedit.commands.context import RunOptions
from realedit.commands.generation_job import GenerationJob, run_whole
from realedit.commands.output_options import DrawingOptions, EditOptions
from realedit.commands.results import Outputs
from realedit.files.contact_sheet import contact_sheet
from realedit.files.kinds import PIPE
from realedit.files.reading import PhotoFile
from realedit.files.writing import check_output, save_sheet
from realedit.generations import Generation, GlobalAppearance


def vary(shared: RunOptions, path: Path, first: Generation, output: Path, options: DrawingOptions) -> None:
    """Draw pictures with seeds from the first one's on; several get numbers and a contact sheet."""
    count, file, names = options.variations, PhotoFile.open(path), [output]
    if count > 1:
        names = [output.with_name(f"{output.stem}-{k}{output.suffix}") for k in range(1, count + 1)]
    every = [Outputs(n, sidecar=options.sidecar and PIPE not in (path, n), files=options.files) for n in names]
    for outputs in every:
        outputs.check((path,))
    sheet = output.with_name(f"{output.stem}-sheet.png")
    if count > 1:
        check_output(sheet, force=options.files.force, inputs=(path,))
    prompt, photo = shared.prompt_of(path, file), file.photo
    drawn = [("photo", photo.displayed())]
    for k, outputs in enumerate(every):
        whole = first.model_copy(update={"seed": first.seed + k})
        picture, _ = run_whole(shared, GenerationJob(whole, prompt, path, photo), outputs)
        drawn.append((f"seed {whole.seed}", picture.rgb))
    if count > 1:
        save_sheet(contact_sheet(drawn), sheet)
        shared.say(f"wrote {sheet}")


def transfer_whole(
    shared: RunOptions, photos: tuple[Path, ...], source: Path, from_prompt: str | None, options: EditOptions
) -> None:
    """Give every photo the look of a whole other one."""
    prompt = from_prompt or replace(shared, prompt=None).prompt_of(source, PhotoFile.open(source))
    whole = GlobalAppearance(
        photo=str(source), prompt=prompt, method=shared.method, steps=shared.steps, seed=shared.seed
    )

    def one(item: BatchEntry, file: PhotoFile, result: Path) -> None:
        sidecar = options.sidecar and PIPE not in (item.photo, result)
        job = GenerationJob(whole, shared.prompt_of(item.photo, file), item.photo, file.photo)
        run_whole(shared, job, Outputs(result, sidecar=sidecar, files=options.files))

    for_each(shared, gather(photos), options, "transferred", one)
