"""`kapelle studio`."""

from __future__ import annotations

from pathlib import Path

import click

from .output import USER_ERROR, plain
from .words import Number


@click.command()
@click.option("--port", type=Number(int, "8765", 0, 65_535), default=8765, help="0 takes any that is free.  [8765]")
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@click.option("--data", type=click.Path(path_type=Path), metavar="FOLDER", help="Where takes are kept.")
def studio(port: int, no_browser: bool, data: Path | None) -> int:
    """Open the studio: a page on which styles compose, and takes are heard, edited and kept. Ctrl-C stops it.

    \b
    kapelle studio
    kapelle studio --port 9000 --no-browser
    """
    from ..studio import serve

    if data is None:
        import platformdirs

        data = Path(platformdirs.user_data_dir("kapelle", appauthor=False)) / "studio"
    there = serve(
        *(port, data, not no_browser),
        tell=lambda address: click.echo(f"{plain(address)}  (Ctrl-C stops it)"),
        warn=lambda line: click.echo(f"kapelle: {plain(line)}", err=True),
    )
    return 0 if there else USER_ERROR
