"""Where images wait for their step, and how they come to the device without being waited for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import torch
from torch import Tensor

from zscape.data import ImageSet
from zscape.data.imageset import as_pixels
from zscape.data.mapped import mapping_of, rows_of

AHEAD = 2
"""Batches that are fetched while a step computes."""


def near(images: ImageSet, device: torch.device) -> ImageSet:
    """The images on ``device``, or where they are if they would take more than a quarter of it."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if images.images.numel() > free / 4:
            return images
    return images.to(device)


def fetched(images: ImageSet, batches: Iterable[Tensor], device: torch.device) -> Iterator[Tensor]:
    """The pixels of every batch, in their order, on ``device``.

    What is not there in memory yet is read by a thread, ahead of when it is asked for: as bytes, so
    that the thread takes as little as can be from the step that computes.
    """
    if images.images.device.type == device.type and mapping_of(images.images) is None:
        yield from map(images.pixels, batches)
        return
    with ThreadPoolExecutor(1) as thread:
        waiting = iter(batches)
        under_way = deque(thread.submit(rows_of, images.images, b) for b in islice(waiting, AHEAD))
        try:
            while under_way:
                rows = under_way.popleft().result()
                under_way.extend(
                    thread.submit(rows_of, images.images, b) for b in islice(waiting, 1)
                )
                yield as_pixels(rows.to(device))
        finally:
            for other in under_way:
                other.cancel()
