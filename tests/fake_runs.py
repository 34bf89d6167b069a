"""What training and evaluation leave in a run's folder, without either."""

import json

import numpy as np
from PIL import Image

from experiments.runs import RunError
from iicnet_jax.core import files
from iicnet_jax.evaluation import protocol
from iicnet_jax.experiment import workdir
from iicnet_jax.experiment.configuration import flatten
from iicnet_jax.experiment.run import load_config

SIZE = (48, 64)  # of the pictures


def write_run(folder, config, noise=8.0, steps_per_second=4.0, finished=True):
    """A run whose results are those of a picture with that much noise, in grey levels."""
    steps = config.steps or 50_000
    files.write_json(folder / workdir.CONFIG, config.to_dict())
    environment = {"python": "3.11", "packages": {"jax": "0.10"}, "devices": ["cpu"]}
    files.write_json(folder / workdir.ENVIRONMENT, environment | {"processes": 1})
    reports = [
        {"step": step, "train/loss": 1e5 / step, "train/steps_per_second": steps_per_second}
        | {"train/samples_per_second": 2 * steps_per_second}
        for step in (steps // 2, steps)[: 1 + finished]
    ]
    if not finished:
        write_lines(folder, reports)
        return
    results = evaluate(folder, config, noise)
    validation = {
        f"validation/{part}_psnr": results["networks"]["trained"]["rounded"][part]["psnr"]
        for part in ("embedding", "restored")
    }
    write_lines(folder, [*reports, {"step": steps, **validation}])
    files.write_json(folder / "model" / "config.json", {})


def write_lines(folder, reports):
    text = "".join(json.dumps(report) + "\n" for report in reports)
    files.write_text(folder / "metrics.jsonl", text)


def evaluate(folder, config, noise=8.0):
    """Results and pictures of two samples."""
    random = np.random.RandomState(config.seed)
    count = flatten(config).get("model.num_images", 1)
    measured = {}
    for name in ("one_00001", "two_00002"):
        frames = random.randint(0, 256, (count, 6, 8, 3)).astype(np.uint8)
        frames = np.stack([Image.fromarray(f).resize(SIZE[::-1]) for f in frames])

        def noisy(image, random=random):
            values = image + random.normal(0, noise, image.shape)
            return np.clip(np.round(values), 0, 255).astype(np.uint8)

        group = {"frames": frames, "reference": frames[0]}
        embedding, restored = noisy(frames[0]), noisy(frames)
        measures = protocol.measure(group, embedding, restored, config.evaluation.y_border)
        measured[name] = {"rounded": measures, "float": measures}
        for kind, images in {"input": frames, "restored": restored}.items():
            for index, image in enumerate(images):
                save(folder / "samples" / name / f"{kind}_{index:02d}.png", image)
        save(folder / "samples" / name / "reference.png", frames[0])
        save(folder / "samples" / name / "embedding.png", embedding)
    results = {
        "split": "test",
        "environment": {"devices": ["cpu"]},
        "samples": len(measured),
        "checkpoint": config.evaluation.checkpoint,
        "step": config.steps or 50_000,
        "networks": {"trained": protocol.mean(list(measured.values()))},
    }
    files.write_json(folder / "results.json", results)
    return results


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


class Launcher:
    """Stands in for the main program, and counts how it is called.

    Args:
      failing: seeds that fail.
    """

    def __init__(self, failing=()):
        self.failing = failing
        self.modes = []

    def __call__(self, command, folder):
        flags = [flag for flag in command if flag.startswith("--config")]
        config = load_config(flags)
        mode = command[-1].removeprefix("--mode=")
        assert f"--workdir={folder}" in command
        self.modes.append(mode)
        if config.seed in self.failing:
            raise RunError("the loss is not finite\n\nfollowed by\nits last words")
        # The noise tells what was evaluated.
        noise = 4.0 * config.data.frame_stride + config.seed
        if mode == "eval":
            evaluate(folder, config, noise)
        else:
            write_run(folder, config, noise)
