"""What the pictured terminal knows: the demonstration catalogue, and the thinnest items that an importer makes of a hall's list."""

import atexit
import shutil
import tempfile
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import msgspec

from demo.catalogue import read_catalogue
from pack.build import build
from pack.model import Fee, Guide, Item, Material, Place, Text
from pack.reader import open_pack
from terminal.content import PackContent

NOW = datetime(2026, 11, 22, 14, 26, tzinfo=timezone(timedelta(hours=8)))
THIN = (
    Item(
        code="thin-materials",
        name=Text(zh="户外广告设置备案"),
        department="",
        charged=True,
        fees=(Fee(name=Text(zh="收费"), standard=Text(zh=""), basis=Text(zh="")),),
        place=Place(floor=Text(zh=""), zone=Text(zh=""), windows=("31",)),
        guide=Guide(conditions=(), materials=(Material(name=Text(zh="备案表"), kind="original"),), steps=(), result=Text(zh="")),
    ),
    Item(
        code="thin-conditions",
        name=Text(zh="旧机动车交易市场备案"),
        department="",
        phone="000-8000199",
        place=Place(floor=Text(zh="2楼"), zone=Text(zh="")),
        guide=Guide(conditions=(Text(zh="已经登记的市场经营者"),), materials=(), steps=(), result=Text(zh="")),
    ),
)
"""What an importer makes of the thinnest rows of a hall's list (tests import such rows and compare): nothing may look broken."""


@cache
def catalogue() -> PackContent:
    """The demonstration catalogue with the thinnest items as a real pack in a temporary folder."""
    whole = read_catalogue()
    thin = (msgspec.structs.replace(item, department=whole.departments[0].code) for item in THIN)
    content = msgspec.structs.replace(whole, items=(*whole.items, *thin))
    folder = Path(tempfile.mkdtemp(prefix="nightwindow-shots-"))
    # The pack is read as long as pictures are made, so its folder goes with the process.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "hall.pack"
    build(content, path, built_at=NOW, signer=bytes(32))
    return PackContent(open_pack(path, verify_key=None))
