"""UserError: a mistake that the user can correct, printed without a traceback."""

import contextlib
from collections.abc import Callable, Iterator


class UserError(Exception):
    """Something the user can put right; the message says what was wrong and what to do.

    Programs print the message alone, without a traceback, and exit with status 1.
    """


class Destroyed(UserError):
    """Nothing comes back from an embedding, because it was changed after it was made."""


def require_choice(name: str, value, choices) -> None:
    """Raises ValueError unless `value` is one of `choices`."""
    if value not in choices:
        options = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {options}, not {value!r}")


@contextlib.contextmanager
def explaining(problem: str) -> Iterator[None]:
    """A ValueError of the body becomes a UserError: the problem, a colon and its message."""
    try:
        yield
    except ValueError as error:
        raise UserError(f"{problem}: {error}") from error


@contextlib.contextmanager
def reading(
    file: object, describe: Callable[[Exception], str | None] = lambda error: None
) -> Iterator[None]:
    """What goes wrong in the body is the fault of an input file.

    Args:
      file: its path, or another name of it for messages.
      describe: a clause about the file for an exception of its decoder, or None if it is none.

    Raises:
      UserError: with a sentence about the file, where the body raises the second half of one as a
        UserError, cannot open the file, or raises what `describe` knows.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"there is no file {file}") from error
    except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise UserError(f"{file} cannot be opened: {error.strerror}") from error
    except Exception as error:
        clause = str(error) if isinstance(error, UserError) else describe(error)
        if clause is None:
            raise
        raise UserError(f"{file} {clause}") from error
