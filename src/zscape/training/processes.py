"""The Lightning ``Fabric`` of a training, and the processes it starts.

Importing this takes a second, which commands that do not train are spared.
"""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import find_free_network_port
from lightning_fabric.strategies.launchers import subprocess_script
from lightning_fabric.utilities.rank_zero import rank_zero_only

from zscape.config import TrainConfig
from zscape.errors import ConfigError, ProcessLost, needing
from zscape.lock import is_held
from zscape.training.hardware import find_accelerator, find_precision
from zscape.words import counted

STRATEGIES = ("auto", "ddp")
PATIENCE = timedelta(seconds=10)
"""How long a process waits for the others before it leaves a training."""

FRESH = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"
"""Lets torchrun give processes that it starts again a new place to meet; at the one before lie the
addresses of those that are no more, which gloo tries until it gives up."""
LET_GO = 60.0
"""Seconds for which a training that torchrun has started again waits for the one before."""

LOST = (
    "Another process of this training has ended or cannot be reached; this one ends too. "
    "The last checkpoint is kept, and can be resumed."
)
log = logging.getLogger(__name__)

# Lightning watches the processes that it starts, and if one has ended badly kills all, this one
# too, without a word; here they are watched by ``_watching``.
_started: list[subprocess.Popen[Any]] = []


def _keep(child_processes: list[subprocess.Popen[Any]]) -> None:
    _started.extend(child_processes)


subprocess_script._launch_process_observer = _keep

# It repeats on stderr, which notebooks paint red, what the first line of a training says.
logging.getLogger("lightning_fabric.utilities.rank_zero").setLevel(logging.WARNING)


def create_fabric(config: TrainConfig, log_folder: Path | None = None) -> Fabric:
    """A ``Fabric`` as ``config`` asks for; its processes are not launched yet.

    Raises
    ------
    ConfigError
        An accelerator, strategy or number of devices this machine does not have.
    MissingExtraError
        TensorBoard logging without the package.
    """
    if config.strategy not in STRATEGIES:
        raise ConfigError(f"strategy must be {' or '.join(STRATEGIES)}; got {config.strategy!r}.")
    accelerator = find_accelerator(config.accelerator)
    precision = find_precision(config.precision, accelerator)
    loggers = [_tensorboard(log_folder)] if config.tensorboard and log_folder else None
    with _blaming(config):
        return Fabric(
            accelerator=accelerator,
            devices=config.devices,
            num_nodes=config.num_nodes,
            strategy=config.strategy,
            precision="bf16-mixed" if precision == "bf16" else "32-true",
            loggers=loggers,
        )


@contextmanager
def launched(fabric: Fabric, config: TrainConfig) -> Iterator[None]:
    """Start the further processes, if any: the program again, from its beginning.

    However the block ends, none of them leaves before all have come to its end, and nothing of
    what connected them is left: a thread that still works when the interpreter ends may end
    the process by SIGABRT, upon which its launcher stops the others.

    Raises
    ------
    ConfigError
        They cannot be started, or find each other.
    ProcessLost
        One of them has ended, or cannot be reached any more.
    """
    is_ours = not (dist.is_available() and dist.is_initialized())
    with _blaming(config):
        fabric.launch()
    if not (is_ours and dist.is_available() and dist.is_initialized()):
        yield
        return
    # A group of its own, so that no farewell meets a sum of gradients that others still wait for.
    farewell = dist.new_group(backend="gloo", timeout=PATIENCE)
    try:
        with _watching(_others()):
            yield
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # they hold the model, and it the group
        if isinstance(error, dist.DistError) or "/gloo/" in str(error):
            raise ProcessLost(LOST) from error
        raise
    finally:
        # Another one may be dead, or still hope for this one: then nobody is waited for.
        with suppress(RuntimeError):
            dist.monitored_barrier(farewell, timeout=PATIENCE)
            _agree_where_to_meet_next(farewell)
        gc.collect()  # the last model that the group belonged to
        dist.destroy_process_group()


def as_launched(config: TrainConfig) -> TrainConfig:
    """``config`` with as many devices and machines as torchrun has started, if it has.

    Raises
    ------
    ConfigError
        It asks for another number of processes; or those that are started again would not meet.
    """
    if not is_by_torchrun():
        return config
    may_restart = os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0") != "0"
    if may_restart and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        raise ConfigError(
            "torchrun may start this training again, and its processes would look for those before "
            f"them: give it --rdzv-backend c10d and set {FRESH}=1 around it, or leave out "
            "--max-restarts."
        )
    n = int(os.environ["WORLD_SIZE"])
    n_here = int(os.environ["LOCAL_WORLD_SIZE"])
    if config.devices * config.num_nodes not in (1, n):
        raise ConfigError(
            f"torchrun has started {counted(n, 'process', 'processes')}, and devices "
            f"{config.devices} on num_nodes {config.num_nodes} were asked for; leave both out, "
            "they are as many as there are."
        )
    return config.replace(devices=n_here, num_nodes=n // n_here)


def is_by_torchrun() -> bool:
    """Whether ``torchrun`` has started this process, and would start it again."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def is_first_here() -> bool:
    """Whether this is the first of the processes on this machine."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def wait_for(lock: Path) -> None:
    """Until the process that torchrun has started this one in place of lets go of the run.

    It may still be about to find out that the others are gone.
    """
    deadline = time.monotonic() + LET_GO
    while is_by_torchrun() and is_held(lock) and time.monotonic() < deadline:
        time.sleep(0.2)


def _others() -> Callable[[], bool]:
    """Tells whether a process that must be there for this one has ended."""
    parent = os.getppid()
    is_started = not is_first_here() or is_by_torchrun()
    return lambda: (
        any(other.poll() for other in _started) or (is_started and os.getppid() != parent)
    )


@contextmanager
def _watching(is_lost: Callable[[], bool]) -> Iterator[None]:
    """End this process if another is lost, and it has not found that out by itself a while later.

    It does as soon as it speaks with the other; but that may be long, and not every device
    ever says so.
    """
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(1):
            if is_lost():
                if not is_over.wait(PATIENCE.total_seconds()):
                    log.critical(LOST)
                    os._exit(2)
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _agree_where_to_meet_next(group: dist.ProcessGroup) -> None:
    """For a further training of this program: at the old address old messages still lie about."""
    port = [find_free_network_port()]
    dist.broadcast_object_list(port, group=group)
    os.environ |= {"MASTER_PORT": str(port[0]), "TORCHELASTIC_USE_AGENT_STORE": "False"}


def is_first_process() -> bool:
    """Whether this is the process that writes files and speaks to the person."""
    # Before the launch, Lightning does not look at which of several machines this is.
    return getattr(rank_zero_only, "rank", 0) == 0 and os.environ.get("NODE_RANK", "0") == "0"


@contextmanager
def _blaming(config: TrainConfig) -> Iterator[None]:
    try:
        yield
    except (ValueError, RuntimeError) as error:
        raise ConfigError(
            f"cannot train with accelerator {config.accelerator}, {config.devices} device(s) on "
            f"{config.num_nodes} node(s) and strategy {config.strategy}: {error}"
        ) from error


def _tensorboard(folder: Path) -> Any:
    with needing("tensorboard", "--tensorboard"):
        import torch.utils.tensorboard  # noqa: F401  (what the logger imports at its first line)
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger

    return TensorBoardLogger(root_dir=folder, name="tensorboard", version="")
