"""What a job that is run again takes over from the job before: tags, and results.

A retry is a run of its own with Dagster's parent tag. It begins without the tags that say how the
run before was submitted and how it went.
"""

from collections.abc import Mapping

from contracts.run import (
    CANCELLATION_FAILED_TAG,
    DEVICE_TAG,
    FAILURE_TAG,
    IDEMPOTENCY_KEY_TAG,
    RELEASE_TAG,
    REQUEST_ID_TAG,
    SUBMITTED_AT_TAG,
    WAITING_TAG,
    failure_tag,
)

#: Dagster's own: the run that was executed again.
PARENT_TAG = "dagster/parent_run_id"
#: Dagster's own: "true" on a run that executes only what its parent did not complete.
FROM_FAILURE_TAG = "dagster/is_resume_retry"
#: Who asked for the retry over REST; the job stays its owner's.
RETRIED_BY_TAG = "framegate/retried_by"
#: The Idempotency-Key of a retry; submissions have a tag of their own.
RETRY_KEY_TAG = "framegate/retry_key"

_CARRIED_OVER = "framegate.carried_over/"
_OF_ONE_RUN = frozenset(
    {
        SUBMITTED_AT_TAG,
        REQUEST_ID_TAG,
        IDEMPOTENCY_KEY_TAG,
        RETRIED_BY_TAG,
        RETRY_KEY_TAG,
        FAILURE_TAG,
        DEVICE_TAG,
        WAITING_TAG,
        RELEASE_TAG,
        CANCELLATION_FAILED_TAG,
    }
)
_PREFIXES_OF_ONE_RUN = (failure_tag(""), _CARRIED_OVER)


def carried_over_tag(pipeline: str) -> str:
    """Holds the id of the run that made the results of this pipeline."""
    return f"{_CARRIED_OVER}{pipeline}"


def inherited_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Of a run's tags those that are true of a run that executes it again."""
    return {
        key: value
        for key, value in tags.items()
        if key not in _OF_ONE_RUN and not key.startswith(_PREFIXES_OF_ONE_RUN)
    }
