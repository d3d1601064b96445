"""What the Dagster UI says of a pipeline, in Markdown made from its card."""

from pipelines.registry.spec import PipelineCard

PROBE = """Reads the media's headers and first frame, and checks every pipeline's config.

No device is used before that.

- **In:** `media`, the SHA-256 of an upload or the path of a file on this machine.
- **Out:** the asset `media`, with length, size and streams; the run's tags.
- **Takes** a fraction of a second for an upload. A file that is named by its path is read through \
once for its hash, and one whose headers tell no length once more."""

ANNOTATE = """Runs several pipelines on one media, one after the other on one device.

Select the ops to run, `probe` among them, and fill in `media`. A pipeline that fails leaves the \
others' results standing."""

_GIGABYTE = 1e9


def job_description(card: PipelineCard) -> str:
    how = "To start a run, open the launchpad and fill in `media`; everything else has a default."
    return f"{pipeline_description(card)}\n\n{how}"


def pipeline_description(card: PipelineCard) -> str:
    """What it finds, what goes in, what comes out, by which model, how fast and where."""
    facts = {
        "In": "one media: a video, or a file with sound alone.",
        "Out": _outputs(card),
        "Model": card.model,
        "Speed": card.speed,
        "Device": _device(card),
        "Version": f"{card.version}; a new one marks older annotations as unsynced.",
    }
    lines = [f"- **{name}:** {fact}" for name, fact in facts.items() if fact]
    return "\n".join([card.description, "", *lines])


def _outputs(card: PipelineCard) -> str:
    formats = [
        f"{output.format} ({', '.join(name.replace('_', ' ') for name in output.types)})"
        for output in card.outputs
    ]
    return f"{', '.join(formats)}."


def _device(card: PipelineCard) -> str:
    memory = card.gpu_memory(card.config())
    if memory == 0:
        return "the CPU."
    return f"a GPU with {memory / _GIGABYTE:.1f} GB free where there is one, else the CPU."
