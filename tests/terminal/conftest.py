"""What several of the terminal's tests need: the demonstration catalogue as a real pack, fonts and texts loaded once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from terminal_booth import Booth

from demo.catalogue import read_catalogue
from pack.build import build
from pack.reader import open_pack
from terminal.content import PackContent
from terminal.wording import Wording
from ui.fonts import Fonts, prepare


@pytest.fixture(scope="session")
def pack_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pack") / "hall.pack"
    build(read_catalogue(), path, built_at=datetime.now(UTC), signer=bytes(32))
    return path


@pytest.fixture(scope="session")
def content(pack_file: Path) -> PackContent:
    return PackContent(open_pack(pack_file, verify_key=None))


@pytest.fixture(scope="session")
def wording(tmp_path_factory: pytest.TempPathFactory) -> Wording:
    return Wording.load(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Fonts:
    return prepare(tmp_path_factory.mktemp("fonts"))


@pytest.fixture
def booth(content: PackContent) -> Booth:
    return Booth(content)
