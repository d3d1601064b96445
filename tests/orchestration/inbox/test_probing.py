"""Whose fault it is that a probe tells nothing: the file's, or ours."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.inbox import probing
from orchestration.inbox.probing import ProbeCutOffError, probe_apart
from pipelines.errors import MediaError

EndWith = Callable[[str], None]


@pytest.fixture
def end_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EndWith:
    """Puts another program in the place of the interpreter: files that do this to a real decoder
    are mended one by one.
    """

    def end_with(line: str) -> None:
        program = tmp_path / "probe"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))

    return end_with


@pytest.mark.parametrize("name", ["SEGV", "ABRT", "BUS", "ILL", "FPE", "XCPU"])
def test_a_file_that_breaks_its_decoder_is_at_fault(
    name: str, end_with: EndWith, tmp_path: Path
) -> None:
    end_with(f"kill -{name} $$")

    with pytest.raises(MediaError, match="breaks the decoder"):
        probe_apart(tmp_path, "a.mp4")


@pytest.mark.parametrize("killer", [signal.SIGKILL, signal.SIGTERM])
def test_whoever_kills_the_probe_says_nothing_of_the_file(
    killer: signal.Signals, end_with: EndWith, tmp_path: Path
) -> None:
    """As the kernel does when memory is short."""
    end_with(f"kill -{killer} $$")

    with pytest.raises(ProbeCutOffError, match=f"signal {killer}"):
        probe_apart(tmp_path, "a.mp4")


def test_a_disk_that_stalls_says_nothing_of_the_file(
    end_with: EndWith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "_SECONDS", 0.2)
    end_with("exec sleep 60")

    with pytest.raises(ProbeCutOffError, match="could not be read within"):
        probe_apart(tmp_path, "a.mp4")
