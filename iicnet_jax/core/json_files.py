"""JSON files of ours as they are read: they may be damaged, or made by somebody who means ill."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iicnet_jax.core.errors import explaining

MAX_DEPTH = 32  # of lists and objects in one another; ours have at most eight
MAX_BYTES = 2**20

NUMBER = (int, float, type(None))  # infinite and undefined ones are stored as null


def read(path: Path, form: Mapping[str, Any], *, max_bytes: int = MAX_BYTES) -> dict:
    """The object in a file, which has the `form` that `parse` describes.

    Raises:
      UserError: it has not, or the file is damaged or too long.
      FileNotFoundError: there is none.
    """
    with path.open("rb") as file:
        text = file.read(max_bytes + 1)
    with explaining(f"{path} is damaged"):
        if len(text) > max_bytes:
            raise ValueError(f"it has more than {max_bytes} bytes")
        return parse(text, form)


def parse(text: str | bytes, form: Mapping[str, Any] | None = None) -> dict:
    """The object in a text.

    Args:
      text: JSON.
      form: what the fields must be, by name: a type, or several; another form, for an object; a
        list with one of these, for a list of any length; or a function that says whether a value
        will do. Fields that are not named may be anything.

    Raises:
      ValueError: it is no JSON object, nested too deeply, or has not that form.
    """
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({error})") from error
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    if not is_shallow(value):
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
    check(value, form or {})
    return value


def is_shallow(value, depth: int = MAX_DEPTH) -> bool:
    """Whether lists and objects are nested at most so deep."""
    if not isinstance(value, (Mapping, list, tuple)):
        return True
    inner = value.values() if isinstance(value, Mapping) else value
    return depth > 0 and all(is_shallow(item, depth - 1) for item in inner)


def check(value, form, name: str = "") -> None:
    """Raises ValueError, naming the field, unless a value has a form (see `parse`)."""
    if isinstance(form, Mapping) and isinstance(value, Mapping):
        names = {key: f"{name}.{key}" if name else key for key in form}
        if missing := [names[key] for key in form if key not in value]:
            raise ValueError(f"it lacks {', '.join(missing)}")
        for key, inner in form.items():
            check(value[key], inner, names[key])
    elif isinstance(form, list) and isinstance(value, list):
        for item in value:
            check(item, form[0], name)
    elif not _fits(value, form):
        raise ValueError(f"its {name} cannot be {repr(value)[:80]}")


def _fits(value, form) -> bool:
    if isinstance(form, (Mapping, list)):
        return False
    if not isinstance(form, (type, tuple)):
        return form(value)
    types = form if isinstance(form, tuple) else (form,)
    # To Python, True is a whole number.
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def _no_number(name):
    raise ValueError(f"{name} is no number")
