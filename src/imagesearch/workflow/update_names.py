"""Step 03, last part: writes the user's edits of people and trips to the collections."""

from __future__ import annotations

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.pipeline import Dataset
from imagesearch.store import BuildReport, CollectionRef, Store, build_collections


def update_names(config: Config, dataset: Dataset, store: Store | None = None) -> dict[str, BuildReport]:
    """Update the names in a dataset's collections, if there are any.

    Parameters
    ----------
    config, dataset
        The config, and the dataset with the edits.
    store
        An open connection to the Milvus of the config; by default one is opened and closed.

    Returns
    -------
    reports : dict
        Report by kind of collection; empty if step 05 has not run yet.

    Raises
    ------
    UserError
        If the collections cannot be updated. The edits are stored already.
    """
    if config.milvus.is_missing:
        return {}
    try:
        if store is not None:
            return _update(config, dataset, store)
        with Store(config.milvus) as opened:
            return _update(config, dataset, opened)
    except UserError as error:
        advice = "the names are stored; run 05_build_collections.py to update the collections"
        raise UserError(f"{error}; {advice}") from None


def _update(config: Config, dataset: Dataset, store: Store) -> dict[str, BuildReport]:
    refs = [CollectionRef(config.dataset.name, kind) for kind in ("faces", "clip")]
    if not any(map(store.collections.find, refs)):
        return {}
    return build_collections(config, dataset, store)
