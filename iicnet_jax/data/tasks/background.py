"""Background: a frame of a video and the captured background behind it, in the frame.

Real Matting (supplement, section 1.4): 57 videos of people, by a fixed or a hand-held camera, and
an image of each scene without them. A sample is a frame, which is the reference, and its
background. The authors have numbered the backgrounds: videos of number 12 validate, those of 1, 3
and 10 test, the others train. For training the two are resized to squares, else they are halved.
"""

import csv
from pathlib import PurePosixPath

from tqdm import tqdm

from iicnet_jax.data.matting import Matting
from iicnet_jax.data.storage import Dataset

TABLE = "label.csv"
COLUMNS = ("mode", "folder", "filename", "background_id")
BACKGROUNDS = {"validation": {12}, "test": {1, 3, 10}}  # the others train


class Background(Matting):
    """Pairs (video frame, background) of Real Matting."""

    ONE_SIZE = True
    DATASET = Dataset(
        name="real_matting",
        counts={"videos": 57},
        parts={
            mode.replace("-", "_"): (f"{mode}/*/*.mp4", f"{mode}/*/*.png")
            for mode in ("fixed-camera", "hand-held")
        },
        texts=(TABLE,),
        how_to_get=(
            "the captured data of Real Matting is published at "
            "https://github.com/senguptaumd/Background-Matting, the table label.csv at "
            "https://github.com/felixcheng97/IICNet as codes/scripts/label.csv; put them so that "
            "config.data.root holds fixed-camera, hand-held and label.csv"
        ),
    )

    def _find_samples(self, split):
        wanted = [path for path, background in self._videos() if _split_of(background) == split]
        pairs = []
        # Counting the frames reads the whole videos.
        for path in tqdm(wanted, desc="frames of Real Matting", unit="video", disable=None):
            background = f"{path}.png"
            found = background in self.store.files(str(PurePosixPath(path).parent), ".png")
            self._require(found, f"{background} is missing")
            pairs += [(frame, background) for frame in self.store.frames(f"{path}.mp4")]
        return pairs

    def _videos(self):
        """Paths of the videos, without suffix, and the numbers of their backgrounds."""
        table = csv.DictReader(self.store.lines(TABLE))
        missing = [column for column in COLUMNS if column not in (table.fieldnames or ())]
        self._require(not missing, f"{TABLE} has no column {', '.join(missing)}")
        videos = []
        for row in table:
            mode, folder, filename, number = (row[column] for column in COLUMNS)
            self._require(
                (number or "").isdecimal(),
                f"line {table.line_num} of {TABLE} has the background_id {number!r}, which is no "
                "number",
            )
            videos.append((f"{mode}/{folder}/{filename}", int(number)))
        self._require_count(f"{TABLE} names", videos, "videos", "videos")
        return videos

    def _name(self, paths):
        """A video and the number of its frame; a video's name alone is not unique."""
        return paths[0].replace(".mp4/", "_").replace("/", "_")


def _split_of(background):
    splits = (split for split, numbers in BACKGROUNDS.items() if background in numbers)
    return next(splits, "train")
