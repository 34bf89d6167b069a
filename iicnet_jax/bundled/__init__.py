"""The models that come with the package: found by name, by task, by fingerprint.

`iicnet export-weights WORKDIR -o iicnet_jax/bundled/models/NAME` makes one of a run. The one that
it replaces moves to `models/earlier/NAME-1` (2, 3, ...), since what it embedded can be restored by
no other.
"""

from pathlib import Path
from typing import NamedTuple

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path
from iicnet_jax.core.wording import number_of
from iicnet_jax.media.embedding_file import Record
from iicnet_jax.models.baselines import low_bits
from iicnet_jax.weights.model_dir import (
    CONFIG,
    IN_WORKDIR,
    WEIGHTS,
    load_config,
    lowest_qualities,
    read_model,
)


class Use(NamedTuple):
    """What a model is for, the command that takes it, and the pictures that trained it."""

    purpose: str
    command: str
    trained_on: str


FOLDER = Path(__file__).parent / "models"
EARLIER = "earlier"  # folder in it of those that have been replaced
_PHOTOGRAPHS = "photographs, paintings and drawings"
_PAGES = f"{_PHOTOGRAPHS}, and pages of text"
_PAIRS = f"a stereo photograph, and pairs made of {_PHOTOGRAPHS}"
USES = {
    "hiding": Use("a picture hidden in another", "iicnet embed A B", _PAGES),
    "hiding3": Use("two pictures hidden in a third", "iicnet embed A B C", _PAGES),
    "hiding4": Use("three pictures hidden in a fourth", "iicnet embed A B C D", _PAGES),
    "grayscale": Use(
        "the colours of a picture in a grey one", "iicnet embed --model grayscale A", _PAGES
    ),
    "rescaling": Use(
        "a picture in one of half its size", "iicnet embed --model rescaling A", _PAGES
    ),
    "video": Use(
        "several frames of a video or GIF in one",
        "iicnet video embed, iicnet gif embed",
        f"videos, and views that move over {_PHOTOGRAPHS}",
    ),
    "stereo": Use("the right view in the left one", "iicnet stereo embed", _PAIRS),
    "hiding_robust": Use(
        "a picture hidden in another, for JPEG files",
        "iicnet embed --model hiding_robust A B -o C.jpg",
        _PAGES,
    ),
    "grayscale_robust": Use(
        "the colours of a picture in a grey one, for JPEG files",
        "iicnet embed --model grayscale_robust A -o B.jpg",
        _PHOTOGRAPHS,
    ),
    "rescaling_robust": Use(
        "a picture in one of half its size, for JPEG files",
        "iicnet embed --model rescaling_robust A -o B.jpg",
        _PAGES,
    ),
    "stereo_robust": Use(
        "the right view in the left one, for JPEG files",
        "iicnet stereo embed --model stereo_robust A B -o C.jpg",
        _PAIRS,
    ),
}
# How many pictures those take that `iicnet embed` is for.
PICTURES = {"hiding": 2, "hiding3": 3, "hiding4": 4, "grayscale": 1, "rescaling": 1}


def folders() -> dict[str, Path]:
    """The model directories that are there, by name, without those that have been replaced."""
    names = [path.parent.name for path in FOLDER.glob(f"*/{CONFIG}")]
    order = list(USES)
    names.sort(key=lambda name: (order.index(name) if name in USES else len(order), name))
    return {name: FOLDER / name for name in names}


def earlier() -> dict[str, Path]:
    """The model directories that have been replaced, by name, such as hiding-1."""
    return {path.parent.name: path.parent for path in sorted(FOLDER.glob(f"{EARLIER}/*/{CONFIG}"))}


def find(model: str) -> Path:
    """The model directory that MODEL on the command line names.

    A folder, the workdir of a run, or else a bundled model. `low_bits`, with options or without,
    has no folder: its name comes back.

    Raises:
      UserError: there is none of these.
    """
    path, there = typed_path(model), folders()
    if path.exists():
        return path / IN_WORKDIR if (path / IN_WORKDIR).is_dir() else path
    if folder := (there | earlier()).get(model):
        return folder
    if low_bits.is_name(model):
        return Path(model)
    raise UserError(
        f"there is no model {model}: name a folder with {WEIGHTS} and {CONFIG}, the workdir of a "
        f"run, {low_bits.NAME}, or {_one_of_them(there)}"
    )


def for_task(name: str) -> Path:
    """The model directory of that name. Raises UserError if it is not there."""
    there = folders()
    if name not in there:
        raise UserError(
            f"no model for {name} comes with this installation: name one with --model "
            f"(there is {_one_of_them(there)})"
        )
    return there[name]


def for_pictures(count: int) -> Path:
    """The model directory that `iicnet embed` takes for so many pictures.

    Raises:
      UserError: none takes so many, or several do.
    """
    there = folders()
    fitting = [name for name, number in PICTURES.items() if number == count and name in there]
    if len(fitting) == 1:
        return there[fitting[0]]
    if fitting:
        each = " or ".join(f"--model {name} ({USES[name].purpose})" for name in fitting)
        raise UserError(f"{count} picture can go into an embedding in two ways: add {each}")
    takes = [f"{name} takes {PICTURES[name]}" for name in PICTURES if name in there]
    raise UserError(
        f"no model for {number_of(count)} comes with this installation: name one with --model"
        + (f" ({', '.join(takes)})" if takes else "")
    )


def for_record(file: Path, record: Record | None, problem: str | None = None) -> Path:
    """The model directory of the network that wrote a file.

    Args:
      file: an embedding file or video.
      record: what it says of itself, if anything.
      problem: why there may be no record, a clause about the file.

    Raises:
      UserError: the record names no network that is there.
    """
    if record is None:
        raise UserError(
            f"{file} {problem or 'has no record of what was embedded'}: which model embedded it "
            "is not known, so name it with --model"
        )
    name = name_of(record.model)
    if name == low_bits.NAME:
        return Path(f"{name}:images={record.images}")
    if name is not None:
        return (folders() | earlier())[name]
    raise UserError(
        f"{file} was written by the model {record.model[:12]} (task {record.task}, {record.images} "
        "images), which does not come with this installation: name its folder with --model"
    )


def name_of(digest: str) -> str | None:
    """The name of the model with that fingerprint, replaced or not; None if it is not there."""
    if digest == low_bits.FINGERPRINT:
        return low_bits.NAME
    for name, folder in (folders() | earlier()).items():
        if fingerprint_of(folder) == digest:
            return name
    return None


def fingerprint_of(folder: Path) -> str:
    """That which a model directory states, so that no weights are read; old ones state none."""
    return load_config(folder)["fingerprint"] or read_model(folder).fingerprint


def surviving(form: str) -> list[str]:
    """The names of the models that survive a file format, such as "jpeg"."""
    return [
        name
        for name, folder in folders().items()
        if form in lowest_qualities(load_config(folder)["about"])
    ]


def _one_of_them(there) -> str:
    return f"one of {', '.join(there)}" if there else "none that comes with this installation"
