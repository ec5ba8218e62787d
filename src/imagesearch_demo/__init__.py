"""The demo: a drawn album with a known ground truth, and three small models trained on such drawings.

The demo, the tests and the notebook use it, so that they need no photos and no download. Start with
`imagesearch_demo.album.make_album`, which draws an album. The rooms, from the bottom up:

- `drawing`: draws pictures of scenes, things and people.
- `album`: writes pictures as photos with EXIF metadata, and their ground truth.
- `training`: trains CLIP, ViT and the face models; ``scripts/demo/train_models.py`` runs it.
- `scoring`: compares models, steps and searches with the ground truth.

A room imports only from the rooms above it in this list; `training` and `scoring` do not import each other.
The demo imports `imagesearch`; `imagesearch` never imports the demo.
"""
