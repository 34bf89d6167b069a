"""PyTorch's convolutions as a program that answers on a pipe, to be timed beside ours.

    PYTHON benchmarks/torch_convolution.py

Every line of its input, [pass, [batch, side, inputs, outputs]], is answered with the seconds that
this pass of a convolution of 3x3 took, after one that is not counted: "forward", "input gradient"
or "kernel gradient".
"""

import json
import sys
import time


def main():
    import torch

    def convolution(what, x, kernel, dy):
        if what == "forward":
            return torch.conv2d(x, kernel, padding=1)
        mask = [what == "input gradient", what == "kernel gradient", False]
        padded = [len(kernel)], [1, 1], [1, 1], [1, 1], False, [0, 0], 1
        return torch.ops.aten.convolution_backward(dy, x, kernel, *padded, mask)

    print(json.dumps({"torch": torch.__version__, "device": "cpu"}), flush=True)
    for line in sys.stdin:
        what, (batch, side, inputs, outputs) = json.loads(line)
        shapes = (batch, inputs, side, side), (outputs, inputs, 3, 3), (batch, outputs, side, side)
        arrays = [torch.randn(shape) for shape in shapes]
        convolution(what, *arrays)
        begin = time.perf_counter()
        convolution(what, *arrays)
        print(json.dumps(time.perf_counter() - begin), flush=True)


if __name__ == "__main__":
    main()
