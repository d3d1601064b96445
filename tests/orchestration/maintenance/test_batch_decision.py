"""What the nightly batch does about one media."""

from collections.abc import Callable

import pytest

from orchestration.maintenance.batch_decision import Decision, batch_key, decide

MEDIA = "a" * 64
WANTED = {"faces", "scenes", "speech"}


@pytest.fixture
def judge() -> Callable[..., Decision]:
    """Decides about a media that nothing is known of, but for what is given."""

    def judge(
        *,
        current: frozenset[str] = frozenset(),
        busy: frozenset[tuple[str, str]] = frozenset(),
        failures: dict[tuple[str, str], int] | None = None,
    ) -> Decision:
        return decide(
            MEDIA, WANTED, current=current, busy=busy, failures=failures or {}, attempts=3
        )

    return judge


def test_what_nobody_annotated_is_queued_whole(judge: Callable[..., Decision]) -> None:
    assert judge() == Decision(missing=("faces", "scenes", "speech"))


def test_only_what_is_missing_is_queued(judge: Callable[..., Decision]) -> None:
    decision = judge(current=frozenset({"faces"}), busy=frozenset({(MEDIA, "speech")}))

    assert decision == Decision(current=("faces",), busy=("speech",), missing=("scenes",))


def test_a_job_for_other_media_does_not_count(judge: Callable[..., Decision]) -> None:
    assert judge(busy=frozenset({("b" * 64, "faces")})).missing == ("faces", "scenes", "speech")


def test_a_pipeline_is_given_up_after_three_failures(judge: Callable[..., Decision]) -> None:
    assert judge(failures={(MEDIA, "faces"): 2}).hopeless == ()
    decision = judge(failures={(MEDIA, "faces"): 3})
    assert decision == Decision(hopeless=("faces",), missing=("scenes", "speech"))


def test_each_attempt_and_each_version_has_a_key_of_its_own() -> None:
    first = batch_key(MEDIA, {"faces": "1"}, {})

    assert first == batch_key(MEDIA, {"faces": "1"}, {(MEDIA, "scenes"): 1})
    others = [
        batch_key(MEDIA, {"faces": "2"}, {}),
        batch_key(MEDIA, {"faces": "1"}, {(MEDIA, "faces"): 1}),
        batch_key("b" * 64, {"faces": "1"}, {}),
        batch_key(MEDIA, {"faces": "1", "scenes": "1"}, {}),
    ]
    assert len({first, *others}) == 5
