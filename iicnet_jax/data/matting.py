"""Base of tasks on matting datasets: images resized to squares (supplement, section 1.4)."""

import numpy as np

from iicnet_jax.data.task import FileTask, Sample
from iicnet_jax.imaging.resizing import resize_bilinear


class Matting(FileTask):
    """Samples whose images are of one size, the reference first.

    In training, whole images are resized to squares of the side `crop`.
    """

    def training_sample(self, images, rng):
        return _resized(images, self.crop, self.crop)

    def evaluation_sample(self, images):
        height, width = (side // 2 for side in images[0].shape[:2])
        return _resized(images, height, width)


def _resized(images, height, width) -> Sample:
    frames = [resize_bilinear(np.asarray(image), height, width) for image in images]
    return {"frames": np.stack(frames), "reference": frames[0]}
