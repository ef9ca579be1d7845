"""Edit a photo by inversion and self-guidance; the rest stays as it was.

Read it in this order: `files` (photos), `framing` (the part that is worked on), `inverting` (its noise and
reference), `edits` (what is asked), `energies`, `guidance`, `sampler` (how it is reached), `finishing` and
`paste` (only touched pixels change), `faithfulness` and `report` (what came of it), `editing` (all of it
together). Conventions are those of `inversion`. Names are loaded on first use.
"""

from importlib import import_module

_HOMES = {
    "DEFAULTS": "settings",
    "EditReport": "evaluation.report",
    "EditResult": "editing.pipeline",
    "ImageComparison": "evaluation.metrics",
    "Guidance": "sampling.guidance",
    "Move": "edits",
    "Photo": "files.photo",
    "Placement": "geometry.transform",
    "Resize": "edits",
    "Settings": "settings",
    "EditRequest": "editing.request",
    "perceptual_metric": "evaluation.perceptual",
    "compare": "evaluation.metrics",
    "edit_photo": "editing.pipeline",
    "load_photo": "files.reading",
    "sample": "sampling.sampler",
    "save_photo": "files.writing",
    "invert_image": "sampling.inverted_image",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'realedit' has no attribute '{name}'")
    return getattr(import_module(f"realedit.{_HOMES[name]}"), name)
