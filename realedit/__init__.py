"""Edit your own photos by inversion and self-guidance; the rest stays as it was.

=============  =====================================================================================
`load_model`   the bundled model, a folder, a file, or a hub id
`load_photo`   a photo file
`edit`         make edits of a photo: the whole flow in one call
`edits`        what can be asked: `Move`, `Resize`, `Restyle`, `Transfer`, `Swap`, `Remove`,
               `Duplicate`, `Insert`
`generate`     draw a picture of words, to be edited without inversion
`Settings`     how it is done
`compare`      how faithful one photo is to another
`save_photo`   write a photo file
=============  =====================================================================================

Conventions (shapes, ranges, units) are those of `inversion`. Names are loaded on first use, so that importing this
package costs nothing.
"""

from importlib import import_module

_HOMES = {
    "Settings": "realedit.settings",
    "compare": "realedit.evaluation.comparison",
    "edit": "realedit.editing.pipeline",
    "edits": "realedit",
    "generate": "realedit.editing.generation",
    "load_model": "inversion.loading",
    "load_photo": "realedit.files.reading",
    "save_photo": "realedit.files.writing",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'realedit' has no attribute '{name}'")
    if name == "edits":
        return import_module("realedit.edits")
    return getattr(import_module(_HOMES[name]), name)
