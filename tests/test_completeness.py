"""Whether a file is still being written: its end is missing, or only its size is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import draw

from imagesearch.photos import is_complete


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.heic", "a.avif", "a.webp", "a.gif", "a.bmp", "a.tif"])
def test_a_half_written_file_is_not_complete(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    draw(1, (640, 480)).save(file)
    assert is_complete(file)
    content = file.read_bytes()
    for share in (0.02, 0.5, 0.97):
        kept = int(share * len(content))
        file.write_bytes(content[:kept])
        assert not is_complete(file), f"{share} of the file"
        if name[2:] in ("jpg", "png", "heic"):
            file.write_bytes(content[:kept] + bytes(len(content) - kept))  # of the full size from the start
            assert not is_complete(file) or name == "a.heic", f"{share} of the file, then zeros"


def test_a_jpeg_with_a_video_behind_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    draw(1).save(file)
    file.write_bytes(file.read_bytes() + b"\0\0\0\x18ftypmp42" + bytes(20_000))
    assert is_complete(file)


def test_what_is_no_photo_or_gone_is_not_complete(tmp_path: Path) -> None:
    for content in (b"", b"\xff\xd8", b"\x89PNG", b"\0\0\0\x10ftyp", b"not much of a photo"):
        (tmp_path / "a.jpg").write_bytes(content)
        assert not is_complete(tmp_path / "a.jpg"), content
    assert not is_complete(tmp_path / "nowhere.jpg")
