"""Operations on 8-bit images (HWC uint8 RGB) that data, evaluation and media share."""

import numpy as np
from jaxtyping import UInt8

RGB = UInt8[np.ndarray, "h w 3"]
