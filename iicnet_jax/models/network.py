"""The contract of all networks: N images into one that looks like the first, and back.

IICNet and the methods it is compared with keep it, so that training, evaluation, tiling and files
know nothing of a network but this.

To add a method, write a `Network` and a `Loss` (`training/losses.py`), name them in
`models/__init__.py` and `experiment/build.py`, and give their fields in `configs/base.py`.
"""

import einops
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

COLOURS = 3


class Network(nnx.Module):
    """Embeds a group of images in one image, and restores them from it.

    A network sets, when it is made,
      num_images: N, how many images go into one; the first is the reference.
      embedding_channels: 3 for a colour embedding, 1 for a grey one.
      scale: how many times smaller than the images the embedding is, 1 or 2.
      grid_stride: where the network works on a coarser grid than the embedding's, how many pixels
        of the embedding lie between two lines of that grid. Tiles must begin on such lines.
      tile: side of the squares in which large images are computed, in pixels of the images, unless
        the user says another. 768 take 1.7 GB of working memory for two images and the paper's
        network, 4 GB for five, 7.2 GB for nine.
    """

    num_images: int
    embedding_channels: int = COLOURS
    scale: int = 1
    grid_stride: int = 1
    tile: int = 768

    def embed(self, frames: Float[Array, "b n h w 3"]) -> Float[Array, "b h2 w2 k"]:
        """Hides the images in one, of the size `embedding_size(h, w)`; not yet quantised.

        Heights and widths that the network cannot halve are padded by repeating the last row and
        column; give the size to `restore` to have them cut off again.

        Raises:
          ValueError: `frames` has not N images of 3 channels, or a side is too small.
        """
        raise NotImplementedError

    def restore(
        self,
        image: Float[Array, "b h w k"],
        size: tuple[int, int] | None = None,
        position=(0, 0),
    ) -> Float[Array, "b n h2 w2 3"]:
        """Gets the images back from the embedding, usually after quantisation.

        Args:
          image: the embedding, or a tile of it.
          size: height and width of the images that were embedded, where the network had padded
            them.
          position: row and column of the first pixel of `image` in the whole embedding, on which
            depends what a network draws at random.

        Raises:
          ValueError: `image` has the wrong number of channels, or `size` is not one that
            embeds to the height and width of `image`.
        """
        raise NotImplementedError

    @property
    def receptive_field_radius(self) -> int:
        """How far a pixel of a result depends on the input, in pixels of the embedding."""
        raise NotImplementedError

    def embedding_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the embedding of images of that height and width."""
        return -(-height // self.scale), -(-width // self.scale)

    def images_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the images in an embedding of that height and width.

        Where the embedding is smaller, images of one row or column less embed to it, too.
        """
        return height * self.scale, width * self.scale

    def _join(self, frames: Float[Array, "b n h w 3"]) -> Float[Array, "b h2 w2 c"]:
        """Concatenates the images along the channels, and pads them. Raises as `embed` does."""
        expected = f"(batch, {self.num_images}, height, width, {COLOURS})"
        if frames.ndim != 5 or frames.shape[1] != self.num_images or frames.shape[4] != COLOURS:
            raise ValueError(f"frames must have the shape {expected}, got {frames.shape}")
        if min(frames.shape[2:4]) < self.scale:
            raise ValueError(
                f"images of {frames.shape[2]}x{frames.shape[3]} are too small: this network "
                f"needs at least {self.scale}x{self.scale} (frames have the shape {frames.shape})"
            )
        x = einops.rearrange(frames, "b n h w c -> b h w (n c)")
        return self._pad(x, self.scale * self.grid_stride)

    def _pad(self, x, multiple: int):
        """Repeats the last row and column until height and width are multiples of a number."""
        missing = [(0, -side % multiple) for side in x.shape[1:3]]
        if missing == [(0, 0), (0, 0)]:  # its gradient would send zeros from device to device
            return x
        return jnp.pad(x, [(0, 0), *missing, (0, 0)], mode="edge")

    def _separate(self, x, size: tuple[int, int] | None) -> Float[Array, "b n h w 3"]:
        """Cuts what was padded off, and parts the images."""
        if size is not None:
            x = x[:, : size[0], : size[1]]
        return einops.rearrange(x, "b h w (n c) -> b n h w c", n=self.num_images)

    def _check_embedding(self, image, size: tuple[int, int] | None) -> None:
        """Raises as `restore` does."""
        if image.ndim != 4 or image.shape[3] != self.embedding_channels or 0 in image.shape:
            raise ValueError(
                f"the embedding must have the shape (batch, height, width, "
                f"{self.embedding_channels}), got {image.shape}"
            )
        if size is not None and self.embedding_size(*size) != image.shape[1:3]:
            raise ValueError(
                f"images of {size[0]}x{size[1]} embed to "
                f"{'x'.join(map(str, self.embedding_size(*size)))}, but the embedding has the "
                f"shape {image.shape}"
            )
