import pytest

from contracts.child_environment import pipeline_environment, probe_environment

ENVIRONMENT = {
    "PATH": "/usr/bin",
    "LC_ALL": "C.UTF-8",
    "CUDA_VISIBLE_DEVICES": "0",
    "FRAMEGATE_HOME": "/home/lab/framegate",
    "FRAMEGATE_DATABASE_URL": "postgresql://lab:password@db/framegate",
    "FRAMEGATE_WEBHOOK_SECRET": "whsec_c2VjcmV0",
    "FRAMEGATE_API_KEY": "fg_secret",
    "PGPASSWORD": "password",
    "AWS_SECRET_ACCESS_KEY": "password",
    "LAB_LICENCE": "number 7",
}


def test_the_probe_is_given_what_programs_need_to_run() -> None:
    assert probe_environment(ENVIRONMENT).keys() == {"PATH", "LC_ALL"}


def test_pipelines_see_how_to_compute_and_no_secret() -> None:
    seen = pipeline_environment(ENVIRONMENT, ())

    assert seen.keys() == {"PATH", "LC_ALL", "CUDA_VISIBLE_DEVICES", "FRAMEGATE_HOME"}


@pytest.mark.parametrize("pattern", ["LAB_LICENCE", "LAB_*"])
def test_pipelines_see_what_the_operator_names(pattern: str) -> None:
    assert pipeline_environment(ENVIRONMENT, [pattern])["LAB_LICENCE"] == "number 7"
