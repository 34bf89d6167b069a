"""Compression into a number of bytes, with Pillow's codecs."""

import numpy as np
import pytest
from PIL import features

from iicnet_jax.core.errors import UserError
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.imaging.compression import CODECS, compress, decompress
from tests.media.pictures import smooth

PICTURES = np.stack([smooth(40, 56, seed=seed) for seed in range(3)])


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("count", [1, 3])
def test_more_bytes_give_a_better_picture_and_are_never_more_than_there_are(codec, count):
    pictures, quality = PICTURES[:count], []
    for limit in (count * 700, count * 1400, count * 2800):
        data = compress(pictures, limit, codec)
        assert len(data) <= limit
        restored = decompress(data, codec, pictures.shape[:3])
        quality.append(psnr(restored, pictures))
    assert quality == sorted(quality) and quality[0] > 20 and quality[-1] > quality[0] + 3
    assert compress(pictures, 20, codec) is None
    assert compress(pictures, 0, codec) is None


def test_sequences_do_not_say_when_they_were_made():
    """Else the same images would give another embedding every second."""
    data = compress(PICTURES, 9000, "avif")
    for box in (b"mvhd", b"tkhd", b"mdhd"):
        assert data[data.index(box) + 8 :].startswith(bytes(16))


@pytest.mark.parametrize("codec", CODECS)
def test_any_size_has_a_codec(codec):
    for height, width in ((1, 40), (40, 1), (3, 5)):
        picture = smooth(height, width)[None]
        data = compress(picture, 2000, codec)
        assert decompress(data, codec, picture.shape[:3]).shape == picture.shape


def test_other_data_are_refused():
    data = {codec: compress(PICTURES, 9000, codec) for codec in CODECS}
    for codec, other in (("avif", "jpeg2000"), ("jpeg2000", "avif")):
        for wrong, shape in (
            (data[other], (3, 40, 56)),
            (data[codec][:300], (3, 40, 56)),
            (b"", (3, 40, 56)),
            (data[codec], (2, 40, 56)),
            (data[codec], (3, 40, 57)),
        ):
            with pytest.raises(UserError, match=f"the {codec} data "):
                decompress(wrong, codec, shape)


def test_a_codec_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(features, "check", lambda name: name != "avif")
    with pytest.raises(UserError, match="no avif: install a newer one .*, or use jpeg2000"):
        compress(PICTURES, 1000, "avif")
    assert compress(PICTURES, 1000, "jpeg2000")
