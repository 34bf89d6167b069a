"""Spatial-temporal video embedding: frames of a video in one of them (supplement, section 1.1).

DAVIS 2017 at 480p, 150 sequences: the 90 of trainval and the 15 at odd places of test-dev, in
alphabetical order counted from 1, train; the other 15 of test-dev validate; the 30 of
test-challenge test. A sample is a window of N frames with a fixed time step between them: 5 for
training and validation, 1 for testing unless the configuration says otherwise. Every window of a
sequence is a sample. The middle frame is the reference and comes first, the others follow in time
order. A network that scales down has a reference of half the size.
"""

from pathlib import PurePosixPath

import numpy as np

from iicnet_jax.data.images import crop, halve, random_corner
from iicnet_jax.data.regime import Group, Regime
from iicnet_jax.data.store import FolderStore, ImageStore
from iicnet_jax.errors import UserError

SEQUENCES = {"trainval": 90, "test-dev": 30, "test-challenge": 30}
TRAINING_STEP = 5
HOW_TO_GET = (
    "DAVIS 2017 is published at https://davischallenge.org/davis2017/code.html (semi-supervised, "
    "480p); unpack the three archives and rename the DAVIS folder of each, so that "
    "config.data.root holds DAVIS-2017-trainval, DAVIS-2017-test-dev and "
    "DAVIS-2017-test-challenge, each with JPEGImages/480p/<sequence>/00000.jpg and so on"
)


class Video(Regime):
    """Windows of frames of DAVIS 2017.

    Args:
      store: holds DAVIS-2017-trainval and its siblings.
      num_images: N, frames in a window.
      crop: side in pixels of the training crop.
      step: frames from one image of a window to the next, when testing.
      scale: how many times smaller than the frames the reference is, 1 or 2.
    """

    def __init__(
        self, store: ImageStore, num_images: int, crop: int, step: int = 1, scale: int = 1
    ):
        if step < 1:
            raise UserError(f"config.data.step must be at least 1, not {step}")
        self.store = store
        self.num_images = num_images
        self.crop = crop
        self.step = step
        self.scale = scale
        self._windows = {}

    @classmethod
    def from_config(cls, data, model):
        scale = 1 if model.downscaling == "none" else 2
        store = FolderStore(data.root, HOW_TO_GET)
        return cls(store, model.num_images, data.crop, data.step, scale)

    def names(self, split):
        """Of every sample, its sequence and the number of its reference frame."""
        references = [PurePosixPath(window[0]) for window in self.windows(split)]
        return [f"{path.parent.name}_{path.stem}" for path in references]

    def load(self, split, index):
        window = self.windows(split)[index]
        images = tuple(self.store.read(path) for path in window)
        for path, image in zip(window, images, strict=True):
            if image.shape != images[0].shape:
                raise UserError(
                    f"{path} ({image.shape[0]}x{image.shape[1]}) is not of the size of "
                    f"{window[0]} ({images[0].shape[0]}x{images[0].shape[1]}): replace the file"
                )
        return images

    def training_group(self, images, rng):
        top, left = random_corner(rng, images[0], self.crop, self.crop)
        return self._group([crop(image, top, left, self.crop, self.crop) for image in images])

    def evaluation_group(self, images):
        return self._group(images)

    def windows(self, split) -> list[tuple[str, ...]]:
        """Paths of the frames of every sample, the reference first."""
        if split not in self._windows:
            self._windows[split] = self._find_windows(split)
        return self._windows[split]

    def _find_windows(self, split):
        step = self.step if split == "test" else TRAINING_STEP
        span = step * (self.num_images - 1) + 1
        windows = []
        for sequence in self._sequences(split):
            frames = self._frames(sequence)
            for start in range(len(frames) - span + 1):
                window = frames[start : start + span : step]
                middle = window.pop(self.num_images // 2)
                windows.append((middle, *window))
        if not windows:
            raise UserError(
                f"no sequence of the {split} split has the {span} frames from the first to the "
                f"last of {self.num_images} images at time step {step}: choose a smaller "
                "config.model.num_images or config.data.step"
            )
        return windows

    def _sequences(self, split):
        if split == "test":
            return self._published_sequences("test-challenge")
        test_dev = self._published_sequences("test-dev")
        if split == "validation":
            return test_dev[1::2]
        return self._published_sequences("trainval") + test_dev[::2]

    def _published_sequences(self, part):
        folder = f"DAVIS-2017-{part}/JPEGImages/480p"
        found = self.store.folders(folder)
        if len(found) != SEQUENCES[part]:
            raise UserError(
                f"{folder} holds {len(found)} sequences instead of {SEQUENCES[part]}: {HOW_TO_GET}"
            )
        return found

    def _frames(self, sequence):
        """Paths of a sequence's frames in time order."""
        found = self.store.files(sequence, ".jpg")
        expected = [f"{sequence}/{number:05d}.jpg" for number in range(max(len(found), 1))]
        if found != expected:
            missing = min(set(expected) - set(found))
            raise UserError(f"{missing} is missing: {HOW_TO_GET}")
        return found

    def _group(self, images) -> Group:
        height, width = (side - side % self.scale for side in images[0].shape[:2])
        frames = np.stack([crop(image, 0, 0, height, width) for image in images])
        return {"frames": frames, "reference": halve(frames[0]) if self.scale == 2 else frames[0]}
