"""What results are called. Nothing heavy: help needs it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realedit.files.recipe import Recipe
    from realedit.generations import Generation

RESULT_WORDS = {
    "move": "moved",
    "resize": "resized",
    "restyle": "restyled",
    "transfer": "transferred",
    "swap": "swapped",
    "remove": "removed",
    "duplicate": "duplicated",
    "insert": "composed",
    "relook": "relook",
    "redraw": "relook",
    "relayout": "relayout",
    "fill": "filled",
    "transfer-whole": "transferred",
}
"""What is added to the name of a photo for that of its result, by the kind of the edit or of the whole picture."""
SEVERAL = "edited"  # the same of several edits
FROM_WORDS = "generated"  # the name of a picture that is drawn from words alone


def result_word(asked: "Recipe | Generation") -> str:
    """What is added to a photo's name for that of the result of a recipe, or of a picture drawn from it."""
    kinds = [edit.kind for edit in asked.edits] if hasattr(asked, "edits") else [asked.kind]
    return RESULT_WORDS[kinds[0]] if len(kinds) == 1 else SEVERAL
