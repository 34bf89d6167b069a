"""How messages write counts and sizes."""


def number_of(pictures: int) -> str:
    """1 picture, 2 pictures, ..."""
    return "1 picture" if pictures == 1 else f"{pictures} pictures"


def width_x_height(shape) -> str:
    """Height and width, with or without channels behind them, the other way round as users do."""
    return f"{shape[1]}x{shape[0]}"
