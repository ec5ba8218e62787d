"""Index tuning: recall and time against exact search, and validation of the recommended setting."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import World
from matplotlib.figure import Figure
from milvus_servers import run_lite_server

from imagesearch.config import Config, IndexSearchParams, load_config
from imagesearch.errors import UserError
from imagesearch.evaluate import IndexCurve, IndexReport, evaluate_index, index_report
from imagesearch.evaluate.index_benchmark import (
    SearchCase,
    SearchMeasurement,
    hold_out_queries,
    load_vectors,
    measure_searches,
    open_temporary_index,
    prepare_data,
)
from imagesearch.evaluate.index_report import ParameterSetting
from imagesearch.figures import draw_index_report
from imagesearch.store import (
    LITE,
    PHOTO_FIELDS,
    CollectionRef,
    CollectionSpec,
    IndexSpec,
    Store,
    choose_index,
    fill_collection,
)

ROWS, DIMENSION = 1600, 24
FIELDS = tuple(item for item in PHOTO_FIELDS if item.name in ("path", "face_labels"))


def make_vectors(count: int, seed: int) -> np.ndarray:
    """Make unit vectors around 150 centres, which are the same for every seed."""
    centres = np.random.default_rng(99).standard_normal((150, DIMENSION))
    rng = np.random.default_rng(seed)
    spread = centres[rng.integers(0, 150, count)] + 0.9 * rng.standard_normal((count, DIMENSION))
    return (spread / np.linalg.norm(spread, axis=1, keepdims=True)).astype(np.float32)


def write_config(folder: Path, text: str = "") -> Config:
    file = folder / "config.yaml"
    file.write_text(text, "utf-8")
    return load_config(file)


def save_vectors(folder: Path, vectors: np.ndarray, name: str = "vectors.npy") -> Path:
    np.save(folder / name, vectors)
    return folder / name


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> IndexReport:
    folder = tmp_path_factory.mktemp("tuning")
    return evaluate_index(
        write_config(folder, "milvus: {index: {search_params: {nprobe: 3}}}"),
        types=("FLAT", "IVF_FLAT", "HNSW"),
        vectors=save_vectors(folder, make_vectors(ROWS, 1)),
    )


# --- measurements ------------------------------------------------------------------------------------------


def test_an_index_alone_loses_filtered_rows_and_a_widened_search_does_not(report: IndexReport) -> None:
    flat, *others = report.curves
    assert [curve.spec.type for curve in report.curves] == ["FLAT", "IVF_FLAT", "HNSW"]
    assert list(report.passing.values()) == [
        1520,
        760,
        15,
        10,
    ]  # 80 are held out; each filter passes at least ten
    assert {found.recall for found in flat.settings[0].searched.values()} == {1.0}
    for curve in others:
        weakest, widest = curve.settings[0], curve.settings[-1]
        few = list(report.passing)[-1]
        assert weakest.bare[few].recall < min(0.5, weakest.searched["all"].recall)
        assert widest.bare[few].recall == 1.0
        for setting in curve.settings:
            assert min(setting.searched[name].recall for name in setting.bare) > 0.95
            assert all(0 < found.p50 <= found.p95 for found in setting.searched.values())


def test_recall_grows_with_the_parameter_up_to_exact_search(report: IndexReport) -> None:
    _, clusters, graph = report.curves
    values = [setting.value for setting in clusters.settings]
    assert values == [1, 2, 4, 8, 16, 32, 38] and clusters.spec.build == {"nlist": 38}
    recalls = [setting.searched["all"].recall for setting in clusters.settings]
    assert recalls == sorted(recalls) and recalls[-1] == 1.0
    assert [setting.value for setting in graph.settings] == [16, 32, 64, 128, 256, 512, 1024, 1520]


def test_the_table_and_json_agree(report: IndexReport) -> None:
    text, found = str(report), report.to_dict()
    json.dumps(found, allow_nan=False)
    assert found["recommended"]["holds"] and found["recommended"]["type"] in text
    assert found["queries"] == {"tuning": {"held out": 40}, "checking": {"held out": 40}}
    first = found["indexes"][1]["settings"][0]
    row = next(line for line in text.splitlines() if line.startswith("1 "))
    assert f"{first['searched']['all']['recall']:.3f}" in row
    assert f"{first['bare']['50%']['recall']:.3f}" in row


def test_the_ground_truth_is_exact_and_equal_rows_are_both_correct(tmp_path: Path) -> None:
    vectors = make_vectors(400, 2)
    vectors[200:] = vectors[:200]
    indexed, held_out = hold_out_queries(vectors)
    data = prepare_data(indexed, {"held out": held_out})
    assert len(data.vectors) == 380 and len(data.queries) == 20
    for name, item in data.filters.items():
        inside = data.vectors[item.mask]
        best = -np.sort(-(data.queries @ inside.T), axis=1)
        np.testing.assert_allclose(data.score_thresholds[name], best[:, min(10, len(inside)) - 1], atol=1e-6)
    with open_temporary_index(write_config(tmp_path).milvus, IndexSpec("FLAT", {}), data) as index:
        cases = [SearchCase(name, IndexSearchParams()) for name in data.filters]
        assert all(found.recall == 1.0 for found in measure_searches(index, cases, slice(None)).values())


# --- the recommendation ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["IVF_FLAT", "HNSW"])
def test_the_recommended_lines_load_and_reach_the_target_on_new_queries(
    report: IndexReport, tmp_path: Path, kind: str
) -> None:
    curve = next(curve for curve in report.curves if curve.spec.type == kind)
    config = write_config(tmp_path, curve.format_yaml())
    settings = config.milvus.index
    assert choose_index(settings, ROWS, LITE) == curve.spec
    assert getattr(settings.search_params, curve.parameter) == curve.pick.value
    # other rows, other queries, other filters
    data = prepare_data(make_vectors(ROWS, 3), {"new": make_vectors(100, 4)}, seed=5)
    with open_temporary_index(config.milvus, choose_index(settings, len(data.vectors), LITE), data) as index:
        cases = [SearchCase(name, settings.search_params) for name in data.filters]
        found = measure_searches(index, cases, slice(None))
    assert all(item.recall >= 0.95 for item in found.values())


def test_the_cheapest_setting_that_reaches_the_target_with_confidence_is_recommended() -> None:
    def setting(value: int | None, recall: float, p50: float, narrow: float = 1.0, spread: float = 0.0):
        found = SearchMeasurement({"held out": recall}, recall - spread, p50, p50)
        return ParameterSetting(
            value, {"all": found, "1%": SearchMeasurement({"held out": narrow}, narrow, 9, 9)}, {}
        )

    def report(*settings: ParameterSetting, exact: bool = False) -> IndexReport:
        clusters = IndexCurve(IndexSpec("IVF_FLAT", {"nlist": 64}), "nprobe", None, 64, 1.0, settings, {})
        flat = IndexCurve(IndexSpec("FLAT", {}), "", None, None, 1.0, (setting(None, 1.0, 50.0),), {})
        curves = (flat, clusters) if exact else (clusters,)
        return IndexReport(100, 8, {"all": 100, "1%": 10}, {"held out": 5}, {"held out": 5}, curves)

    weak, unsure, good = setting(1, 0.90, 1.0), setting(4, 0.96, 2.0, spread=0.02), setting(8, 0.97, 3.0)
    slow, lossy, noisy = setting(32, 1.0, 60.0), setting(2, 1.0, 1.0, narrow=0.6), setting(16, 1.0, 2.95)
    assert "nprobe: 8" in report(weak, lossy, unsure, good, noisy, slow, exact=True).yaml
    assert report(weak, slow, exact=True).yaml == "milvus:\n  index:\n    type: FLAT"
    nothing = report(weak, unsure, lossy)
    assert nothing.best is None and nothing.to_dict()["recommended"] is None
    assert "no setting" in str(nothing) and "type: FLAT" in str(nothing)


def test_exact_search_is_recommended_if_no_setting_reaches_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_report, "RECALL_TARGET", 1.01)
    file = save_vectors(tmp_path, make_vectors(ROWS, 1))
    found = evaluate_index(write_config(tmp_path), types=("IVF_FLAT",), vectors=file)
    assert found.best is None and found.curves[0].validation == {} and "type: FLAT" in found.yaml


# --- the user's collections --------------------------------------------------------------------------------


def stop_early(stream, *_, **__):
    for number, item in enumerate(stream):
        if number == 20:
            raise KeyboardInterrupt
        yield item


def test_on_a_server_only_a_temporary_collection_is_made_and_dropped(tmp_path: Path) -> None:
    with run_lite_server(tmp_path) as uri:
        config = write_config(tmp_path, f"milvus: {{uri: '{uri}'}}")
        assert not config.milvus.is_file
        mine = prepare_data(make_vectors(100, 7), {"own": make_vectors(5, 7)})
        with Store(config.milvus) as store:
            ref = CollectionRef("mine", "clip")
            spec = CollectionSpec(ref, "m", "f", DIMENSION, IndexSpec("FLAT", {}), FIELDS)
            fill_collection(store, spec, mine.make_rows())
            before = store.collections.list_all()
        listings: list[list[str]] = []

        def record_collections(stream, total, unit="photo", label=None):
            with Store(config.milvus) as store:
                listings.append([collection.ref.dataset for collection in store.collections.list_all()])
            return stream

        file = save_vectors(tmp_path, make_vectors(200, 1))
        found = evaluate_index(config, types=("FLAT",), vectors=file, progress=record_collections)
        assert found.best.spec.type == "FLAT"
        assert any(name.startswith("scratch_") for names in listings for name in names)
        with pytest.raises(KeyboardInterrupt):
            evaluate_index(config, types=("FLAT",), vectors=file, progress=stop_early)
        with Store(config.milvus) as store:
            assert store.collections.list_all() == before and store.collections._list_own() == before


def test_with_milvus_lite_the_users_file_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    config = write_config(tmp_path, "milvus: {uri: mine.db}")
    file = save_vectors(tmp_path, make_vectors(200, 1))
    with pytest.raises(KeyboardInterrupt):
        evaluate_index(config, vectors=file, progress=stop_early)
    evaluate_index(config, vectors=file)
    assert list((tmp_path / "tmp").iterdir()) == [] and not (tmp_path / "mine.db").exists()


# --- the script --------------------------------------------------------------------------------------------


def test_the_photos_and_reference_texts_of_a_dataset_are_the_queries(world: World) -> None:
    for seed in range(120):
        world.add(f"{seed}.png", seed)
    world.run("01_extract_features.py", "--only", "clip")
    done = world.run("08_evaluate.py", "--index", "--json", "--no-show", "--save", "curve.png")
    found = json.loads(done.stdout)
    assert found["rows"] == 114 and found["dimension"] == 24
    halves = [found["queries"][half] for half in ("tuning", "checking")]
    assert sum(half["held out"] for half in halves) == 6 and sum(half["texts"] for half in halves) == 200
    assert found["recommended"]["type"] == "FLAT" and "no parameters to tune" in done.stderr
    assert (world.folder / "curve.png").stat().st_size > 10_000
    assert not (world.folder / "milvus.db").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.npy", None, "none.npy"),
        ("text.npy", b"not an array", "not a .npy file of numbers (another format)"),
        ("flat.npy", np.ones(300, np.float32), "a matrix"),
        ("words.npy", np.full((300, 8), "x"), "a matrix"),
        ("objects.npy", np.full((300, 8), None, object), "not a .npy file"),
        ("few.npy", make_vectors(99, 1), "too few"),
        ("nan.npy", np.where(np.arange(300)[:, None] == 7, np.nan, make_vectors(300, 1)), "first in row 7"),
        ("zero.npy", np.where(np.arange(300)[:, None] > 297, 0, make_vectors(300, 1)), "2 of 300"),
    ],
)
def test_files_that_cannot_be_indexed_are_refused_in_one_line(
    world: World, name: str, content: np.ndarray | bytes | None, message: str
) -> None:
    file = world.folder / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        np.save(file, content)
    done = world.run("08_evaluate.py", "--index", "--vectors", file, code=2)
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_options_require_index_and_a_dataset_requires_vectors(world: World) -> None:
    assert "require --index" in world.run("08_evaluate.py", "--self", "--types", "HNSW", code=2).stderr
    done = world.run("08_evaluate.py", "--index", code=2)
    assert "run 01_extract_features.py" in done.stderr and done.stderr.count("\n") == 1


def test_vectors_of_any_type_and_length_become_unit_vectors(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(1, 9, (100, 6))
    for dtype in (np.int64, np.float16, np.float64):
        vectors = load_vectors(save_vectors(tmp_path, numbers.astype(dtype)))
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    with pytest.raises(UserError, match="matrix"):
        load_vectors(save_vectors(tmp_path, numbers[:, :1]))


# --- the figure --------------------------------------------------------------------------------------------


def is_whole(figure: Figure) -> bool:
    """Return whether nothing extends over the edge of the figure."""
    figure.draw_without_rendering()
    box, page = figure.get_tightbbox(), figure.bbox_inches.padded(0.02)
    return bool(page.contains(*box.min) and page.contains(*box.max))


@pytest.mark.parametrize("which", [[0], [1], [0, 2], [0, 1, 2]])
def test_the_figure_shows_each_index_and_what_is_recommended(report: IndexReport, which: list[int]) -> None:
    some = replace(report, curves=tuple(report.curves[i] for i in which))
    figure = draw_index_report(some)
    above, below = figure.axes[: len(which)], figure.axes[len(which) :]
    assert [axis.get_title() for axis in above] == [curve.title for curve in some.curves]
    assert f"recommended: {some.best.spec.type}" in figure.get_suptitle()
    assert is_whole(figure)
    low, high = below[0].get_ylim()
    times = [found.p50 for curve in some.curves for s in curve.settings for found in s.searched.values()]
    assert low < min(times) <= max(times) < high
