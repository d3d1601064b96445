"""Takes media that are gone out of Dagster's catalog."""

from dagster import DagsterInstance

from contracts.home import Home
from contracts.run import MEDIA_TAG
from orchestration.annotation.assets import MEDIA_PARTITIONS
from orchestration.maintenance.stock import run_records


def forget_media(home: Home, instance: DagsterInstance) -> None:
    """Of those that are not in the store and that no run is about, nothing can be made any more.

    Partitions are listed before runs: a run has the tag of its media before it adds the partition.
    """
    name = str(MEDIA_PARTITIONS.name)
    partitions = instance.get_dynamic_partitions(name)
    used = {record.dagster_run.tags.get(MEDIA_TAG) for record in run_records(instance)}
    for media in partitions:
        if media not in used and not home.media(media).exists():
            instance.delete_dynamic_partition(name, media)
