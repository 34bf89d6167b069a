"""The authors' PyTorch code as a program that answers on a pipe, to be timed beside ours.

It runs in whatever Python has PyTorch (`authors` starts it), imports nothing of this project, and
takes the authors' modules from the checkout that it is given:

    PYTHON benchmarks/torch_reference.py CHECKOUT

The first line of its input is a JSON object: `network` (num_images, num_blocks, relation,
relation_features), `batch_size`, `height`, `width`, and `what` ("train" or "convert"). It answers
with {"device": ..., "torch": ...} or {"error": ...}; then every line with a number is answered with
the seconds that so many train steps, or conversions there and back, took. What newer versions of
PyTorch have removed, and what insists on a GPU, is put back before the import.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path


class Reference:
    """A program in a process of its own, asked line by line.

    Args:
      command: its command line.
      first: its first line, as above; None: it begins of itself.

    Raises:
      OSError: there is no such interpreter.
      RuntimeError: the checkout or PyTorch is missing, or the network cannot be built.
    """

    def __init__(self, command: Sequence[str], first: dict | None = None):
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        answer = self._answer() if first is None else self._ask(first)
        if "error" in answer:
            self.close()
            raise RuntimeError(answer["error"])
        self.device = answer["device"]

    def ask(self, message) -> float:
        """The seconds that what is asked took: so many train steps, or conversions there and back.

        Raises RuntimeError where the program has ended, as it does without memory.
        """
        answer = self._ask(message)
        if isinstance(answer, dict):
            raise RuntimeError(answer["error"])
        return answer

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, message):
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(message), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"error": "PyTorch's program ended; see above"}


def authors(checkout: Path, python: str, settings: dict) -> Reference:
    """The authors' code of a checkout, run by a Python that has PyTorch."""
    return Reference([python, __file__, str(checkout)], settings)


def main():
    # The authors' code prints; the pipe is for answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    settings = json.loads(sys.stdin.readline())
    try:
        measure, facts = _prepare(Path(sys.argv[1]), settings)
    except (ImportError, FileNotFoundError) as error:
        measure, facts = None, {"error": str(error)}
    print(json.dumps(facts), file=answers, flush=True)
    for line in sys.stdin if measure else ():
        print(json.dumps(measure(int(line))), file=answers, flush=True)


def _prepare(checkout, settings):
    """A function that measures, and what it measures on."""
    codes = checkout / "codes"
    if not (codes / "models" / "InvNet.py").is_file():
        raise FileNotFoundError(f"{checkout} holds no codes/models/InvNet.py of the authors")
    try:
        import numpy as np
        import torch
    except ImportError as error:
        raise ImportError(f"{sys.executable} cannot import {error.name}") from error
    _put_back(torch)
    sys.path.insert(0, str(codes))
    from models.InvNet import InvNet

    cuda = torch.cuda.is_available()
    torch.backends.cudnn.benchmark = True  # as their train.py sets it
    model = InvNet(_options(settings["network"], cuda))

    images, size = settings["network"]["num_images"], (settings["height"], settings["width"])
    pixels = np.random.RandomState(0).randint(
        0, 256, (settings["batch_size"], 3 * images, *size), np.uint8
    )
    frames = torch.from_numpy(pixels).to(model.device, torch.float32) / 255
    batch = {"input_frames": frames, "ref_frame": frames[:, :3].contiguous(), "vis_flag": False}

    def train():
        model.feed_data(batch)
        model.train()

    def convert():
        model.restore(model.embed(frames)[None])

    run = {"train": train, "convert": convert}[settings["what"]]

    def measure(count):
        begin = time.perf_counter()
        for _ in range(count):
            run()
        if cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - begin

    device = torch.cuda.get_device_name() if cuda else "cpu"
    return measure, {"device": device, "torch": torch.__version__}


def _put_back(torch):
    """What the authors' code expects of the PyTorch of its time, and of the machine."""
    if not hasattr(torch, "rfft"):

        def rfft(x, signal_ndim, normalized, onesided):
            assert (signal_ndim, normalized, onesided) == (2, False, True)
            return torch.view_as_real(torch.fft.rfft2(x))

        torch.rfft = rfft
    if not torch.cuda.is_available():
        torch.Tensor.cuda = lambda self: self
    try:
        import torchvision  # noqa: F401
    except ImportError:
        # Imported by their losses, but not used there.
        sys.modules["torchvision"] = types.ModuleType("torchvision")


def _options(network, cuda):
    """The dictionary that their option files make."""
    images = network["num_images"]
    return {
        "dist": False,
        "gpu_ids": [0] if cuda else None,
        "is_train": True,
        "path": {"pretrain_model": None},
        "network": {
            "rel": {
                "use_rel": network["relation"],
                "num_of_frames": images,
                "nf": network["relation_features"],
            },
            "down": {"use_down": False},
            "block": {
                "type": "DBNet",
                "block_num": network["num_blocks"],
                "split_len1": 3,
                "split_len2": 3 * images - 3,
            },
            "cs": {"in_nc": 3 * images, "out_nc": 3},
            "quant": "noise",
            "criterions": {
                "criterion_embedding_frame_basic": "l2",
                "criterion_embedding_frame_freq": True,
                "criterion_fake_frames_basic": "l1",
            },
            "lambdas": {
                "lambda_embedding_frame_basic": 1,
                "lambda_embedding_frame_freq": 0.001,
                "lambda_fake_frames_basic": 3,
            },
        },
        "train": {
            "lr": 2e-4,
            "beta1": 0.9,
            "beta2": 0.999,
            "weight_decay": 1e-5,
            "gradient_clipping": 10,
            "lr_scheme": "MultiStepLR",
            "lr_steps": [10**9],
            "lr_gamma": 0.5,
            "restarts": None,
            "restart_weights": None,
            "clear_state": False,
        },
    }


if __name__ == "__main__":
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    main()
