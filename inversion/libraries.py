"""diffusers and transformers kept quiet, and whatever they raise told in one line."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from inversion.errors import ModelError, first_line


@contextlib.contextmanager
def told_in_one_line(name: str, place: Path | str) -> Iterator[None]:
    """Quiet the libraries, and turn whatever they raise into a `ModelError`: a cut-off or foreign file can fail
    anywhere in them."""
    with quiet_libraries():
        try:
            yield
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f'"{name}" could not be loaded from {place}: {first_line(error)}') from error


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Let diffusers and transformers draw no progress bars and say nothing but errors."""
    import diffusers.utils.logging as diffusers_logging
    import transformers.utils.logging as transformers_logging

    libraries = (diffusers_logging, transformers_logging)
    before = [(log.is_progress_bar_enabled(), log.get_verbosity()) for log in libraries]
    for log in libraries:
        log.disable_progress_bar()
        log.set_verbosity_error()
    try:
        yield
    finally:
        for log, (bars, verbosity) in zip(libraries, before, strict=True):
            log.set_verbosity(verbosity)
            if bars:
                log.enable_progress_bar()
