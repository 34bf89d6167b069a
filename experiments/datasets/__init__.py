"""The paper's datasets in miniature, in their published layouts.

The sample is made of scikit-image's photographs, for trying things out (`iicnet data sample`);
larger ones of photographs and videos of one's own (`python -m experiments.photographs`). Every task
reads them as it reads the datasets, because each has a `miniature.json` that says how much of what
there is. One file a dataset: what it writes, and from which pictures.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from experiments.datasets import adobe_matting, davis, div2k, flicker, flickr1024, real_matting, voc
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import filling, to_json
from iicnet_jax.data.storage import MINIATURE

# The sample: each writes its dataset into a folder and returns the counts of its task's DATASET.
WRITERS: Mapping[str, Callable[[Path], Mapping[str, int]]] = {
    "DAVIS-2017": davis.write_sample,
    "flickr1024": flickr1024.write_sample,
    "DIV2K": div2k.write_sample,
    "Adobe-Matting": adobe_matting.write_sample,
    "Real-Matting": real_matting.write_sample,
    "flicker": flicker.write_sample,
    "VOCdevkit": voc.write_sample,
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


def write_sample(out: Path, datasets: Collection[str] | None = None) -> dict[str, Path]:
    """Writes datasets of the sample, None for all, into `out`; the same bytes every time.

    Returns:
      Their folders by name.

    Raises:
      UserError: there is no such dataset; or as `write_datasets` does.
    """
    names = list(WRITERS) if datasets is None else list(datasets)
    if unknown := sorted(set(names) - WRITERS.keys()):
        raise UserError(f"no sample is called {unknown[0]!r}; there are {', '.join(WRITERS)}")
    return write_datasets({name: WRITERS[name] for name in names}, out)


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
        with filling(folder) as temporary:
            counts = to_json({"counts": writers[name](temporary)}, indent=2)
            (temporary / MINIATURE).write_text(f"{counts}\n", encoding="utf-8")
        progress(folder)
    return folders
