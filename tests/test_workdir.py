"""A workdir belongs to one configuration."""

import json

import pytest

from configs import base
from iicnet_jax import workdir
from iicnet_jax.errors import UserError


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


def test_the_environment_is_noted(tmp_path):
    workdir.claim(tmp_path, base.get_config())
    noted = json.loads((tmp_path / "environment.json").read_text())
    assert noted["packages"]["jax"].startswith("0.")


def test_a_folder_without_a_run_or_with_a_damaged_one_is_named(tmp_path):
    with pytest.raises(UserError, match="holds no run"):
        workdir.require_same(tmp_path, base.get_config())
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config\.json is damaged"):
        workdir.claim(tmp_path, base.get_config())


def test_a_workdir_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file/run cannot be made"):
        workdir.claim(tmp_path / "file" / "run", base.get_config())
