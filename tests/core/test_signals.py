"""Signals end a program wherever it is."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from importlib import import_module

import pytest

from iicnet_jax.core import files, signals

BOTH = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize(("number", "status"), BOTH)
def test_a_signal_that_a_library_catches_comes_again(number, status):
    @signals.unwinding()
    def caught():
        with contextlib.suppress(SystemExit):
            signal.raise_signal(number)
        signal.pause()

    before = signal.getsignal(number)
    with pytest.raises(SystemExit, match=str(status)):
        caught()
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(("number", "status"), BOTH)
def test_a_signal_that_is_caught_at_the_end_is_not_lost(number, status):
    @signals.unwinding()
    def caught():
        with contextlib.suppress(SystemExit):
            signal.raise_signal(number)

    with pytest.raises(SystemExit, match=str(status)):
        caught()


def test_a_signal_does_not_interrupt_what_tidies_up():
    done = []

    @signals.unwinding()
    def tidying_up():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGALRM)
            signal.raise_signal(signal.SIGINT)
            done.append("tidied")

    with pytest.raises(SystemExit, match="143"):
        tidying_up()
    assert done == ["tidied"]


@pytest.fixture
def interrupted_import(tmp_path, monkeypatch):
    """Imports a module among whose lines is a signal; returns whether all of it was imported."""
    (tmp_path / "interrupted.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\nDONE = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def run():
        sys.modules.pop("interrupted", None)
        return import_module("interrupted").DONE

    return run


def test_an_import_is_not_interrupted_but_ends_the_program(interrupted_import, monkeypatch):
    statuses = []
    monkeypatch.setattr(os, "_exit", statuses.append)
    with pytest.raises(SystemExit, match="130"), signals.unwinding():
        assert interrupted_import()
    assert statuses == [130]


def test_an_import_while_something_is_written_is_finished(interrupted_import, tmp_path):
    @signals.unwinding()
    def write():
        with files.replacing(tmp_path / "result") as temporary:
            temporary.touch()
            assert interrupted_import()
            signal.pause()

    with pytest.raises(SystemExit, match="130"):
        write()
    assert not (tmp_path / "result").exists() and not files.writing()


def test_a_command_ends_while_it_starts(tmp_path):
    # In the place of a module that it imports.
    (tmp_path / "tqdm.py").write_text("print('here', flush=True); import time; time.sleep(600)")
    with subprocess.Popen(
        [sys.executable, "-m", "iicnet_jax", "models"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([f"{tmp_path}", *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=120)
    assert (process.returncode, *output) == (130, "", "")


@pytest.mark.nightly
@pytest.mark.parametrize(("number", "status"), BOTH)
def test_a_command_ends_whenever_it_is_told(number, status):
    # Before that, the interpreter itself starts, which nothing of ours can help.
    program = "from iicnet_jax.cli import main; print('here', flush=True); main(['models'])"
    generator, longest = random.Random(0), 0
    for start in range(31):
        with subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout.readline() == "here\n"
            began = time.monotonic()
            if start > 0:
                time.sleep(generator.uniform(0, longest))
                process.send_signal(number)
            stdout, stderr = process.communicate(timeout=120)
            longest = longest or time.monotonic() - began
        assert stderr == ""
        done = bool(stdout)  # then there is nothing left to tidy up
        assert process.returncode == status or (done and process.returncode in (0, -number))
