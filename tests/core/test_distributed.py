"""Several processes on this machine, started as a user starts them."""

import contextlib
import json
import shutil
import signal
import socket

import pytest
from jax.errors import JaxRuntimeError

from configs import quickstart
from iicnet_jax.core import distributed
from iicnet_jax.core.distributed import Processes
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment.evaluate import evaluate
from tests import program


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def two_processes(workdir, roots=(None, None), **options):
    """Two processes of one run, killed if they have not ended."""
    address = f"--coordinator=localhost:{free_port()}"
    processes = []
    for index, root in enumerate(roots):
        fields = {} if root is None else {"data__root": root}
        arguments = program.command(workdir, **options, **fields)
        arguments += [address, "--num_processes=2", f"--process_id={index}"]
        processes.append(program.start_main(arguments, devices=1))
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def losses(workdir):
    """Losses by step, from lines that are complete."""
    metrics = workdir / "metrics.jsonl"
    lines = metrics.read_text().split("\n")[:-1] if metrics.exists() else []
    logged = map(json.loads, lines)
    return {line["step"]: line["train/loss"] for line in logged if "train/loss" in line}


LONG = {"mode": "train", "steps": 100_000, "run__checkpoint_every": 3, "run__keep_last": 100_000}
STEPS = 3  # that a continued run is compared in


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that a signal to its second process has stopped: workdir, (status, out, err) of both"""
    workdir = tmp_path_factory.mktemp("runs") / "stopped"
    with two_processes(workdir, **LONG) as (first, second):
        program.wait_for(lambda: len(losses(workdir)) >= 2 * STEPS, first)
        second.send_signal(signal.SIGTERM)
        return workdir, [program.finish(process) for process in (first, second)]


def test_a_signal_to_one_process_stops_both_at_the_same_step(stopped):
    workdir, ends = stopped
    [(first, _, stderr), (second, _, quiet)] = ends
    assert (first, second) == (0, 0), stderr + quiet
    assert "batch 2 on 2 of 2 devices (cpu) in 2 processes" in stderr
    last = max(losses(workdir))
    assert f"Stopped by SIGTERM after step {last} of 100000" in stderr
    assert "Stopped" not in quiet and "loss" not in quiet, "the second process keeps quiet"
    assert max(kept_steps(workdir)) == last


def kept_steps(workdir):
    return sorted(int(path.name) for path in (workdir / "checkpoints").iterdir())


@pytest.fixture
def earlier(stopped, tmp_path):
    """The same run as it was some steps earlier, and the losses of those steps."""
    workdir = tmp_path / "run"
    shutil.copytree(stopped[0], workdir)
    undisturbed = losses(workdir)
    from_step = max(step for step in kept_steps(workdir) if step <= max(undisturbed) - STEPS)
    for step in kept_steps(workdir):
        if step > from_step:
            shutil.rmtree(workdir / "checkpoints" / str(step))
    (workdir / "metrics.jsonl").unlink()
    return workdir, [(step, undisturbed[step]) for step in range(from_step + 1, from_step + 4)]


def compared(workdir):
    return list(losses(workdir).items())[:STEPS]


@pytest.mark.nightly
def test_two_processes_go_on_bit_for_bit_and_one_does_not_outlive_the_other(earlier):
    workdir, expected = earlier
    with two_processes(workdir, **LONG) as (first, second):
        program.wait_for(lambda: len(losses(workdir)) >= STEPS, first)
        second.kill()
        status, _, stderr = program.finish(first)
    assert compared(workdir) == expected
    assert status == 1
    assert "if another process ended before, its messages say why" in stderr


@pytest.mark.nightly
@pytest.mark.parametrize("devices", [2, 1])
def test_one_process_goes_on_from_two(devices, earlier):
    workdir, expected = earlier
    process = program.start_main(program.command(workdir, **LONG), devices)
    try:
        program.wait_for(lambda: len(losses(workdir)) >= STEPS, process)
    finally:
        process.kill()
        _, stderr = process.communicate()
    assert f"batch 2 on {devices} of {devices} devices (cpu)\n" in stderr
    assert [step for step, _ in compared(workdir)] == [step for step, _ in expected]
    for (_, ours), (_, theirs) in zip(compared(workdir), expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)


@pytest.mark.nightly
def test_two_processes_evaluate_what_one_evaluates(stopped, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(stopped[0], workdir)
    options = {**LONG, "mode": "eval", "evaluation__limit": 3}
    with two_processes(workdir, **options) as processes:
        ends = [program.finish(process) for process in processes]
    assert [status for status, _, _ in ends] == [0, 0], ends
    assert "| trained" in ends[0][1]
    assert "trained" not in ends[1][1], "the second process keeps quiet"
    two = json.loads((workdir / "results.json").read_text())
    assert two["environment"]["processes"] == 2

    config = quickstart.get_config()
    fields = {"data.root": str(program.sample("DAVIS-2017")), "evaluation.limit": 3}
    config.update_from_flattened_dict({**program.TINY, **fields})
    one = evaluate(config, workdir)
    assert one["environment"]["processes"] == 1
    assert two["samples"] == one["samples"] == 3
    ours, theirs = (results["by_sample"]["trained"] for results in (two, one))
    assert list(ours) == list(theirs)
    for name in ours:
        for part in ("embedding", "restored"):
            assert ours[name]["rounded"][part] == pytest.approx(theirs[name]["rounded"][part])
    assert two["networks"]["trained"]["rounded"]["restored"] == pytest.approx(
        one["networks"]["trained"]["rounded"]["restored"]
    )


def test_a_mistake_of_one_process_ends_both(tmp_path):
    nowhere = tmp_path / "nowhere"
    workdir = tmp_path / "run"
    with two_processes(workdir, roots=(None, nowhere), **LONG) as processes:
        ends = [program.finish(process) for process in processes]
    assert [status for status, _, _ in ends] == [1, 1]
    assert f"error: process 1: the folder {nowhere}" in ends[0][2]
    assert f"error: the folder {nowhere}" in ends[1][2]
    assert all("Traceback" not in stderr for _, _, stderr in ends)


def test_a_process_that_waits_in_vain_says_for_whom(tmp_path):
    address = f"localhost:{free_port()}"
    arguments = program.command(tmp_path / "run")
    arguments += [f"--coordinator={address}", "--num_processes=2", "--process_id=1"]
    status, _, stderr = program.finish(program.start_main([*arguments, "--join_timeout=1"]))
    assert status == 1
    assert f"error: process 1 has waited for 1 s at {address}" in stderr
    assert "--join_timeout waits longer" in stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"coordinator": "host:1234"}, "--num_processes and --process_id belong together"),
        ({"count": 2, "index": 0}, "--distributed alone finds all three"),
        ({"coordinator": "host", "count": 2, "index": 0}, "is 'host', but must be HOST:PORT"),
        ({"coordinator": "host:port", "count": 2, "index": 0}, "must be HOST:PORT"),
        ({"coordinator": "host:70000", "count": 2, "index": 0}, "must be HOST:PORT"),
        ({"coordinator": "host:1234", "count": 2, "index": 2}, "is 2, but .* from 0 to 1"),
        ({"coordinator": "host:1234", "count": 0, "index": 0}, "--num_processes is 0"),
    ],
)
def test_flags_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        Processes(**arguments).check()


def test_a_port_in_use_is_reported():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        there = Processes(coordinator=f"localhost:{port}", count=2, index=0)
        with (
            pytest.raises(UserError, match=f"cannot listen at port {port}: Address already in use"),
            distributed.joined(there),
        ):
            pass


def test_outside_of_a_cluster_none_is_detected(monkeypatch):
    def initialize(*_, **options):
        assert "cluster_detection_method" not in options, "JAX is to look for all clusters"
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(distributed.jax.distributed, "initialize", initialize)
    message = r"the processes cannot be found: coordinator_address .*--coordinator=HOST:PORT"
    with pytest.raises(UserError, match=message), distributed.joined(Processes(detect=True)):
        pass


@pytest.mark.parametrize("length", range(6))
@pytest.mark.parametrize("count", [1, 2, 4])
def test_shares_are_all_items_in_order(length, count, monkeypatch):
    shares = []
    for index in range(count):
        monkeypatch.setattr(distributed.jax, "process_index", lambda index=index: index)
        monkeypatch.setattr(distributed.jax, "process_count", lambda: count)
        shares.append(distributed.share(list(range(length))))
    assert [item for part in shares for item in part] == list(range(length))
    assert len(shares[0]) == max(map(len, shares)), "process 0 has some where there are any"
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (JaxRuntimeError("UNKNOWN: Gloo AllGather failed: Read error\nmore"), True),
        (JaxRuntimeError("INTERNAL: Barrier failed: Task 1 heartbeat timeout."), True),
        (JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes."), False),
        (ValueError("Gloo"), False),
    ],
)
def test_a_lost_process_is_told_from_other_errors_and_needs_no_traceback(
    error, lost, monkeypatch, capsys
):
    monkeypatch.setattr(distributed, "_end_now", lambda status: None)
    for name in ("_initialize", "_wait_for_all"):
        monkeypatch.setattr(distributed, name, lambda *_: None)
    monkeypatch.setattr(distributed.multihost_utils, "sync_global_devices", lambda _: None)
    monkeypatch.setattr(distributed.jax.distributed, "shutdown", lambda: None)
    with distributed.joined(Processes(coordinator="localhost:1", count=1, index=0)):
        raise error
    stderr = capsys.readouterr().err
    assert ("Traceback" in stderr) != lost
    assert stderr.splitlines()[-1].startswith("error: process 0 of 1 cannot go on")
    assert stderr.splitlines()[-1].endswith("if another process ended before, its messages say why")
