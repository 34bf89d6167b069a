"""Miniatures of the paper's datasets, in their published layouts, from scikit-image's photographs.

They are for trying things out: every task reads them as it reads the datasets, because each has
a `miniature.json` that says how much of what there is. One file a dataset; `photographs` says which
photographs train, validate and test.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from experiments.datasets import adobe_matting, davis, div2k, flicker, flickr1024, real_matting, voc
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import workspace, write_json
from iicnet_jax.data.storage import MINIATURE

# Each writes its dataset into a folder and returns the counts of its task's DATASET.
WRITERS: Mapping[str, Callable[[Path], Mapping[str, int]]] = {
    "DAVIS-2017": davis.write,
    "flickr1024": flickr1024.write,
    "DIV2K": div2k.write,
    "Adobe-Matting": adobe_matting.write,
    "Real-Matting": real_matting.write,
    "flicker": flicker.write,
    "VOCdevkit": voc.write,
}

# By task, the folder of the sample that is its config.data.root.
SAMPLE_ROOTS = {
    "video": "DAVIS-2017",
    "stereo": "flickr1024",
    "dual_view": "DIV2K",
    "rescaling": "DIV2K",
    "composition": "Adobe-Matting",
    "background": "Real-Matting",
    "hiding": "flicker",
    "grayscale": "VOCdevkit",
}


def write_sample(
    out: Path,
    datasets: Collection[str] | None = None,
    progress: Callable[[Path], None] = lambda folder: None,
) -> dict[str, Path]:
    """Writes miniatures of datasets; the same bytes every time.

    Args:
      out: gets a folder for each; made if need be.
      datasets: names of these folders, from WRITERS; None writes all.
      progress: called with every folder that has been written.

    Returns:
      The folders by name. Each is written whole or not at all.

    Raises:
      UserError: a name is unknown, or a folder exists already, then nothing is written; or a
        folder cannot be written.
    """
    names = list(WRITERS) if datasets is None else list(datasets)
    if unknown := sorted(set(names) - WRITERS.keys()):
        raise UserError(f"no sample is called {unknown[0]!r}; there are {', '.join(WRITERS)}")
    return write_datasets({name: WRITERS[name] for name in names}, out, progress)


def write_datasets(
    writers: Mapping[str, Callable[[Path], Mapping[str, int]]],
    out: Path,
    progress: Callable[[Path], None] = lambda folder: None,
) -> dict[str, Path]:
    """Writes a folder for each name, whole or not at all, with the counts that its writer returns.

    Raises:
      UserError: a folder exists already, then nothing is written; or one cannot be written.
    """
    folders = {name: Path(out) / name for name in writers}
    for folder in folders.values():
        if folder.exists():
            raise UserError(f"{folder} exists already: choose another folder or delete this one")
    for name, folder in folders.items():
        try:
            _write_whole(folder, writers[name])
        except OSError as error:
            raise UserError(f"{folder} cannot be written ({error}): choose another") from error
        progress(folder)
    return folders


def _write_whole(folder: Path, write: Callable[[Path], Mapping[str, int]]) -> None:
    with workspace(folder.parent) as temporary:
        # A folder of its own, because the temporary one is private to the user.
        dataset = temporary / folder.name
        dataset.mkdir()
        write_json(dataset / MINIATURE, {"counts": write(dataset)})
        dataset.rename(folder)
