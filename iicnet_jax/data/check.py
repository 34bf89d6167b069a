"""Checks every sample of a dataset before a long run."""

import dataclasses
import functools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.task import SPLITS, Task


@dataclasses.dataclass(frozen=True)
class Report:
    """How many samples every split has, and what is wrong with them: one message a problem."""

    samples: Mapping[str, int]
    problems: Sequence[str]


def check(task: Task) -> Report:
    """Takes every sample of every split through what training or evaluation does with it.

    That counts the files, decodes each, and compares sizes with one another and with the crop.
    """
    samples, problems = {}, []
    for split in SPLITS:
        try:
            samples[split] = len(task.names(split))
        except UserError as error:
            problems.append(str(error))
            continue
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = threads.map(functools.partial(_problem, task, split), range(samples[split]))
            bar = tqdm(found, desc=split, total=samples[split], unit="sample", disable=None)
            problems += [message for message in bar if message]
    # A broken file may be in many samples.
    return Report(samples, list(dict.fromkeys(problems)))


def _problem(task, split, index) -> str | None:
    try:
        images = task.load(split, index)
        if split == "train":
            task.training_sample(images, np.random.default_rng(index))
        else:
            task.evaluation_sample(images)
    except UserError as error:
        return str(error)
    return None
