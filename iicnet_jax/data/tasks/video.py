"""Video: consecutive frames in their middle one (supplement, section 1.1).

DAVIS 2017 at 480p, 150 sequences: the 90 of trainval and the 15 at odd places of test-dev, in
alphabetical order counted from 1, train; the other 15 of test-dev validate; the 30 of
test-challenge test. A sample is a window of N frames with a fixed frame stride between them: in the
paper 5 for training and validation, 1 for testing. Every window of a sequence is a sample. The
middle frame is the reference and comes first, the others follow in time order. A network that
scales down has a reference of half the size.
"""

from pathlib import PurePosixPath

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.aligned import AlignedImages
from iicnet_jax.data.storage import Dataset, Store


class Video(AlignedImages):
    """Windows of frames of DAVIS 2017.

    Args:
      frame_stride: frames from one image of a window to the next, when testing.
      training_frame_stride: the same, when training and validating.
    """

    ONE_SIZE = True
    OPTIONS = ("frame_stride", "training_frame_stride")
    DATASET = Dataset(
        name="davis2017",
        counts={"trainval": 90, "test-dev": 30, "test-challenge": 30},  # sequences
        parts={
            part.replace("-", "_"): (f"DAVIS-2017-{part}/JPEGImages/480p/*/*.jpg",)
            for part in ("trainval", "test-dev", "test-challenge")
        },
        how_to_get=(
            "DAVIS 2017 is published at https://davischallenge.org/davis2017/code.html "
            "(semi-supervised, 480p); unpack the three archives and rename the DAVIS folder of "
            "each, so that config.data.root holds DAVIS-2017-trainval, DAVIS-2017-test-dev and "
            "DAVIS-2017-test-challenge, each with JPEGImages/480p/<sequence>/00000.jpg and so on"
        ),
    )

    def __init__(
        self,
        store: Store,
        num_images: int,
        crop: int,
        frame_stride: int = 1,
        training_frame_stride: int = 5,
        scale: int = 1,
    ):
        super().__init__(store, num_images, crop, scale)
        self.frame_stride = frame_stride
        self.training_frame_stride = training_frame_stride

    def _name(self, paths):
        """A sequence and the number of its reference frame."""
        reference = PurePosixPath(paths[0])
        return f"{reference.parent.name}_{reference.stem}"

    def _find_samples(self, split):
        stride = self.frame_stride if split == "test" else self.training_frame_stride
        span = stride * (self.num_images - 1) + 1
        windows = []
        for sequence in self._sequences(split):
            frames = self._frames(sequence)
            for start in range(len(frames) - span + 1):
                window = frames[start : start + span : stride]
                middle = window.pop(self.num_images // 2)
                windows.append((middle, *window))
        if not windows:
            raise UserError(
                f"no sequence of the {split} split has the {span} frames from the first to the "
                f"last of {self.num_images} images at a frame stride of {stride}: choose "
                "a smaller config.model.num_images, config.data.frame_stride or "
                "config.data.training_frame_stride"
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
        self._require_count(f"{folder} holds", found, "sequences", part)
        return found

    def _frames(self, sequence):
        """Paths of a sequence's frames in time order."""
        found = self.store.files(sequence, ".jpg")
        expected = [f"{sequence}/{number:05d}.jpg" for number in range(max(len(found), 1))]
        missing = min(set(expected) - set(found), default=None)
        self._require(missing is None, f"{missing} is missing")
        return found
