"""Whose fault it is when an input file cannot be read."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from iicnet_jax.errors import UserError


@contextlib.contextmanager
def blaming(path: Path, describe: Callable[[Exception], str | None]) -> Iterator[None]:
    """What goes wrong in the body is the fault of that file.

    Args:
      path: of the file.
      describe: a clause about the file for an exception of its decoder, or None if it is none.

    Raises:
      UserError: with a sentence about the file, where the body raises the second half of one as a
        UserError, cannot open the file, or raises what `describe` knows.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}") from error
    except (IsADirectoryError, PermissionError) as error:
        raise UserError(f"{path} cannot be opened: {error.strerror}") from error
    except Exception as error:
        clause = str(error) if isinstance(error, UserError) else describe(error)
        if clause is None:
            raise
        raise UserError(f"{path} {clause}") from error
