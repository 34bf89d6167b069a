"""What every program of ours says where it cannot go on."""

import os
import subprocess
import sys

import pytest

from iicnet_jax.core.console import exit_on_user_error
from iicnet_jax.core.errors import UserError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UserError("what is wrong"), "error: what is wrong\n"),
        (OSError(28, "No space left on device", "a/b"), "error: a/b: No space left on device\n"),
        (OSError(28, "No space left on device"), "error: No space left on device\n"),
        (OSError("in other words"), "error: in other words\n"),
    ],
)
def test_mistakes_and_disks_that_refuse_end_in_one_line(error, message, capsys):
    with pytest.raises(SystemExit) as ended, exit_on_user_error():
        raise error
    assert ended.value.code == 1
    assert capsys.readouterr().err == message


def test_a_bug_keeps_its_traceback(monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    with pytest.raises(AssertionError, match="ours"), exit_on_user_error():
        raise AssertionError("ours")


DEVICES = """
import jax
from iicnet_jax.core.console import exit_on_user_error
with exit_on_user_error():
    jax.devices()
"""


@pytest.mark.parametrize("platforms", ["rocm", "nothing"])
def test_a_device_that_is_not_there_is_named(platforms):
    ended = subprocess.run(
        [sys.executable, "-c", DEVICES],
        env={**os.environ, "JAX_PLATFORMS": platforms},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(
        f"error: JAX finds no device for JAX_PLATFORMS={platforms}: unset it"
    )
    assert "Traceback" not in ended.stderr
