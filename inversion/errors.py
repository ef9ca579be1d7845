"""The errors that a user can correct, each with a message of one line.

RealEditError            the base; the command line prints its message and exits with `exit_code`
├── PhraseError          a word that is not in the prompt, or not only once
├── PhotoError           a file that cannot be used as a photo
├── EditError            an edit that cannot be done, such as a target outside the frame
├── RecognitionError     a photo, or words for something in it, that the model does not know
├── ReferenceMismatch    a recorded reference that does not belong to this photo, model or settings
├── MemoryShortage       work that needs more memory than is free
├── OutputError          a result that cannot be written
└── ModelError           a model that cannot be had or used (exit code 3)
    └── StepsError       a number of steps that a model's noise levels do not allow
"""


class RealEditError(Exception):
    """An error that the user can correct; the message says what was expected, what was given and what to do."""

    exit_code = 1


class PhraseError(RealEditError):
    """A phrase that the prompt does not contain exactly once (exit code 2)."""

    exit_code = 2


class PhotoError(RealEditError):
    """A file that cannot be used as a photo."""


class EditError(RealEditError):
    """An edit that cannot be done, such as a target outside the frame (exit code 2)."""

    exit_code = 2


class RecognitionError(RealEditError):
    """A photo that the model does not know, or words for something that it does not see there."""


class ReferenceMismatch(RealEditError):
    """A recorded reference that does not belong to this photo, model, prompt or settings."""


class MemoryShortage(RealEditError):
    """Work that needs more main memory than is free now."""


class OutputError(RealEditError):
    """A result that cannot be written to the path that was given."""


class ModelError(RealEditError):
    """A model or weights that are not on this machine and cannot be fetched, or cannot be used (exit code 3)."""

    exit_code = 3


class StepsError(ModelError, ValueError):
    """A number of steps that the noise levels of a model do not allow (exit code 3)."""


class Notice(UserWarning):
    """A warning that needs no action by the user; the command line prints it as one line."""


def first_line(error: Exception) -> str:
    """The first line of an error's message; the name of its class if the message is empty."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
