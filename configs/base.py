"""Every field of a configuration, with its unit and the paper's value.

An experiment's file calls `get_config` of this one and changes fields; the command line changes
them with --config.field=value. Fields that are not here do not exist.
"""

from ml_collections import ConfigDict, config_dict

# By method, the arguments of its network (iicnet_jax.models.NETWORKS).
MODELS = {
    "iicnet": {
        "num_images": 2,  # N, images that go into one
        "embedding_channels": 3,  # 3 colour, 1 grey
        "relation": True,  # use the relation module
        "relation_features": 64,  # its hidden channels
        "downscaling": "none",  # "none", "haar" or "squeeze": halve the embedding's sides
        "full_size": False,  # not in the paper: down-scaling, and an embedding of the images' size
        "levels": 1,  # not in the paper: how many times the blocks' input is scaled down
        "mixing": True,  # the 1x1 convolution after it; without it (not in the paper) starts faster
        "split": "ref",  # "ref" or "prop", matters only with down-scaling
        "num_blocks": 10,  # K, coupling blocks
        "growth": 32,  # channels that each convolution of a dense block adds
    },
    "irn": {
        "num_images": 1,  # no other number
        "downscaling": "haar",  # "haar" or "squeeze"
        "num_blocks": 8,  # coupling blocks
        "growth": 32,  # channels that each convolution of a dense block adds
    },
    "invertible_grayscale": {
        "num_images": 1,  # no other number
        "features": 64,  # channels of the first convolutions
    },
    "video_snapshot": {
        "num_images": 9,  # N, frames that go into one
        "features": 64,  # channels of the first convolutions
    },
    "win_naive": {
        "num_images": 2,  # N, images that go into one
        "embedding_channels": 3,  # 3 colour, 1 grey
        "full_size": True,  # the embedding has the images' size; else half its sides
        "num_blocks": 8,  # coupling blocks
        "growth": 32,  # channels that each convolution of a dense block adds
    },
    "win": {
        "num_images": 2,  # N, images that go into one
        "embedding_channels": 3,  # 3 colour, 1 grey
        "full_size": True,  # the embedding has the images' size; else half its sides
        "channels": 24,  # that go through coupling blocks, at least 12 N
        "memory": 8,  # channels that every module puts aside for the end
        "num_modules": 4,
        "num_blocks": 2,  # coupling blocks in a module
        "growth": 32,  # channels that each convolution of a dense block adds
    },
    # No network, and nothing to learn (iicnet_jax.models.baselines.low_bits).
    "low_bits": {
        "num_images": 2,  # N, images that go into one
        "embedding_channels": 3,  # 3 colour, 1 grey
        "downscaling": "none",  # "none", "bicubic" or "mean": halve the embedding's sides
        "bits": 1,  # lowest bits of a sample that hold what is hidden, 1 to 3
        "codec": "best",  # that compresses it: "avif", "jpeg2000", or the better for each sample
    },
}

# Sums over pixels. All equal, because the authors' weights are not published.
WIN_LOSS = {
    "embedding": 1.0,
    "shift": 1.0,  # of what the last layer computes besides, to the reference moved by pixels
    "restoration": 1.0,
    "determinant": 1.0,  # of the matrices of the well-posed convolutions
    "distance": "charbonnier",  # of the first two terms: "charbonnier" or "squared"
}

# By method, the weights of its loss terms, and what else its loss needs.
LOSSES = {
    # Sums over pixels: lambda1, lambda2, lambda3, and one that is not in the paper.
    "iicnet": {
        "embedding": 1.0,
        "frequency": 0.001,
        "restoration": 3.0,
        "overflow": 0.0,  # of what the embedding has beyond 0 to 255, which a file cannot hold
    },
    # Sums over pixels: the small image, what it leaves out (z), and the restored image.
    "irn": {"embedding": 4.0, "latent": 1.0, "restoration": 1.0},
    # Means over pixels, of values from -1 to 1.
    "invertible_grayscale": {
        "restoration": 3.0,
        "order": 1.0,  # of grey values too far from the luma
        "variation": 0.5,  # a: of the difference in total variation
        "quantisation": 0.0,  # q: of the distance to the nearest grey level
        "later_variation": 0.1,  # a and q in the second stage
        "later_quantisation": 10.0,
        "second_stage": 0.75,  # part of the run after which that begins
        "perceptual": 1e-7,  # of the difference in features of VGG-19, if there is a file
        # Weights of VGG-19, .safetensors or .pth with torchvision's names, of the network as it
        # was published (BGR from 0 to 255, means subtracted); "" leaves the term out.
        "vgg_file": "",
    },
    # As of IICNet: the published weights are not known.
    "video_snapshot": {"embedding": 1.0, "frequency": 0.0, "restoration": 3.0},
    "win_naive": WIN_LOSS,
    "win": WIN_LOSS,
    "low_bits": {},
}


def get_config(method: str = "iicnet") -> ConfigDict:
    """The fields of a method: "iicnet", or one that it is compared with."""
    if method not in MODELS:
        raise ValueError(f"unknown method {method!r}; known: {', '.join(MODELS)}")
    config = ConfigDict()

    # Decides which fields `model` and `loss` have.
    config.method = method
    # Seed of everything random: initial weights, order of the data, crops, quantisation noise.
    config.seed = 0
    # Number of train steps; None takes what the schedule names (supplement: 50,000;
    # published_code: 500,000).
    config.steps = config_dict.placeholder(int)
    # Weights to start from, for fine-tuning: a model folder (also what `iicnet import-weights`
    # wrote), the workdir of a run, or a bundled model's name. "" draws them. Read once, at step 0.
    config.init_from = ""
    # What stands in for rounding in training: "noise" (uniform, +-1/2 grey level),
    # "straight_through", or "none".
    config.quantisation = "noise"
    # A file that loses something, between embedding and restoring in training, so that the
    # embedding survives it. Drawn anew for every image of every step.
    config.channel = ConfigDict(
        {
            # "none"; "jpeg" (computed, differentiable); or files by Pillow with the gradient of the
            # identity: "real_jpeg", "real_webp", "real_avif" (slow: for the end of a training).
            "form": "none",
            "lowest_quality": 50,  # 1 to 100, as the format's encoder counts
            "highest_quality": 95,  # the draw is uniform
            "subsampling": "4:2:0",  # of the colours in JPEG and AVIF: "4:2:0" or "4:4:4"
            "lossless_share": 0.1,  # of the images that go through `quantisation` instead
        }
    )

    # What is kept for the gradient: "none" saves no memory and is fastest; "remat" keeps the input
    # of every coupling block and computes the rest twice, with the same gradients; "reversible"
    # computes the inputs from the output, for hundreds of blocks, with a rounding error of theirs.
    config.memory_saving = "remat"
    # Coupling blocks and the relation module's heads and tails: "scan" (a loop, compiled once),
    # "unroll" (one after the other), "auto" (unrolled on CPUs, where loops are slow).
    config.loop = "auto"
    # In which convolutions multiply while training: "float32", "tensorfloat32" or "bfloat16".
    config.precision = "float32"

    config.model = ConfigDict(MODELS[method])
    config.loss = ConfigDict(LOSSES[method])

    config.optimizer = ConfigDict(
        {
            "learning_rate": 2e-4,  # of Adam, after the warm-up
            # "supplement" (halved every 10,000 steps), "published_code" (every 100,000),
            # "constant", "cosine" (to zero at the last step), "polynomial" (to 1%, power 0.9)
            "schedule": "supplement",
            "warmup_steps": 0,  # linear rise from 0
            "clip_norm": 10.0,  # of the global gradient; 0 does not clip
            "weight_decay": 1e-5,  # coupled: added to the gradient
            "b1": 0.9,
            "b2": 0.999,
            # Moving average of the weights, which is validated, evaluated and exported in their
            # place: average = d * average + (1 - d) * weights at every step, 0.999 or more for
            # long runs; 0 keeps none. After t steps d is at most (1 + t) / (10 + t), so that short
            # runs, too, forget the initial weights.
            "ema_decay": 0.0,
            # A batch's gradient is computed in so many parts, one after the other, in the memory of
            # one (on CPUs only with loop="scan", which is slow there). A step stays one update with
            # `batch_size` samples, a multiple of this: schedule, intervals and the data's position
            # are those of the undivided batch (optax.MultiSteps counts every part as a step).
            # The gradient is that of the undivided batch, but for invertible grayscale: its term of
            # variation is an absolute value of the batch's mean.
            "accumulate": 1,
        }
    )

    config.data = ConfigDict(
        {
            "task": "dual_view",  # a name of iicnet_jax.data.tasks
            "root": "",  # folder of the dataset, as published or as prepared
            "crop": 144,  # side of the training crop, in pixels
            "flip_rotate": False,  # random flips and quarter turns of the training crops
            "batch_size": 2,  # samples a step, over all devices
            "scale": 4,  # dual_view: how much the second view is zoomed (2, 4, 8)
            "frame_stride": 1,  # video: frames from one image of a group to the next, when testing
            "training_frame_stride": 5,  # video: the same when training and validating
            "pattern": "",  # custom_folder: how files are named, e.g. "{group}_{image}.png"
            "reference": 0,  # custom_folder: which image of a group is the reference, from 0
            "cache": False,  # keep all decoded images in memory
            # Keep all decoded training images in the memory of every device, where each step draws
            # its crops, with other random numbers. For tasks whose samples are crops of images.
            "on_device": False,
            "workers": 0,  # processes that decode images; 0 uses threads
        }
    )

    config.evaluation = ConfigDict(
        {
            "checkpoint": "latest",  # "latest" or "best" (by validation)
            "untrained": False,  # also evaluate the initial weights
            "limit": config_dict.placeholder(int),  # samples of the test split; None takes all
            "validation_limit": 10,  # samples of the validation split
            "y_border": 4,  # pixels left out at each edge in the measures of the Y channel
            "pictures": 4,  # samples whose images are saved
            # Files through which embeddings are measured as well, by format and quality, such as
            # ("png", "jpeg90", "webp80", "avif60").
            "carriers": (),
        }
    )

    # How the run is watched and kept. Only this section, `evaluation`, `data.root`,
    # `data.frame_stride`, `data.cache`, `data.workers`, `memory_saving` and `loop` may change when
    # a run is resumed: they do not change what is learnt.
    config.run = ConfigDict(
        {
            # Steps that one compiled program makes; they divide `steps` and the intervals below.
            # More than 1 spares an accelerator the waiting between short steps. A signal ends the
            # run after such a call. Changes the last bits of the results.
            "steps_per_call": 1,
            "log_every": 100,  # steps between reports of the losses
            "validate_every": 2_000,  # steps between validations, each with a checkpoint
            "checkpoint_every": 500,  # steps between checkpoints
            # (first, count): a profile of these steps, in `tensorboard` in the workdir, where
            # TensorBoard shows it (with its profile plugin). (0, 0) makes none.
            "profile_steps": (0, 0),
            "keep_last": 2,  # checkpoints kept, besides the best by validation
        }
    )
    return config
