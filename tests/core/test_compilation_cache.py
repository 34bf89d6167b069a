"""Where compiled programs are kept."""

import jax
import pytest

from iicnet_jax.core import compilation_cache

LIMIT = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"


@pytest.fixture
def no_folder():
    """As in a process in whose environment no folder is set."""
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.fixture(autouse=True)
def limit():
    """Puts back what a program must take to be kept."""
    before = jax.config.jax_persistent_cache_min_compile_time_secs
    yield lambda: jax.config.jax_persistent_cache_min_compile_time_secs
    jax.config.update(LIMIT.lower(), before)


@pytest.mark.parametrize(("environment", "expected"), [({}, 0.1), ({LIMIT: "3"}, 3)])
def test_small_programs_are_kept_unless_the_environment_has_a_limit(
    environment, expected, limit, monkeypatch
):
    jax.config.update(LIMIT.lower(), 3)  # as JAX reads its environment when it is imported
    monkeypatch.delenv(LIMIT, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    compilation_cache.enable()
    assert limit() == expected


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


@pytest.mark.usefixtures("no_folder")
def test_a_user_without_a_home_compiles_each_time(monkeypatch, caplog):
    """As in a container that runs under a number that no passwd file knows."""

    def nobody(uid):
        raise KeyError(f"uid not found: {uid}")

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr(compilation_cache.log, "propagate", True)
    with caplog.at_level("INFO"):
        compilation_cache.enable()
    assert jax.config.jax_compilation_cache_dir is None
    assert "there is no home folder" in caplog.text
