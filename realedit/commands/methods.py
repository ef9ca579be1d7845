"""The command that lists the systems. No torch."""

import json

import click

from realedit.commands.options import JSON


@click.command()
@JSON
def methods(as_json: bool) -> None:
    """List the systems that draw and edit: what each is for, by which options, its paper (arXiv), and what it costs:
    rows of the network that are evaluated for N steps.

    Example: realedit methods
    """
    from realedit.methods.notes import SYSTEM_NOTES

    if as_json:
        click.echo(json.dumps([vars(each) for each in SYSTEM_NOTES], indent=2))
        return
    for each in SYSTEM_NOTES:
        click.echo(f"{each.name:<17}{each.does}")
        click.echo(f"{'':<17}{each.use}; {each.paper}; cost {each.cost}")
