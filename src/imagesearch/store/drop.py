"""Step 05 with ``--drop``: drops the collections of a dataset."""

from __future__ import annotations

from imagesearch.config import Config
from imagesearch.pipeline import ImportedVectors
from imagesearch.store.store import Store


def list_drop_targets(config: Config, store: Store, *, forget_import: bool) -> list[str]:
    """Return what `drop_dataset` would drop, in words: aliases, or an unfinished collection."""
    name, collections = config.dataset.name, store.collections
    aliases = [
        collection.ref.alias for collection in collections.list_all() if collection.ref.dataset == name
    ]
    is_imported = ImportedVectors.read(config.dataset.folder) is not None
    is_unfinished = (forget_import and is_imported) or bool(collections.list_unfinished(name))
    return aliases or ([f"the unfinished collection of {name}"] if is_unfinished else [])


def drop_dataset(config: Config, store: Store, *, forget_import: bool) -> list[str]:
    """Drop the collections of a dataset, also unfinished ones, and return their names. The tables are kept.

    Parameters
    ----------
    config, store
        The dataset, and the Milvus to drop from.
    forget_import
        Also remove the record of the files that the vectors were imported from. Another Milvus with the same
        vectors still requires it.
    """
    dropped = store.collections.drop(config.dataset.name)
    if forget_import and ImportedVectors.read(config.dataset.folder) is not None:
        ImportedVectors.remove(config.dataset.folder)
    return dropped
