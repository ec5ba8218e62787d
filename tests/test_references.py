"""Face references: faces are found again in photos that were moved, edited, replaced or detected again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from synthetic import HEIGHT, PLACES, REFERENCE, WIDTH, make_faces, people_vectors, row_of, vectors_of

from imagesearch.faces.extract import FaceTable
from imagesearch.faces.references import FaceReference, ReferenceResolver
from imagesearch.photos import compute_iou


def resolve_rows(faces: FaceTable, references: Iterable[FaceReference]) -> list[int]:
    """Return the rows of the referenced faces that are in the table."""
    return [row for row in ReferenceResolver(faces).resolve(references)[0] if row is not None]


def test_an_empty_table_has_no_referenced_face() -> None:
    assert resolve_rows(make_faces([]), [REFERENCE]) == []


def shift_box(box: tuple[float, ...], pixels: float) -> tuple[float, ...]:
    return tuple(v + pixels for v in box)


def make_two_faces(path: str = "a.jpg", content: str = "", shift: float = 0.0) -> FaceTable:
    items = [(path, shift_box(PLACES[place], shift), np.eye(4, dtype=np.float32)[place]) for place in (0, 1)]
    return make_faces(items, {path: content or "a.jpg"})


def test_a_moved_photo_keeps_its_faces() -> None:
    references = ReferenceResolver(make_two_faces()).make_references([0, 1])
    assert resolve_rows(make_two_faces("2023/b.jpg"), references) == [0, 1]


def test_an_edited_photo_keeps_its_faces_where_they_are() -> None:
    references = ReferenceResolver(make_two_faces()).make_references([0, 1])
    assert resolve_rows(make_two_faces(content="edited"), references) == [0, 1]
    assert resolve_rows(make_two_faces("b.jpg", content="edited"), references) == []


def replace_photos(shift: float, *who: int, others: int = 2) -> tuple[list[int], list[int], set[int]]:
    """Make references to faces of person 0, then replace some photos by photos of the people `who`.

    The last `others` photos do not change. Returns the true rows, the found rows, and the released ones.
    """
    people, paths = people_vectors(3), [f"{i}.jpg" for i in range(len(who) + others)]

    def make_table(persons: list[int], boxes: list, contents: dict[str, str]) -> FaceTable:
        return make_faces(list(zip(paths, boxes, vectors_of(persons, people), strict=True)), contents)

    before = make_table([0] * len(paths), [PLACES[0]] * len(paths), {})
    references = ReferenceResolver(before).make_references(row_of(before, path) for path in paths)
    boxes = [shift_box(PLACES[0], shift)] * len(who) + [PLACES[0]] * others
    after = make_table([*who, *[0] * others], boxes, {path: f"new {path}" for path in paths[: len(who)]})
    rows, released = ReferenceResolver(after).resolve(references)
    return [row_of(after, path) for path in paths], rows, released


def test_a_photo_replaced_by_one_of_another_person_loses_the_face() -> None:
    true, found, released = replace_photos(9, 1, 0)
    assert found == [None, *true[1:]] and released == {true[0]}
    # all photos changed: the majority decides
    true, found, released = replace_photos(9, 0, 0, 0, 2, others=0)
    assert found == [*true[:3], None] and released == {true[3]}
    # no other face to compare with
    true, found, released = replace_photos(9, 1, others=0)
    assert found == true and released == set()


def test_photos_with_unchanged_pixels_keep_their_faces_even_if_dissimilar() -> None:
    true, found, released = replace_photos(0, 0, 1, 2, 2, others=0)
    assert found == true and released == set()


def test_faces_detected_again_with_other_boxes_are_found_by_their_overlap() -> None:
    references = ReferenceResolver(make_two_faces()).make_references([0, 1])
    assert resolve_rows(make_two_faces(shift=18), references) == [0, 1]
    assert resolve_rows(make_two_faces(shift=80), references) == []


def test_a_moved_photo_is_found_even_if_another_photo_has_its_old_path() -> None:
    references = ReferenceResolver(make_two_faces()).make_references([0, 1])
    items = [("a.jpg", PLACES[0], np.eye(4)[2]), ("b.jpg", PLACES[0], np.eye(4)[0])]
    swapped = make_faces(items, {"a.jpg": "other", "b.jpg": "a.jpg"})
    assert resolve_rows(swapped, references) == [row_of(swapped, "b.jpg")]


def test_photos_that_swap_their_paths_keep_their_faces() -> None:
    items = [(path, PLACES[0], np.eye(4)[i]) for i, path in enumerate(("a.jpg", "b.jpg"))]
    before, after = make_faces(items), make_faces(items, {"a.jpg": "b.jpg", "b.jpg": "a.jpg"})
    references = ReferenceResolver(before).make_references([row_of(before, "a.jpg"), row_of(before, "b.jpg")])
    assert resolve_rows(after, references) == [row_of(after, "b.jpg"), row_of(after, "a.jpg")]


def test_a_copy_of_a_photo_has_faces_of_its_own() -> None:
    items = [(path, PLACES[0], np.eye(4)[0]) for path in ("a.jpg", "copy.jpg")]
    faces = make_faces(items, {"copy.jpg": "a.jpg"})
    for path in ("a.jpg", "copy.jpg"):
        row = row_of(faces, path)
        assert resolve_rows(faces, ReferenceResolver(faces).make_references([row])) == [row]


def test_a_resized_photo_keeps_its_faces() -> None:
    faces = make_two_faces()
    references = ReferenceResolver(faces).make_references([0, 1])
    half = {i: replace(e, width=WIDTH // 2, height=HEIGHT // 2) for i, e in faces.processed.items()}
    assert resolve_rows(replace(faces, boxes=faces.boxes / 2, processed=half), references) == [
        0,
        1,
    ]


def test_compute_iou_divides_the_intersection_by_the_union() -> None:
    assert compute_iou((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert compute_iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert compute_iou((0, 0, 2, 2), (2, 0, 4, 2)) == compute_iou((0, 0, 1, 1), (5, 5, 6, 6)) == 0
