"""Datasets: from image files to batches, one file a task, and the Grain pipeline.

Images are HWC uint8 RGB on the host. Knows nothing of models or training.
"""

from iicnet_jax.data.task import Sample, Task
from iicnet_jax.data.tasks import TASKS, create_task

__all__ = ["TASKS", "Sample", "Task", "create_task"]
