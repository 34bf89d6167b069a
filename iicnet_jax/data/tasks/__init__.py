"""All tasks by name, one file each; opens the dataset of a configuration."""

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path
from iicnet_jax.data.storage import FolderStore, Store, cached
from iicnet_jax.data.task import FileTask
from iicnet_jax.data.tasks.background import Background
from iicnet_jax.data.tasks.composition import Composition
from iicnet_jax.data.tasks.custom_folder import CustomFolder
from iicnet_jax.data.tasks.dual_view import DualView
from iicnet_jax.data.tasks.grayscale import Grayscale
from iicnet_jax.data.tasks.hiding import Hiding
from iicnet_jax.data.tasks.rescaling import Rescaling
from iicnet_jax.data.tasks.stereo import Stereo
from iicnet_jax.data.tasks.video import Video

TASKS: dict[str, type[FileTask]] = {
    "background": Background,
    "composition": Composition,
    "custom_folder": CustomFolder,
    "dual_view": DualView,
    "grayscale": Grayscale,
    "hiding": Hiding,
    "rescaling": Rescaling,
    "stereo": Stereo,
    "video": Video,
}


def create_task(data, model) -> FileTask:
    """The task that `config.data` names, for the network of `config.model`.

    Raises:
      UserError: the name is unknown or a field does not fit the task.
    """
    return task_class(data).from_config(open_store(data), data, model)


def task_class(data) -> type[FileTask]:
    """The class of the task that `config.data` names. Raises UserError if it is unknown."""
    if data.task not in TASKS:
        raise UserError(
            f"config.data.task is {data.task!r}, which is unknown; known: {', '.join(TASKS)}"
        )
    return TASKS[data.task]


def open_store(data) -> Store:
    """The files of the dataset at `config.data.root`, as published or as prepared.

    Raises:
      UserError: the root is not set, or holds something else that has been prepared.
    """
    dataset = task_class(data).DATASET
    if not data.root:
        raise UserError(f"config.data.root is not set: {dataset.how_to_get}")
    if (typed_path(data.root) / "dataset_info.json").is_file():
        # Only here, because importing TFDS takes a second.
        from iicnet_jax.data.prepared import PreparedStore

        store: Store = PreparedStore(data.root, dataset)
    else:
        store = FolderStore(data.root, dataset)
    return cached(store) if data.cache else store
