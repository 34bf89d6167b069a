"""A workdir belongs to one configuration."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from configs import base
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment import workdir


def test_a_workdir_is_refused_to_another_configuration(tmp_path):
    config = base.get_config()
    workdir.claim(tmp_path / "run", config)
    before = (tmp_path / "run" / "config.json").read_bytes()
    config.optimizer.learning_rate = 1e-3
    with pytest.raises(UserError, match=r"optimizer.learning_rate: 0.0002 there, 0.001 now"):
        workdir.claim(tmp_path / "run", config)
    assert (tmp_path / "run" / "config.json").read_bytes() == before


def test_what_is_only_watched_differently_may_change(tmp_path):
    config = base.get_config()
    workdir.claim(tmp_path, config)
    config.run.log_every = 3
    workdir.claim(tmp_path, config)
    assert workdir.read_config(tmp_path)["run"]["log_every"] == 3


def test_a_run_from_before_there_were_channels_goes_on(tmp_path):
    config = base.get_config()
    workdir.claim(tmp_path, config)
    path = tmp_path / "config.json"
    older = json.loads(path.read_text())
    assert older.pop("channel")["form"] == "none"
    path.write_text(json.dumps(older))
    workdir.claim(tmp_path, config)
    path.write_text(json.dumps(older))
    config.channel.form = "jpeg"
    with pytest.raises(UserError, match=r"channel\.form: 'none' there, 'jpeg' now"):
        workdir.claim(tmp_path, config)


def test_a_run_from_before_there_were_methods_goes_on(tmp_path):
    config = base.get_config()
    workdir.claim(tmp_path, config)
    path = tmp_path / "config.json"
    older = json.loads(path.read_text())
    assert older.pop("method") == "iicnet"
    path.write_text(json.dumps(older))
    workdir.claim(tmp_path, config)
    with pytest.raises(UserError, match="method: 'iicnet' there, 'irn' now"):
        workdir.claim(tmp_path, base.get_config("irn"))


@pytest.mark.parametrize("method", ["iicnet", "irn"])
def test_a_run_from_before_fields_were_added_goes_on(tmp_path, method):
    config = base.get_config(method)
    workdir.claim(tmp_path, config)
    path = tmp_path / "config.json"
    older = json.loads(path.read_text())
    for section, added in workdir.ADDED.items():
        fields = older[section] if section else older
        for name in added.keys() - {"method"}:
            fields.pop(name, None)
    path.write_text(json.dumps(older))
    workdir.claim(tmp_path, config)
    assert workdir.read_config(tmp_path) == json.loads(config.to_json())


def test_a_run_from_before_fields_were_renamed_goes_on(tmp_path):
    config = base.get_config()
    workdir.claim(tmp_path, config)
    path = tmp_path / "config.json"
    older = json.loads(path.read_text())
    for section, old, new in workdir.RENAMED:
        fields = older[section] if section else older
        fields[old] = fields.pop(new)
    path.write_text(json.dumps(older))
    workdir.claim(tmp_path, config)
    assert workdir.read_config(tmp_path) == json.loads(config.to_json())


def test_the_environment_is_noted(tmp_path):
    workdir.claim(tmp_path, base.get_config())
    noted = json.loads((tmp_path / "environment.json").read_text())
    assert noted["packages"]["jax"].startswith("0.")


def test_the_command_of_the_first_start_is_noted(tmp_path, monkeypatch):
    for argument in ("--workdir=a b", "--again"):
        monkeypatch.setattr("sys.orig_argv", ["/bin/py", "-m", "iicnet_jax.main", argument])
        workdir.claim(tmp_path, base.get_config())
    noted = workdir.read_environment(tmp_path)["command"]
    assert noted == "python -m iicnet_jax.main '--workdir=a b'"


def test_a_folder_without_a_run_or_with_a_damaged_one_is_named(tmp_path):
    with pytest.raises(UserError, match="holds no run"):
        workdir.require_same(tmp_path, base.get_config())
    for text in ("{", "[]", "null", "{}", '{"model": 3}', '{"model": ' + "[" * 10**5):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(UserError, match=r"config\.json is damaged"):
            workdir.claim(tmp_path, base.get_config())


def test_a_workdir_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file/run cannot be made"):
        workdir.claim(tmp_path / "file" / "run", base.get_config())


def test_a_second_program_is_refused_and_told_which_is_the_first(tmp_path):
    holder = rf"process {os.getpid()} on {socket.gethostname()} trains in the workdir"
    with workdir.locked(tmp_path / "run"), pytest.raises(UserError, match=holder):
        workdir.locked(tmp_path / "run").__enter__()
    with workdir.locked(tmp_path / "run"):
        pass


HOLD = """
import sys, time
from pathlib import Path
from iicnet_jax.experiment import workdir
workdir.socket.gethostname = lambda: "elsewhere"
with workdir.locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_lock_is_not_left_over_by_a_program_that_was_killed(tmp_path):
    """Nor by one of another host."""
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match=f"process {holder.pid} on elsewhere trains in"):
            workdir.locked(tmp_path).__enter__()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert "elsewhere" in (tmp_path / "lock").read_text()
        with workdir.locked(tmp_path):
            assert str(os.getpid()) in (tmp_path / "lock").read_text()


def test_a_disk_without_locks_is_told(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(workdir.fcntl, "flock", refuse)
    monkeypatch.setattr(workdir.log, "propagate", True)
    with workdir.locked(tmp_path):
        pass
    assert "has no locks (No locks available)" in caplog.text


@pytest.mark.parametrize("name", ["gs://bucket/run", "s3://b/r", "file:///r", "gs:/bucket"])
def test_an_address_is_no_workdir(name):
    with pytest.raises(UserError, match="must be a folder: .*:// is not supported"):
        workdir.check_name(name)


def test_folders_are_workdirs():
    for name in ("runs/a", "/tmp/a:/b", "~/a", "a:b"):
        workdir.check_name(name)


@pytest.mark.parametrize("text", ["{", "[1]", '{"step": "3"}', '{"step": 3, "networks": []}'])
def test_damaged_results_are_named(tmp_path, text):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UserError, match=r"results\.json is damaged: it.*; write it anew with"):
        workdir.read_results(tmp_path / "results.json")
    assert workdir.read_results(tmp_path / "none.json") is None
