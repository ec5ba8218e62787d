"""Trains the demo's small models on drawn pictures: CLIP, ViT, and a face detector with its recogniser.

Stands on the drawing and the album. Its modules are imported one by one: they define networks, so importing
them loads torch.
"""
