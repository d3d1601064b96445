"""How long the frames of raw AAC are, whose rate may change (ADTS: ISO/IEC 14496-3, 1.A.2).

libavformat takes the first rate for all of them.
"""

_RATES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000,
    22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
)  # fmt: skip
_SAMPLES = 1024
_HEADER_BYTES = 7


def seconds_of(packet: bytes) -> float:
    """How long the packet's frame is heard; 0 for what is not one."""
    if len(packet) < _HEADER_BYTES or packet[0] != 0xFF or packet[1] & 0xF0 != 0xF0:  # noqa: PLR2004 - the sync word
        return 0.0
    rate = packet[2] >> 2 & 0xF
    blocks = 1 + (packet[6] & 3)
    return blocks * _SAMPLES / _RATES[rate] if rate < len(_RATES) else 0.0
