"""Which variables of the environment a child process is given: those it needs, and no secret.

Whoever starts Framegate may have passwords in the environment. The probe, which decodes what
strangers send, and pipelines, which may be a third party's, have no use for them.
"""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

#: What any program needs to run and to speak the operator's language.
_EVERY_CHILD = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LC_*"),
    *("LD_*", "PYTHON*", "VIRTUAL_ENV"),
)
#: How libraries that compute are set up.
_PIPELINES = (
    *("CUDA_*", "NVIDIA_*", "OMP_*", "MKL_*", "KMP_*", "OPENBLAS_*", "NUMEXPR_*", "MALLOC_*"),
    *("TORCH_*", "PYTORCH_*", "ORT_*", "HF_*", "XDG_*", "SSL_CERT_*", "*_PROXY", "*_proxy"),
    *("DAGSTER_HOME", "FRAMEGATE_*"),
)
#: HF_TOKEN and NVIDIA_API_KEY, for instance, begin as settings do.
_SECRETS = (
    *("*KEY*", "*SECRET*", "*TOKEN*", "*PASSWORD*", "*PASSWD*", "*CREDENTIAL*", "*AUTH*"),
    "FRAMEGATE_*URL",
)
#: A URL that says who logs in, as those of proxies and databases do.
_LOGIN = re.compile(r"://\S*@")


def probe_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the environment the probe is given."""
    return _without_secrets(_selected(environment, _EVERY_CHILD))


def pipeline_environment(environment: Mapping[str, str], more: Sequence[str]) -> dict[str, str]:
    """What of the environment pipelines see. `more` names what the operator wants them to see
    besides; `*` stands for any characters.
    """
    usual = _without_secrets(_selected(environment, (*_EVERY_CHILD, *_PIPELINES)))
    return usual | _selected(environment, more)


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if not _matches(name.upper(), _SECRETS) and not _LOGIN.search(value)
    }


def _selected(environment: Mapping[str, str], patterns: Sequence[str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if _matches(name, patterns)}


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
