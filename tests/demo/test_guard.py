"""Which requests the page answers."""

import asyncio

import pytest

from iicnet_jax.demo.guard import POLICY, Guard

HOST = "127.0.0.1:7860"
OWN = {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}
FILES = {"content-type": "multipart/form-data; boundary=x"}


class Page:
    """An application behind the guard that keeps what is uploaded."""

    def __init__(self, folder, **limits):
        self.folder = folder
        self.reached = 0
        self.guard = Guard(self._app, folder, **limits)

    async def _app(self, scope, receive, send):
        self.reached += 1
        body = (await receive())["body"]
        (self.folder / f"{self.reached}").write_bytes(body)
        await asyncio.sleep(0)  # another request may come
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def request(self, method, body=b"", **headers):
        sent = []

        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        headers = {"host": HOST, "content-length": f"{len(body)}"} | headers
        pairs = [(name.encode(), value.encode()) for name, value in headers.items() if value]
        scope = {"type": "http", "scheme": "http", "method": method, "headers": pairs}
        await self.guard(scope, receive, send)
        return sent

    def ask(self, method, body=b"", **headers):
        """Status, headers and text of the answer."""
        start, answer = asyncio.run(self.request(method, body, **headers))
        return start["status"], dict(start["headers"]), answer["body"].decode()

    def upload(self, body, **headers):
        status, _, text = self.ask("POST", body, **OWN, **FILES, **headers)
        return status, text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://example.org"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": f"https://{HOST}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},  # another port of this machine
        {"origin": f"http://{HOST}", "sec-fetch-site": "cross-site"},
        {"origin": "https://example.org", "sec-fetch-mode": "navigate"},
    ],
)
def test_other_sites_are_refused(tmp_path, method, headers):
    page = Page(tmp_path)
    status, _, text = page.ask(method, b"x", **FILES, **headers)
    assert (status, text) == (403, "This page answers no requests of other sites.")
    assert page.reached == 0 and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", OWN),
        ("GET", {"sec-fetch-site": "same-origin"}),
        ("GET", {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}),  # a link
        ("POST", {}),  # no browser
        ("POST", {"host": "localhost:8000", "origin": "http://localhost:8000"}),  # through a tunnel
    ],
)
def test_the_page_itself_and_links_to_it_are_answered(tmp_path, method, headers):
    status, headers, _ = Page(tmp_path).ask(method, **headers)
    assert (status, headers) == (200, {b"content-security-policy": POLICY.encode()})


def test_a_form_of_another_site_is_no_link(tmp_path):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert Page(tmp_path).ask("POST", b"x", **FILES, **headers)[0] == 403


def test_uploads_have_a_limit(tmp_path):
    page = Page(tmp_path, max_upload=50_000_000)
    assert page.upload(b"1")[0] == 200
    status, text = page.upload(b"2", **{"content-length": "200000000"})
    assert status == 413 and page.reached == 1
    assert text.startswith("These files have 0.2 GB, and at most 0.1 GB can be uploaded at once:")
    status, text = page.upload(b"3", **{"content-length": "", "transfer-encoding": "chunked"})
    assert (status, text) == (411, "The length of an upload must be told.")


def test_all_uploads_together_have_a_limit(tmp_path):
    page = Page(tmp_path, max_stored=10)
    assert page.upload(b"12345")[0] == 200
    assert page.upload(b"123456")[0] == 507
    assert page.upload(b"12345")[0] == 200
    status, text = page.upload(b"1")
    assert status == 507 and "keeps at most 0.0 GB of files: end it and start it anew" in text
    assert page.ask("POST", b"x", **OWN)[0] == 200, "what has been uploaded can be restored"
    (tmp_path / "1").unlink()
    assert page.upload(b"1")[0] == 200


def test_uploads_at_the_same_time_count_together(tmp_path):
    page = Page(tmp_path, max_stored=10)

    async def three():
        answers = await asyncio.gather(
            *(page.request("POST", b"1234", **OWN, **FILES) for _ in range(3))
        )
        return sorted(start["status"] for start, _ in answers)

    assert asyncio.run(three()) == [200, 507, 507]
