"""The channel squeeze layer: averages channels to those of the embedding, the one lossy step."""

import einops


class ChannelSqueeze:
    """Averages groups of channels into the embedding, and tiles it back over the groups.

    With C = G * `embedding_channels`, channel g * embedding_channels + k belongs to channel k
    of the embedding. `embed(restore(y))` equals y; `restore(embed(x))` is only close to x where
    the layers before it have learnt to make all groups alike.

    Raises:
      ValueError: C is no multiple of `embedding_channels`.
    """

    def __init__(self, channels: int, embedding_channels: int):
        if channels % embedding_channels:
            raise ValueError(
                f"{channels} channels cannot be squeezed into {embedding_channels}: "
                "the first must be a multiple of the second"
            )
        self.groups = channels // embedding_channels

    def embed(self, x):
        """(b, h, w, C) to (b, h, w, embedding_channels)."""
        return einops.reduce(x, "b h w (g k) -> b h w k", "mean", g=self.groups)

    def restore(self, y):
        """(b, h, w, embedding_channels) to (b, h, w, C)."""
        return einops.repeat(y, "b h w k -> b h w (g k)", g=self.groups)
