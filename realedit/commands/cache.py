"""Commands that show and delete what is kept for later edits. Heavy imports stay inside functions: help needs this
module."""

import click


@click.group()
def cache() -> None:
    """The recorded inversions that later edits reuse."""


@cache.command()
def ls() -> None:
    """List what is kept, last used first."""
    from realedit.sampling.cache import entries, limit

    kept = entries()
    for entry in kept:
        click.echo(f"{entry.bytes / 1e6:8.1f} MB  {entry.path.name}")
    total = sum(entry.bytes for entry in kept)
    click.echo(f"realedit: {total / 1e6:.1f} of at most {limit() / 1e6:.0f} MB", err=True)


@cache.command()
def clear() -> None:
    """Delete every kept inversion."""
    from realedit.sampling import cache as kept

    gone = kept.clear()
    click.echo(f"deleted {len(gone)} references, {sum(e.bytes for e in gone) / 1e6:.1f} MB")


@cache.command()
def path() -> None:
    """Print the folder."""
    from realedit.sampling.cache import folder

    click.echo(str(folder()))
