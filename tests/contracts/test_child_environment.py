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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_TOKEN", "hf_secret"),
        ("NVIDIA_API_KEY", "secret"),
        ("TORCH_HUB_PASSWORD", "secret"),
        ("PYTHON_KEYRING_SECRET", "secret"),
        ("HTTPS_PROXY", "http://me:secret@proxy:3128"),
        ("https_proxy", "http://secret@proxy:3128"),
    ],
)
def test_a_secret_is_kept_back_whatever_its_name_begins_with(name: str, value: str) -> None:
    environment = {name: value}

    assert not probe_environment(environment)
    assert not pipeline_environment(environment, ())
    assert pipeline_environment(environment, [name]) == environment


def test_a_proxy_without_a_login_is_seen() -> None:
    environment = {"HTTPS_PROXY": "http://proxy:3128", "HF_HOME": "/data/models"}

    assert pipeline_environment(environment, ()) == environment
