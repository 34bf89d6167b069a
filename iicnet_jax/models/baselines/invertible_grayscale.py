"""Invertible grayscale: a colour image in a grey one, and back (Xia, Liu, Wong, 2018).

Facts from the paper and the authors' code, MenghanXia/InvertibleGrayscale at commit 5dc2a0f.
"""

from flax import nnx

from iicnet_jax.core.errors import require_choice
from iicnet_jax.models.baselines.encoder_decoder import (
    Encoder,
    EncoderDecoder,
    convolution,
    output_layers,
    residual_blocks,
)
from iicnet_jax.models.network import COLOURS


class InvertibleGrayscale(EncoderDecoder):
    """An encoder to one channel, and a decoder of residual blocks at full size.

    Args:
      num_images: must be 1.
      features: channels of the first convolutions; 64 in the paper.

    Raises:
      ValueError: an option is out of range.
    """

    def __init__(self, num_images: int = 1, *, features: int = 64, rngs: nnx.Rngs):
        require_choice("num_images", num_images, (1,))
        if features < 1:
            raise ValueError(f"features must be at least 1, not {features}")
        self.num_images = num_images
        self.embedding_channels = 1
        self.encoder = nnx.Sequential(
            convolution(COLOURS, features, rngs=rngs), Encoder(features, 1, rngs=rngs)
        )
        self.decoder = nnx.Sequential(
            convolution(1, features, rngs=rngs),
            residual_blocks(8, features, rngs=rngs),
            output_layers(features, num_images, rngs=rngs),
        )

    def encode(self, x):
        return self.encoder(x)

    def decode(self, y):
        return self.decoder(y)

    @property
    def receptive_field_radius(self) -> int:
        return 1 + Encoder.REACH
