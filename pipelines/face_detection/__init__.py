"""Faces with landmarks and track ids, by CenterFace and ByteTrack."""
