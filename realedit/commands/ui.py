"""The command that opens the page to edit on. Heavy imports stay inside functions: help needs this module, and the page
is there before torch is imported."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from realedit.commands.context import RunOptions, run_options
from realedit.commands.options import Command, as_one
from realedit.commands.output_options import FileOptions
from realedit.commands.parameter_types import FILE
from realedit.files.access import is_there

if TYPE_CHECKING:
    from realedit.page.offered import Offered

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class OfferOptions:
    """Models and a signing key that the page may use; it can name no others."""

    segmenters: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    controlnets: tuple[str, ...] = ()
    sign_cert: Path | None = None
    sign_key: Path | None = None

    def __post_init__(self) -> None:
        FileOptions(sign_cert=self.sign_cert, sign_key=self.sign_key)  # both or none

    def offered(self) -> "Offered":
        """The same for the page, with paths that lead there from every folder."""
        from realedit.page.offered import Offered

        segmenters, fillers, networks = (
            tuple(map(_from_anywhere, each)) for each in (self.segmenters, self.fillers, self.controlnets)
        )
        certificate, key = (path.absolute() if path else None for path in (self.sign_cert, self.sign_key))
        return Offered(segmenters, fillers, networks, certificate, key)


def _from_anywhere(model: str) -> str:
    return str(Path(model).absolute()) if is_there(Path(model)) else model


def offer_options(command: Command) -> Command:
    """Options that say what the page may use, handed on as one `OfferOptions`."""
    options = (
        click.option(
            "--segmenter", "segmenters", metavar="SAM", multiple=True, help="Offer this SAM (folder, hub id)."
        ),
        click.option("--filler", "fillers", metavar="MODEL", multiple=True, help="Offer this for --fill of edits."),
        click.option("--controlnet", "controlnets", metavar="MODEL", multiple=True, help="Offer this ControlNet."),
        click.option("--sign-cert", type=FILE, help="Offer to sign results with these certificates (PEM)."),
        click.option("--sign-key", type=FILE, help="Their private key (PEM)."),
    )
    return as_one("offer", OfferOptions, command, options)


@click.command()
@click.argument("photo", type=FILE, required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any that is free.")
@click.option("--host", default=LOOPBACK, show_default=True, help="An address of this machine; see the warning.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in a browser.")
@offer_options
@run_options
def ui(shared: RunOptions, photo: Path | None, port: int, host: str, browser: bool, offer: OfferOptions) -> None:
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

    ended = serve(shared, photo, address, offer.offered(), tell, browser=browser)
    shared.say(f"the page has ended: the program was sent {ended}", when=ended is not None)


def _named(host: str) -> str:
    """Raises `click.UsageError` unless a host is one address, by which the page can tell that it is asked for."""
    try:
        found = ipaddress.ip_address(LOOPBACK if host == "localhost" else host)
    except ValueError:
        raise click.UsageError(f"--host {host} is no address such as 192.168.1.5") from None
    if found.is_unspecified:
        raise click.UsageError("--host takes one address of this machine, such as 192.168.1.5, not all of them")
    return str(found)
