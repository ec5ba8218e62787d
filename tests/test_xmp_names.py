"""Names of faces in XMP: import from photos and sidecars of other programs, and export to sidecars."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, run_here
from drawn import Drawn, picture_of
from lxml import etree
from photo_files import save_turned
from PIL import Image

from imagesearch.photos import FaceRegion, PhotoError, compute_iou, read_face_regions, write_face_regions
from imagesearch.photos.region_boxes import turn_box, turn_box_back

BOX = (0.2, 0.3, 0.4, 0.7)
# As exiftool writes it: structures as attributes and elements, other namespaces beside the regions.
EXIFTOOL = """<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/' x:xmptk='Image::ExifTool 12.76'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
 <rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:acme='http://acme.example/1/'>
  <dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject>
  <acme:Secret acme:level='3'>keep me</acme:Secret>
 </rdf:Description>
 <rdf:Description rdf:about='' xmlns:mwg-rs='http://www.metadataworkinggroup.com/schemas/regions/'
   xmlns:stArea='http://ns.adobe.com/xmp/sType/Area#' xmlns:stDim='http://ns.adobe.com/xap/1.0/sType/Dimensions#'>
  <mwg-rs:Regions rdf:parseType='Resource'>
   <mwg-rs:AppliedToDimensions rdf:parseType='Resource'>
    <stDim:h>{height}</stDim:h><stDim:unit>pixel</stDim:unit><stDim:w>{width}</stDim:w>
   </mwg-rs:AppliedToDimensions>
   <mwg-rs:RegionList><rdf:Bag>
    <rdf:li rdf:parseType='Resource'>
     <mwg-rs:Area rdf:parseType='Resource'><stArea:h>{h}</stArea:h><stArea:unit>normalized</stArea:unit>
      <stArea:w>{w}</stArea:w><stArea:x>{x}</stArea:x><stArea:y>{y}</stArea:y></mwg-rs:Area>
     <mwg-rs:Name>{name}</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>
    </rdf:li>
   </rdf:Bag></mwg-rs:RegionList>
  </mwg-rs:Regions>
 </rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end='w'?>"""
# As digiKam writes it: structures as attributes of descriptions.
DIGIKAM = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
    xmlns:digiKam="http://www.digikam.org/ns/1.0/">
   <digiKam:TagsList><rdf:Seq><rdf:li>People/{name}</rdf:li></rdf:Seq></digiKam:TagsList>
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:AppliedToDimensions stDim:w="{width}" stDim:h="{height}" stDim:unit="pixel"/>
    <mwg-rs:RegionList><rdf:Bag><rdf:li>
     <rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="Face">
      <mwg-rs:Area stArea:x="{x}" stArea:y="{y}" stArea:w="{w}" stArea:h="{h}" stArea:unit="normalized"/>
     </rdf:Description>
    </rdf:li></rdf:Bag></mwg-rs:RegionList>
   </mwg-rs:Regions>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
MICROSOFT = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:MP="http://ns.microsoft.com/photo/1.2/">
   <MP:RegionInfo><rdf:Description xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"><MPRI:Regions><rdf:Bag>
    <rdf:li><rdf:Description xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#">
     <MPReg:Rectangle>{left}, {top}, {w}, {h}</MPReg:Rectangle>
     <MPReg:PersonDisplayName>{name}</MPReg:PersonDisplayName></rdf:Description></rdf:li>
   </rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>
  </rdf:Description></rdf:RDF></x:xmpmeta>"""


def fill(template: str, name: str, box: tuple, orientation: int, upright: tuple[int, int]) -> str:
    """Return XMP with a box, given in the upright photo, in the coordinates of the stored photo."""
    left, top, right, bottom = turn_box_back(box, orientation)
    width, height = upright if orientation < 5 else upright[::-1]
    values = {"x": (left + right) / 2, "y": (top + bottom) / 2, "w": right - left, "h": bottom - top}
    return template.format(name=name, width=width, height=height, left=left, top=top, **values)


def make_photo(folder: Path, orientation: int = 1, name: str = "photo.jpg", **options) -> Path:
    return save_turned(
        Image.effect_noise((320, 240), 40).convert("RGB"), folder / name, orientation, **options
    )


def read(file: Path, size: tuple[int, int] = (320, 240)) -> list[tuple[str, tuple]]:
    regions, _ = read_face_regions(file, size)
    return [(region.name, region.box) for region in regions]


def read_remarks(file: Path) -> str:
    return "; ".join(read_face_regions(file, (320, 240))[1])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_a_box_and_back_is_no_change(orientation: int):
    assert turn_box_back(turn_box(BOX, orientation), orientation) == pytest.approx(BOX)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("template", [EXIFTOOL, DIGIKAM, MICROSOFT], ids=["exiftool", "digikam", "microsoft"])
def test_regions_are_turned_as_the_photo_is(tmp_path: Path, orientation: int, template: str):
    file = make_photo(tmp_path, orientation)
    file.with_name("photo.jpg.xmp").write_text(fill(template, "Maya", BOX, orientation, (320, 240)), "utf-8")
    ((name, box),) = read(file)
    assert name == "Maya"
    assert compute_iou(box, BOX) > 0.99


def test_regions_in_the_photo_are_read_and_those_of_the_sidecar_come_first(tmp_path: Path):
    file = make_photo(tmp_path, 6, xmp=fill(EXIFTOOL, "Maya", BOX, 6, (320, 240)).encode())
    assert [name for name, _ in read(file)] == ["Maya"]
    other = fill(DIGIKAM, "Ana", (0.6, 0.1, 0.8, 0.5), 6, (320, 240))
    file.with_suffix(".xmp").write_text(other, "utf-8")
    assert [name for name, _ in read(file)] == ["Ana", "Maya"]


def test_a_size_that_is_upright_tells_that_the_boxes_are(tmp_path: Path):
    """Some programs write boxes of the upright photo, whatever the orientation."""
    file = make_photo(tmp_path, 6)
    file.with_name("photo.jpg.xmp").write_text(fill(DIGIKAM, "Maya", BOX, 1, (320, 240)), "utf-8")
    ((_, box),) = read(file)
    assert compute_iou(box, BOX) > 0.99


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"this is no XML", "photo.jpg.xmp: the XMP is not valid XML"),
        (b"<a/>", "photo.jpg.xmp: the XMP has no rdf:RDF"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "photo.jpg.xmp: the XMP declares a document type"),
        (b"<a>" + b" " * 5_000_000 + b"</a>", "photo.jpg.xmp: the XMP is too large"),
        (fill(EXIFTOOL, "Maya", (1.2, 0.1, 1.4, 0.3), 1, (320, 240)).encode(), "Maya is not inside"),
        (fill(EXIFTOOL, "Maya", (-0.6, 0.1, 0.4, 0.3), 1, (320, 240)).encode(), "Maya is not inside"),
        (fill(EXIFTOOL, "Maya", BOX, 1, (300, 400)).encode(), "it was cropped since"),
        (fill(EXIFTOOL, "x" * 300, BOX, 1, (320, 240)).encode(), "too long"),
        (fill(EXIFTOOL, "Maya", BOX, 1, (320, 240)).replace("0.5<", "half<").encode(), "Maya is not inside"),
    ],
)  # fmt: skip
def test_a_wrong_sidecar_is_a_remark_and_never_overwritten(tmp_path: Path, content: bytes, reason: str):
    file = make_photo(tmp_path)
    sidecar = file.with_name("photo.jpg.xmp")
    sidecar.write_bytes(content)
    assert reason in read_remarks(file)
    assert read(file) == []
    if b"rdf:RDF" not in content:
        with pytest.raises(PhotoError):
            write_face_regions(file, [FaceRegion("Maya", BOX)], (320, 240))
        assert sidecar.read_bytes() == content


def test_a_region_without_a_name_or_that_is_no_face_is_ignored(tmp_path: Path):
    file = make_photo(tmp_path)
    sidecar = file.with_name("photo.jpg.xmp")
    sidecar.write_text(fill(EXIFTOOL, " ", BOX, 1, (320, 240)), "utf-8")
    assert read_face_regions(file, (320, 240)) == ([], [])
    pet = fill(EXIFTOOL, "Rex", BOX, 1, (320, 240)).replace(">Face<", ">Pet<")
    sidecar.write_text(pet, "utf-8")
    assert read(file) == []


# --- writing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jpg", "heic"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_written_is_read_again(tmp_path: Path, orientation: int, kind: str):
    file = make_photo(tmp_path, orientation, f"photo.{kind}")
    before = file.read_bytes()
    regions = [FaceRegion("Maya", BOX), FaceRegion("Zoë & Ana", (0.6, 0.1, 0.85, 0.4))]
    assert write_face_regions(file, regions, (320, 240)) == file.with_name(f"photo.{kind}.xmp")
    for region, (name, box) in zip(regions, read(file), strict=True):
        assert name == region.name
        assert compute_iou(box, region.box) >= 0.98
    assert write_face_regions(file, regions, (320, 240)) is None
    assert file.read_bytes() == before


@pytest.mark.parametrize("template", [EXIFTOOL, DIGIKAM], ids=["exiftool", "digikam"])
def test_the_fields_of_other_programs_stay(tmp_path: Path, template: str):
    file = make_photo(tmp_path, 8)
    sidecar = file.with_suffix(".xmp")  # Adobe's name is kept too
    sidecar.write_text(fill(template, "May", BOX, 8, (320, 240)), "utf-8")
    before = list_nodes(sidecar)
    added = FaceRegion("Kim", (0.6, 0.2, 0.7, 0.4))
    assert write_face_regions(file, [FaceRegion("Maya", BOX), added], (320, 240)) == sidecar
    after = list_nodes(sidecar)
    changed = [node for node in before if node not in after]
    assert all("May" in str(node) for node in changed)
    assert len(changed) == 1  # the name; all other elements, attributes and texts are there still
    assert [name for name, _ in read(file)] == ["Maya", "Kim"]
    assert sidecar.read_text("utf-8").rstrip().endswith("?>")  # the packet's end is kept
    third = FaceRegion("Rex", (0.8, 0.6, 0.9, 0.8))
    assert write_face_regions(file, [added, third], (320, 240)) == sidecar  # only one of them is new
    assert [name for name, _ in read(file)] == ["Maya", "Kim", "Rex"]


def list_nodes(file: Path) -> list[tuple]:
    """Return the tag, attributes and text of each element."""
    tree = etree.parse(file)
    return [(e.tag, tuple(e.attrib.items()), (e.text or "").strip()) for e in tree.getroot().iter()]


def test_a_new_sidecar_has_the_regions_of_the_photo_too(tmp_path: Path):
    file = make_photo(tmp_path, 1, xmp=fill(EXIFTOOL, "Ana", (0.6, 0.1, 0.8, 0.5), 1, (320, 240)).encode())
    write_face_regions(file, [FaceRegion("Maya", BOX)], (320, 240))
    assert [name for name, _ in read(file)] == ["Ana", "Maya"]
    sidecar = file.with_name("photo.jpg.xmp").read_text("utf-8")
    assert "Ana" in sidecar
    assert "Maya" in sidecar


def test_a_read_only_sidecar_is_named_and_kept(tmp_path: Path):
    file = make_photo(tmp_path)
    sidecar = file.with_name("photo.jpg.xmp")
    sidecar.write_text(fill(EXIFTOOL, "Ana", BOX, 1, (320, 240)), "utf-8")
    before = sidecar.read_bytes()
    sidecar.chmod(0o444)
    with pytest.raises(PhotoError, match="is read-only"):
        write_face_regions(file, [FaceRegion("Maya", BOX)], (320, 240))
    assert sidecar.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "orientation"), [("", 1), ("   Maya   Smith ", 1), ("x\u200bMaya\u202e", 1), ("Maya", 6)]
)
def test_names_are_cleaned_or_refused(tmp_path: Path, name: str, orientation: int):
    file = make_photo(tmp_path, orientation)
    text = fill(EXIFTOOL, name, BOX, orientation, (320, 240)).replace(">Face<", "><")  # without a type
    file.with_name("photo.jpg.XMP").write_text(text, "utf-8")
    found = [found for found, _ in read(file)]
    assert found == ([" ".join(name.split())] if name.isprintable() and name else [])
    assert ("control characters" in read_remarks(file)) == (not name.isprintable())


def test_names_are_added_to_regions_of_the_upright_photo_in_its_coordinates(tmp_path: Path):
    file = make_photo(tmp_path, 6)
    sidecar = file.with_name("photo.jpg.xmp")
    sidecar.write_text(fill(DIGIKAM, "Ana", (0.6, 0.1, 0.8, 0.5), 1, (320, 240)), "utf-8")
    sidecar.chmod(0o664)
    assert write_face_regions(file, [FaceRegion("Maya", BOX)], (320, 240)) == sidecar
    assert sidecar.stat().st_mode & 0o777 == 0o664
    (_, box) = dict(read(file)).popitem()
    assert [name for name, _ in read(file)] == ["Ana", "Maya"] and compute_iou(box, BOX) > 0.99
    sidecar.write_text(fill(EXIFTOOL, "Ana", BOX, 1, (300, 300)), "utf-8")
    with pytest.raises(PhotoError, match="its sidecar has face regions of another shape"):
        write_face_regions(file, [FaceRegion("Maya", BOX)], (320, 240))


def test_a_box_that_is_partly_outside_is_cut_off(tmp_path: Path):
    file = make_photo(tmp_path)
    text = fill(MICROSOFT, "Maya", (-0.1, 0.3, 0.2, 1.1), 1, (320, 240))
    file.with_suffix(".xmp").write_text(text, "utf-8")
    assert read(file) == [("Maya", (0.0, 0.3, pytest.approx(0.2), 1.0))]


def test_a_list_of_regions_that_is_missing_is_added(tmp_path: Path):
    file = make_photo(tmp_path)
    text = fill(EXIFTOOL, "Ana", BOX, 1, (320, 240))
    start, end = text.index("<mwg-rs:RegionList>"), text.index("  </mwg-rs:Regions>")
    file.with_name("photo.jpg.xmp").write_text(text[:start] + text[end:], "utf-8")
    write_face_regions(file, [FaceRegion("Maya", BOX)], (320, 240))
    assert [name for name, _ in read(file)] == ["Maya"]


def test_no_sidecar_is_made_for_names_that_the_photo_has_itself(tmp_path: Path):
    file = make_photo(tmp_path, 1, xmp=fill(EXIFTOOL, "Ana", BOX, 1, (320, 240)).encode())
    assert write_face_regions(file, [FaceRegion("Ana", BOX)], (320, 240)) is None
    assert list(tmp_path.iterdir()) == [file]
    write_face_regions(file, [FaceRegion("Anna", BOX)], (320, 240))  # another name for the same face
    assert file.with_name("photo.jpg.xmp").read_text("utf-8").count("<mwg-rs:Name>") == 1
    assert [name for name, _ in read(file)] == ["Anna", "Ana"]


def test_a_face_with_one_name_in_the_photo_and_its_sidecar_is_one(tmp_path: Path):
    file = make_photo(tmp_path, 1, xmp=fill(EXIFTOOL, "Ana", BOX, 1, (320, 240)).encode())
    near = (BOX[0] + 0.03, BOX[1], BOX[2] + 0.03, BOX[3])  # an overlap of 74 %
    file.with_suffix(".xmp").write_text(fill(EXIFTOOL, "Ana", near, 1, (320, 240)), "utf-8")
    assert [name for name, _ in read(file)] == ["Ana"]
    far = (BOX[0] + 0.1, BOX[1], BOX[2] + 0.1, BOX[3])  # 33 %
    file.with_suffix(".xmp").write_text(fill(EXIFTOOL, "Ana", far, 1, (322, 240)), "utf-8")
    assert [name for name, _ in read(file)] == ["Ana", "Ana"]
    file.with_name("photo.jpg.xmp").write_text(fill(EXIFTOOL, "digiKam", BOX, 1, (320, 240)), "utf-8")
    assert [name for name, _ in read(file)] == ["digiKam", "Ana"], "of two sidecars, IMG.jpg.xmp"


# --- the script --------------------------------------------------------------------------------------------


@pytest.fixture
def album(tmp_path: Path) -> Drawn:
    """Photos of Maya and Kofi in several orientations and formats, with detected faces."""
    drawn = Drawn(tmp_path)
    for seed in range(1, 9):
        image, _ = picture_of("Maya", "Kofi", seed=seed, framing="close")
        kind = "heic" if seed % 2 else "jpg"
        save_turned(image, drawn.photos / f"photo{seed}.{kind}", 1 if kind == "heic" else seed)
    drawn.detect()
    command = [str(ROOT / "scripts" / "02_cluster_faces.py"), "-c", str(drawn.config_file)]
    assert run_here(command, tmp_path).returncode == 0
    return drawn


def name_people(album: Drawn, *options: str, code: int = 0):
    command = [str(ROOT / "scripts" / "03_name_people.py"), "-c", str(album.config_file), "--no-show"]
    done = run_here([*command, *options], album.folder)
    assert done.returncode == code, done.stderr
    return done


def list_people(album: Drawn) -> dict[str, int]:
    people = json.loads(name_people(album, "--json").stdout)["people"]
    return {person["name"]: person["faces"] for person in people if person["name"]}


def hash_photos(album: Drawn) -> dict[str, str]:
    files = (file for file in album.photos.iterdir() if file.suffix != ".xmp")
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_names_travel_by_sidecars_to_an_album_without_names(album: Drawn, tmp_path_factory):
    photos = hash_photos(album)
    name_people(album, "--name", "1=Maya", "--name", "2=Kofi")
    known = list_people(album)
    assert len(known) == 2
    assert "8 written, 0 unchanged, 0 failed" in name_people(album, "--to-xmp").stderr
    assert "0 written, 8 unchanged" in name_people(album, "--to-xmp").stderr
    assert hash_photos(album) == photos
    other = Drawn(tmp_path_factory.mktemp("other"))
    shutil.copytree(album.photos, other.photos, dirs_exist_ok=True)
    other.detect()
    run_here([str(ROOT / "scripts" / "02_cluster_faces.py"), "-c", str(other.config_file)], other.folder)
    assert list_people(other) == {}
    done = name_people(other, "--from-xmp")
    assert f"Kofi ({known['Kofi']}), Maya ({known['Maya']})" in done.stderr
    assert list_people(other) == known
    assert "none; 16 faces had their names already" in name_people(other, "--from-xmp").stderr


def test_sidecars_that_cannot_be_written_are_counted(album: Drawn):
    name_people(album, "--name", "1=Maya", "--name", "2=Kofi")
    (album.photos / "photo3.heic.xmp").write_text("no XML", "utf-8")
    done = name_people(album, "--to-xmp", "--json")
    assert "failed: photo3.heic: photo3.heic.xmp: the XMP is not valid XML" in done.stderr
    assert "XMP sidecars: 7 written, 0 unchanged, 1 failed" in done.stderr
    xmp = json.loads(done.stdout)["xmp"]
    assert (xmp["written"], xmp["unchanged"], list(xmp["failed"])) == (7, 0, ["photo3.heic"])


def test_if_no_sidecar_can_be_written_the_exit_code_is_2(album: Drawn):
    name_people(album, "--name", "1=Maya", "--name", "2=Kofi")
    for photo in list(album.photos.iterdir()):
        photo.with_name(f"{photo.name}.xmp").write_text("no XML", "utf-8")
    done = name_people(album, "--to-xmp", code=2)
    assert "XMP sidecars: 0 written, 0 unchanged, 8 failed" in done.stderr and "Maya" in done.stdout
    assert "03_name_people.py: --to-xmp: no sidecar could be written; photo" in done.stderr.splitlines()[-1]


def test_regions_that_cannot_be_used_are_named(album: Drawn):
    sidecar = album.photos / "photo2.jpg.xmp"
    sidecar.write_text(fill(EXIFTOOL, "Nobody", (0.0, 0.9, 0.04, 0.95), 2, (640, 480)), "utf-8")
    (album.photos / "photo4.jpg.xmp").write_text("no XML", "utf-8")
    name_people(album, "--name", "1=Maya")
    assert "photo6.jpg" not in name_people(album, "--to-xmp").stderr
    written = album.photos / "photo6.jpg.xmp"
    written.write_text(written.read_text("utf-8").replace("Maya", "Unknown"), "utf-8")
    name_people(album, "--undo")
    for other in {*album.photos.glob("*.xmp")} - {sidecar, written, album.photos / "photo4.jpg.xmp"}:
        other.unlink()
    done = name_people(album, "--from-xmp", "-v")
    assert "photo6.jpg: Unknown: not stored as a name" in done.stderr
    assert "photo2.jpg: no face was found where Nobody is" in done.stderr
    assert "photo4.jpg: photo4.jpg.xmp: the XMP is not valid XML" in done.stderr
    assert "Unknown" not in list_people(album)
