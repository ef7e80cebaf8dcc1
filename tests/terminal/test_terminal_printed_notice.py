"""Notices as the printer draws them: a phone reads the code on the paper, in every language and on every width."""

from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from demo.shots.paper import shoot_papers


@pytest.mark.parametrize("paper", ["80mm/zh", "58mm/ko", "80mm-180dpi/en", "80mm-no-hanzi/zh"])
def test_the_code_on_a_printed_notice_is_read_and_holds_its_main_points(tmp_path: Path, paper: str) -> None:
    shoot_papers(tmp_path, f"paper/{paper}/passport")
    (picture,) = tmp_path.rglob("*.png")
    (code,) = zxingcpp.read_barcodes(Image.open(picture))
    assert "000-8021002" in code.text
