from pipelines.registry.spec import OutputFormat, PackageFile, PipelineCard
from pipelines.speech_activity.config import SpeechActivityConfig

MODEL = PackageFile("silero_vad", "data/silero_vad_16k_sequence.onnx")

CARD = PipelineCard(
    name="speech_activity",
    display_name="Speech activity",
    description=(
        "Finds when somebody speaks, with **Silero VAD**. It tells speech from music, noise and "
        "silence; it does not tell speakers apart."
    ),
    family="speech",
    variant="silero",
    version="1.0.0",
    capabilities=("voice_activity_detection",),
    outputs=(
        OutputFormat("RTTM", ("speech_segments",)),
        OutputFormat("WebVTT", ("speech_segments",)),
        OutputFormat("CSV", ("speech_segments",)),
        OutputFormat("PNG", ("waveform",)),
    ),
    config=SpeechActivityConfig,
    annotate="pipelines.speech_activity.annotate:annotate",
    model=(
        "[Silero VAD](https://github.com/snakers4/silero-vad), weights from the package "
        "[silero-vad](https://pypi.org/project/silero-vad/)."
    ),
    model_files=(MODEL,),
    speed="several hundred times real time on one CPU core.",
    warm="pipelines.speech_activity.network:warm",
)
