"""Evaluates a trained run on the test split: tables, `results.json` and pictures."""

import logging
from pathlib import Path

import jax
from ml_collections import ConfigDict
from tqdm import tqdm

from iicnet_jax.core import distributed, files
from iicnet_jax.core.errors import explaining
from iicnet_jax.data import create_task
from iicnet_jax.data.pipeline import evaluation_indices
from iicnet_jax.evaluation import pictures, protocol, tables
from iicnet_jax.experiment import build, initial_weights
from iicnet_jax.experiment.workdir import RESULTS, environment
from iicnet_jax.imaging import carrier
from iicnet_jax.inference.tiling import WHOLE, Tiled
from iicnet_jax.media.picture_file import write_picture
from iicnet_jax.models.baselines.low_bits import LowBits
from iicnet_jax.training import sharding
from iicnet_jax.training.checkpoints import Checkpoints

log = logging.getLogger(__name__)


def evaluate(config: ConfigDict, workdir: Path) -> dict:
    """Measures a run's network on the test split.

    Writes `results.json` (every sample and the means), `results.md` (tables), `picture.png` and
    `samples/NAME/*.png`, and returns what is in `results.json`. Of several processes, each
    measures its share of the samples; the first writes, the pictures of its own share.

    Raises:
      UserError: there is no checkpoint, or data is missing.
    """
    with distributed.all_or_none():
        task = create_task(config.data, config.model)
        task.names("test")
    networks, step = _networks(config, workdir)
    measures = {
        name: _evaluate_network(config, workdir, task, network, name)
        for name, network in networks.items()
    }
    means = {name: protocol.mean(list(by_sample.values())) for name, by_sample in measures.items()}
    results = {
        "protocol": {**protocol.PROTOCOL, "y_border": config.evaluation.y_border},
        "split": "test",
        "carriers": list(config.evaluation.carriers),
        "samples": len(measures["trained"]),
        "checkpoint": config.evaluation.checkpoint,
        "step": step,
        "environment": environment(),
        "networks": means,
        "by_sample": measures,
    }
    if distributed.is_main():
        files.write_json(workdir / RESULTS, results)
        files.write_text(workdir / "results.md", _as_markdown(results))
    return results


def _networks(config, workdir) -> tuple[dict[str, Tiled | LowBits], int]:
    """What is measured, by name, and the step of the trained network.

    A method without weights stands in the place of the trained network, after no step.
    """
    if not build.learns(config):
        with explaining("config.model does not make a method"):
            return {"trained": LowBits(**config.model)}, 0
    _, initial = build.create_state(config, build.create_model(config))
    # On all devices, also those of other processes, which read together.
    everywhere = sharding.replicated(sharding.data_mesh(jax.device_count()))
    with Checkpoints(workdir, read_only=True) as kept:
        state = kept.restore_state(
            jax.device_put(initial, everywhere), config.evaluation.checkpoint
        )

    weights = {"trained": jax.device_get(state.weights)}
    if config.evaluation.untrained:
        before = initial_weights.load(config) if config.init_from else initial.params
        weights = {"untrained": before, **weights}
    tiled = Tiled(build.inference_network(config), tile=WHOLE)
    return {name: tiled.with_params(of) for name, of in weights.items()}, int(state.step)


def _evaluate_network(config, workdir, task, tiled: Tiled | LowBits, network: str) -> dict:
    """Measures by sample's name; the pictures are those of the trained network."""
    indices = distributed.share(evaluation_indices(task, "test", config.evaluation.limit))
    keep_pictures = network == "trained" and distributed.is_main()
    results = protocol.evaluate_samples(
        tiled,
        task,
        "test",
        indices,
        y_border=config.evaluation.y_border,
        carriers=[carrier.parse(name) for name in config.evaluation.carriers],
    )
    hidden = None if distributed.is_main() else True
    measures, overviews = [], []
    for name, sample, result in tqdm(
        results, total=len(indices), desc=network, unit="sample", disable=hidden
    ):
        measures.append((name, result.measures))
        if keep_pictures and len(overviews) < config.evaluation.pictures:
            shown = (sample, result.embedding, result.restored)
            pictures.save_sample(workdir / "samples" / name, *shown)
            overviews.append(pictures.overview(*shown))
    if overviews:
        write_picture(workdir / "picture.png", pictures.stack(overviews))
    return dict(distributed.gather(measures))


def _as_markdown(results) -> str:
    """All tables of a results file."""
    networks, carriers = results["networks"], results["carriers"]
    protocol_lines = [f"- {name}: {meaning}" for name, meaning in results["protocol"].items()]
    return "\n\n".join(
        [
            f"# Results on the {results['split']} split",
            f"{results['samples']} samples, {results['checkpoint']} checkpoint, "
            f"step {results['step']}.",
            *([tables.carrier_table(networks, carriers)] if carriers else []),
            tables.long_table(networks),
            *(tables.short_table(name, of.items()) for name, of in results["by_sample"].items()),
            "\n".join(protocol_lines),
            "",
        ]
    )
