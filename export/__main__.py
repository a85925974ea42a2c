"""`python -m export`: train a network and turn it into a model file for the stream.

torch takes seconds to import and is optional, so every command imports what it needs.
"""

from __future__ import annotations

import sys

import click

from engine.errors import EngineError
from engine.reports_home import lead_nowhere
from export.delivery import onnx, report
from export.extraction.command import extract_command
from export.interrupts import INTERRUPTED
from export.train_command import train_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Extract faces, train face-swap networks and export them to ONNX."""


main.add_command(extract_command)
main.add_command(train_command)
main.add_command(onnx)
main.add_command(report)


def run() -> int:
    """Run the command line; expected failures become one line on stderr.

    Returns:
        Exit code: 0 done, 1 failed on the way, 2 could not start as asked, 130 interrupted.
    """
    lead_nowhere()
    try:
        return int(main.main(prog_name="python -m export", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except (EngineError, ImportError, OSError) as error:
        hint = "; pip install 'facestream[train]'" if isinstance(error, ImportError) else ""
        click.echo(f"error: {error}{hint}", err=True)
        return 1


if __name__ == "__main__":
    sys.exit(run())
