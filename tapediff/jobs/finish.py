"""The end of a job: sums over chunks, other formats, final names, the summary."""

import io
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tapediff.jobs.files import storage_errors, write_atomically
from tapediff.jobs.folder import JobFolder, remove
from tapediff.jobs.parquet import write_parquet
from tapediff.jobs.settings import Settings
from tapediff.jobs.store import FolderStore, Store
from tapediff.jobs.sums import CompensatedSum


def combined(settings: Settings, store: Store) -> dict[str, np.ndarray]:
    """Value and gradients of a job with `reduce`: the chunks' sums added in the order of the chunks."""
    found = {}
    for name, (shape, dtype) in final_layouts(settings).items():
        total = CompensatedSum(shape)
        for chunk in range(settings.partition.count):
            total.add(store.read(name, chunk, chunk + 1)[0])
        result = total.result()
        with np.errstate(all="ignore"):
            if settings.reduce == "mean":
                rows = store.tally.counts.summed
                result = result / rows if rows else np.full(shape, np.nan)
            found[name] = result.astype(dtype)
    return found


def final_layouts(settings: Settings) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Shape and dtype of what a job with `reduce` gives."""
    gradients = {f"grad_{name}": layout for name, layout in settings.shapes.items()}
    return {"value": ((), np.dtype(settings.value)), **gradients}


def finish(folder: JobFolder, settings: Settings, store: FolderStore, summary: Mapping[str, Any]) -> None:
    """Give the outputs of a folder their final names. Whatever stops it, it can be called again."""
    store.commit()
    if settings.reduce:
        for name, array in combined(settings, store).items():
            write_atomically(folder.work_path(name), npy_bytes(array))
    if settings.format == "parquet":
        write_parquet(folder, settings, store)
    else:
        folder.publish(settings.outputs)
    write_atomically(folder.summary, (json.dumps(summary, indent=2) + "\n").encode())
    store.journal.append([{"finished": True}])
    with storage_errors(folder.work):
        for path in (*(folder.work_path(name) for name in settings.outputs), *folder.work.glob("sums_*.npy"), folder.inputs):
            if os.path.lexists(path):
                remove(path)


def npy_bytes(array: np.ndarray) -> bytes:
    """An array in NumPy's format."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
    return file.getvalue()
