"""Invertible down-scaling by two: Haar wavelets or pixel squeezing (supplement, section 4.2).

Both layers turn (b, h, w, c) with even h and w into (b, h/2, w/2, 4c), sub-image major: all
channels of the first sub-image, then of the second, third and fourth. That is the `prop` order;
`GroupByImage` makes the `ref` order of it.
"""

import einops
import jax.numpy as jnp
import numpy as np

from iicnet_jax.models.bijection import Bijection


def _require_even(x):
    if x.shape[1] % 2 or x.shape[2] % 2:
        raise ValueError(
            f"down-scaling needs even height and width, got {x.shape[1]}x{x.shape[2]} "
            f"(shape {x.shape}): pad the images first"
        )


class Squeeze(Bijection):
    """Pixel (dy, dx) of every 2x2 square becomes sub-image 2 dy + dx."""

    def forward(self, x):
        _require_even(x)
        return einops.rearrange(x, "b (h dy) (w dx) c -> b h w (dy dx c)", dy=2, dx=2)

    def inverse(self, y):
        return einops.rearrange(y, "b h w (dy dx c) -> b (h dy) (w dx) c", dy=2, dx=2)


class Haar(Bijection):
    """The four 2x2 Haar sums, divided by 4: average, horizontal, vertical, diagonal.

    The inverse is the transposed transform without the 1/4.
    """

    # Row: sub-band. Column: pixel (dy, dx) of the square, in the order of Squeeze.
    SIGNS = np.array(
        [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=np.float32
    )

    def forward(self, x):
        return self._mix(self.SIGNS / 4, Squeeze().forward(x))

    def inverse(self, y):
        return Squeeze().inverse(self._mix(self.SIGNS.T, y))

    @staticmethod
    def _mix(matrix, x):
        sub_images = einops.rearrange(x, "b h w (s c) -> b h w s c", s=4)
        # Four products and sums at full precision: accelerators would round a matrix product.
        mixed = jnp.einsum("ts,bhwsc->bhwtc", matrix, sub_images, precision="highest")
        return einops.rearrange(mixed, "b h w s c -> b h w (s c)")


class GroupByImage(Bijection):
    """Reorders channels from [sub-image][image][colour] to [image][sub-image][colour].

    The first channels are then the sub-images of the reference image, 4 of them for one
    down-scaling.
    """

    def __init__(self, colours: int, sub_images: int = 4):
        self.colours = colours
        self.sub_images = sub_images

    def forward(self, x):
        return einops.rearrange(
            x, "b h w (s n c) -> b h w (n s c)", s=self.sub_images, c=self.colours
        )

    def inverse(self, y):
        return einops.rearrange(
            y, "b h w (n s c) -> b h w (s n c)", s=self.sub_images, c=self.colours
        )


class FirstLevelFirst(Bijection):
    """Reorders what several down-scalings gave: by the sub-images of the first one.

    The first quarter of the channels is then the first sub-image, scaled down by the others.
    """

    def __init__(self, channels: int, levels: int):
        self.channels = channels
        self.later = 4 ** (levels - 1)

    def forward(self, x):
        return einops.rearrange(x, "b h w (l s c) -> b h w (s l c)", l=self.later, c=self.channels)

    def inverse(self, y):
        return einops.rearrange(y, "b h w (s l c) -> b h w (l s c)", l=self.later, c=self.channels)
