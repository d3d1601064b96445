"""Where one shot of a video ends and the next begins, by TransNetV2."""
