"""Keeps compiled programs in the user's cache directory (JAX's persistent cache)."""

import hashlib
import logging
import os
import platform
from pathlib import Path

import jax
import platformdirs

log = logging.getLogger(__name__)

# Seconds, where JAX has one: drawing a network's initial weights compiles thirty programs of less.
WORTH_KEEPING = 0.1


def enable() -> None:
    """Keeps what takes more than a tenth of a second to compile in the user's cache directory.

    That is `iicnet_jax/compiled` in $XDG_CACHE_HOME or ~/.cache (Linux), ~/Library/Caches (macOS)
    or %LOCALAPPDATA% (Windows). A folder that is set in JAX_COMPILATION_CACHE_DIR is used instead.
    Where there is none or it cannot be written, programs are compiled each time. Another limit may
    be set in JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS.
    """
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)
    if jax.config.jax_compilation_cache_dir is not None:  # type: ignore[attr-defined]
        return
    try:
        folder = platformdirs.user_cache_path("iicnet_jax") / "compiled" / _processor()
    except (RuntimeError, KeyError) as error:  # in a container, a user may have none
        log.info("there is no home folder (%s): compiled programs are not kept", error)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if writable:
        jax.config.update("jax_compilation_cache_dir", str(folder))
    else:
        log.info("%s cannot be written: compiled programs are not kept", folder)


def _processor() -> str:
    """What the processor can do: JAX would load programs that were compiled for another one."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    description = f"{platform.machine()} {platform.processor()} {features}"
    return hashlib.sha256(description.encode()).hexdigest()[:12]
