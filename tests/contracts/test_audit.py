"""The audit log: JSON lines that nobody else can read, and that are only ever added to."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contracts.audit import AuditLog
from contracts.home import Home


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(Home(tmp_path).audit)


def test_each_action_is_a_line(audit: AuditLog) -> None:
    audit.write("job.submit", by="alice", address="10.0.0.7", request_id="abc", job_id="1")
    audit.write("job.cancel", by="bob", job_id="1")
    first, second = (json.loads(line) for line in audit.path.read_text().splitlines())
    assert first.pop("at").endswith("Z")
    assert first == {
        "action": "job.submit",
        "by": "alice",
        "address": "10.0.0.7",
        "request_id": "abc",
        "job_id": "1",
    }
    assert second["by"] == "bob"


def test_what_a_stranger_wrote_stays_within_its_line(audit: AuditLog) -> None:
    audit.write("job.cancel", by="alice", reason='"}\n{"action": "key.create"\r\u2028')
    assert len(audit.path.read_bytes().splitlines()) == 1


def test_writers_at_once_never_mix_their_lines(audit: AuditLog) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: audit.write("job.submit", by="a" * 100, n=n), range(200)))
    lines = [json.loads(line) for line in audit.path.read_text().splitlines()]
    assert sorted(line["n"] for line in lines) == list(range(200))


def test_only_its_owner_may_read_it(audit: AuditLog) -> None:
    audit.write("key.create", by="alice")
    assert stat.S_IMODE(audit.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(audit.path.parent.stat().st_mode) == 0o700


def test_a_link_in_its_place_is_not_followed(audit: AuditLog, tmp_path: Path) -> None:
    audit.path.parent.mkdir()
    audit.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        audit.write("key.create", by="alice")
    assert not (tmp_path / "elsewhere").exists()
