"""The names of the pictures of the way to a result. Nothing heavy: which files they become is checked before any work
is done."""

INTERMEDIATES = ("object", "plate", "rough", "hole", "touched", "generated", "explanation")
"""All that there may be; which there are depends on how an edit is made."""
