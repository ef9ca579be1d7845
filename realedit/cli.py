"""The command line: read options, call the library, print. Heavy imports stay inside commands."""

import sys
from typing import Any

import click

from inversion.errors import RealEditError
from realedit.commands import edits, generate, inspection, recipes
from realedit.commands.demo import demo
from realedit.commands.doctor import doctor

INTERRUPTED = 130


class Group(click.Group):
    """Turns every error that a user can mend into one line and its exit code."""

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        if not extra.pop("standalone_mode", True):
            return super().main(args, prog_name, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, standalone_mode=False, **extra)
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except RealEditError as error:
            click.echo(f"realedit: {error}", err=True)
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            click.echo("realedit: interrupted; no unfinished file was left", err=True)
            code = INTERRUPTED
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "memory" not in str(error):
                raise
            click.echo("realedit: out of memory; try --memory lean, then --dtype bfloat16, then --device cpu", err=True)
            code = 1
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="realedit")
def main() -> None:
    """Edit your own photos: move, resize and restyle objects, and keep everything else as it was.

    OBJECT is a phrase of the photo's prompt, such as "red ball". Positions are fractions X,Y of the
    photo from its top left corner, or pixels: 84px,72px.
    """


for command in (demo, *edits.COMMANDS, *recipes.COMMANDS, *generate.COMMANDS, *inspection.COMMANDS, doctor):
    main.add_command(command)

if __name__ == "__main__":
    main()
