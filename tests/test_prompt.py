"""The prompt of 06_search.py, sentences without quotes, and photos typed as they are printed."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ROOT, World, draw

from imagesearch.cli import read_more, read_queries, read_ranks_to_open
from imagesearch.errors import UserError
from imagesearch.features import extract_features
from imagesearch.pipeline import Dataset, find_photo_file
from imagesearch.search import Query, Searcher, parse_prompt_line
from imagesearch.store import Store, build_collections

NAMES = ("goa/IMG_1.png", "goa/IMG_2.png", "goa/copy.png", "rome/IMG_1.png", "rome/my lake.png", "top.png")


@pytest.fixture
def album(world: World) -> World:
    for seed, name in enumerate(NAMES):
        world.add(name, seed)
    shutil.copy(world.photos / "goa/IMG_2.png", world.photos / "goa/copy.png")
    build(world)
    return world


def build(world: World) -> None:
    config = world.config()
    dataset = Dataset(config)
    extract_features(config, dataset)
    with Store(config.milvus) as store:
        build_collections(config, dataset, store)


def ask(world: World, *lines: str, args: tuple = ()) -> tuple[list[dict], str]:
    """Return the answers to some lines at the prompt, and what is printed beside them."""
    done = world.run("06_search.py", "--json", "-k", "20", *args, stdin="\n".join(lines))
    decoder, answers, text = json.JSONDecoder(), [], done.stdout.strip()
    while text:
        answer, end = decoder.raw_decode(text)
        answers, text = [*answers, answer], text[end:].strip()
    return answers, done.stderr


def paths(answer: dict) -> list[str]:
    return [result["path"] for result in answer["results"]]


# --- the prompt --------------------------------------------------------------------------------------------


def type_lines(monkeypatch: pytest.MonkeyPatch, *lines: str) -> list[str]:
    """Return the lines that are searched for."""
    queue, searched = list(lines), []
    monkeypatch.setattr(
        "builtins.input", lambda *_: queue.pop(0) if queue else (_ for _ in ()).throw(EOFError)
    )
    read_queries(searched.append)
    return searched


@pytest.mark.parametrize(
    "line", ["quit", "exit", "q", "QUIT", " q ", ":q", ":wq", ":q!", "bye", "exit()", "quit.", r"\q", ".exit"]
)
def test_these_words_end_the_prompt(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    assert type_lines(monkeypatch, "a boat", line, "snow") == ["a boat"]


@pytest.mark.parametrize("line", ["help", "?", "HELP", ":help", "--help", "-h", "help?", "??", "h"])
def test_these_words_list_what_can_be_typed(monkeypatch: pytest.MonkeyPatch, capsys, line: str) -> None:
    assert type_lines(monkeypatch, line, "a boat") == ["a boat"]
    shown = capsys.readouterr().err
    assert "like 3 in goa" in shown and "quit, exit, q, Ctrl-D" in shown and '"help"' in shown


@pytest.mark.parametrize("line", ['"help"', "'quit'", "exit sign", "quiet", "a person called q", "helper"])
def test_other_lines_are_searched_for(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    assert type_lines(monkeypatch, line) == [line]


def test_the_first_line_says_how_to_leave_and_an_empty_line_does_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert type_lines(monkeypatch, "", "a boat", "", "snow", "q") == ["a boat", "snow"]
    first, *rest = capsys.readouterr().err.splitlines()
    assert "like 3" in first and '"q" or Ctrl-D quits' in first
    assert sum('"q" or Ctrl-D quits' in line for line in rest) == 2


def test_a_word_in_quotes_is_searched_for(album: World) -> None:
    answers, _ = ask(album, "help", '"help"', "quit", "a boat")
    assert [answer["words"] for answer in answers] == ["help"] and len(paths(answers[0])) == 6


def test_ctrl_d_ends_the_prompt_of_a_terminal(album: World) -> None:
    master, terminal = pty.openpty()
    command = [sys.executable, ROOT / "scripts" / "06_search.py", "-c", album.config_file, "--paths"]
    process = subprocess.Popen(command, cwd=album.folder, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = ""
    for typed in (b"a boat\n", b"\x04"):
        while not shown.endswith("search> "):
            shown += os.read(master, 65536).decode()
        os.write(master, typed)
        shown += "\n"
    assert process.wait(60) == 0
    os.close(master)
    assert "Traceback" not in shown and str(album.photos / "goa/IMG_1.png") in shown


def test_collections_built_while_the_prompt_is_open_are_searched(world: World) -> None:
    """This program builds the first collections, and then others of photos in another folder."""
    world.add("a.png", 1)
    other = world.folder / "others"
    other.mkdir()
    draw(2).save(other / "b.png")
    command = [sys.executable, ROOT / "scripts" / "06_search.py", "-c", world.config_file, "--paths"]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=world.folder, text=True, **streams)

    with closing_process(process):

        def search() -> str:
            process.stdin.write("a boat\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        process.stdin.write("a boat\n")  # an error: there is no database yet
        process.stdin.flush()
        while "no such database" not in process.stderr.readline():
            pass
        world.run("01_extract_features.py")
        world.run("05_build_collections.py")
        assert search() == str(world.photos / "a.png")
        world.run("01_extract_features.py", other, "--replace")
        world.run("05_build_collections.py")
        assert search() == str(other / "b.png")
        process.communicate("q\n", timeout=60)
        assert process.returncode == 0


@contextmanager
def closing_process(process: subprocess.Popen) -> Iterator[None]:
    """End a process that a failed test has left."""
    with process:
        try:
            yield
        finally:
            process.kill()


# --- sentences without quotes ------------------------------------------------------------------------------


SENTENCES = (
    (["a", "red", "boat"], "a red boat"),
    (["a red boat"], "a red boat"),
    (["-k", "5", "a red", "boat", "--by", "clip", "at", "sea"], "a red boat at sea"),
    (["boat", "--minus", "snow and ice", "sea"], "boat sea - snow and ice"),
    (["@calm", "at", "dawn"], "a calm sea at dawn"),
    (["--near", "-33.9,151.2", "boat", "sea"], "boat sea within 5 km of -33.9,151.2"),
)


def test_words_need_no_quotes(album: World) -> None:
    saved = ("--set", "search.saved={calm: a calm sea}")
    for args, query in SENTENCES:
        assert json.loads(album.run("06_search.py", *args, *saved, "--json").stdout)["query"] == query


@pytest.mark.parametrize("word", ["-dog", "-kim"])
def test_an_excluded_word_without_quotes_is_explained(world: World, word: str) -> None:
    done = world.run("06_search.py", "beach", word, code=2)
    assert f'unrecognized arguments: {word}; put the whole sentence in quotes: "... {word}"' in done.stderr


# --- photos typed as they are printed ----------------------------------------------------------------------


TYPED = {
    "goa/IMG_1.png": "goa/IMG_1.png",  # as printed
    "rome/my lake.png": "rome/my lake.png",
    "top.png": "top.png",
    "IMG_2.png": "goa/IMG_2.png",  # only one photo has this name
    "img_2.PNG": "goa/IMG_2.png",
    "{photos}/rome/IMG_1.png": "rome/IMG_1.png",
    "photos/rome/IMG_1.png": "rome/IMG_1.png",  # from the current folder
    "~/rome/IMG_1.png": "rome/IMG_1.png",
}


def test_all_scripts_accept_the_names_of_a_photo(album: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(album.photos))
    names = {typed.format(photos=album.photos): path for typed, path in TYPED.items()}
    answers, _ = ask(album, *names)
    classified = json.loads(album.run("07_classify.py", *names, "--json").stdout)["results"]
    for answer, classes, path in zip(answers, classified, names.values(), strict=True):
        assert sorted(paths(answer)) == sorted({*NAMES} - {path})
        assert answer["read_as"] == f"like {Path(path).name} — 6 photos"
        assert (album.folder / classes["path"]).samefile(album.photos / path)
    for typed in ("IMG_2", "rome/my lake.png", "~/rome/IMG_1.png"):
        found = json.loads(album.run("06_search.py", "--image", typed, "--json", "-k", "20").stdout)
        assert len(paths(found)) == 5


def test_a_name_of_several_photos_lists_them_and_an_unknown_one_lists_the_nearest(album: World) -> None:
    for script, option in (
        ("06_search.py", ["--image"]),
        ("06_search.py", ["--face"]),
        ("07_classify.py", []),
    ):
        several = album.run(script, *option, "IMG_1.png", code=2).stderr
        assert "IMG_1.png: 2 photos have this name; type one of: goa/IMG_1.png, rome/IMG_1.png" in several
        unknown = album.run(script, *option, "goa/IMG_22.png", code=2).stderr
        assert "no such file, and not a photo of album; did you mean goa/IMG_2.png" in unknown
    answers, errors = ask(album, "IMG_1.png", "goa/IMG_22.png", "like IMG_1.png")
    assert [sorted(paths(answer)) for answer in answers] == [["goa/IMG_1.png", "rome/IMG_1.png"]]
    assert "did you mean goa/IMG_2.png" in errors and "type one of: goa/IMG_1.png" in errors


def test_a_photo_that_is_gone_is_named(album: World) -> None:
    (album.photos / "goa/IMG_1.png").unlink()
    dataset = Dataset(album.config())
    assert find_photo_file("IMG_1.png", dataset) == album.photos / "rome/IMG_1.png"  # the only one left
    (album.photos / "rome/IMG_1.png").unlink()
    with pytest.raises(UserError, match=r"IMG_1.png: no such file; goa/IMG_1.png is gone from the disk"):
        find_photo_file("IMG_1.png", dataset)
    with pytest.raises(UserError, match="goa: this is a folder; expected a photo"):
        find_photo_file(album.photos / "goa", dataset)


def test_no_folder_is_read_to_find_a_photo(album: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the folders are read")

    monkeypatch.setattr("imagesearch.pipeline.listed_photos.list_photos", fail)
    monkeypatch.setattr(os, "walk", fail)
    dataset = Dataset(album.config())
    assert find_photo_file("IMG_2.png", dataset) == album.photos / "goa/IMG_2.png"


def test_a_line_has_the_marks_of_a_shell(album: World) -> None:
    lines = (
        f'"{album.photos}/rome/my lake.png"',
        r"rome/my\ lake.png",
        "like 'rome/my lake.png'",
        "like IMG_2",
    )
    answers, _ = ask(album, *lines)
    assert [answer["query"] for answer in answers] == ["like my lake.png"] * 3 + ["like IMG_2.png"]
    quoted = parse_prompt_line('"IMG_2.png"', Query(), find_photo=lambda name: album.photos / name)
    assert quoted == Query(text='"IMG_2.png"')


# --- a photo is not its own result -------------------------------------------------------------------------


@pytest.fixture
def searcher(album: World):
    config = album.config()
    with Store(config.milvus) as store:
        yield Searcher(config, Dataset(config), store)


def find(searcher: Searcher, *names: str, **options) -> list[str]:
    return [
        result.path for result in searcher.search(Query(images=tuple(map(Path, names)), **options)).results
    ]


@pytest.mark.parametrize("by", ["clip", "vit"])
def test_the_photos_of_a_query_are_left_out_and_copies_stay(searcher: Searcher, by: str) -> None:
    assert find(searcher, "IMG_2.png", by=by)[0] == "goa/copy.png"  # an exact copy is another photo
    assert set(find(searcher, "IMG_2.png", "top.png", by=by)) == {*NAMES} - {"goa/IMG_2.png", "top.png"}
    assert set(find(searcher, "IMG_2.png", by=by, with_itself=True)) == {*NAMES}
    for top_k in (1, 3, 5):  # there are as many results as before
        assert len(find(searcher, "top.png", by=by, top_k=top_k)) == top_k
    assert "top.png" not in find(searcher, "top.png", by=by, sort="date")
    assert "top.png" not in find(searcher, "top.png", by=by, collapse=True)


def test_counts_and_notes_are_about_all_photos(searcher: Searcher) -> None:
    for with_itself in (False, True):
        query = Query(images=(Path("IMG_2.png"),), folder="goa", with_itself=with_itself)
        answer = searcher.search(query)
        assert answer.read_as == "like IMG_2.png in goa — 3 of 6 photos" and answer.notes == ()
        assert len(answer.results) == 2 + with_itself
    alone = searcher.search(Query(images=(Path("top.png"),), text="top.png"))
    assert alone.candidates == 1 and not alone.results
    assert alone.notes == ("no other photo (top.png)",)


def test_the_only_photo_of_a_folder_is_explained(searcher: Searcher) -> None:
    images = (Path("rome/IMG_1.png"), Path("rome/my lake.png"))
    answer = searcher.search(Query(images=images, folder="rome"))
    assert not answer.results and answer.candidates == 2
    assert answer.notes[0].startswith("no other photo passes the filter; --with-itself also shows")


def test_a_photo_is_recognized_through_links(album: World, searcher: Searcher) -> None:
    link = album.folder / "link"
    link.symlink_to(album.photos)
    for file in (link / "top.png", album.folder / "photos/../photos/top.png"):
        assert "top.png" not in find(searcher, str(file))
    elsewhere = shutil.copy(album.photos / "top.png", album.folder / "elsewhere.png")
    assert find(searcher, str(elsewhere))[0] == "top.png"


# --- options and commands at the prompt --------------------------------------------------------------------


def test_options_are_for_their_line(album: World) -> None:
    lines = ("-k 2 a boat", "a boat -k 1", "a boat", 'a boat --under "goa"', "beach -dog -k 3", "like 1 -k 1")
    answers, errors = ask(album, *lines)
    assert [len(paths(answer)) for answer in answers] == [2, 1, 6, 3, 3, 1]
    assert [answer["words"] for answer in answers[:4]] == ["a boat"] * 4 and not errors.count("Error")
    assert answers[4]["excluded"] == ["dog"]


def test_a_wrong_option_is_named_and_the_prompt_goes_on(album: World) -> None:
    answers, errors = ask(album, "a boat -k", "a boat -k x", "a boat --set a=b", "a boat --foo", "a boat")
    assert len(answers) == 1
    assert "-k: expected a value" in errors and "x is not a whole number" in errors
    assert "--set: give this option when you start the script" in errors and "--foo: no such option" in errors


def test_more_lists_the_next_results(album: World) -> None:
    answers, errors = ask(album, "more", "a boat -k 4", "more", "next", "like 6", "like", "open 99", "open 1")
    assert "more: there is no answer yet" in errors and "there are no more results" in errors
    shown = [result["rank"] for answer in answers[:2] for result in answer["results"]]
    assert shown == [1, 2, 3, 4, 5, 6] and len({*paths(answers[0]), *paths(answers[1])}) == 6
    assert answers[2]["query"].startswith("like ")
    assert "like 3: photos like the third result" in errors and "open 99: the last answer has" in errors
    assert "no program was found to open it" in errors or "open 1" not in errors


@pytest.mark.parametrize("line", ["--help", "maya --help", "-h -k 3"])
def test_help_among_options_keeps_the_prompt_open(album: World, line: str) -> None:
    answers, errors = ask(album, line, "a boat")
    assert len(answers) == 1 and "like 3 in goa" in errors


def test_a_command_with_more_words_is_no_text(album: World) -> None:
    lines = ("a boat -k 2", "more -k 1", "more 2", "next --year 2025", "open 3 --year 2025", "open 1, 99")
    answers, errors = ask(album, *lines, "a boat --yeer 2025")
    ranks = [[result["rank"] for result in answer["results"]] for answer in answers]
    assert ranks == [[1, 2], [3], [4, 5]]
    assert "next: expected no option but -k" in errors and "open 3: expected numbers of results" in errors
    assert "open 1, 99: the last answer has 5 results" in errors and "did you mean --year?" in errors


def test_like_combines_results_a_text_and_a_photo(album: World) -> None:
    likes = ("like 1 and 2", "like 1 & 2", "like 1, snow", "like 1 --image top.png", "like 1 and 2 dogs")
    answers, _ = ask(album, *(line for like in likes for line in ("a boat --under goa", like)))
    searched = [answer["query"] for answer in answers[1::2]]
    first, second = (Path(path).name for path in paths(answers[0])[:2])
    assert searched[:2] == [f"like {first} and {second}"] * 2 and searched[2] == f"snow like {first}"
    assert searched[3] == f"like {first} and top.png" and searched[4] == f"and 2 dogs like {first}"


@pytest.mark.parametrize(
    "line", ["more snow", "next summer", "open water", "open 3 doors", "more than 2 people"]
)
def test_a_sentence_that_starts_like_a_command_is_a_sentence(line: str) -> None:
    assert read_more(line) is None and not read_ranks_to_open(line)
