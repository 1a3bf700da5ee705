"""The Ray cluster: joining one or starting one on this machine, and checking that it can hold what is asked for."""

import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from dragoman.errors import EngineError
from dragoman.progress import note
from dragoman.recipe import engines

SPARE = 2  # logical cores of a local cluster beside its actors
TRIES = 3  # to start one: a busy machine takes longer than Ray waits


class Cluster:
    """The connection to a cluster: an existing one, or one on this machine that ends with the connection."""

    def __init__(self, settings: engines.Ray):
        ray = library()
        self._folder: str | None = None
        self._mine = not ray.is_initialized()
        if self._mine and settings.address not in (None, "auto"):
            reach(settings.address)
        if self._mine and settings.address is None:
            self._start(ray, int(settings.actors[1] * settings.cpus + SPARE))
        elif self._mine:
            try:  # the edge to the cluster
                with _muted():
                    ray.init(address=settings.address, **_quiet())
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                self.leave()
                raise EngineError(
                    f"No Ray cluster at {settings.address}: {sentence(error)}\n  Start one with `ray start --head`, "
                    "correct generation.ray.address, or leave it out to have one started here."
                ) from error
        try:
            self.gpus = _gpus(ray, settings)
        except EngineError:
            self.leave()
            raise

    def _start(self, ray: ModuleType, cores: int) -> None:
        """Starts a cluster on this machine. EngineError, with Ray's reason, if that fails."""
        for tried in range(1, TRIES + 1):
            self._folder = tempfile.mkdtemp(prefix="dragoman-ray-", dir="/tmp")  # sockets' names must be short
            try:  # the edge to the cluster; Ray raises plain exceptions as well
                with _muted():
                    ray.init(
                        address="local", num_cpus=cores, include_dashboard=False, _temp_dir=self._folder, **_quiet()
                    )
                return
            except Exception as error:
                self.leave()
                if tried == TRIES:
                    raise EngineError(
                        f"Ray did not start on this machine, in {TRIES} attempts: {sentence(error)}\n  Where it is "
                        "busy, try again later; or name a cluster that runs (generation.ray.address)."
                    ) from error

    def leave(self) -> None:
        """Ends the connection, and everything that was started through it."""
        ray = library()
        if self._mine and ray.is_initialized():
            ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _gpus(ray: ModuleType, settings: engines.Ray) -> float:
    """Accelerators per actor. EngineError if the cluster cannot hold the minimal number of actors."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    has = any(machine.get("GPU", 0) > 0 for machine in machines)
    gpus = settings.gpus if settings.gpus is not None else float(has)
    least = settings.actors[0]

    def held(machine: dict[str, float]) -> int:
        shares = [machine.get(name, 0) / each for name, each in (("CPU", settings.cpus), ("GPU", gpus)) if each]
        return int(min(shares) + 1e-6)

    room = sum(held(machine) for machine in machines)
    each = f"{settings.cpus:g} CPU" + (f" and {gpus:g} GPU" if gpus else "")
    if room < least:
        there = "; ".join(f"{machine.get('CPU', 0):g} CPU, {machine.get('GPU', 0):g} GPU" for machine in machines)
        raise EngineError(
            f"The Ray cluster can never hold the {least} actors that generation.ray.actors asks for: with {each} each "
            f"it has room for {room}. Its machines: {there}. Ask for less, or let more machines join first."
        )
    free = ray.available_resources()
    if free.get("CPU", 0) < least * settings.cpus or free.get("GPU", 0) < least * gpus:
        note(
            f"The Ray cluster is busy: {least} actors with {each} each are asked for, and {free.get('CPU', 0):g} CPU "
            f"and {free.get('GPU', 0):g} GPU are free. Waiting for the rest."
        )
    return gpus


def reach(address: str) -> None:
    """EngineError if nothing listens at HOST:PORT; Ray would try for minutes and then end the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:  # the edge to the network
        socket.create_connection((host, int(port)), timeout=20).close()
    except (OSError, ValueError) as error:
        raise EngineError(
            f"No Ray cluster at {address}: {error}. Correct generation.ray.address (HOST:PORT of the machine where "
            "`ray start --head` was called), or leave it out to have a cluster started here."
        ) from error


def library() -> ModuleType:
    """Imports Ray, silenced. EngineError says how to install it."""
    if not debugging():  # read when the library is loaded
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise EngineError("The `ray` engine needs Ray Data: pip install 'dragoman[ray]'") from error
    if not debugging():
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    module: ModuleType = ray
    return module


def _quiet() -> dict[str, int]:
    """Settings that keep Ray quiet, unless DRAGOMAN_DEBUG is set."""
    return {} if debugging() else {"logging_level": logging.CRITICAL, "log_to_driver": False}


@contextmanager
def _muted() -> Iterator[None]:
    """Suppresses the lines that Ray's core writes to standard error while it starts."""
    if debugging():
        yield
        return
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def debugging() -> bool:
    return bool(os.environ.get("DRAGOMAN_DEBUG"))


def sentence(error: BaseException) -> str:
    """The message of a Ray exception, without its stack."""
    lines = [line.strip() for line in str(error).split("\n") if line.strip()]
    return lines[-1] if lines else type(error).__name__
