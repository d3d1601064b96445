import pytest

from orchestration.launcher.insist import insist


def test_what_cannot_be_said_is_said_again_with_longer_and_longer_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said: list[str] = []
    pauses: list[float] = []

    def say() -> None:
        said.append("it")
        if len(said) < 9:
            raise ConnectionError("the database is away")

    insist(say, pauses.append)

    assert len(said) == 9
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert "the database is away" in caplog.text
