"""Adobe Deep Matting with COCO and VOC 2008: photographs, soft ellipses as mattes."""

from pathlib import Path

from experiments.datasets.photographs import photograph, save, soft_ellipse

BACKGROUNDS = 2  # for each foreground, one run after the other
VALIDATION = 1  # foregrounds, the last ones of training

# Foregrounds by the folder that they are in: photograph, width, height.
TRAINING_FOREGROUNDS = {
    "Adobe-licensed images": [
        ("astronaut", 400, 480),
        ("ihc", 360, 300),
        ("motorcycle", 451, 301),  # odd sides, which the dataset has as well
    ],
    "Other": [("retina", 384, 384), ("coffee", 480, 360)],
}
TRAINING_BACKGROUNDS = [
    *(("hubble", 640, 480), ("brick", 480, 500)),
    *(("motorcycle", 640, 427), ("camera", 320, 240)),  # the second one has to be enlarged
    *(("astronaut", 500, 375), ("retina", 300, 420)),
    *(("coins", 400, 300), ("hubble", 500, 333)),
    *(("grass", 500, 375), ("coffee", 427, 320)),
]
TEST_FOREGROUNDS = {"Adobe-licensed images": [("chelsea", 451, 300), ("rocket", 420, 400)]}
TEST_BACKGROUNDS = [
    *(("rocket", 500, 333), ("gravel", 400, 500)),
    *(("chelsea", 375, 250), ("gravel", 500, 375)),
]


def write_sample(folder: Path) -> dict[str, int]:
    """Writes foregrounds, mattes, backgrounds and lists; returns how many belong together."""
    combined = folder / "Combined_Dataset"
    training = _write_foregrounds(combined / "Training_set", TRAINING_FOREGROUNDS)
    test = _write_foregrounds(combined / "Test_set", TEST_FOREGROUNDS)
    coco = [f"COCO_train2014_{9 + 16 * k:012d}.jpg" for k in range(len(TRAINING_BACKGROUNDS))]
    voc = [f"2008_{2 + 5 * k:06d}.jpg" for k in range(len(TEST_BACKGROUNDS))]
    _write_backgrounds(folder / "train2014", coco, TRAINING_BACKGROUNDS)
    _write_backgrounds(folder / "VOCdevkit" / "VOC2008" / "JPEGImages", voc, TEST_BACKGROUNDS)
    for path, names in {
        "Training_set/training_fg_names.txt": training,
        "Training_set/training_bg_names.txt": coco,
        "Test_set/test_fg_names.txt": test,
        "Test_set/test_bg_names.txt": voc,
    }.items():
        (combined / path).write_text("\n".join(names) + "\n", encoding="utf-8")
    return {
        "training backgrounds": BACKGROUNDS,
        "test backgrounds": BACKGROUNDS,
        "validation": VALIDATION,
        "test": len(test),
    }


def _write_foregrounds(folder, foregrounds):
    names = []
    for subfolder, images in foregrounds.items():
        for name, width, height in images:
            names.append(f"{name}.png")
            image, matte = photograph(name, width, height), soft_ellipse(width, height)
            save(image, folder / subfolder / "fg" / names[-1])
            save(matte, folder / subfolder / "alpha" / names[-1])
    return names


def _write_backgrounds(folder, names, backgrounds):
    for name, background in zip(names, backgrounds, strict=True):
        save(photograph(*background), folder / name, quality=90)
