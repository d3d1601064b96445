"""The GraphQL that is sent to Dagster's webserver. A test checks it against the real schema."""

_RUN = """
  runId
  jobName
  status
  tags { key value }
  runConfig
  creationTime
  startTime
  endTime
  updateTime
"""

_ERROR = """
  __typename
  ... on Error { message }
  ... on PythonError { className }
"""

RUN = f"""
query Run($runId: ID!) {{
  result: runOrError(runId: $runId) {{
    {_ERROR}
    ... on Run {{
      {_RUN}
      stepStats {{ stepKey status startTime endTime }}
    }}
  }}
}}
"""

#: As little as a poll needs.
RUN_STATE = f"""
query RunState($runId: ID!) {{
  result: runOrError(runId: $runId) {{
    {_ERROR}
    ... on Run {{ {_RUN} }}
  }}
}}
"""

RUNS = f"""
query Runs(
  $filter: RunsFilter, $cursor: String, $limit: Int!, $counted: RunsFilter, $isCounted: Boolean!
) {{
  result: runsOrError(filter: $filter, cursor: $cursor, limit: $limit) {{
    {_ERROR}
    ... on Runs {{ results {{ {_RUN} }} }}
  }}
  counted: runsOrError(filter: $counted, limit: 1) @include(if: $isCounted) {{
    {_ERROR}
    ... on Runs {{ count }}
  }}
}}
"""

RUN_IDS = f"""
query RunIds($filter: RunsFilter, $cursor: String, $limit: Int) {{
  result: runIdsOrError(filter: $filter, cursor: $cursor, limit: $limit) {{
    {_ERROR}
    ... on RunIds {{ results }}
  }}
}}
"""

RUN_PRIORITIES = f"""
query RunPriorities($filter: RunsFilter) {{
  result: runsOrError(filter: $filter) {{
    {_ERROR}
    ... on Runs {{ results {{ runId creationTime tags {{ key value }} }} }}
  }}
}}
"""

LAUNCH = f"""
mutation Launch($parameters: ExecutionParams!) {{
  result: launchRun(executionParams: $parameters) {{
    {_ERROR}
    ... on LaunchRunSuccess {{ run {{ {_RUN} }} }}
    ... on RunConfigValidationInvalid {{ errors {{ message path }} }}
    ... on InvalidStepError {{ invalidStepKey }}
    ... on InvalidOutputError {{ stepKey invalidOutputName }}
  }}
}}
"""

REEXECUTE = f"""
mutation Reexecute($parameters: ReexecutionParams!) {{
  result: launchRunReexecution(reexecutionParams: $parameters) {{
    {_ERROR}
    ... on LaunchRunSuccess {{ run {{ {_RUN} }} }}
    ... on RunConfigValidationInvalid {{ errors {{ message path }} }}
    ... on InvalidStepError {{ invalidStepKey }}
    ... on InvalidOutputError {{ stepKey invalidOutputName }}
  }}
}}
"""

TERMINATE = f"""
mutation Terminate($runId: String!) {{
  result: terminateRun(runId: $runId, terminatePolicy: SAFE_TERMINATE) {{
    {_ERROR}
    ... on TerminateRunSuccess {{ run {{ status }} }}
    ... on TerminateRunFailure {{ message run {{ status }} }}
  }}
}}
"""

DELETE = f"""
mutation Delete($runId: String!) {{
  result: deletePipelineRun(runId: $runId) {{
    {_ERROR}
    ... on DeletePipelineRunSuccess {{ runId }}
  }}
}}
"""

_COUNT = f"""
    {_ERROR}
    ... on Runs {{ count }}
"""

#: The variables `$queued` and `$running` say which runs are counted.
_INSTANCE = f"""
  version
  instance {{
    runQueueConfig {{ maxConcurrentRuns }}
    daemonHealth {{
      allDaemonStatuses {{
        daemonType
        required
        healthy
        lastHeartbeatTime
        lastHeartbeatErrors {{ message }}
      }}
    }}
  }}
  queued: runsOrError(filter: $queued, limit: 1) {{ {_COUNT} }}
  running: runsOrError(filter: $running, limit: 1) {{ {_COUNT} }}
"""

INSTANCE = f"""
query Instance($queued: RunsFilter!, $running: RunsFilter!) {{
  {_INSTANCE}
}}
"""

ENDED_RUNS = f"""
query EndedRuns($filter: RunsFilter!, $cursor: String, $limit: Int!) {{
  result: runsOrError(filter: $filter, cursor: $cursor, limit: $limit) {{
    {_ERROR}
    ... on Runs {{
      results {{
        {_RUN}
        stepStats {{ stepKey status startTime endTime }}
        stats {{ ... on RunStatsSnapshot {{ enqueuedTime launchTime }} }}
      }}
    }}
  }}
}}
"""

ACTIVITY = f"""
query Activity($queued: RunsFilter!, $running: RunsFilter!, $limit: Int!) {{
  {_INSTANCE}
  waiting: runIdsOrError(filter: $queued) {{
    {_ERROR}
    ... on RunIds {{ results }}
  }}
  active: runsOrError(filter: $running, limit: $limit) {{
    {_ERROR}
    ... on Runs {{ results {{ {_RUN} }} }}
  }}
}}
"""


def counts(filters: int) -> str:
    """How many runs so many filters (`$filter0`, `$filter1`, …) find, each by itself."""
    variables = ", ".join(f"$filter{number}: RunsFilter!" for number in range(filters))
    fields = "\n  ".join(
        f"filter{number}: runsOrError(filter: $filter{number}, limit: 1) {{ {_COUNT} }}"
        for number in range(filters)
    )
    return f"query Counts({variables}) {{\n  {fields}\n}}"


#: Every document, for the test that holds them against the schema.
DOCUMENTS = (
    RUN,
    RUN_STATE,
    RUNS,
    RUN_IDS,
    RUN_PRIORITIES,
    LAUNCH,
    REEXECUTE,
    TERMINATE,
    DELETE,
    INSTANCE,
    ENDED_RUNS,
    ACTIVITY,
    counts(2),
)
