"""docs/server.md has to tell every setting, every verb and every finding that exists; docs/integration.md what the API answers."""

import json
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from pydantic import BaseModel

from fleet.api import bodies
from fleet.config import Config
from fleet.ingest.rules import FindingKind

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "server.md").read_text(encoding="utf-8")
VERBS = ("init", "ingest", "serve", "backup", "restore", "verify", "device list", "device approve", "device revoke")


@pytest.mark.parametrize("kind", get_args(FindingKind))
def test_every_finding_is_explained(kind):
    assert f"| `{kind}` |" in TEXT


def settings():
    for field in msgspec.structs.fields(Config):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from (f"{field.name}.{name}" for name in field.type.__struct_fields__)
        else:
            yield field.name


@pytest.mark.parametrize("name", list(settings()))
def test_every_setting_is_listed(name):
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize(
    "verb", ["init", "ingest", "serve", "backup", "restore", "verify", "device list", "device approve", "device revoke"]
)
def test_every_verb_of_the_server_is_shown(verb):
    assert f"nw-fleet {verb}" in TEXT


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("ratings?", bodies.Figures),
        ("incidents?", bodies.IncidentOut),
        ("services", bodies.ServiceTaken),
        ("windows/12/state", bodies.WindowOut),
    ],
)
def test_answers_shown_to_integrators_have_the_fields_that_the_api_gives(path: str, shape: type[BaseModel]):
    lines = (DOCS / "integration.md").read_text(encoding="utf-8").splitlines()
    calls = [number for number, line in enumerate(lines) if line.startswith("$ curl") and f"/api/v1/{path}" in line]
    assert calls
    for number in calls:
        answer = json.loads(next(line for line in lines[number:] if line.startswith(("{", "["))))
        if "faults" not in answer:
            for each in answer if isinstance(answer, list) else [answer]:
                assert each.keys() == shape.model_fields.keys()
                shape.model_validate(each)
