"""What a sweep may never delete, whatever there is, and what it does delete."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.maintenance.retention_plan import (
    Leftover,
    Policy,
    Removal,
    Stock,
    StoredJob,
    StoredMedia,
    What,
    Why,
    plan,
)

NOW = 1000.0
#: Older than 100 is old, younger than 10 is sacred, and space is short.
POLICY = Policy(now=NOW, max_age=100.0, grace=10.0, free_bytes=50)

_NAMES = st.sampled_from("abcd")
_TIMES = st.integers(0, int(NOW)).map(float)
_SIZES = st.integers(0, 40)
_JOBS = st.lists(
    st.builds(
        StoredJob,
        run_id=st.sampled_from("stuvwxyz"),
        ended_at=st.none() | _TIMES,
        size_bytes=_SIZES,
        media=st.none() | _NAMES,
        keep=st.booleans(),
        library=st.frozensets(st.tuples(_NAMES, _NAMES), max_size=2),
        inbox=st.none() | _NAMES,
    ),
    max_size=8,
    unique_by=lambda job: job.run_id,
)


@st.composite
def stocks(draw: st.DrawFn) -> Stock:
    jobs = draw(_JOBS)
    parents = st.none() | st.sampled_from([job.run_id for job in jobs] or [None])
    jobs = [StoredJob(**{**vars(job), "parent": draw(parents)}) for job in jobs]
    media = draw(
        st.lists(
            st.builds(StoredMedia, _NAMES, _TIMES, _SIZES),
            max_size=4,
            unique_by=lambda media: media.sha256,
        )
    )
    leftovers = draw(
        st.lists(
            st.builds(Leftover, _NAMES, _TIMES, _SIZES),
            max_size=2,
            unique_by=lambda leftover: leftover.path,
        )
    )
    return Stock(jobs, media, leftovers, free_bytes=draw(st.integers(0, 100)))


policies = st.builds(
    Policy,
    now=st.just(NOW),
    max_age=_TIMES,
    grace=_TIMES,
    free_bytes=st.integers(0, 200),
)


def _names(removals: tuple[Removal, ...], what: What) -> set[str]:
    return {removal.name for removal in removals if removal.what is what}


@settings(max_examples=60)
@given(stocks(), policies)
def test_jobs_that_are_at_work_wanted_or_needed_stay(stock: Stock, policy: Policy) -> None:
    gone = _names(plan(stock, policy), What.JOB)

    for job in stock.jobs:
        if job.run_id in gone:
            assert job.ended_at is not None
            assert job.ended_at < NOW - policy.grace
            assert not job.keep
        if job.ended_at is None:
            assert job.parent not in gone


@settings(max_examples=60)
@given(stocks(), policies)
def test_media_stay_while_a_remaining_job_refers_to_them(stock: Stock, policy: Policy) -> None:
    removals = plan(stock, policy)
    gone = _names(removals, What.JOB)
    remaining = {job.media for job in stock.jobs if job.run_id not in gone}

    assert not _names(removals, What.MEDIA) & remaining


@settings(max_examples=60)
@given(stocks(), policies)
def test_what_was_used_lately_stays(stock: Stock, policy: Policy) -> None:
    removals = plan(stock, policy)
    used = {media.sha256: media.last_used for media in stock.media}
    changed = {leftover.path: leftover.changed_at for leftover in stock.leftovers}

    assert all(used[name] < NOW - policy.grace for name in _names(removals, What.MEDIA))
    assert all(changed[name] < NOW - policy.grace for name in _names(removals, What.LEFTOVER))


@settings(max_examples=60)
@given(stocks(), policies)
def test_the_librarys_newest_annotation_stays(stock: Stock, policy: Policy) -> None:
    gone = _names(plan(stock, policy), What.JOB)
    annotated = {pair for job in stock.jobs for pair in job.library}
    remaining = {pair for job in stock.jobs if job.run_id not in gone for pair in job.library}

    assert remaining == annotated


@settings(max_examples=60)
@given(stocks(), policies)
def test_the_newest_run_of_a_file_in_the_inbox_stays(stock: Stock, policy: Policy) -> None:
    gone = _names(plan(stock, policy), What.JOB)

    remaining = {job.inbox for job in stock.jobs if job.run_id not in gone}
    assert {job.inbox for job in stock.jobs if job.inbox} <= remaining


@settings(max_examples=60)
@given(stocks(), policies)
def test_space_is_made_no_longer_than_needed(stock: Stock, policy: Policy) -> None:
    removals = plan(stock, policy)

    assert len(set(removals)) == len(removals)
    free = stock.free_bytes
    for removal in removals:
        assert removal.why is not Why.SPACE or free < policy.free_bytes
        free += removal.size_bytes


@settings(max_examples=60)
@given(stocks())
def test_nothing_young_goes_where_there_is_space(stock: Stock) -> None:
    removals = plan(stock, Policy(now=NOW, max_age=NOW, grace=0.0))

    assert {removal.what for removal in removals} <= {What.LEFTOVER}


@pytest.fixture
def two_jobs() -> Stock:
    """An old job and a younger one with the same media."""
    return Stock(
        jobs=[
            StoredJob("old", ended_at=800.0, size_bytes=1, media="m"),
            StoredJob("young", ended_at=950.0, size_bytes=1, media="m"),
        ],
        media=[StoredMedia("m", last_used=700.0, size_bytes=10)],
        free_bytes=100,
    )


def test_an_old_job_goes_and_leaves_the_media_to_the_other(two_jobs: Stock) -> None:
    assert plan(two_jobs, POLICY) == (Removal(What.JOB, "old", 1, Why.AGE),)


def test_the_last_job_takes_its_media_along(two_jobs: Stock) -> None:
    tight = Policy(now=NOW, max_age=100.0, grace=10.0, free_bytes=105)

    assert plan(two_jobs, tight) == (
        Removal(What.JOB, "old", 1, Why.AGE),
        Removal(What.JOB, "young", 1, Why.SPACE),
        Removal(What.MEDIA, "m", 10, Why.AGE),
    )


def test_a_job_that_is_retried_just_now_stays() -> None:
    stock = Stock([StoredJob("old", ended_at=1.0), StoredJob("retry", ended_at=None, parent="old")])

    assert plan(stock, POLICY) == ()
