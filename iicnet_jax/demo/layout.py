"""Layout and events of the page (Gradio): for each network a tab to embed and one to restore."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from iicnet_jax.conversion.pictures import embed_files, restore_file
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import workspace
from iicnet_jax.core.wording import number_of
from iicnet_jax.demo import content
from iicnet_jax.imaging.picture_reader import SUFFIXES
from iicnet_jax.inference.codec import Codec
from iicnet_jax.media import embedding_file

# Seconds: how often the page looks for old files, and when a file is old. All go at the end.
CLEANING = (600, 4 * 3600)

CSS = """
.notes p { margin: 0.2em 0; }
.restored-files .label-clear-button { display: none; }
.pictures .grid-wrap { max-height: none; min-height: 0; }
.pictures .thumbnail-lg { aspect-ratio: auto; height: auto; }
.pictures .thumbnail-lg img { aspect-ratio: auto; height: auto; }
.pictures .caption-label {
    position: static; max-width: none; border: none; text-align: center; white-space: normal;
}
"""


def scratch():
    """A folder for files of the page; those of a page that was killed go."""
    return workspace(Path(tempfile.gettempdir()), prefix="iicnet_page.")


def build_page(gr, codecs: Mapping[str, Codec], max_pixels: int):
    with gr.Blocks(
        title="IICNet", analytics_enabled=False, delete_cache=CLEANING, fill_width=False
    ) as page:
        gr.Markdown("# Several pictures in one, and back")
        with contextlib.ExitStack() as tabs:
            if len(codecs) > 1:
                tabs.enter_context(gr.Tabs())
            for name, codec in codecs.items():
                with gr.Tab(name) if len(codecs) > 1 else gr.Column():
                    gr.Markdown(content.describe(codec))
                    # By the fingerprint of the embedding's pixels, for each visitor.
                    embedded = gr.State({})
                    with gr.Tabs():
                        with gr.Tab("Embed"):
                            _embed_tab(gr, codec, embedded, max_pixels)
                        with gr.Tab("Restore"):
                            _restore_tab(gr, codec, embedded, max_pixels)
    return page


def _embed_tab(gr, codec: Codec, embedded, max_pixels: int) -> None:
    images = codec.network.num_images
    with gr.Row():
        with gr.Column(scale=2):
            files = gr.File(
                label="Picture" if images == 1 else f"{images} pictures, the reference first",
                file_count="multiple",
                file_types=list(SUFFIXES),
                allow_reordering=True,
                height=245,
            )
            if images > 1:
                gr.Markdown("Drag the names to change their order.")
            fit = gr.Checkbox(label=content.FIT, visible=images > 1)
            button = gr.Button("Embed", variant="primary")
            facts = gr.HTML(elem_classes="notes")
            download = gr.DownloadButton(
                "Download the embedding file", variant="primary", visible=False
            )
        with gr.Column(scale=3):
            given = _gallery(gr, "Pictures to embed", columns=min(images, 3))
            picture = gr.Image(
                label="Embedding",
                type="filepath",
                format="png",
                interactive=False,
                buttons=["fullscreen"],
                visible=False,
            )

    def show(files):
        paths = _paths(files)
        with _told(gr, paths):
            return content.previews(paths, max_pixels=max_pixels)

    def embed(files, fit, embedded):
        paths = _paths(files)
        # Gradio copies files when it takes a result; when it asks for the next, they are not
        # needed any more.
        with scratch() as folder:
            with _told(gr, paths):
                output = folder / content.embedding_name(codec, paths)
                done = embed_files(codec, paths, output, fit=fit, max_pixels=max_pixels)
            embedded = embedded | {done.record.pixels: content.Originals(tuple(paths), fit)}
            lines = content.embedding_facts(done, codec)
            lines += [content.in_page_words(note, paths) for note in done.notes]
            yield (
                gr.Image(str(output), visible=True),
                _paragraphs(lines),
                gr.DownloadButton(value=str(output), visible=True),
                embedded,
            )

    one_at_a_time = _one_at_a_time()
    files.change(show, files, given, show_progress="hidden", **one_at_a_time)
    button.click(
        embed,
        [files, fit, embedded],
        [picture, facts, download, embedded],
        show_progress_on=[button],
        **one_at_a_time,
    )


def _restore_tab(gr, codec: Codec, embedded, max_pixels: int) -> None:
    images = codec.network.num_images
    with gr.Row():
        with gr.Column(scale=1):
            file = gr.File(label="Embedding file", file_types=list(SUFFIXES), height=150)
        with gr.Column(scale=1):
            gr.Markdown(
                "The file as it was downloaded. If its pictures were embedded on this page, they "
                "are shown beside the restored ones."
            )
            force = gr.Checkbox(
                label=content.FORCE, info="even if the file was changed or another network wrote it"
            )
            button = gr.Button("Restore", variant="primary")
    with gr.Column(visible=False) as result:
        facts = gr.HTML(elem_classes="notes")
        gallery = _gallery(gr, "Restored pictures", columns=3)
        with gr.Column(visible=False) as comparing:
            choice = gr.Radio(
                [content.title(i) for i in range(images)],
                value=content.title(0),
                label="Compare: original on the left, restored on the right",
                type="index",
            )
            slider = gr.ImageSlider(
                show_label=False,
                format="png",
                interactive=False,
                buttons=["fullscreen"],
                max_height=400,
                elem_classes="compare",
            )
        downloads = gr.File(
            label="Restored files",
            file_count="multiple",
            interactive=False,
            elem_classes="restored-files",
        )

    def restore(file, force, embedded):
        if file is None:
            raise _error(gr, "Choose an embedding file first.")
        path = Path(file)
        with scratch() as folder:
            with _told(gr, [path]):
                embedding = embedding_file.examine(path, max_pixels=max_pixels)
                done = restore_file(codec, embedding, folder / "restored", force=force)
                originals = content.originals_of(embedding.record, embedded, max_pixels)
            lines = [content.in_page_words(note, [path]) for note in done.notes]
            restored = f"{number_of(len(done.paths))} restored"
            if originals is None:
                pictures = [(str(file), content.title(i)) for i, file in enumerate(done.paths)]
                pair, lines = None, [f"{restored}.", *lines]
            else:
                pairs = content.compare(originals, done.paths, folder)
                mean = np.mean([pair.psnr for pair in pairs])
                lines = [f"{restored}, with a mean PSNR of {mean:.2f} dB.", *lines]
                pictures = [shown for i, pair in enumerate(pairs) for shown in content.row(i, pair)]
                pair = (str(pairs[0].original), str(pairs[0].restored))
            yield (
                pictures,
                _paragraphs(lines),
                [str(file) for file in done.paths],
                pair,
                content.title(0),
                gr.Column(visible=pair is not None),
                gr.Column(visible=True),
            )

    def choose(index, pictures):
        # Three pictures a row, as `content.row` puts them.
        original, restored = (path for path, _ in pictures[3 * index : 3 * index + 2])
        return original, restored

    button.click(
        restore,
        [file, force, embedded],
        [gallery, facts, downloads, slider, choice, comparing, result],
        show_progress_on=[button],
        **_one_at_a_time(),
    )
    choice.input(
        choose, [choice, gallery], slider, show_progress="hidden", api_visibility="private"
    )


def _gallery(gr, label: str, columns: int):
    # Its label would cover the first picture.
    return gr.Gallery(
        label=label,
        show_label=False,
        columns=columns,
        height="auto",
        object_fit="contain",
        format="png",
        interactive=False,
        buttons=["fullscreen"],
        elem_classes="pictures",
    )


def _paragraphs(lines: Sequence[str]) -> str:
    return "".join(f"<p>{line}</p>" for line in lines)


def _paths(files) -> list[Path]:
    return [Path(file) for file in files or []]


def _one_at_a_time() -> dict:
    """Options of an event: whatever decodes or computes shares one queue for all tabs."""
    return {"concurrency_id": "network", "concurrency_limit": 1, "api_visibility": "private"}


@contextlib.contextmanager
def _told(gr, paths: Sequence[Path]) -> Iterator[None]:
    """Turns mistakes of the user into messages on the page."""
    try:
        yield
    except UserError as error:
        raise _error(gr, content.in_page_words(str(error), paths)) from error


def _error(gr, message: str):
    return gr.Error(message, title="This does not work", duration=None, print_exception=False)
