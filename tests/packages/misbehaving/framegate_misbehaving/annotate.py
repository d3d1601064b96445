"""One function per misbehaviour. Each writes `started` first, so that a test knows it is at it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from framegate_misbehaving import Behaviour, MisbehavingConfig
from pipelines.sdk import (
    Findings,
    GpuOutOfMemoryError,
    Media,
    Progress,
    ResultFile,
    Role,
    Stopwatch,
)


def annotate(
    media: Media,  # noqa: ARG001 - the media does not matter
    config: MisbehavingConfig,
    folder: Path,
    progress: Progress,
) -> Findings:
    (folder / "started.txt").write_text(str(os.getpid()))
    progress.report(0.5)
    if config.behaviour is Behaviour.FILL_DISK:
        _fill_disk(folder)
    if config.behaviour is Behaviour.WRITE:
        _write(folder, config)
    _BEHAVIOURS.get(config.behaviour, _finish)(config)
    files = [ResultFile("started.txt", Role.ANNOTATIONS, "text/plain")]
    if config.behaviour is Behaviour.BROKEN_PREVIEW:
        (folder / "preview.png").write_text("no picture")
        files.append(ResultFile("preview.png", Role.PREVIEW, "image/png"))
    if config.behaviour is Behaviour.DANGLING_LINK:
        (folder / "notes.txt").symlink_to("nowhere")
    return Findings(
        count=1,
        noun="misdeeds",
        files=files,
        device="cpu",
        timings=Stopwatch().timings,
    )


def _finish(_config: MisbehavingConfig) -> None:
    """Nothing wrong."""


def _sleep(config: MisbehavingConfig) -> None:
    end = time.monotonic() + config.seconds
    while time.monotonic() < end and not _is_over(config):
        time.sleep(0.1)


def _is_over(config: MisbehavingConfig) -> bool:
    return bool(config.until) and Path(config.until).exists()


def _swallow(config: MisbehavingConfig) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end = time.monotonic() + config.seconds
    while time.monotonic() < end:
        try:
            time.sleep(0.1)
        except BaseException:  # noqa: BLE001, S112 - the point of it
            continue


def _native(config: MisbehavingConfig) -> None:
    """Like a library that never gives control back: no signal but SIGKILL gets through."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(config.seconds)


def _grandchild(config: MisbehavingConfig) -> None:
    subprocess.Popen(["sleep", str(config.seconds)], start_new_session=True)  # noqa: S607 - any sleep will do
    time.sleep(config.seconds)


def _allocate(config: MisbehavingConfig) -> None:
    if config.cgroup:
        Path(config.cgroup, "cgroup.procs").write_text(str(os.getpid()))
    hoard = []
    while True:
        hoard.append(bytearray(16 * 2**20))


def _hold_gpu(config: MisbehavingConfig) -> None:
    """On a fake GPU: the real memory of the device that this run has leased."""
    device = Path(os.environ["FRAMEGATE_FAKE_GPUS"], os.environ["CUDA_VISIBLE_DEVICES"])
    (device / str(os.getpid())).write_text(str(config.gpu_memory))
    time.sleep(config.seconds)


def _stuck_gpu(config: MisbehavingConfig) -> None:
    """Memory that the driver does not give back when the process has ended."""
    device = Path(os.environ["FRAMEGATE_FAKE_GPUS"], os.environ["CUDA_VISIBLE_DEVICES"])
    (device / f"{os.getpid()}.stuck").write_text(str(config.gpu_memory))
    time.sleep(config.seconds)


def _crash(_config: MisbehavingConfig) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _exit(_config: MisbehavingConfig) -> None:
    os._exit(3)


def _raise(config: MisbehavingConfig) -> None:
    if not _is_over(config):
        raise ValueError("as asked")


def _write(folder: Path, config: MisbehavingConfig) -> None:
    """Writes results, line by line, for as long as it is asked to."""
    end = time.monotonic() + config.seconds
    with (folder / "lines.txt").open("w") as file:
        while time.monotonic() < end:
            file.write("one more misdeed\n")
            file.flush()
            time.sleep(0.01)


def _fill_disk(folder: Path) -> None:
    """Writes results until there is no room for more."""
    with (folder / "endless.bin").open("wb") as file:
        while True:
            file.write(bytes(2**16))


def _gpu_out_of_memory(_config: MisbehavingConfig) -> None:
    raise GpuOutOfMemoryError("Not even one frame fits: tried 8, 4, 2, 1.", "Use a smaller side.")


_BEHAVIOURS: Mapping[Behaviour, Callable[[MisbehavingConfig], None]] = {
    Behaviour.FINISH: _finish,
    Behaviour.SLEEP: _sleep,
    Behaviour.SWALLOW: _swallow,
    Behaviour.NATIVE: _native,
    Behaviour.GRANDCHILD: _grandchild,
    Behaviour.ALLOCATE: _allocate,
    Behaviour.HOLD_GPU: _hold_gpu,
    Behaviour.STUCK_GPU: _stuck_gpu,
    Behaviour.CRASH: _crash,
    Behaviour.EXIT: _exit,
    Behaviour.RAISE: _raise,
    Behaviour.GPU_OUT_OF_MEMORY: _gpu_out_of_memory,
}
