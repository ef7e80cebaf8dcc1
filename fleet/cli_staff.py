"""`nw-fleet staff …`: the clerks of a hall, as citizens see them on the card at a window."""

import json
from pathlib import Path

import click

from fleet.cli_options import DATA

MOST_PHOTO_BYTES = 49_152
PHOTO_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


@click.group()
def staff() -> None:
    """Clerks of a hall."""


@staff.command("add")
@DATA
@click.argument("number")
@click.option("--hall", required=True, help="Code of the hall.")
@click.option("--name", required=True, help="Name as on the card.")
@click.option("--post", default="", help="Post in Chinese, for example 首席代表.")
@click.option("--post-ko", default="", help="The same in Korean.")
@click.option("--post-en", default="", help="The same in English.")
@click.option("--photo", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JPEG or PNG of at most 48 KiB.")
def add(data: Path, number: str, hall: str, name: str, post: str, post_ko: str, post_en: str, photo: Path | None) -> None:
    """Add the clerk NUMBER, or change the one with that number."""
    from fleet.app import open_fleet
    from fleet.registry.records import Person

    titles = {language: text for language, text in (("zh", post), ("ko", post_ko), ("en", post_en)) if text}
    picture = photo.read_bytes() if photo else b""
    if picture and (len(picture) > MOST_PHOTO_BYTES or not picture.startswith(PHOTO_HEADS)):
        raise click.BadParameter(f"{photo} has {len(picture)} bytes; a photo is a JPEG or PNG of at most {MOST_PHOTO_BYTES}")
    if titles and "zh" not in titles:
        raise click.BadParameter("a post needs its Chinese words; give --post too")
    fleet = open_fleet(data)
    fleet.registry.put(Person(hall=hall, number=number, name=name, post=titles or None, photo=picture))  # type: ignore[arg-type]
    click.echo(f"{name}, {number}, at hall {hall}")


@staff.command("list")
@DATA
@click.option("--hall", required=True, help="Code of the hall.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array instead of a table.")
def listed(data: Path, hall: str, as_json: bool) -> None:
    """The clerks of a hall."""
    from fleet.app import open_fleet

    people = open_fleet(data).registry.staff(hall)
    if as_json:
        rows = [{"number": each.number, "name": each.name, "post": each.post} for each in people]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for each in people:
        click.echo(f"{each.number}  {each.name}  {(each.post or {}).get('zh', '')}")
    if not people:
        click.echo(f"hall {hall} has no clerks yet; add them with nw-fleet staff add")
