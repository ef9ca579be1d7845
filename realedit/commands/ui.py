"""The command that opens the page to edit on. Heavy imports stay inside functions: help needs this module, and the page
is there before torch is imported."""

import ipaddress
from pathlib import Path

import click

from realedit.commands.context import RunOptions, run_options
from realedit.commands.parameter_types import FILE

LOOPBACK = "127.0.0.1"


@click.command()
@click.argument("photo", type=FILE, required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any that is free.")
@click.option("--host", default=LOOPBACK, show_default=True, help="An address of this machine; see the warning.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in a browser.")
@run_options
def ui(shared: RunOptions, photo: Path | None, port: int, host: str, browser: bool) -> None:
    """Open a page on this machine to edit a photo with the mouse: click the thing, drag it, see it there.

    Nothing leaves this machine. With another --host, everyone there who has the address can edit, unencrypted.

    Example: realedit ui photo.jpg
    """
    try:
        from realedit.page.server import Address, serve
    except ImportError as error:
        raise click.ClickException('the page needs other packages: pip install "realedit[ui]"') from error
    if photo is not None:
        from realedit.files.reading import PhotoFile

        PhotoFile.open(photo)  # what is wrong with it is said here, not in a browser
    address = Address(_named(host), port)
    if not address.is_loopback:
        click.echo(f"realedit: warning: everyone who reaches {host} and has this address can edit here", err=True)

    def tell(url: str) -> None:
        click.echo(url)
        shared.say("the page is open at this address; Ctrl+C ends it, and deletes what it was given")

    serve(shared, photo, address, tell, browser=browser)


def _named(host: str) -> str:
    """Raises `click.UsageError` unless a host is one address, by which the page can tell that it is asked for."""
    try:
        found = ipaddress.ip_address(LOOPBACK if host == "localhost" else host)
    except ValueError:
        raise click.UsageError(f"--host {host} is no address such as 192.168.1.5") from None
    if found.is_unspecified:
        raise click.UsageError("--host takes one address of this machine, such as 192.168.1.5, not all of them")
    return str(found)
