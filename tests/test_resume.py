"""A run that is killed again and again learns exactly what an undisturbed one learns."""

import json
import random
import signal
import time

import pytest

from tests import program

STEPS = 40


def steps_logged(workdir):
    metrics = workdir / "metrics.jsonl"
    return metrics.read_text().count('"train/loss"') if metrics.exists() else 0


def half_written(workdir):
    return [path for path in (workdir / "checkpoints").glob("*tmp*") if path.is_dir()]


def losses(workdir):
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: line["train/loss"] for line in lines if "train/loss" in line}


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.nightly)])
def test_a_run_killed_at_random_moments_is_resumed_bit_for_bit(kills, tmp_path):
    options = {
        "mode": "train",
        "steps": STEPS,
        "run__checkpoint_every": 3,
        "run__validate_every": 9,
    }
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    status, _, stderr = program.call_main(program.command(whole, **options))
    assert status == 0, stderr

    arguments = program.command(killed, **options)
    moments = random.Random(0)
    killed_while_writing = 0
    for kill in range(kills):
        process = program.start_main(arguments)
        begin = steps_logged(killed)
        steps_more = moments.randint(2, 7)
        # Every other time, the first among them, in the middle of writing a checkpoint.
        until = time.monotonic() + 240
        while steps_logged(killed) < begin + steps_more or (
            kill % 2 == 0 and not half_written(killed)
        ):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until
        process.send_signal(signal.SIGKILL)
        killed_while_writing += bool(half_written(killed))
        status, _, _ = program.finish(process)
        assert status == -signal.SIGKILL
    assert killed_while_writing, "no kill hit a checkpoint that was being written"

    status, _, stderr = program.call_main(arguments)
    assert status == 0, stderr
    assert half_written(killed) == [], "what kills left half-written is tidied up"
    assert losses(killed) == losses(whole)
    weights = [path / "model" / "model.safetensors" for path in (whole, killed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
