"""The bundled models as a table: network, size, quality and what it was measured on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from iicnet_jax.bundled import USES, Use, fingerprint_of, folders
from iicnet_jax.evaluation.tables import markdown, number
from iicnet_jax.models.baselines import low_bits
from iicnet_jax.models.dense_block import GROWTH
from iicnet_jax.weights.model_dir import WEIGHTS, load_config, lowest_qualities

LOW_BITS = "iicnet embed --model low_bits A B; docs/commands.md has its options"
# Coupling blocks of the paper's smallest networks, with and without the relation module.
PAPER_BLOCKS = {True: 10, False: 24}


def describe_all() -> list[dict]:
    """Every bundled model: `name`, `use`, `command`, `model`, `about`, ... as JSON has it."""
    return [describe(name, folder) for name, folder in folders().items()]


def as_text(found: Sequence[Mapping]) -> str:
    """A table of them, and where the numbers come from."""
    if not found:
        return "No models come with this installation: name one with --model."
    rows = []
    for item in found:
        model, megabytes = item["model"], f"{item['bytes'] / 1e6:.1f}"
        quality = _cells(item["about"].get("quality"))
        rows.append([item["name"], _embeds(model), _network(model), megabytes, *quality])
    header = ["model", "embeds", "network", "MB", "embedding PSNR", "SSIM"]
    lines = [markdown([*header, "restored PSNR", "SSIM"], rows), ""]
    for item in found:
        if item["use"]:
            lines.append(f"{item['name']}: {item['use']} ({item['command']})")
        lines.append(f"    {_origin(item)}")
        if survives := lowest_qualities(item["about"]):
            formats = ", ".join(f"{form.upper()} from {q}" for form, q in survives.items())
            lines.append(f"    survives being compressed again, at qualities of {formats} on")
    lines.append(f"{low_bits.NAME}: no network, a codec's bytes in the lowest bits ({LOW_BITS})")
    lines += ["", "PSNR in dB, both of 8-bit images; test samples are none that training saw."]
    return "\n".join(lines)


def describe(name: str, folder: Path) -> dict:
    """One model, as `describe_all` lists it. Raises UserError if it is damaged."""
    config = load_config(folder)
    use = USES.get(name, Use("", "", ""))
    model = config["model"]
    return {
        "name": name,
        "use": use.purpose,
        "command": use.command,
        "trained_on": use.trained_on,
        "folder": str(folder),
        "bytes": (folder / WEIGHTS).stat().st_size,
        "fingerprint": fingerprint_of(folder),
        "reduced": _is_reduced(model),
        "model": model,
        "about": config.get("about", {}),
    }


def _is_reduced(model: Mapping) -> bool:
    """Whether the network is smaller than those of the paper."""
    relation = model.get("relation", True)
    return (
        model.get("num_blocks", 0) < PAPER_BLOCKS[relation]
        or model.get("relation_features", 64) < 64
        or model.get("growth", GROWTH) < GROWTH
    )


def _embeds(model: Mapping) -> str:
    """How many pictures go into one of what size."""
    full = model.get("downscaling", "none") == "none" or model.get("full_size", False)
    size = "full" if full else "half"
    return f"{model.get('num_images', 1)} in 1, {size} size"


def _network(model: Mapping) -> str:
    blocks = model.get("num_blocks", 0)
    text = f"{blocks} block{'s' if blocks != 1 else ''}"
    return f"{text}, relation" if model.get("relation", True) else text


def _cells(quality: Mapping | None) -> list[str]:
    if quality is None:
        return ["not measured", "", "", ""]
    cells = []
    for part in ("embedding", "restored"):
        for name in ("psnr", "ssim"):
            value = quality[part][name]
            cells.append("" if value is None else number(name, value))
    return cells


def _origin(item: Mapping) -> str:
    """Which network, trained on what, measured on what."""
    pictures = f" with {item['trained_on']}" if item["trained_on"] else ""
    text = "reduced network" if item["reduced"] else "network of the paper's size"
    quality = item["about"].get("quality")
    if quality is None:
        return f"{text}, quality not measured"
    devices = sorted({"a CPU" if device == "cpu" else device for device in quality["devices"]})
    data = quality["data"]
    root = f"{data['root']}{', miniature' if data['miniature'] else ''}"
    date = f", {quality['date']}" if quality["date"] else ""
    return (
        f"{text}, trained on {', '.join(devices)}{pictures}; "
        f"{quality['samples']} {quality['split']} samples "
        f"of {data['task']} ({root}){date}"
    )
