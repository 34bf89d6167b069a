"""Video snapshot: nine frames in the middle one, and back (Zhu et al., 2020).

Facts from the paper and the authors' code, which has the networks and no training:
chuchienshu/Video-Snapshot at commit 373ebfd.
"""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from iicnet_jax.models.baselines.encoder_decoder import (
    Encoder,
    EncoderDecoder,
    convolution,
    output_layers,
    residual_blocks,
)
from iicnet_jax.models.network import COLOURS

# Residual blocks in each group of the decoder.
GROUPS = (3, 2, 3)


class MotionAttention(nnx.Module):
    """Merges the frames: sum_i a_i f_i, where f_i are features of frame i and a a softmax over i.

    Maps (b, h, w, 3 N) to (b, h, w, features). Every frame has its own 3x3 convolutions, to its
    features f_i and from these to the one map, rectified, that goes into the softmax.
    """

    REACH = 2

    def __init__(self, num_images: int, features: int, *, rngs: nnx.Rngs):
        frames = range(num_images)
        self.features = nnx.List([convolution(COLOURS, features, rngs=rngs) for _ in frames])
        # Unlike all other convolutions, these have a bias, and start as TensorFlow's layers do.
        self.maps = nnx.List(
            [
                nnx.Conv(
                    features,
                    1,
                    (3, 3),
                    kernel_init=nnx.initializers.xavier_uniform(),
                    rngs=rngs,
                )
                for _ in frames
            ]
        )

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w d"]:
        frames = jnp.split(x, len(self.features), axis=-1)
        features = [conv(frame) for conv, frame in zip(self.features, frames, strict=True)]
        maps = [nnx.relu(conv(f)) for conv, f in zip(self.maps, features, strict=True)]
        weights = nnx.softmax(jnp.concatenate(maps, axis=-1), axis=-1)
        return sum(weights[..., i : i + 1] * f for i, f in enumerate(features))  # type: ignore


class VideoSnapshot(EncoderDecoder):
    """Attention over the frames and an encoder; a decoder of three groups of residual blocks.

    Args:
      num_images: N, how many frames go into one, the reference (the middle one) first; 9 in the
        paper.
      features: channels of the first convolutions; 64 in the paper.

    Raises:
      ValueError: an option is out of range.
    """

    def __init__(self, num_images: int = 9, *, features: int = 64, rngs: nnx.Rngs):
        if num_images < 1 or features < 1:
            raise ValueError(
                f"num_images ({num_images}) and features ({features}) must be at least 1"
            )
        self.num_images = num_images
        self.attention = MotionAttention(num_images, features, rngs=rngs)
        self.encoder = Encoder(features, COLOURS, rngs=rngs)
        self.first = convolution(COLOURS, features, rngs=rngs)
        self.groups = nnx.List(
            [residual_blocks(count, features, 2 * features, rngs=rngs) for count in GROUPS]
        )
        self.output = output_layers(features, num_images, rngs=rngs)

    def encode(self, x):
        return self.encoder(self.attention(x))

    def decode(self, y):
        x = self.first(y)
        for group in self.groups:
            x = x + group(x)
        return self.output(x)

    @property
    def receptive_field_radius(self) -> int:
        return MotionAttention.REACH + Encoder.REACH
