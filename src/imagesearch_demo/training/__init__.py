"""Training of the demo's small models on drawn pictures: CLIP, ViT, a face detector and a face recogniser.

Start with `train.train_models`; each model has a module ``train_*``. Import the modules one by one: they
define networks, so importing one loads torch.
"""
