"""`framegate keys`: what can be typed."""

from typing import Annotated, Literal

import typer

from api.cli.options import Home, Json

keys_app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")


@keys_app.command("create")
def create_key(
    *,
    role: Annotated[
        Literal["admin", "engineer", "annotator", "reader"],
        typer.Option(help="What the key may do."),
    ],
    name: Annotated[
        str, typer.Option(help="The owner of the key, and of the jobs submitted with it.")
    ],
    days: Annotated[
        float | None, typer.Option(help="Days until the key expires.", min=0.001)
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="URL to notify when this key's jobs end.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it: it is never shown again."""
    from api.cli.keys import create_key as run

    run(home, role=role, name=name, days=days, webhook=webhook, as_json=as_json)


@keys_app.command("list")
def list_keys(*, home: Home = None, as_json: Json = False) -> None:
    """List all keys, without their secrets."""
    from api.cli.keys import list_keys as run

    run(home, as_json=as_json)


@keys_app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a key worthless at once."""
    from api.cli.keys import revoke_key as run

    run(home, key_id, as_json=as_json)
