"""What the pack tests share: small content made by hand, and one signed pack of the demonstration catalogue."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from demo.catalogue import read_catalogue
from pack.build import build
from pack.model import Content, Department, Hall, Item, Scenario, Text
from pack.reader import Pack, open_pack

BUILT_AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
SEED = bytes(range(32))
VERIFY = bytes(SigningKey(SEED).verify_key)

MakeContent = Callable[..., Content]


@pytest.fixture(scope="session")
def seed() -> bytes:
    """A signing seed that signs nothing real."""
    return SEED


@pytest.fixture(scope="session")
def verify_key() -> bytes:
    """The public half of `seed`."""
    return VERIFY


@pytest.fixture(scope="session")
def built_at() -> datetime:
    """When every test pack was built."""
    return BUILT_AT


@pytest.fixture(scope="session")
def make_content() -> MakeContent:
    """Content of one department, `d`, with the items and scenarios given."""

    def make(*items: Item, scenarios: tuple[Scenario, ...] = (), departments: tuple[Department, ...] = ()) -> Content:
        hall = Hall(
            code="h",
            name=Text(zh="试验大厅"),
            area_code="999999",
            zones=(),
            windows=(),
            hours=Text(zh="全天"),
            phone="000-1",
            complaint_phone="000-2",
        )
        own = Department(code="d", name=Text(zh="县民政局"), short_name=Text(zh="民政"))
        return Content(hall=hall, departments=(own, *departments), items=items, scenarios=scenarios)

    return make


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Content], Pack]]:
    """Builds content and opens it; everything is closed at the end of the test."""
    packs: list[Pack] = []

    def open_content(content: Content) -> Pack:
        path = tmp_path / f"{len(packs)}.pack"
        build(content, path, built_at=BUILT_AT, signer=SEED)
        packs.append(open_pack(path, verify_key=VERIFY))
        return packs[-1]

    yield open_content
    for pack in packs:
        pack.close()


@pytest.fixture(scope="session")
def catalogue() -> Content:
    """The demonstration catalogue."""
    return read_catalogue()


@pytest.fixture(scope="session")
def catalogue_pack(catalogue: Content, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    """A pack of the demonstration catalogue."""
    path = tmp_path_factory.mktemp("catalogue") / "content.pack"
    build(catalogue, path, built_at=BUILT_AT, signer=SEED)
    with open_pack(path, verify_key=VERIFY) as pack:
        yield pack
