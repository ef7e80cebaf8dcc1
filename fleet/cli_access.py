"""`nw-fleet user …` and `nw-fleet key …`: the first people and the keys of other systems; the console does the rest."""

import sys
from pathlib import Path

import click

from fleet.access.rules import PERSON_ROLES
from fleet.cli_options import DATA


@click.group()
def user() -> None:
    """People who may log in to the console."""


@user.command("add")
@DATA
@click.argument("name")
@click.option("--role", type=click.Choice(sorted(PERSON_ROLES)), required=True, help="What the person may do.")
@click.option("--display", default="", help="The person's name as shown; the login name when left out.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@click.option("--by", default="nw-fleet", show_default=True, help="Who decides, for the record.")
def add_user(data: Path, name: str, role: str, display: str, password_stdin: bool, by: str) -> None:
    """Add a person with the login NAME."""
    from fleet.app import open_fleet

    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    open_fleet(data).access.add_user(name, display=display, role=role, password=password, by=by)
    click.echo(f"{name} may log in as {role}")


@click.group()
def key() -> None:
    """API keys of other systems."""


@key.command("add")
@DATA
@click.argument("title")
@click.option("--by", default="nw-fleet", show_default=True, help="Who decides, for the record.")
def add_key(data: Path, title: str, by: str) -> None:
    """Make a key for the system TITLE and print it: it is shown this once."""
    from fleet.app import open_fleet

    click.echo(open_fleet(data).access.make_key(title, by=by))
