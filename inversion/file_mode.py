"""The rights of new files: as if nothing but the user's own mask had a say. Names of temporary files give only their
owner any, which those who share a folder would inherit with the file."""

import os

EVERYBODY = 0o666  # reading and writing, before the mask takes away


def usual_mode() -> int:
    """The rights that a file has which this process makes without asking for any."""
    mask = os.umask(0)
    os.umask(mask)
    return EVERYBODY & ~mask
