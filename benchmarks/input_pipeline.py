"""Samples a second of every task's training pipeline, on data of the published size.

    python -m benchmarks.input_pipeline --cores=1 --out=input_pipeline.json

The data is the miniature of `iicnet data sample` with every picture enlarged to the size that is
typical of its dataset (`SIZES`), and a little noise, so that files are as long as those of real
photographs. Four ways to the pixels: `files` decodes the published files, `cache` keeps what has
been decoded in memory, `prepared` reads TFDS, `tiles` reads TFDS with tiles of 256 pixels. Each
measurement runs in a process of its own, restricted to so many cores.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from importlib import import_module
from pathlib import Path

import av
import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks import report
from experiments.datasets import SAMPLE_ROOTS, write_sample
from iicnet_jax.data.pipeline import training_batches
from iicnet_jax.data.storage import cached
from iicnet_jax.data.tasks import open_store, task_class

# Experiment by task.
EXPERIMENTS = {
    "video": "video_n5",
    "stereo": "stereo",
    "dual_view": "dual_x4",
    "composition": "composition",
    "background": "background",
    "hiding": "hide_n2",
    "grayscale": "grayscale",
    "rescaling": "rescale_x2",
}
# Height and width of the pictures whose paths match, by the sample's folder, the first match
# first.
SIZES = {
    "DAVIS-2017": {"*": (480, 854)},
    "flickr1024": {"*": (730, 1000)},
    "DIV2K": {"*/X8/*": (169, 255), "*/X4/*": (339, 510), "*/X2/*": (678, 1020), "*": (1356, 2040)},
    "Adobe-Matting": {"*/Combined_Dataset/*": (1000, 1500), "*": (480, 640)},
    "Real-Matting": {"*": (1080, 1920)},
    "flicker": {"*": (800, 1200)},
    "VOCdevkit": {"*": (375, 500)},
}
WAYS = ("files", "cache", "prepared", "tiles")
TILE = 256


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="*", default=list(EXPERIMENTS), choices=EXPERIMENTS)
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=WAYS)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=5, help="length of a measurement")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, help="keeps the generated data here for next time")
    parser.add_argument("--out", type=Path, help="JSON file with all results")
    arguments = parser.parse_args()

    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        data = arguments.data or Path(temporary)
        for task in arguments.tasks:
            root = full_size_data(data, task)
            for way in arguments.ways:
                rates = _in_a_process(
                    _rates, task, way, root, arguments.cores, arguments.seconds, arguments.repeats
                )
                measured = report.median_and_spread(rates)
                per_core = {"per core": measured["median"] / arguments.cores}
                rows.append({"task": task, "way": way, **measured, **per_core})
                print(report.table(rows[-1:]).splitlines()[-1], flush=True)
    print(f"\nSamples a second on {arguments.cores} cores\n\n{report.table(rows)}")
    if arguments.out:
        settings = {name: str(value) for name, value in vars(arguments).items()}
        report.write(arguments.out, settings, rows)


def _rates(task, way, root, cores, seconds, repeats):
    """Samples a second, measured several times while the pipeline runs on."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    config = _config(task, root)
    if way in ("prepared", "tiles"):
        from iicnet_jax.data.prepared import prepare

        dataset = task_class(config.data).DATASET
        tile = TILE if way == "tiles" else None
        config.data.root = str(prepare(dataset, root, root.parent / "prepared", tile))
    store = open_store(config.data)
    if way == "cache":
        store = cached(store)
    samples = task_class(config.data).from_config(store, config.data, config.model)
    if way == "cache":
        for index in range(len(samples.names("train"))):
            samples.load("train", index)
    batch = config.data.batch_size
    batches = training_batches(samples, batch_size=batch, seed=0)
    for _ in range(4):
        next(batches)
    rates = []
    for _ in range(repeats):
        begin, taken = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            next(batches)
            taken += batch
        rates.append(taken / (time.perf_counter() - begin))
    return rates


def _config(task, root):
    config = import_module(f"configs.{EXPERIMENTS[task]}").get_config()
    config.data.root = str(root)
    return config


def _in_a_process(function, *arguments):
    """The result of a function that leaves its threads behind."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(send, function, arguments))
    process.start()
    send.close()
    try:
        return receive.recv()
    finally:
        process.join()


def _send(pipe, function, arguments):
    pipe.send(function(*arguments))
    os._exit(0)  # without waiting for the threads


def full_size_data(data, task):
    """The root of a task's dataset, with pictures of the published size."""
    name = SAMPLE_ROOTS[task]
    if not (data / name).exists():
        write_sample(data, [name])
        pictures = [path for path in sorted((data / name).rglob("*")) if _is_picture(path)]
        for path in tqdm(pictures, desc=f"enlarging {name}", disable=None):
            size = next(size for match, size in SIZES[name].items() if path.match(match))
            (_enlarge_video if path.suffix == ".mp4" else _enlarge)(path, *size)
    return data / name


def _is_picture(path):
    return path.suffix in (".png", ".jpg", ".mp4")


def _enlarge(path, height, width):
    with Image.open(path) as image:
        grey, pixels = image.mode == "L", _with_noise(image.convert("RGB"), height, width)
    image = Image.fromarray(pixels).convert("L" if grey else "RGB")
    image.save(path, **({"quality": 93} if path.suffix == ".jpg" else {}))


def _enlarge_video(path, height, width):
    with av.open(str(path)) as video:
        frames = [frame.to_image() for frame in video.decode(video=0)]
    with av.open(str(path), "w") as video:
        stream = video.add_stream("libx264", rate=30, options={"crf": "20"})
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(_with_noise(frame, height, width))
            video.mux(stream.encode(picture))
        video.mux(stream.encode())


def _with_noise(image, height, width):
    """Enlarged pixels with noise of two grey levels, about that of a photograph."""
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    noise = np.random.default_rng(0).normal(0, 2, pixels.shape)
    return np.clip(pixels + noise, 0, 255).round().astype(np.uint8)


if __name__ == "__main__":
    main()
