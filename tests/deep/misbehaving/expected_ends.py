"""How the job of each way to misbehave ends. Ways are functions in `ways_*.py` of the package."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """What a job is to end as. `says` is in its message; `place` whether that names the line."""

    code: str | None = None
    says: str = ""
    place: bool = False


WELL = Ended()


def raised(says: str) -> Ended:
    return Ended("PIPELINE_FAILED", says, place=True)


def wrong(says: str) -> Ended:
    return Ended("PIPELINE_FAILED", says)


WAYS: Mapping[str, Ended] = {
    # what it returns
    "returns_nothing": wrong("returned None, not Findings"),
    "returns_a_dictionary": wrong("returned dict, not Findings"),
    "returns_a_generator": wrong("returned generator, not Findings"),
    "returns_a_coroutine": wrong("returned coroutine, not Findings"),
    "counts_below_zero": wrong("count must be a whole number, 0 or more; it is -1"),
    "counts_nan": wrong("count must be a whole number, 0 or more; it is nan"),
    "counts_in_words": wrong("count must be a whole number, 0 or more; it is 'many'"),
    "fact_of_nothing": wrong("facts.n must be text or a number"),
    "fact_that_is_nan": wrong("facts.n must be text or a number"),
    "fact_with_a_number_for_a_name": wrong("a name in facts must be text"),
    "table_of_text": wrong("table must be a list"),
    "row_of_lists": wrong("table[0].a must be text or a number"),
    "notes_in_one_text": wrong("notes must be a list"),
    "time_below_zero": wrong("timings.decode_seconds must be a number, 0 or more"),
    "no_noun": wrong("noun must be text"),
    "surrogates_everywhere": WELL,
    "controls_everywhere": WELL,
    # files
    "names_nothing_more": WELL,
    "names_what_is_not_there": wrong("named 'nothing.csv' in its findings, but did not write it"),
    "names_a_file_above": wrong("named '../outside.txt'"),
    "names_a_file_elsewhere": wrong("named '/etc/passwd'"),
    "names_a_link": wrong("'passwd' in its findings, which is not a regular file"),
    "names_a_link_beside_it": wrong("not a regular file"),
    "names_a_pipe": wrong("not a regular file"),
    "names_a_folder": wrong("not a regular file"),
    "names_a_file_in_a_folder": wrong("a result is a file in its folder itself"),
    "names_no_utf_8": wrong("cannot be shown"),
    "names_two_lines": wrong("cannot be shown"),
    "names_one_twice": wrong("more than once"),
    "names_the_manifest": wrong("Framegate writes that file itself"),
    "leaves_a_pipe_and_a_link": WELL,
    "leaves_a_folder_of_others": WELL,
    "deletes_its_folder": wrong("removed or replaced the folder for its results"),
    "deletes_the_run": wrong("removed or replaced the folder for its results"),
    "replaces_its_folder_by_a_link": wrong("removed or replaced the folder for its results"),
    "replaces_its_folder_by_a_file": wrong("removed or replaced the folder for its results"),
    "publishes_by_itself": WELL,
    # what it raises
    "raises": raised("ValueError: as asked"),
    "raises_without_text": raised("AssertionError"),
    "exits": raised("SystemExit: 3"),
    "exits_with_a_text": raised("SystemExit: no model here"),
    "interrupts_itself": raised("KeyboardInterrupt"),
    "exits_a_generator": raised("GeneratorExit: over"),
    "cancels_a_task": raised("CancelledError: enough"),
    "stops_an_iteration": raised("StopIteration: end"),
    "raises_what_is_no_exception": raised("OwnError: of my own"),
    "raises_a_group": raised("ExceptionGroup: two at once"),
    "raises_what_has_no_text": raised("SilentError: its text cannot be read"),
    "raises_what_exits_when_read": raised("LeavingError: its text cannot be read"),
    "raises_what_reads_as_a_number": raised("NumberError: its text cannot be read"),
    "raises_a_book": Ended("PIPELINE_FAILED", "ValueError: xxxx"),
    "raises_because_of_a_book": raised("RuntimeError: because of a book"),
    "raises_surrogates": raised("FileNotFoundError: [Errno 2] No such file or directory: 'caf"),
    "raises_half_a_character": raised("ValueError: caf\N{REPLACEMENT CHARACTER}"),
    "raises_controls": raised("gone"),
    "raises_html": raised("<script>alert(1)</script>"),
    "recurses": raised("RecursionError"),
    "raises_a_long_chain": raised("RuntimeError: at the end of a chain"),
    "raises_in_a_circle": raised("ValueError: first"),
    "runs_out_of_memory": Ended("HOST_OUT_OF_MEMORY"),
    "may_not": Ended("PERMISSION_DENIED", "/secret"),
    "imports_what_is_not_there": raised("ModuleNotFoundError: No module named 'nowhere"),
    "asks_dagster_to_retry": raised("RetryRequested"),
    "pretends_to_be_cancelled": Ended("RUN_FAILED", "interrupted"),
    # its process
    "forks_and_returns": WELL,
    "forks_and_raises": WELL,
    "forks_and_exits": WELL,
    "forks_many": WELL,
    "leaves_a_child_at_work": WELL,
    "leaves_a_daemon": WELL,
    "lets_the_child_return": Ended("WORKER_LOST", "exit code 4"),
    "ends_at_once": Ended("WORKER_LOST", "exit code 0"),
    "ends_with_a_code": Ended("WORKER_LOST", "exit code 3"),
    "becomes_another_program": Ended("WORKER_LOST", "exit code 0"),
    "crashes": Ended("WORKER_KILLED", "SIGSEGV"),
    "aborts": Ended("WORKER_KILLED", "SIGABRT"),
    "kills_itself": Ended("WORKER_KILLED", "SIGKILL"),
    "signals_itself": Ended("RUN_FAILED", "interrupted"),
    "terminates_itself": Ended("RUN_FAILED", "interrupted"),
    "sets_an_alarm": Ended("WORKER_KILLED", "SIGALRM"),
    "starts_threads_without_end": WELL,
    "closes_all_files": wrong("closed files that it had not opened"),
    "closes_every_file": wrong("closed files that it had not opened"),
    "closes_the_output": wrong("closed files that it had not opened"),
    "closes_sys_stdout": WELL,
    "removes_sys_stdout": WELL,
    "prints_no_utf_8": WELL,
    "prints_a_book": WELL,
    "writes_into_every_pipe": WELL,
    "tells_its_end_itself": WELL,
    "ignores_every_signal": WELL,
    "blocks_every_signal": WELL,
    "goes_elsewhere": WELL,
    "goes_where_nothing_is": WELL,
    "lets_nobody_read": WELL,
    "empties_the_environment": WELL,
    "tells_what_it_sees": WELL,
    "allows_no_depth": WELL,
    "allows_no_more_files": Ended("WORKER_LOST", "exit code 1"),
    "leaves_its_session": WELL,
    "silences_the_log": WELL,
    "kills_its_children": WELL,
    "writes_into_other_runs": WELL,
    "forges_its_progress": WELL,
    "locks_the_database": WELL,
}
