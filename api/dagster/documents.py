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


def activity(jobs: int) -> str:
    """Counts what waits of so many jobs (`$job0`, `$job1`, …), and tells all that runs."""
    variables = "".join(f", $job{number}: RunsFilter!" for number in range(jobs))
    counts = "".join(
        f"job{number}: runsOrError(filter: $job{number}, limit: 1) {{ {_COUNT} }}\n  "
        for number in range(jobs)
    )
    return f"""
query Activity($queued: RunsFilter!, $running: RunsFilter!, $limit: Int!{variables}) {{
  {_INSTANCE}
  waiting: runIdsOrError(filter: $queued) {{
    {_ERROR}
    ... on RunIds {{ results }}
  }}
  active: runsOrError(filter: $running, limit: $limit) {{
    {_ERROR}
    ... on Runs {{ results {{ {_RUN} }} }}
  }}
  {counts}
}}
"""


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
    activity(2),
)
