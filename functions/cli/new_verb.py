"""The verb `tandem new`. It imports what it needs when it runs."""

from typing import Annotated

import typer


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The pipeline's name, such as page-views.")],
    topic: Annotated[
        str | None, typer.Option("--topic", metavar="TOPIC", help="The source topic; by default it has the name.")
    ] = None,
    dry_run: Annotated[  # noqa: FBT002
        bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
    ] = False,
) -> None:
    """Write a new pipeline with its test, its folder for EKS, and its line in each stage's overlay.

    Works in a checkout only. The files work as they are, and no file is replaced.

    Example: tandem new page-views --topic page-view
    """
    from functions.operate.new.run import NewPipeline, checkout, run  # noqa: PLC0415

    run(checkout(), NewPipeline(name, topic or name, not dry_run), typer.echo)
