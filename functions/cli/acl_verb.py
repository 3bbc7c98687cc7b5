"""The verb `acls`. It imports what it needs when it runs."""

import json
from typing import Annotated

import typer

from functions.cli.operator_verbs import EXIT_BEHIND, Json
from functions.cli.stage_options import connect


def acls(
    every: Annotated[bool, typer.Option("--all", help="All pipelines that are declared.")] = False,  # noqa: FBT002
    producer: Annotated[
        list[str] | None,
        typer.Option(metavar="USER", help="A user who writes the source topic; may be repeated."),
    ] = None,
    prune: Annotated[  # noqa: FBT002
        bool, typer.Option("--prune", help="Also remove what the stage's users don't need, once no worker needs it.")
    ] = False,
    execute: Annotated[  # noqa: FBT002
        bool, typer.Option("--execute", help="Change them. Without this, only show what would change.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Give the stage's SCRAM users the ACLs that they need.

    Each pipeline has a user, operators have one, and KEDA has one. A pipeline's user reads its topic, commits to its
    group and writes its output topics. ACLs of other users are never removed. A stage with IAM needs none.

    Exit code 0: nothing is missing, 3: something would change.

    Example: tandem acls --stage prod --all --execute
    """
    from functions import registry  # noqa: PLC0415
    from functions.operate.acls.run import AclRequest, describe, is_pending, run  # noqa: PLC0415

    declared = registry.load_all() if every else {}
    context = connect(next(iter(declared), None))
    pipelines = [*declared.values()] or [context.pipeline]
    request = AclRequest(pipelines, producer or (), every, prune, execute)
    change = run(context, request)
    if as_json:
        typer.echo(json.dumps(change.as_dict(), indent=1))
    else:
        describe(change, request, typer.echo)
    if is_pending(change, request):
        raise typer.Exit(EXIT_BEHIND)
