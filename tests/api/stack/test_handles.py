"""The limit of file handles, in a process of its own."""

import resource
import subprocess
import sys

RAISE = "import api.stack.handles as h; h.raise_handle_limit(); print(h.allowed_handles())"


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    told = subprocess.check_output(
        [sys.executable, "-c", RAISE],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (300, 500)),
        text=True,
    )
    assert int(told) == 500
