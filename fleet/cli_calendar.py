"""`nw-fleet calendar …`: which days are worked, from the yearly notices and a hall's own days off."""

from pathlib import Path

import click

from fleet.cli_options import DATA


@click.group()
def calendar() -> None:
    """Working days: import a year's notice, show what is known."""


@calendar.command("import")
@DATA
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--hall", default="", help="Import days off of this hall alone.")
@click.option("--by", default="nw-fleet", show_default=True, help="Who decides, for the record.")
def take(data: Path, file: Path, hall: str, by: str) -> None:
    """Import the calendar FILE (JSON, docs/oversight.md) as its year's next version; deadlines follow within a minute."""
    from fleet.app import open_fleet
    from fleet.oversight.calendars_kept import CalendarRefused

    fleet = open_fleet(data)
    try:
        year = fleet.oversight.calendars.take(file.read_text(encoding="utf-8"), hall=hall, by=by)
    except UnicodeDecodeError as error:
        raise CalendarRefused(f"{file} 不是 UTF-8", f"{file} is not UTF-8: {error}") from error
    finally:
        fleet.close()
    which = str(year.year) if year.year else "every year"
    where = f", for hall {hall}" if hall else ""
    click.echo(f"{which}, version {year.version}: {len(year.holidays)} days off, {len(year.workdays)} make-up days{where}")


@calendar.command("show")
@DATA
@click.option("--year", type=int, help="Only this year.")
@click.option("--hall", default="", help="With the days off of this hall.")
def show(data: Path, year: int | None, hall: str) -> None:
    """Every year as it stands, with its source; a year that is not there is Monday to Friday, provisional."""
    from fleet.app import open_fleet

    fleet = open_fleet(data)
    known = fleet.oversight.calendars.of(hall)
    for each in (*(known.national[number] for number in sorted(known.national)), *known.local):
        if year not in (None, each.year):
            continue
        click.echo(
            f"{each.year or 'every year'}  version {each.version}  {each.source}" + (f"  ({each.scope})" if each.scope else "")
        )
        for day, name in sorted(each.holidays.items()):
            click.echo(f"  {day if each.year else day.strftime('%m-%d')}  {name}")
        for day in sorted(each.workdays):
            click.echo(f"  {day}  works")
    if year and year not in known.national:
        click.echo(f"{year} is not known yet: Monday to Friday, provisional")
    fleet.close()
