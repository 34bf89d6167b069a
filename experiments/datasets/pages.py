"""Pages as on a screen, drawn around a picture: text, boxes and plain areas (Pillow).

Photographs have few sharp edges on plain ground. A network that has seen nothing else leaves
colours around the letters of a screenshot.
"""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LETTERS = "aaabcddeeeeefghhiiijklllmnnnooopqrrrsssttttuuvwxyz"
LINE = 1.4  # height of a line, in sizes of the font


def page(rng: np.random.Generator, picture: Image.Image) -> Image.Image:
    """A page of the picture's size, with the picture, reduced to half or less, in it.

    Mostly dark letters of several sizes on white or a light colour, else light ones on a dark.
    """
    width, height = picture.size
    paper, ink = _colours(rng)
    image = Image.new("RGB", picture.size, paper)
    draw = ImageDraw.Draw(image)
    top = int(rng.integers(0, 24))
    while top < height:
        size = int(rng.choice([10, 12, 12, 14, 14, 16, 20, 28, 40]))
        kind = rng.choice(["text", "text", "box", "rule", "space"])
        lines = int(rng.integers(1, 6))
        left = int(rng.integers(4, max(width // 3, 5)))
        if kind == "text":
            colour = ink if rng.random() < 0.8 else _any_colour(rng)
            for _ in range(lines):
                draw.text((left, top), _words(rng, width // size * 2), colour, _font(size))
                top += round(LINE * size)
        elif kind == "box":
            bottom, right = top + 2 * size, left + int(rng.integers(4, 12)) * size
            fill = _any_colour(rng)
            draw.rounded_rectangle((left, top, right, bottom), int(rng.integers(0, size)), fill)
            letters = (255, 255, 255) if sum(fill) < 3 * 128 else (0, 0, 0)
            draw.text((left + size, top + size // 2), _words(rng, 4), letters, _font(size))
            top = bottom
        elif kind == "rule":
            draw.line((left, top, width - left, top), _any_colour(rng), int(rng.integers(1, 4)))
        top += size
    share = rng.uniform(0.25, 0.5)
    inset = picture.resize([max(round(share * side), 1) for side in picture.size])
    places = rng.integers(0, [width - inset.width + 1, height - inset.height + 1])
    image.paste(inset, tuple(places.tolist()))
    return image


def _colours(rng) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of paper and ink."""
    light = (255, 255, 255) if rng.random() < 0.5 else tuple(rng.integers(225, 256, 3).tolist())
    dark = tuple(rng.integers(0, 60, 3).tolist())
    return (light, dark) if rng.random() < 0.75 else (dark, light)


def _any_colour(rng) -> tuple[int, ...]:
    return tuple(rng.integers(0, 256, 3).tolist())


def _words(rng, count: int) -> str:
    """Random letters, which look like text."""
    lengths = rng.integers(1, 10, max(count // 4, 1))
    words = ("".join(rng.choice(list(LETTERS), length)) for length in lengths)
    return " ".join(word.capitalize() if rng.random() < 0.2 else word for word in words)


@functools.cache
def _font(size: int):
    return ImageFont.load_default(size)
