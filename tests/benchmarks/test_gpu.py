"""The command for a GPU: every stage in miniature, its limits, and what is left of a failure."""

import json
import os
import sys
from importlib import import_module

import pytest

from benchmarks import gpu
from experiments.datasets import write_sample


def in_process(monkeypatch):
    """Calls a stage's benchmark here, where a process would take longer to start."""

    def launch(command, seconds, log):
        _, module, *options = command
        monkeypatch.setattr(sys, "argv", [module, *options])
        import_module(module).main()
        return ""

    return launch


def run(launch, tmp_path, *arguments):
    """Exit status and the report."""
    with pytest.raises(SystemExit) as ended:
        gpu.main([*arguments, f"--out={tmp_path / 'out'}"], launch)
    return ended.value.code, (tmp_path / "out" / "results.md").read_text()


def check_report(stages, text, folder):
    sections = text.split("### ")[1:]
    assert [section.partition("\n")[0] for section in sections] == stages
    for stage, section in zip(stages, sections, strict=True):
        results = json.loads((folder / "out" / f"{stage}.json").read_text())
        assert f"python -m benchmarks.{gpu_stage(stage).command.split()[0]} " in section
        assert section.count("\n|") == len(results["rows"]) + 2
        assert f"cpu, jax {results['versions']['jax']}, {results['date']}:" in section


def gpu_stage(name):
    (stage,) = (stage for stage in gpu.STAGES if stage.name == name)
    return stage


def test_stages_in_miniature(monkeypatch, tmp_path, capsys):
    stages = ["golden", "picture_4k", "many_images"]
    status, text = run(in_process(monkeypatch), tmp_path, "--miniature", "--only", *stages)
    assert status == 0
    check_report(stages, text, tmp_path)
    assert text.strip() in capsys.readouterr().out
    (row,) = json.loads((tmp_path / "out" / "golden.json").read_text())["rows"]
    # What the tests of these networks allow (tests/test_golden.py).
    assert 0 < row["feature maps"] < 2e-5 and 0 < row["losses"] < 1e-4 and row["gradient"] < 1e-3
    # The smallest network needs more than the limit: no larger one is tried.
    (row,) = json.loads((tmp_path / "out" / "many_images.json").read_text())["rows"]
    assert row["images"] == 2 and row["device GB"] == "-" and row["GB"] > 1e-3


@pytest.mark.nightly  # compiles some train steps in several precisions
def test_train_steps_in_miniature(monkeypatch, tmp_path):
    write_sample(tmp_path, ["flickr1024"])
    stages = [stage.name for stage in gpu.STAGES if stage.command.startswith("train_step")]
    arguments = ["--miniature", f"--data={tmp_path}", "--only", *stages]
    status, text = run(in_process(monkeypatch), tmp_path, *arguments)
    assert status == 0
    check_report(stages, text, tmp_path)
    assert (tmp_path / "out" / "profile").is_dir()


def test_the_authors_code_is_timed_where_there_is_memory_for_both(tmp_path):
    commands = {}

    def launch(command, seconds, log):
        commands[log.stem] = command
        return ""

    run(launch, tmp_path, "--torch_reference=IICNet", "--torch_python=python3", "--data=DIR")
    assert list(commands) == [stage.name for stage in gpu.STAGES]
    beside = [name for name, command in commands.items() if "--torch_reference=IICNet" in command]
    assert beside == [stage.name for stage in gpu.STAGES if stage.beside]
    assert {"--data=DIR", "--real_data", "--torch_python=python3"} <= set(commands["bfloat16"])
    assert f"--profile={tmp_path / 'out' / 'profile'}" in commands["batch_32"]


def test_what_fails_or_takes_too_long_stops_no_other_stage(tmp_path):
    limits = {}

    def launch(command, seconds, log):
        limits[log.stem] = seconds
        return {"golden": "failed: no memory", "bfloat16": "ended after its 150 s"}.get(
            log.stem, ""
        )

    stages = ["golden", "bfloat16", "picture_4k"]
    status, text = run(launch, tmp_path, "--minutes=2", "--only", *stages)
    assert status == 1
    assert limits["golden"] == 60 and 119 < limits["bfloat16"] < 120
    assert [section.split("\n\n")[1] for section in text.split("### ")[1:3]] == [
        "failed: no memory",
        "ended after its 150 s",
    ]


def test_stages_after_the_end_are_skipped(tmp_path):
    status, text = run(None, tmp_path, "--minutes=0")
    assert status == 1
    assert text.count("skipped: the time was over") == len(gpu.STAGES)


def test_a_program_is_ended_with_its_children(tmp_path):
    log, fifo = tmp_path / "log", tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    child = f"import subprocess; subprocess.run(['sleep', '600'], stdout=open({str(fifo)!r}, 'w'))"
    assert gpu.launch(["-c", child], 0.5, log) == "ended after its 0 s"
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # returns when nobody holds the other end any more
    os.close(reader)


def test_what_a_program_says_is_kept(tmp_path):
    log = tmp_path / "log"
    assert gpu.launch(["-c", "print('why'); raise SystemExit(2)"], 60, log) == "failed: why"
    assert gpu.launch(["-c", "raise SystemExit(3)"], 60, log) == "failed: exit status 3"
    assert gpu.launch(["-c", "print('well')"], 60, log) == ""
    assert log.read_text() == "well\n"
