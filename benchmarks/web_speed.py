"""The web app in a real browser on a large album: times of searches, completions, images and filters; memory.

    python benchmarks/web_speed.py [--folder /tmp/web_album] [--photos 50000] [--clip /tmp/full/clip]
    python benchmarks/web_speed.py --only search scroll

The album is that of `web_album.py`, made on the first run. Script 09 runs in its own process, and Chromium,
without a window, on the same machine. Times are measured in the page, from the event of the key or the click
to the frame in which the result is there. The program prints medians.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from web_album import make_large_album

from imagesearch import open_library
from imagesearch.config import Config
from imagesearch_demo.album import read_truth
from imagesearch_demo.scoring import make_questions

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
PROBE = Path(__file__).with_name("web_probe.js")
FIRST_PHOTOS = 60
SENTENCES = 40
WARM_UP = 6
_SMALL_GRID = 'localStorage.setItem("photo-grid", JSON.stringify({height: 104}))'  # 60 photos on one screen
_PARTS = ("filters", "search", "complete", "scroll", "memory")


class Server:
    """A script that serves as its own process; by default script 09."""

    def __init__(
        self, config_file: Path, script: str = "09_web_app.py", options: Sequence[str] = ("--no-show",)
    ) -> None:
        command = [*_make_command(script, config_file), "--port", "0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        lines = iter(self.process.stdout or ())
        self.address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def _make_command(script: str, config_file: Path) -> list[str]:
    return [sys.executable, str(SCRIPTS / script), "-c", str(config_file)]


def describe(values: Sequence[float], unit: str = "ms") -> str:
    """Return the median, the minimum, the 90th percentile and the maximum."""
    ordered = sorted(values)
    if not ordered:
        return "nothing measured"
    high = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    median = statistics.median(ordered)
    others = f"min: {ordered[0]:.1f}, 90 %: {high:.1f}, max: {ordered[-1]:.1f}, n={len(ordered)}"
    return f"{median:8.1f} {unit}  ({others})"


def report(name: str, values: Sequence[float]) -> None:
    print(f"{name:<58}{describe(values)}", flush=True)


@contextmanager
def open_page(browser: Any, address: str, *, small: bool = False) -> Iterator[Any]:
    """A page of a new context, so that its cache is empty, at the search page."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
    context.add_init_script(path=PROBE)
    if small:
        context.add_init_script(_SMALL_GRID)
    page = context.new_page()
    page.goto("/")
    page.locator(".tile").first.wait_for()
    yield page
    context.close()


# --- what is measured --------------------------------------------------------------------------------------


def measure_searches(browser: Any, address: str, sentences: Sequence[str], library: Any) -> None:
    """Print the time from Enter to 60 photos on one screen, and that of the search alone, alternating."""
    whole, answered, alone, images = [], [], [], []
    with open_page(browser, address, small=True) as page:
        box = page.get_by_label("Search", exact=True)
        for n, sentence in enumerate(sentences):
            box.fill(sentence)
            page.wait_for_timeout(250)  # the completions of the sentence are there
            before, count = page.evaluate("[location.search, probe.images().length]")
            box.press("Enter")
            first = page.evaluate("before => probe.until(() => probe.isAnswered(before), 10)", before)
            loaded = page.evaluate(
                "([before, count]) => probe.until(() => probe.isLoaded(before, count), 10)",
                [before, FIRST_PHOTOS],
            )
            start = time.perf_counter()
            found = library.search(library.make_query(sentence, top_k=FIRST_PHOTOS))
            milliseconds = 1000 * (time.perf_counter() - start)
            if n < WARM_UP or loaded is None or len(found.results) < FIRST_PHOTOS:
                continue
            whole.append(loaded)
            answered.append(first)
            alone.append(milliseconds)
            images.append(page.evaluate("probe.images().length") - count)
    report("Enter to 60 loaded thumbnails (aim: 400)", whole)
    report("- of it until the first photo is in the page", answered)
    report("- the search for 60 photos alone, in another process", alone)
    print(f"{'- images requested in each search':<58}{statistics.median(images):8.0f}", flush=True)


def measure_completions(browser: Any, address: str, library: Any) -> None:
    """Print the time from a letter to the completions, with the delay of the page, 15 ms."""
    vocabulary = library.searcher.resources.vocabulary
    entries = (*vocabulary.people.values(), *vocabulary.places.values())
    letters = sorted({entry.name[0].lower() for entry in entries if entry.name.isascii()})
    shown, exchanged, alone = [], [], []
    with open_page(browser, address) as page:
        box = page.get_by_label("Search", exact=True)
        for letter in (letters * 5)[:60]:
            box.fill("a boat with ")
            page.wait_for_timeout(200)
            page.evaluate("probe.messages.length = 0")
            box.press(letter)
            isopen = "document.querySelector('.search-box').getAttribute('aria-expanded') === 'true'"
            taken = page.evaluate(f"probe.until(() => {isopen}, 1.5)")
            start = time.perf_counter()
            library.searcher.resources.completer.complete(f"a boat with {letter}", 13)
            alone.append(1000 * (time.perf_counter() - start))
            if taken is not None:
                shown.append(taken)
                exchanged += _pair_messages(page, "serial", "offer")
    report("a letter to completions (aim: 50)", shown[3:])
    report("- of it from request to answer", exchanged[3:])
    report("- the completer alone", alone[3:])


def _pair_messages(page: Any, sent: str, received: str) -> list[float]:
    """Return the milliseconds between each message sent with a text, and the next received with another."""
    times, begin = [], None
    for message in page.evaluate("probe.messages"):
        if message["kind"] == "sent" and sent in message["text"]:
            begin = message["at"]
        elif begin is not None and message["kind"] == "received" and received in message["text"]:
            times.append(message["at"] - begin)
            begin = None
    return times


def measure_scrolling(browser: Any, address: str, query: str, photos: int, title: str) -> None:
    """Scroll through photos, and print the times of their images and of the further photos."""
    with open_page(browser, address) as page:
        page.goto(query)
        page.locator(".tile").first.wait_for()
        page.wait_for_timeout(1000)
        alone = measure_single_images(page) if photos <= 1000 else []
        page.evaluate("() => { probe.messages.length = 0; performance.clearResourceTimings(); }")
        page.mouse.move(700, 500)
        steps, waits, start = 0, 0, time.perf_counter()
        while time.perf_counter() - start < 120:
            page.mouse.wheel(0, 500 if photos <= 1000 else 4000)
            page.wait_for_timeout(60)
            left = page.evaluate("document.body.scrollHeight - scrollY - innerHeight")
            waits += left < 60  # the end of the page is on the screen
            steps += 1
            if _count_passed(page) >= photos:
                break
        seconds = time.perf_counter() - start
        shown = page.locator(".grid-rows").get_attribute("data-shown")
        drawn = page.locator(".tile").count()
        page.wait_for_timeout(1500)
        images = page.evaluate("probe.images()")
        batches = _list_batches(page)
        frames = _count_long_tasks(page)
    print(f"--- {title}: {shown} photos known, {drawn} drawn; {seconds:.1f} s, {len(images)} images")
    for count, milliseconds, kilobytes in batches:
        print(f"    after {count:>6} photos: {milliseconds:8.0f} ms to more, {kilobytes:7.0f} kB")
    if alone:
        report("an image alone", alone)
    report("an image while scrolling, from request to its end", [end - begin for _, begin, end in images])
    report("- waiting in the browser before that", [begin - asked for asked, begin, _ in images])
    print(f"{'- at the same time, at most':<58}{_count_concurrent(images):8}")
    print(f"{'steps of the wheel at the end of the page':<58}{waits:8} of {steps}")
    if frames:
        report("tasks of the page longer than 50 ms", frames)


def _count_passed(page: Any) -> int:
    return page.evaluate(
        "Math.max(-1, ...[...document.querySelectorAll('.tile a')]"
        ".filter((link) => link.getBoundingClientRect().top < innerHeight)"
        ".map((link) => Number(link.dataset.index)))"
    )


def _count_long_tasks(page: Any) -> list[float]:
    return page.evaluate(
        "new Promise((resolve) => { const observer = new PerformanceObserver((list) =>"
        " resolve(list.getEntries().map((entry) => entry.duration)));"
        " observer.observe({type: 'longtask', buffered: true}); setTimeout(() => resolve([]), 300); })"
    )


def _list_batches(page: Any) -> list[tuple[int, float, float]]:
    """Return the photos shown, the milliseconds until more came, and the size of that message."""
    batches, begin = [], None
    for message in page.evaluate("probe.messages"):
        if message["kind"] == "sent" and "generation" in message["text"]:
            count = re.search(r'"count"\s*:\s*(\d+)', message["text"].replace("\\", ""))
            begin = int(count[1]) if count else 0, message["at"]
        elif begin and message["kind"] == "received" and message["bytes"] > 2000:
            batches.append((begin[0], message["at"] - begin[1], message["bytes"] / 1000))
            begin = None
    return batches


def measure_single_images(page: Any) -> list[float]:
    """Return the milliseconds of 30 images of photos in the page, one after the other, not from the cache."""
    return page.evaluate(
        """async () => {
          const times = [];
          for (const tile of [...document.querySelectorAll(".tile img")].slice(0, 30)) {
            const begin = performance.now();
            await (await fetch(tile.currentSrc, {cache: "no-store"})).arrayBuffer();
            times.push(performance.now() - begin);
          }
          return times;
        }"""
    )


def _count_concurrent(images: Sequence[Sequence[float]]) -> int:
    edges = sorted([(begin, 1) for _, begin, _ in images] + [(end, -1) for *_, end in images])
    running = most = 0
    for _, change in edges:
        running += change
        most = max(most, running)
    return most


def measure_filters(browser: Any, address: str) -> None:
    """Print the time from the click to the filters, in new pages, and again in the same page."""
    opened, again = [], []
    ready = "probe.until(() => document.querySelector('.filter-panel .histogram')?.clientHeight > 0, 30)"
    for _ in range(4):
        with open_page(browser, address) as page:
            page.wait_for_timeout(1500)
            for number in range(3):
                page.get_by_role("button", name="Filters", exact=True).click()
                (again if number else opened).append(page.evaluate(ready))
                page.wait_for_timeout(1500)
                page.get_by_role("button", name="Filters", exact=True).click()
                page.wait_for_timeout(100)
    report("opening the filters first of all", opened[:1])
    report("opening the filters in a new page", opened[1:])
    report("opening the filters again", again)


def measure_memory_of_prompt(config_file: Path, sentences: Sequence[str]) -> float:
    """Return the megabytes of a script 06 that has answered the sentences at its prompt."""
    command = [*_make_command("06_search.py", config_file), "--paths", "-k", str(FIRST_PHOTOS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stdin
        process.stdin.write("".join(f"{sentence}\n" for sentence in sentences))
        process.stdin.flush()
        before, quiet = -1.0, 0
        while quiet < 6:  # three seconds without work
            time.sleep(0.5)
            used = _read_cpu_seconds(process.pid)
            quiet = quiet + 1 if used > 3 and used - before < 0.03 else 0
            before = used
        megabytes = read_megabytes(process.pid)
        process.stdin.close()
    return megabytes


def _read_cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def read_megabytes(process: int) -> float:
    """Return the memory of a process and its children; what is shared counts in parts."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    own = int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) / 1000
    return own + sum(read_megabytes(int(child)) for child in children)


# --- all of it ---------------------------------------------------------------------------------------------


def measure(config: Config, folder: Path, only: Sequence[str]) -> None:
    """Print all measurements."""
    from playwright.sync_api import sync_playwright

    config_file = folder / "config.yaml"
    remove_made_thumbnails(folder)
    truth = read_truth(folder / "album")
    sentences = list(dict.fromkeys(question.text for question in make_questions(truth, 200)))
    sentences = sentences[:: max(1, len(sentences) // SENTENCES)]
    server = Server(config_file)
    print(f"{'memory of the server after its start':<58}{read_megabytes(server.process.pid):8.0f} MB")
    with closing(server), sync_playwright() as playwright, open_library(config) as library:
        options = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        steps: dict[str, Callable[[], None]] = {
            "filters": lambda: measure_filters(browser, server.address),
            "search": lambda: measure_searches(browser, server.address, sentences, library),
            "complete": lambda: measure_completions(browser, server.address, library),
            "scroll": lambda: measure_all_scrolling(browser, server.address),
        }
        for name, step in steps.items():
            if name in only:
                step()
                memory = read_megabytes(server.process.pid)
                print(f"{'memory of the server then':<58}{memory:8.0f} MB", flush=True)
        browser.close()
        memory = read_megabytes(server.process.pid)
    if "memory" in only:
        prompt = measure_memory_of_prompt(config_file, sentences)
        print(f"{'memory of a warm 06':<58}{prompt:8.0f} MB; server / 06 = {memory / prompt:.2f} (aim: 1.3)")


def remove_made_thumbnails(folder: Path) -> None:
    """Remove the thumbnails that an earlier run of this program made; all others are hard links."""
    for file in (folder / "processed" / "thumbnails").glob("*/*.webp"):
        if file.stat().st_nlink == 1:
            file.unlink()


def measure_all_scrolling(browser: Any, address: str) -> None:
    """Scroll by relevance and by date, with and without thumbnails, and far."""
    measure_scrolling(browser, address, "/?q=a+beach", 1000, "by relevance")
    measure_scrolling(browser, address, "/?sort=date", 1000, "by date")
    measure_scrolling(browser, address, "/?sort=oldest", 1000, "by date, thumbnails are made at first sight")
    measure_scrolling(browser, address, "/?q=a+boat", 5000, "far, by relevance")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("/tmp/web_album"))
    parser.add_argument("--photos", type=int, default=50_000)
    parser.add_argument("--clip", type=Path, help="folder of a CLIP model; default: the demo's")
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS)
    args = parser.parse_args()
    measure(make_large_album(args.folder, args.photos, args.clip), args.folder, args.only)


if __name__ == "__main__":
    main()
