"""Names in sidecars: which of the faces get them, and which are exported. The faces are synthetic."""

from __future__ import annotations

from pathlib import Path

import pytest
from crowd import Crowd, make_crowd
from PIL import Image
from synthetic import HEIGHT, PLACES, WIDTH, row_of

from imagesearch.faces import export_xmp_names, import_xmp_names
from imagesearch.photos import FaceRegion, read_face_regions, write_face_regions

SIZE = (WIDTH, HEIGHT)
Box = tuple[float, float, float, float]


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    crowd = make_crowd(tmp_path, monkeypatch)
    for path in crowd.items:
        save_photo(crowd, path)
    return crowd


def save_photo(crowd: Crowd, path: str) -> Path:
    Image.new("L", SIZE).save(crowd.drawn.photos / path)
    return crowd.drawn.photos / path


def add_photo(crowd: Crowd, path: str, *boxes: Box) -> None:
    for who, box in enumerate(boxes):
        crowd.add(3 + who, path, box=box)
    save_photo(crowd, path)
    crowd.cluster()


def write_regions(crowd: Crowd, path: str, regions: dict[str, Box]) -> None:
    """Write a sidecar with names at boxes in pixels."""
    scaled = [
        FaceRegion(name, tuple(value / side for value, side in zip(box, SIZE * 2, strict=True)))
        for name, box in regions.items()
    ]
    write_face_regions(crowd.drawn.photos / path, scaled, SIZE)


def import_names(crowd: Crowd):
    editor = crowd.make_editor()
    result = import_xmp_names(editor, crowd.drawn.dataset())
    editor.refresh()
    return result


def test_each_name_is_of_the_face_that_its_box_overlaps_most(crowd: Crowd) -> None:
    left, right = (50, 40, 150, 160), (120, 40, 220, 160)
    add_photo(crowd, "two.jpg", left, right)
    write_regions(crowd, "two.jpg", {"Ana": (70, 40, 170, 160), "Kim": (115, 40, 215, 160)})
    assert import_names(crowd).faces == {"Ana": 1, "Kim": 1}
    assert [crowd.get_label("two.jpg", position) for position in (0, 1)] == ["Ana", "Kim"]
    add_photo(crowd, "one.jpg", left, right)
    write_regions(crowd, "one.jpg", {"Eva": (70, 40, 170, 160)})
    assert import_names(crowd).faces == {"Eva": 1}
    assert crowd.get_label("one.jpg", 0) == "Eva" != crowd.get_label("one.jpg", 1)


def test_a_face_gets_one_of_several_names_and_the_others_are_reported_together(crowd: Crowd) -> None:
    x1, y1, x2, y2 = PLACES[0]
    regions = {"Ana": (x1, y1, x2, y2), "Kim": (x1 + 40, y1, x2 + 40, y2), "Rex": (x2 - 20, y1, x2 + 80, y2)}
    write_regions(crowd, "a0.jpg", regions)
    result = import_names(crowd)
    assert result.faces == {"Ana": 1}
    reasons = "no face was found where Kim is; no face was found where Rex is"
    assert result.unused == {"a0.jpg": reasons}


def test_a_box_with_hair_and_neck_is_of_the_face_inside_it(crowd: Crowd) -> None:
    write_regions(crowd, "a0.jpg", {"Ana": (0, 0, 300, 300)})
    write_regions(crowd, "b0.jpg", {"Kim": (80, 80, 110, 110)})
    _, y1, x2, y2 = PLACES[0]
    write_regions(crowd, "c0.jpg", {"Rex": (x2 - 20, y1, x2 + 80, y2)})  # beside it: an overlap of 11 %
    result = import_names(crowd)
    assert result.faces == {"Ana": 1, "Kim": 1}
    assert result.unused == {"c0.jpg": "no face was found where Rex is"}


def test_spellings_of_one_name_are_one_decision(crowd: Crowd) -> None:
    for path, name in (("a0.jpg", "Zoë"), ("a1.jpg", "zoë"), ("a2.jpg", "ZOË")):
        write_regions(crowd, path, {name: PLACES[0]})
    (name,) = (result := import_names(crowd)).faces
    assert result.faces[name] == 3 and len(crowd.make_editor().list_decisions()) == 1


def test_only_a_face_that_the_user_named_itself_keeps_its_name(crowd: Crowd) -> None:
    row = row_of(crowd.faces, "b0.jpg")
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_faces([row], "Noor"))
    write_regions(crowd, "a0.jpg", {"Ana": PLACES[0]})
    write_regions(crowd, "b0.jpg", {"Kim": PLACES[0]})
    result = import_names(crowd)
    assert result.faces == {"Ana": 1}
    assert result.unused == {"b0.jpg": "the face of Kim was named Noor by you"}
    assert crowd.get_label("a0.jpg") == "Ana" and crowd.get_label("a1.jpg") == "Maya"


def test_named_faces_are_exported_and_unnamed_ones_are_not(crowd: Crowd) -> None:
    add_photo(crowd, "edge.jpg", (-20, 40, 80, 160))  # a detected box can be partly outside
    crowd.apply_edits(
        lambda e: e.name_person("1", "Maya"),
        lambda e: e.name_faces([row_of(crowd.faces, "edge.jpg")], "Ana"),
    )
    assert str(export_xmp_names(crowd.people, crowd.drawn.dataset())) == "6 written, 0 unchanged, 0 failed"
    sidecars = {file.name for file in crowd.drawn.photos.glob("*.xmp")}
    assert sidecars == {*(f"a{n}.jpg.xmp" for n in range(5)), "edge.jpg.xmp"}
    ((region,), _) = read_face_regions(crowd.drawn.photos / "edge.jpg", SIZE)
    assert region.box == pytest.approx((0, 0.05, 0.08, 0.2), abs=1e-5)
    assert "<stArea:x>0.040000<" in (crowd.drawn.photos / "edge.jpg.xmp").read_text("utf-8")
    (crowd.drawn.photos / "a0.jpg.xmp").write_text("no XML", "utf-8")
    again = export_xmp_names(crowd.people, crowd.drawn.dataset())
    assert str(again) == "0 written, 5 unchanged, 1 failed" and again.error is None
