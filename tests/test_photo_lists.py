"""Photos that are named in a list: CSV, TSV, JSON lines, Parquet, or a text file of paths."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import World, draw

from imagesearch.errors import UserError
from imagesearch.photos import compute_photo_id, read_photo_list
from imagesearch.pipeline import Dataset

STEP = "04_extract_geo.py"  # the fastest of the steps that take photos
PATHS = ["a.png", "2023/b.png", "../pics/c.png"]


@pytest.fixture
def listed(world: World) -> World:
    """Three photos that lists in the folder ``lists`` can name, the third one outside that folder."""
    for seed, path in enumerate(("lists/a.png", "lists/2023/b.png", "pics/c.png", "lists/not_listed.png")):
        file = world.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        draw(seed).save(file)
    return world


def write(world: World, name: str, text: str) -> Path:
    file = world.folder / "lists" / name
    file.write_text(text, "utf-8")
    world.settings["dataset"]["images"] = f"lists/{name}"
    world.write_config()
    return file


def list_paths(world: World, *assignments: str) -> list[str]:
    return [photo.path for photo in Dataset(world.config(*assignments)).photos]


def write_csv(world: World, delimiter: str = ",", name: str = "photos.csv") -> Path:
    rows = [["path", "Author"], *([path, "Ana"] for path in PATHS)]
    return write(world, name, "".join(delimiter.join(row) + "\r\n" for row in rows))


def write_json_lines(world: World) -> Path:
    return write(world, "photos.jsonl", "".join(json.dumps({"path": p, "n": 1}) + "\n" for p in PATHS))


def write_parquet(world: World) -> Path:
    file = write(world, "photos.parquet", "")
    pq.write_table(pa.table({"path": PATHS, "tags": [["sea", "dog"], [], None]}), file)
    return file


@pytest.mark.parametrize(
    "write_list",
    [
        write_csv,
        lambda world: write_csv(world, ";"),
        lambda world: write_csv(world, "\t", "photos.tsv"),
        lambda world: write_csv(world, "\t", "photos.tsv000"),
        write_json_lines,
        write_parquet,
        lambda world: write(world, "photos.txt", "\ufeff" + "\n".join(PATHS) + "\n\n"),
    ],
    ids=["csv", "semicolons", "tsv", "tsv000", "jsonl", "parquet", "txt"],
)
def test_photos_of_a_list_have_the_paths_and_ids_of_photos_in_a_folder(listed: World, write_list) -> None:
    write_list(listed)
    dataset = Dataset(listed.config())
    assert [photo.path for photo in dataset.photos] == PATHS
    assert [photo.photo_id for photo in dataset.photos] == [compute_photo_id(path) for path in PATHS]
    for photo in dataset.photos:
        assert dataset.locate_file(photo.path).samefile(photo.file)
    in_folder = Dataset(listed.config("dataset.images=lists", "dataset.name=other")).photos
    ids = {photo.path: photo.photo_id for photo in in_folder}
    assert ids["2023/b.png"] == dataset.photos[1].photo_id


def test_a_list_is_given_with_i_and_its_removed_lines_are_gone(listed: World) -> None:
    file = write_csv(listed)
    listed.settings["dataset"]["images"] = "photos"
    listed.write_config()
    assert "3 new" in listed.run(STEP, "-i", file).stdout
    assert "3 unchanged" in listed.run(STEP).stdout
    file.write_text("path\na.png\n", "utf-8")
    assert "1 unchanged, 0 moved, 2 gone" in listed.run(STEP).stdout


def test_absolute_paths_and_the_home_folder(listed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(listed.folder))
    write(listed, "all.txt", f"~/pics/c.png\n{listed.folder}/lists/a.png\n")
    assert list_paths(listed) == ["../pics/c.png", "a.png"]


def test_lists_and_folders_are_mixed_and_a_photo_in_both_is_one_photo(listed: World) -> None:
    write_csv(listed)
    images = "dataset.images=[pics, lists/photos.csv]"
    paths = ["pics/c.png", "photos.csv/a.png", "photos.csv/2023/b.png"]
    assert list_paths(listed, images) == paths
    dataset = Dataset(listed.config(images))
    assert all(dataset.locate_file(path).is_file() for path in paths)
    condition = dataset.photo_roots.make_folder_condition(str(listed.folder / "pics"))
    assert condition.folder == "pics"
    within = dataset.photo_roots.make_folder_condition(str(listed.folder / "lists/2023"))
    assert within.folder == "photos.csv/2023"


def test_another_list_is_refused_until_the_user_decides(listed: World) -> None:
    file = write_csv(listed)
    listed.run(STEP)
    other = listed.folder / "lists/other.txt"
    other.write_text("not_listed.png\n", "utf-8")
    error = listed.run(STEP, "-i", other, code=2).stderr
    assert f"{file} are used so far, not {other}" in error and "--replace" in error
    assert "1 new, 3 unchanged" in listed.run(STEP, "-i", other, "--add").stdout
    assert "1 moved, 3 gone" in listed.run(STEP, "-i", other, "--replace").stdout


def test_files_that_do_not_exist_are_failed_photos_and_exclude_is_respected(listed: World) -> None:
    write(listed, "photos.txt", "a.png\nlost.png\n2023\n2023/b.png\nftp://host/x.png\n")
    done = listed.run(STEP, "-v", "--set", "dataset.exclude=2023/*")
    assert "1 new" in done.stdout and "3 failed" in done.stdout
    assert "lost.png: no such file" in done.stderr and "2023: a folder; expected a photo" in done.stderr
    assert "photos.txt, line 5: expected a path or an http(s) address" in done.stderr


def test_a_drive_that_is_not_mounted_does_not_empty_the_dataset(listed: World) -> None:
    write(listed, "photos.txt", "../drive/a.png\n../drive/b.png\n")
    error = listed.run(STEP, code=2).stderr
    assert "drive/a.png: no such file, nor any other of the 2 photos in the list" in error


@pytest.mark.parametrize("leaves_mount_point", [True, False])
def test_photos_of_a_drive_that_is_not_mounted_are_kept_beside_others(
    listed: World, leaves_mount_point: bool
) -> None:
    for name in ("one", "two"):
        (listed.folder / "drive").mkdir(exist_ok=True)
        draw(len(name)).save(listed.folder / "drive" / f"{name}.png")
    write(listed, "photos.txt", "a.png\n../drive/one.png\n../drive/two.png\n")
    assert "3 new" in listed.run(STEP).stdout
    (listed.folder / "drive").rename(listed.folder / "away")
    if leaves_mount_point:
        (listed.folder / "drive").mkdir()
    done = listed.run(STEP, "-v")
    assert "0 gone, 2 failed" in done.stdout
    assert done.stderr.count("is its drive mounted?") == 2
    if leaves_mount_point:
        (listed.folder / "drive").rmdir()
    (listed.folder / "away").rename(listed.folder / "drive")
    assert "0 new, 3 unchanged, 0 moved, 0 gone, 0 failed" in listed.run(STEP).stdout
    (listed.folder / "drive" / "one.png").unlink()
    assert "1 gone, 1 failed" in listed.run(STEP).stdout


@pytest.mark.parametrize(
    ("name", "text", "settings", "message"),
    [
        ("p.csv", "pth,author\na.png,Ana\n", [], "no column path or url (is it pth?); it has pth, au"),
        ("p.csv", "path,autor\na.png,Ana\n", ["column=author"], "no column author (dataset.column); did "),
        ("p.csv", "path,nr\na.png,1\n", ["id_column=id"], "no column id (dataset.id_column); it has path"),
        ("p.csv", "path\n", [], "the list is empty; expected a line for each photo"),
        ("p.txt", "\n\n", [], "the list is empty"),
        ("p.csv", "path,a\na.png,1,2\n", [], "p.csv, line 2: more fields than columns"),
        ("p.csv", "path,a\na.png,1\n./a.png,2\n", [], "p.csv, line 3: the same photo as in line 2, with"),
        ("p.csv", 'path,a\na.png,1\nb.png,"2\nc.png,3\n', [], 'p.csv, line 3: a quote (") is not closed'),
        ("p.csv", "path,Author,author\na.png,1,2\n", [], "p.csv: two columns are called author; rename"),
        ("p.jsonl", '{"path": "a.png"}\n[1]\n', [], "p.jsonl, line 2: expected a JSON object"),
        ("p.parquet", "no parquet", [], "p.parquet: cannot be read"),
        ("p.csv", "url\nhttp://h/i?n=1\nhttp://h/i?n=2\n", [], "with dataset.id_column"),
        ("p.csv", "url,n\nhttp://h/a,1\nhttp://h/b,1\n", ["id_column=n"], "column with ids has 1 twice"),
    ],
)  # fmt: skip
def test_mistakes_are_reported_in_one_line(
    listed: World, name: str, text: str, settings: list[str], message: str
) -> None:
    file = write(listed, name, text)
    done = listed.run(STEP, *(arg for s in settings for arg in ("--set", f"dataset.{s}")), code=2)
    (line,) = done.stderr.splitlines()
    assert str(file) in line and message in line and not done.stdout


def test_quotes_of_csv(tmp_path: Path) -> None:
    """Only a quote that is not closed is refused; what spreadsheets read otherwise is used."""
    file = tmp_path / "p.csv"
    file.write_text(
        'path,title\na.png,"one ""two""\nlines"\nb.png,"3" inch\nc.png,5" nail\nd.png,\n', "utf-8"
    )
    titles = [photo.values.get("title") for photo in read_photo_list(file).photos]
    assert titles == ['one "two" lines', "3 inch", '5" nail', None]


@pytest.mark.parametrize("name", ["p.csv", "p.txt", "p.jsonl"])
def test_text_that_is_not_utf8_is_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"path\ncaf\xe9.png\n")
    with pytest.raises(UserError, match="not encoded in UTF-8"):
        read_photo_list(tmp_path / name)


def test_missing_lists_are_reported(listed: World) -> None:
    listed.settings["dataset"]["images"] = "lists/none.csv"
    listed.write_config()
    assert "none.csv: no such list of photos; set dataset.images" in listed.run(STEP, code=2).stderr
    assert "none.csv: no such list of photos" in listed.run(STEP, "-i", "none.csv", code=2).stderr


def test_other_columns_are_the_values_of_photos(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    rows = [
        {
            "url": "HTTPS://Ana@Host:443/a.jpg?w=9#x",
            "Title": "A  b\n",
            "tags": ["x", "y"],
            "n": 1.5,
            "z": None,
        }
    ]
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    read = read_photo_list(file)
    assert read.columns == ("title", "tags", "n", "z")
    (photo,) = read.photos
    assert photo.values == {"title": "A b", "tags": ("x", "y"), "n": "1.5"}
    assert photo.download_path == "https://host/a.jpg"
