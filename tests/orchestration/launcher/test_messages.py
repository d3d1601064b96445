import select
import threading
from pathlib import Path

import pytest

from orchestration.launcher.messages import (
    NoAnswerError,
    NobodyListensError,
    ask,
    await_nudges,
    is_anybody_there,
    listen,
    nudge,
    receive,
    remove_abandoned,
    send,
)


def test_a_question_is_answered_over_a_path_longer_than_a_socket_may_have(tmp_path: Path) -> None:
    path = tmp_path / ("deep" * 30) / "server.sock"

    with listen(path) as listener:

        def answer() -> None:
            connection, _address = listener.accept()
            with connection:
                send(connection, {"echo": receive(connection)["word"]})

        server = threading.Thread(target=answer)
        server.start()
        reply = ask(path, {"word": "höre"})
        server.join()

    assert reply == {"echo": "höre"}


def test_asking_where_nobody_listens_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NobodyListensError):
        ask(tmp_path / "nobody.sock", {})


def test_asking_at_a_socket_left_behind_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    listen(path).close()

    with pytest.raises(NobodyListensError):
        ask(path, {})


def test_an_answer_that_never_comes_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "silent.sock"

    with listen(path), pytest.raises(NoAnswerError):
        ask(path, {}, timeout=0.05)


def test_who_listens_is_there_however_busy(tmp_path: Path) -> None:
    path = tmp_path / "busy.sock"
    with listen(path) as listener:
        listener.listen(0)
        assert [is_anybody_there(path) for _ in range(5)] == [True] * 5


def test_who_is_gone_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "gone.sock"
    assert not is_anybody_there(path)
    assert not is_anybody_there(tmp_path / "no-folder" / "gone.sock")

    listen(path).close()

    assert not is_anybody_there(path)


def test_a_socket_left_behind_does_not_hinder_the_next_listener(tmp_path: Path) -> None:
    path = tmp_path / "again.sock"
    listen(path).close()

    listen(path).close()


def test_a_nudge_wakes_who_awaits_it(tmp_path: Path) -> None:
    path = tmp_path / "nudges.sock"

    with await_nudges(path) as nudges:
        nudge(path)

        assert select.select([nudges], [], [], 5.0)[0]
    assert not path.exists()


def test_a_nudge_to_nobody_is_no_error(tmp_path: Path) -> None:
    nudge(tmp_path / "nobody.sock")


def test_sockets_of_processes_that_are_gone_are_removed_and_no_others(tmp_path: Path) -> None:
    listen(tmp_path / "gone.sock").close()
    with listen(tmp_path / "there.sock"):
        remove_abandoned(tmp_path)

        assert [path.name for path in tmp_path.iterdir()] == ["there.sock"]
