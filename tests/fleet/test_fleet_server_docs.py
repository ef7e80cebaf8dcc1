"""docs/server.md has to tell every setting, every verb and every finding that exists."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from fleet.config import Config
from fleet.ingest.rules import FindingKind

TEXT = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")
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
