"""Measurements on disk."""

import json

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from iicnet_jax.core.errors import UserError
from iicnet_jax.training.writers import MetricWriter


def lines(workdir):
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_tensorboard_and_jsonl_hold_what_was_written(tmp_path):
    writer = MetricWriter(tmp_path)
    writer.write_scalars(3, {"train/loss": np.float32(1.5)})
    writer.write_images(3, {"picture": np.zeros((1, 4, 4, 3), np.uint8)})
    writer.write_texts(0, {"parameters": "many"})
    writer.write_hparams({"seed": 0})
    writer.close()
    assert lines(tmp_path) == [{"step": 3, "train/loss": 1.5}]
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert [(e.step, e.value) for e in events.Scalars("train/loss")] == [(3, 1.5)]
    assert tags["images"] == ["picture"]
    assert {"parameters/text_summary", "configuration/text_summary"} <= set(tags["tensors"])


def test_lines_after_the_resumed_step_and_cut_lines_are_dropped(tmp_path):
    writer = MetricWriter(tmp_path)
    for step in (1, 2, 3):
        writer.write_scalars(step, {"loss": step})
    writer.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "lo')
    MetricWriter(tmp_path, first_step=2).close()
    assert [line["step"] for line in lines(tmp_path)] == [1, 2]


def test_an_inactive_writer_leaves_no_file(tmp_path):
    writer = MetricWriter(tmp_path / "run", active=False)
    writer.write_scalars(1, {"loss": 1.0})
    writer.close()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "line", ["[1]", '{"loss": 1}', '{"step": "1"}', '{"step": 1, "a": []}', "x"]
)
def test_a_damaged_line_is_named(tmp_path, line):
    (tmp_path / "metrics.jsonl").write_text(f'{{"step": 1, "loss": null}}\n{line}\n')
    with pytest.raises(UserError, match=r"metrics\.jsonl, line 2, is damaged: it.*Remove it"):
        MetricWriter(tmp_path, first_step=2)
