"""Mistakes of the user, as opposed to bugs of ours."""


class UserError(Exception):
    """Something the user can put right; the message says what was wrong and what to do.

    Programs print the message alone, without a traceback, and exit with status 1.
    """


def require_choice(name: str, value, choices) -> None:
    """Raises ValueError unless `value` is one of `choices`."""
    if value not in choices:
        options = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {options}, not {value!r}")
