"""The ops of every job: `probe` checks media and configs, then one op annotates per pipeline.

An op reads its media from the run config rather than from another op's output, so that it can be
executed again alone ("from failure") without anything in between being stored.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster import (
    DagsterExecutionInterruptedError,
    Field,
    In,
    Nothing,
    OpDefinition,
    OpExecutionContext,
    Out,
    op,
)
from dagster import Failure as OpFailure

from contracts.home import Home
from contracts.patterns import is_sha256
from contracts.run import (
    FAILURE_TAG,
    FILENAME_TAG,
    KIND,
    KIND_TAG,
    MEDIA_FACTS_TAG,
    MEDIA_PATH_TAG,
    MEDIA_TAG,
    POOL,
    PROBE_OP,
    Failure,
    MediaFacts,
    failure_tag,
    pipeline_tags,
)
from contracts.sha256 import sha256_of
from orchestration.annotation import descriptions
from orchestration.annotation.assets import record_annotations, record_media
from orchestration.annotation.config_schema import config_schema
from orchestration.annotation.descriptions import pipeline_description
from orchestration.annotation.failure import failure_of, has_plain_text, text_of
from orchestration.annotation.media_reference import MediaReference
from orchestration.annotation.media_store import locate_media
from orchestration.annotation.progress_file import ProgressFile
from orchestration.annotation.publication import annotate_and_publish
from orchestration.annotation.resources import HOME
from orchestration.annotation.shared_process import only_in_this_process
from orchestration.annotation.unchanged_media import check_unchanged
from orchestration.annotation.under_way import UnderWay, tell_under_way
from pipelines.errors import ConfigError, MediaError
from pipelines.media import Media, probe
from pipelines.registry.catalog import Catalog
from pipelines.registry.memory import can_use_gpu
from pipelines.registry.spec import PipelineCard
from pipelines.registry.validation import normalised_config, validate_config

#: Read by Dagster's Kubernetes engine, which takes over past one machine.
_KUBERNETES_GPU = {"container_config": {"resources": {"limits": {"nvidia.com/gpu": "1"}}}}

_LONGEST_CHAIN = 20
#: In a job's metadata: its own run config, which Dagster forgets where ops are selected.
DEFAULT_CONFIG = "default config"

_PROBE_CONFIG = {
    "media": Field(
        MediaReference(),
        default_value="",  # so that the launchpad shows what there is to fill in
        description="SHA-256 of an upload, or the whole path of a file on this machine.",
    ),
    "filename": Field(
        str, default_value="", description="What to call it; the file's own name if empty."
    ),
}


def probe_op(catalog: Catalog) -> OpDefinition:
    @op(
        name=PROBE_OP,
        description=descriptions.PROBE,
        config_schema=_PROBE_CONFIG,
        required_resource_keys={HOME},
        out=Out(Nothing),
    )
    def _probe(context: OpExecutionContext) -> None:
        home: Home = getattr(context.resources, HOME)
        with _failures_on_run(context, FAILURE_TAG):
            home.job(context.run_id).mkdir(parents=True, exist_ok=True)
            ProgressFile(home.progress(context.run_id)).clear()
            _check_configs(context, catalog)
            media = _media(context, home)
            _complete_tags(context, catalog, media)
            record_media(context, media, _media_hash(context))

    return _probe


def annotate_op(card: PipelineCard, catalog: Catalog) -> OpDefinition:
    uses_gpu = can_use_gpu(card)

    @op(
        name=card.name,
        description=pipeline_description(card),
        config_schema=config_schema(card.config),
        required_resource_keys={HOME},
        ins={"probed": In(Nothing)},
        out=Out(Nothing),
        code_version=card.version,
        pool=POOL if uses_gpu else None,
        tags=_device_tags(uses_gpu=uses_gpu),
    )
    def _annotate(context: OpExecutionContext) -> None:
        home: Home = getattr(context.resources, HOME)
        with _failures_on_run(context, failure_tag(card.name), _package(card)):
            progress = ProgressFile(home.progress(context.run_id))
            media = _media(context, home)
            if not _has_probed(context):
                _complete_tags(context, catalog, media)
            config = normalised_config(card.name, _op_config(context, card.name), catalog)
            begun = UnderWay(card.name, media.duration_seconds)
            with tell_under_way(home.under_way(context.run_id), begun):
                publication = annotate_and_publish(
                    card,
                    media,
                    config,
                    home=home,
                    run_id=context.run_id,
                    report=lambda fraction: progress.write(card.name, fraction),
                    check=lambda: _check_media(context, home),
                )
            record_annotations(context, card, media, _media_hash(context), publication)

    return _annotate


def _device_tags(*, uses_gpu: bool) -> dict[str, Any]:
    if not uses_gpu:
        return {"framegate/gpu": "never"}
    return {"framegate/gpu": "where there is one", "dagster-k8s/config": _KUBERNETES_GPU}


@contextmanager
def _failures_on_run(context: OpExecutionContext, tag: str, package: str = "") -> Iterator[None]:
    """Puts the reason of a failure on the run, where REST reads it with the run itself.

    SystemExit, KeyboardInterrupt and the like are failures as well; only Dagster's own interrupt is
    none: the run is being cancelled.
    """
    try:
        with only_in_this_process():
            yield
    except DagsterExecutionInterruptedError:
        raise
    except BaseException as error:  # noqa: BLE001 - a pipeline may raise anything
        failure = failure_of(error, package)
        context.instance.add_run_tags(context.run_id, {tag: failure.to_tag()})
        raise _op_failure(failure) from _stored(error)


def _stored(error: BaseException) -> BaseException:
    """What Dagster stores as the failure's cause, with all that led to it: a stand-in where a text
    is so long that it would fill the database, or cannot be read.
    """
    link: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if link is None:
            return error
        if not has_plain_text(link):
            break
        link = link.__cause__ or link.__context__
    told = f"{type(error).__name__}: {text_of(error)}"
    return RuntimeError(told).with_traceback(error.__traceback__)


def _package(card: PipelineCard) -> str:
    """The Python package that holds the pipeline's code."""
    module = card.annotate.partition(":")[0]
    return module.rpartition(".")[0] or module


def _op_failure(failure: Failure) -> OpFailure:
    return OpFailure(
        description=f"{failure.code}: {failure.message}",
        metadata={"code": failure.code, "hint": failure.hint or ""},
        allow_retries=False,
    )


def _op_config(context: OpExecutionContext, name: str) -> Mapping[str, Any]:
    """The config as it was submitted, before Dagster filled in what its schema knows; in a run of
    a preset, what was left out is the preset's.
    """
    default: Any = context.job_def.metadata.get(DEFAULT_CONFIG)
    submitted = _config_of(context.run.run_config, name)
    return {**_config_of(default.value, name), **submitted} if default else submitted


def _config_of(run_config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    config: Mapping[str, Any] = run_config.get("ops", {}).get(name, {}).get("config", {})
    return config


def _check_configs(context: OpExecutionContext, catalog: Catalog) -> None:
    for name in _pipelines(context, catalog):
        verdict = validate_config(name, _op_config(context, name), catalog)
        if not verdict.valid:
            first = verdict.errors[0]
            raise ConfigError(f"{name}: {first.field}: {first.message}", first.hint)


def _pipelines(context: OpExecutionContext, catalog: Catalog) -> list[str]:
    """The pipelines that this run executes: the nodes of the job, or of what was selected of it."""
    return [node.name for node in context.job_def.nodes if node.name in catalog.cards]


def _media(context: OpExecutionContext, home: Home) -> Media:
    _check_media(context, home)
    path = locate_media(home, _named_media(context))
    filename = _op_config(context, PROBE_OP).get("filename") or context.run.tags.get(FILENAME_TAG)
    return probe(path, filename or path.name)


def _check_media(context: OpExecutionContext, home: Home) -> None:
    """A file elsewhere may be replaced while its job waits, and while it runs."""
    check_unchanged(home, _named_media(context), context.run.tags.get(MEDIA_TAG))


def _named_media(context: OpExecutionContext) -> str:
    """What the run config names. A run without the op `probe` has it in its tags: one from the
    catalog, whose partition is a SHA-256, or one of selected ops.

    Raises MediaError where the run names none.
    """
    if media := _op_config(context, PROBE_OP).get("media"):
        return str(media)
    tags = context.run.tags
    partition = context.partition_key if context.has_partition_key else None
    named = tags.get(MEDIA_PATH_TAG) or partition or tags.get(MEDIA_TAG)
    if not named:
        raise MediaError(
            "`media` is missing: the run does not say which media to annotate.",
            f"Select the op `{PROBE_OP}` as well and fill in its `media`; or give the run the tag "
            f"{MEDIA_TAG} with the SHA-256 of the media.",
        )
    return named


def _has_probed(context: OpExecutionContext) -> bool:
    """Whether the run has the op `probe`, which does what is done once a run."""
    return any(node.name == PROBE_OP for node in context.job_def.nodes)


def _complete_tags(context: OpExecutionContext, catalog: Catalog, media: Media) -> None:
    """Runs that were not submitted over REST get the tags that REST's runs have from the start."""
    missing = {
        **pipeline_tags(_pipelines(context, catalog)),
        MEDIA_FACTS_TAG: MediaFacts(media.name, media.size_bytes, media.duration_seconds).to_tag(),
        FILENAME_TAG: media.name,
    }
    if MEDIA_TAG not in context.run.tags:
        named = _named_media(context)
        missing[MEDIA_TAG] = named if is_sha256(named) else sha256_of(media.path)
    new = {key: value for key, value in missing.items() if key not in context.run.tags}
    if context.run.tags.get(KIND_TAG) != KIND:  # of a run that did not come through the queue
        new[KIND_TAG] = KIND
    if new:
        context.instance.add_run_tags(context.run_id, new)


def _media_hash(context: OpExecutionContext) -> str:
    """Of a file that was named by its path, the first op has put the hash on the run."""
    named = _named_media(context)
    if is_sha256(named):
        return named
    run = context.instance.get_run_by_id(context.run_id)
    return run.tags[MEDIA_TAG] if run else ""
