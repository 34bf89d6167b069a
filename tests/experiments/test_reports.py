"""Reports and figures of runs, and how a report looks in a browser."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import numpy as np
import pytest
from PIL import Image

from experiments import charts, figure, report, workdirs
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment.run import load_config
from tests import browser
from tests.fake_runs import write_run

pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
NAMES = ("iicnet", "base & line")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of two images, the second with more noise, and one that has just begun."""
    folder = tmp_path_factory.mktemp("runs")
    flags = ["--config=configs/video_n5.py", "--config.model.num_images=2", "--config.steps=1000"]
    for name, noise in zip(NAMES, (4.0, 12.0), strict=True):
        write_run(folder / name, load_config(flags), noise)
    write_run(folder / "begun", load_config(flags), finished=False)
    return folder


def pages(runs, *names):
    return report.page(workdirs.read([runs / name for name in names]))


def test_a_report_of_two_runs_side_by_side(runs):
    page = pages(runs, *NAMES)
    assert page.count('<div class="slider">') == 2 * 3  # reference, two images
    assert page.count("base &amp; line") > 3 and "base & line" not in page
    # By sample, all images and all runs: PSNR falls with the noise.
    found = [float(db) for db in re.findall(r"restored: (\d+\.\d+) dB</figcaption>", page)]
    assert len(found) == 4 and min(found[:2]) > max(found[2:])
    assert "<code>model.num_images</code></td><td>2" not in page  # as in base.py
    assert "<code>data.task</code></td><td>video</td><td>dual_view" in page
    for svg in re.findall(r"<svg.*?</svg>", page):
        xml.etree.ElementTree.fromstring(svg)
    assert len(re.findall(r"<svg", page)) == 5


def test_a_run_of_a_method_that_is_not_the_packages(runs):
    path = runs / "begun" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "method": "mine", "model": {"width": 3}}))
    (own,) = workdirs.read([runs / "begun"])
    try:
        assert own.differences["model.width"] == (None, 3)
        assert own.differences["method"] == ("iicnet", "mine")
        assert "<code>model.width</code></td><td>3" in report.page([own])
    finally:
        path.write_text(json.dumps(config))


def test_nothing_is_loaded_from_elsewhere(runs):
    page = pages(runs, *NAMES)
    assert "default-src 'none'" in page
    assert not re.findall(r"""(?:src|href)=["'](?!data:)|url\(|@import|https?://""", page)


def test_a_run_that_has_just_begun(runs):
    page = pages(runs, "begun")
    assert 'aria-label="loss by step"' in page and "Results on the test split" not in page


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("checkpoint",), None, "its checkpoint cannot be None"),
        (("settings",), [], r"its settings cannot be \[\]"),
        (("networks", "trained"), 3, "its networks.trained cannot be 3"),
        (("networks", "trained", "float"), {}, "it lacks networks.trained.float.embedding, "),
        (("networks", "trained", "rounded", "frames"), [{}], "it lacks networks.trained.rounded."),
        (("networks", "trained", "float", "embedding", "psnr"), "9", "float.embedding.psnr cannot"),
        (
            ("networks", "trained", "float", "restored_without_reference", "ssim_y"),
            [],
            "float.restored_without_reference.ssim_y cannot",
        ),
    ],
)
def test_damaged_results_are_named(runs, tmp_path, place, value, message):
    folder = shutil.copytree(runs / NAMES[0], tmp_path / "run")
    results = json.loads((folder / "results.json").read_text())
    *path, last = place
    inner = results
    for key in path:
        inner = inner[key]
    inner[last] = value
    (folder / "results.json").write_text(json.dumps(results))
    with pytest.raises(UserError, match=f"results.json is damaged: .*{message}"):
        report.page(workdirs.read([folder]))


def test_runs_without_a_sample_in_common_show_their_own(runs, tmp_path):
    shutil.copytree(runs / NAMES[0], tmp_path / "other")
    for sample in (tmp_path / "other" / "samples").iterdir():
        sample.rename(sample.with_name(f"other_{sample.name}"))
    found = report.page(workdirs.read([runs / NAMES[0], tmp_path / "other", runs / "begun"]))
    shown = re.findall(r"<p>([^<]*one_00001|No pictures.)</p>", found)
    assert shown == ["one_00001", "other_one_00001", "No pictures."]


def test_no_run(tmp_path):
    with pytest.raises(UserError, match=r"holds no run \(config.json is missing\)"):
        workdirs.read([tmp_path])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (27.3, 31.9, [27, 28, 29, 30, 31, 32]), (0.2, 0.3, None)],
)
def test_ticks_are_round_and_enclose(low, high, expected):
    found = charts.ticks(low, high)
    assert found[0] <= low and found[-1] >= high and 4 <= len(found) <= 8
    assert expected is None or found == expected
    assert charts.ticks(5, 5)[0] < 5 < charts.ticks(5, 5)[-1]


def test_log_ticks():
    assert charts.log_ticks(3, 40) == [2, 5, 10, 20, 50]
    assert charts.log_ticks(2e2, 4e6) == [1e2, 1e3, 1e4, 1e5, 1e6, 1e7]
    assert charts.log_ticks(10, 10) == [10, 20]


def test_the_page_has_a_colour_for_every_series_by_day_and_by_night():
    page = report.PAGE.read_text(encoding="utf-8")
    found = [page.count(f"--series-{number}: #") for number in range(charts.COLOURS + 1)]
    assert found == [2] * charts.COLOURS + [0]


def test_a_chart_leaves_out_what_cannot_be_drawn():
    points = [(1, 10.0), (2, float("nan")), (3, None), (4, -1.0), (5, 1000.0)]
    drawn = charts.line_chart({"a": points}, x_label="step", y_label="loss", log=True)
    (path,) = re.findall(r'points="([^"]*)"', drawn)
    (left, low), (right, high) = (map(float, pair.split(",")) for pair in path.split())
    assert left < right and low > high  # upwards on the page
    assert charts.line_chart({"a": []}, x_label="", y_label="") == ""


def test_a_figure_shows_what_each_method_restored(runs, tmp_path, monkeypatch):
    names = figure.common_samples(workdirs.read([runs / name for name in NAMES]))
    assert names == ["one_00001", "two_00002"]
    out = tmp_path / "figure.png"
    folders = [str(runs / name) for name in NAMES]
    command = ["figure", *folders, "-o", str(out), "--names=a,b", "--crop=8,4,40,32"]
    monkeypatch.setattr(sys, "argv", command)
    figure.main()
    picture = np.asarray(Image.open(out))
    cell = (32 + figure.LABEL + figure.GAP, 40 + figure.GAP)
    assert picture.shape == (7 * cell[0] - figure.GAP, 3 * cell[1] - figure.GAP, 3)
    sample = workdirs.Workdir(runs / NAMES[1]).sample("one_00001")
    shown = picture[5 * cell[0] + figure.LABEL :][:32, cell[1] : cell[1] + 40]
    np.testing.assert_array_equal(shown, np.asarray(sample.restored[1])[4:36, 8:48])
    # A name of a JPEG file makes one.
    command[command.index(str(out))] = str(tmp_path / "figure.jpg")
    figure.main()
    with Image.open(tmp_path / "figure.jpg") as other:
        assert other.format == "JPEG" and other.size == picture.shape[1::-1]


def test_a_figure_needs_a_sample_that_all_have(runs, tmp_path):
    found = workdirs.read([runs / NAMES[0], runs / "begun"])
    with pytest.raises(UserError, match="have no pictures of the same test sample"):
        figure.common_samples(found)
    sample = found[0].sample("one_00001")
    with pytest.raises(UserError, match="--crop=0,0,65,48 exceeds the 64x48 pixels"):
        figure.figure({"a": sample}, crop=(0, 0, 65, 48))


@contextlib.contextmanager
def chromium():
    """Opens an address in headless Chromium: a function of the address and the colour scheme."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=browser.LAUNCH)
        problems = []

        def visit(address, scheme):
            page = launched.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
            requests = []
            page.on("request", lambda request: requests.append(request.url))
            page.on("console", lambda message: problems.append(message.text))
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(address)
            return page, requests

        yield visit
        launched.close()
        assert not problems


@pytest.mark.skipif(bool(browser.MISSING), reason=f"no browser without {browser.MISSING}")
def test_a_report_in_a_browser(runs, tmp_path):
    out = tmp_path / "report.html"
    command = [sys.executable, "-m", "experiments.report", *(str(runs / name) for name in NAMES)]
    subprocess.run([*command, "-o", str(out)], check=True)
    with chromium() as visit:
        colours = [check_page(*visit(out.as_uri(), scheme)) for scheme in ("light", "dark")]
    assert colours[0] != colours[1]


def check_page(page, requests):
    """Everything is there, nothing was asked for, a slider moves; returns the background."""
    assert all(url.startswith(("data:", "file:")) for url in requests)
    broken = "[...document.images].filter(image => !image.naturalWidth).length"
    assert page.evaluate(broken) == 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    slider = page.locator(".slider").nth(1)
    upper = slider.locator("img").nth(1)
    clip = "image => getComputedStyle(image).clipPath"
    assert upper.evaluate(clip).endswith("50%)")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    cut = float(re.search(r"([\d.]+)%\)$", upper.evaluate(clip)).group(1))
    assert cut == pytest.approx(20, abs=4)
    return page.evaluate("getComputedStyle(document.body).backgroundColor")
