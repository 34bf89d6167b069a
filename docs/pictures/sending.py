"""A picture hidden in a JPEG file that is compressed again on its way, and what comes back.

python docs/pictures/sending.py A B [--model=hiding_robust] [--quality=80] -o PICTURE
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import iicnet_jax
from iicnet_jax.evaluation.metrics import psnr

SIZE = (400, 300)
MARGIN = 16


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser("docs/pictures/sending.py", description=__doc__)
    parser.add_argument("cover", type=Path)
    parser.add_argument("hidden", type=Path)
    parser.add_argument("--model", default="hiding_robust")
    parser.add_argument("--quality", type=int, default=80, help="of the second compression")
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()

    originals = [_fit(path) for path in (arguments.cover, arguments.hidden)]
    codec = iicnet_jax.load(arguments.model)
    with tempfile.TemporaryDirectory() as folder:
        sent, received = Path(folder) / "sent.jpg", Path(folder) / "received.jpg"
        codec.write(sent, originals)
        with Image.open(sent) as picture:
            picture.save(received, quality=arguments.quality)
        embedding = np.asarray(Image.open(received))
        _, restored = codec.restore(embedding)
    received_psnr, restored_psnr = psnr(embedding, originals[0]), psnr(restored, originals[1])
    panels = {
        "the picture that everyone sees, before": originals[0],
        f"as received, JPEG {arguments.quality}: {received_psnr:.1f} dB": embedding,
        "the hidden picture": originals[1],
        f"as restored: {restored_psnr:.1f} dB": restored,
    }
    _sheet(panels).save(arguments.out, quality=90)


def _fit(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        width, height = SIZE
        scale = max(width / picture.width, height / picture.height)
        size = (
            max(width, round(picture.width * scale)),
            max(height, round(picture.height * scale)),
        )
        resized = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        return np.asarray(resized.crop((0, 0, width, height)))


def _sheet(panels) -> Image.Image:
    width, height = SIZE
    sheet = Image.new("RGB", (width * len(panels), height + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (title, panel) in enumerate(panels.items()):
        sheet.paste(Image.fromarray(panel), (i * width, MARGIN))
        draw.text((i * width + 4, 2), title, "black")
    return sheet


if __name__ == "__main__":
    main()
