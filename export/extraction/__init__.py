"""Faces out of clips, pictures and cameras: found, judged, chosen, cut out."""
