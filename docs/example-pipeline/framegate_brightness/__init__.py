"""How bright a video is, second by second."""
