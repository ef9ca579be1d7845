"""What results are called. Nothing heavy: help needs it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realedit.files.recipe import Recipe

RESULT_WORDS = {
    "move": "moved",
    "resize": "resized",
    "restyle": "restyled",
    "transfer": "transferred",
    "swap": "swapped",
    "remove": "removed",
    "duplicate": "duplicated",
    "insert": "composed",
}
"""What is added to the name of a photo for that of its result, by the kind of the edit."""
SEVERAL = "edited"  # the same of several edits


def result_word(recipe: "Recipe") -> str:
    """What is added to a photo's name for that of the result of a recipe."""
    return RESULT_WORDS[recipe.edits[0].kind] if len(recipe.edits) == 1 else SEVERAL
