"""Time of downloading a list of photos, compared with the delay of the server alone.

    python benchmarks/download_speed.py [--photos 1000] [--delay 0.6] [--concurrency 16]

A server in another process answers each request after the delay. One in ten addresses misbehaves, each in
another way: 404, 429, slow, endless, a page, no photo, a redirect loop, redirects to private hosts,
huge, truncated. The program prints the reasons, and the ratio to delay x addresses / concurrency; then the
same list is read again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from imagesearch.config import Config, load_config
from imagesearch.downloads import DownloadCache, download_photos

TESTS = Path(__file__).parent.parent / "tests"
SERVER = """if True:
    import sys
    sys.path.insert(0, sys.argv[1])
    from url_server import UrlServer, make_jpeg
    server, contents = UrlServer(), [make_jpeg(n, (1200, 800)) for n in range(20)]
    server.files = {f"/good/{n}.jpg": contents[n % 20] for n in range(int(sys.argv[2]))}
    server.delay = float(sys.argv[3])
    print(server.host, flush=True)
    sys.stdin.readline()
    print(sum(server.requests.values()), flush=True)
    sys.stdin.readline()
    print(sum(server.requests.values()), flush=True)
    server.close()
"""


def make_config(folder: Path, host: str, concurrency: int) -> Config:
    (folder / "config.yaml").write_text(
        f"dataset: {{processed: processed, allow_hosts: ['{host}']}}\n"
        f"downloads: {{concurrency: {concurrency}, per_host: {concurrency}, first_byte_seconds: 1, "
        "seconds: 2, retries: 1, max_megabytes: 5}\n"
    )
    return load_config(folder / "config.yaml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--delay", type=float, default=0.6, help="seconds before each response")
    parser.add_argument("--concurrency", type=int, default=16)
    args = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    from url_server import list_addresses

    command = [sys.executable, "-c", SERVER, str(TESTS), str(args.photos), str(args.delay)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
    ):
        host = server.stdout.readline().strip()
        config = make_config(Path(folder), host, args.concurrency)
        cache = DownloadCache(config.dataset.folder)
        addresses = {address: address for address in list_addresses(f"http://{host}", args.photos)}
        for title in ("first run", "second run"):
            start, cpu = time.perf_counter(), time.process_time()
            summary = download_photos(config, cache, addresses)
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
            server.stdin.write("\n")
            server.stdin.flush()
            requests = int(server.stdout.readline())
            ratio = seconds / (args.delay * args.photos / args.concurrency)
            print(
                f"{title}: {summary.downloaded} downloaded, {len(summary.failed)} failed, {seconds:.1f} s "
                f"({ratio:.2f} of delay x addresses / concurrency), CPU {cpu:.1f} s, "
                f"{requests} requests so far"
            )
    for reason, count in Counter(summary.failed.values()).most_common():
        print(f"{count:>5}  {reason}")


if __name__ == "__main__":
    main()
