"""Where compiled programs are kept."""

import jax
import pytest

from iicnet_jax import compilation_cache


@pytest.fixture
def no_folder():
    """As in a process in whose environment no folder is set."""
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.mark.usefixtures("no_folder")
def test_compiled_programs_are_kept_in_the_users_cache_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compilation_cache.enable()
    (folder,) = (tmp_path / "iicnet_jax/compiled").iterdir()
    assert jax.config.jax_compilation_cache_dir == str(folder)


def test_a_folder_that_is_set_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = jax.config.jax_compilation_cache_dir
    compilation_cache.enable()
    assert before is not None and jax.config.jax_compilation_cache_dir == before
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_folder")
def test_without_a_folder_that_can_be_written_there_is_one_message(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(compilation_cache.log, "propagate", True)
    with caplog.at_level("INFO", compilation_cache.__name__):
        compilation_cache.enable()
    assert jax.config.jax_compilation_cache_dir is None
    (record,) = caplog.records
    assert "cannot be written: compiled programs are not kept" in record.getMessage()
