"""POST /api/enlarge through a real server: the same bytes as the command's, and clear refusals."""

import io
import socket

import numpy as np
import pytest
from helpers.small_animations import gif
from PIL import Image

from clearzoom.server.app import create_app

pytestmark = pytest.mark.slow

ASKED = {
    "four times": ({}, []),
    "a width": ({"width": 50, "format": "png"}, ["--width", 50]),
    "a box, filled": (
        {"width": 40, "height": 40, "fill": "true"},
        ["--width", 40, "--height", 40, "--fill"],
    ),
    "a print": (
        {"print_size": "4x3cm@100dpi", "bleed": "2mm", "format": "tif", "tiff_compression": "lzw"},
        ["--print", "4x3cm@100dpi", "--bleed", "2mm", "--tiff-compression", "lzw"],
    ),
    "JPEG": ({"format": "jpg", "quality": 80}, ["--quality", 80]),
    "a few bytes": ({"format": "webp", "max_bytes": "1500"}, ["--max-bytes", "1500"]),
    "AVIF": ({"format": "avif", "scale": 2}, ["--scale", 2]),
    "slow and plain": (
        {"ensemble": "true", "back_projection": "false", "metadata": "strip"},
        ["--ensemble", "--no-back-projection", "--metadata", "strip"],
    ),
    "tones": ({"consistency": "tones"}, ["--consistency", "tones"]),
    "a dead zone": ({"consistency": 2.5}, ["--consistency", 2.5]),
    "a texture": ({"wrap": "both", "scale": 2.5}, ["--wrap", "both", "--scale", 2.5]),
    "pixel art": ({"pixel_art": "true", "scale": 3}, ["--pixel-art", "--scale", 3]),
    "half a strength": (
        {"model": "photo-crisp", "strength": 0.5},
        ["--model", "photo-crisp", "--strength", 0.5],
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_the_bytes_are_those_of_the_command(api, command, tmp_path, png, case):
    fields, options = ASKED[case]
    source, target = tmp_path / "cat.png", tmp_path / f"out.{fields.get('format', 'png')}"
    source.write_bytes(png())
    if not {"--model", "--pixel-art"} & set(options):
        options = [*options, "--model", "fast"]
    done = command("enlarge", source, "-o", target, *options)
    assert done.returncode == 0, done.stderr
    answer = api().post("/api/enlarge", params=fields, content=png())
    assert answer.status_code == 200, answer.text
    assert answer.content == target.read_bytes()


@pytest.mark.parametrize("model", ["fast", "photo"])
def test_what_is_chosen_is_what_the_command_chooses(api, command, tmp_path, photo, model):
    """Of a JPEG: by its tables, the noise of its px, and the model's card."""
    Image.fromarray(photo[:90, :120]).save(tmp_path / "cat.jpg", quality=88)
    done = command("enlarge", tmp_path / "cat.jpg", "-o", tmp_path / "o.png", "--model", model)
    assert done.returncode == 0, done.stderr
    answer = api().post(
        "/api/enlarge",
        params={"format": "png", "model": model},
        content=(tmp_path / "cat.jpg").read_bytes(),
    )
    assert answer.content == (tmp_path / "o.png").read_bytes()
    chosen = answer.headers["x-clearzoom-model"]
    assert " + consistency " in chosen
    assert "consistency full" not in chosen


@pytest.mark.parametrize(
    ("of_server", "query", "chosen"),
    [
        ({"consistency": "full"}, {}, "full"),
        ({"consistency": "full"}, {"consistency": "tones"}, "tones"),
        ({"consistency": "tones"}, {"back_projection": "true"}, "full"),
    ],
)
def test_the_server_has_a_consistency_of_its_own(api, png, of_server, query, chosen):
    answer = api(**of_server).post("/api/enlarge", params=query, content=png())
    assert f" + consistency {chosen} x4" in answer.headers["x-clearzoom-model"]


def test_the_answer_says_what_it_is(api, png):
    client = api()
    answer = client.post("/api/enlarge?name=Kätzchen.png", content=png())
    assert answer.headers["content-type"] == "image/png"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "filename*=UTF-8''K%C3%A4tzchen-x4.png" in answer.headers["content-disposition"]
    assert answer.headers["x-clearzoom-pixels"] == "inferred"
    model = answer.headers["x-clearzoom-model"]
    (weights,) = (
        each["sha256"]
        for row in client.get("/api/models").json()["models"]
        for each in row["weights"]
        if (row["name"], each["scale"]) == ("fast", 4)
    )
    assert model == f"fast + consistency full x4; sha256={weights}"
    assert "x-clearzoom-notes" not in answer.headers
    smaller = client.post("/api/enlarge?scale=0.5", content=png())
    assert smaller.headers["x-clearzoom-pixels"] == "reduced"
    assert "only resampled" in smaller.headers["x-clearzoom-notes"]
    assert "x-clearzoom-model" not in smaller.headers
    sized = client.post("/api/enlarge?width=50&format=jpg", content=png())
    assert 'filename="picture-50x33.jpg"' in sized.headers["content-disposition"]


def test_the_format_is_the_inputs_by_content(api, png):
    client = api()
    for kind in ("PNG", "JPEG", "WebP", "TIFF", "GIF", "AVIF"):
        answer = client.post("/api/enlarge?scale=2&name=wrong.bmp", content=png(kind=kind))
        assert answer.status_code == 200, answer.text
        with Image.open(io.BytesIO(answer.content)) as result:
            assert (result.format, result.size) == (kind.upper(), (48, 32))
            assert answer.headers["content-type"] == Image.MIME[result.format]


def test_an_animation_stays_one(api, photo):
    frames = [Image.fromarray(photo[i : i + 16, :24]) for i in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=80)
    client = api(max_upload_pixels=2000)
    held = np.ones(1_100_000_000, np.uint8)  # what a server holds otherwise leaves room for a job
    answer = client.post("/api/enlarge?scale=2", content=file.getvalue())
    del held
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as result:
        assert (result.format, result.n_frames) == ("GIF", 3)
    refused = client.post("/api/enlarge?format=tif", content=file.getvalue())
    assert (refused.status_code, refused.json()["code"]) == (400, "input")
    # All frames count: 3 x 24 x 16 px.
    small = api(max_upload_pixels=1151).post("/api/enlarge?scale=2", content=file.getvalue())
    assert (small.status_code, small.json()["code"]) == (413, "too-large")


def test_an_uploaded_gif_has_one_size_for_all(served, session):
    picture = gif((640, 480), *[{"px": np.ones((3, 4)), "at": (2, 1)}] * 2)
    client = served(create_app(session(max_upload_pixels=399_999_999)))
    row = client.post("/api/pictures?name=a.gif", content=picture).json()
    assert (row["width"], row["height"]) == (640, 480)
    shown = client.get(f"{row['iiif']}/0,0,640,480/640,480/0/default.png").content
    with Image.open(io.BytesIO(shown)) as result:
        assert np.argwhere(np.asarray(result.convert("RGBA"))[..., 3]).max(0).tolist() == [3, 5]
    answer = client.post("/api/enlarge?scale=0.5", content=picture)
    with Image.open(io.BytesIO(answer.content)) as result:
        assert (result.format, result.n_frames, result.size) == ("GIF", 2, (320, 240))
    many = gif((1000, 1000), *[{"px": np.ones((1, 1))}] * 400)
    refused = client.post("/api/pictures", content=many)
    assert (refused.status_code, refused.json()["code"]) == (413, "too-large")


def test_a_sequence_of_avif_becomes_webp(api, photo):
    first, other = (Image.fromarray(photo[k : k + 16, :24]) for k in range(2))
    file = io.BytesIO()
    first.save(file, "AVIF", save_all=True, append_images=[other], duration=80)
    answer = api().post("/api/enlarge?scale=2", content=file.getvalue())
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as result:
        assert (result.format, result.n_frames, result.size) == ("WEBP", 2, (48, 32))


REFUSED = {
    "no size": ({"scale": 0}, 400, "size"),
    "no number": ({"scale": "nan"}, 400, "size"),
    "two sizes": ({"scale": 2, "width": 9}, 400, "size"),
    "too many times": ({"scale": 1000}, 400, "size"),
    "a bleed alone": ({"bleed": "3mm"}, 400, "size"),
    "a file of this machine": ({"model": "../small.onnx"}, 422, "request"),
    "a network's file": ({"model": "fast-x4.onnx"}, 422, "request"),
    "no such model": ({"model": "none"}, 400, "unknown-model"),
    "a strength that it has not": ({"strength": 0.5}, 400, "model"),
    "no such field": ({"sclae": 2}, 422, "request"),
    "an engine": ({"engine": "torch"}, 422, "request"),
    "no such quality": ({"quality": 101}, 422, "request"),
    "too few bytes": ({"format": "jpg", "max_bytes": "90"}, 400, "output"),
    "a picture and a body": ({"picture": "../../etc/passwd"}, 400, "request"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_in_its_own_words(api, session, png, case):
    fields, status, code = REFUSED[case]
    answer = api().post("/api/enlarge", params=fields, content=png())
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert str(session().session) not in answer.text
    assert "--" not in answer.json()["message"]
    assert "`" not in answer.json()["message"]
    assert list((session().session / "jobs").iterdir()) == []


def test_a_wrong_field_is_said_with_the_nearest_right_one(api, png):
    for fields, message in (
        ({"sclae": 2}, "there is no field sclae; the nearest right one is scale"),
        ({"xyz": 2}, "there is no field xyz"),
        ({"denoise": "off"}, "denoise: cannot understand 'off' as denoise; give auto, or 0 to 1"),
    ):
        answer = api().post("/api/enlarge", params=fields, content=png())
        assert (answer.status_code, answer.json()["message"]) == (422, message)


def test_a_form_is_refused_with_what_to_send(api, session, png):
    for body in ({"files": {"file": png()}}, {"json": {"scale": 2}}):
        answer = api().post("/api/enlarge", **body)
        assert (answer.status_code, answer.json()["code"]) == (415, "unreadable"), answer.text
        assert "send the file's bytes alone" in answer.json()["message"]
    assert list((session().session / "jobs").iterdir()) == []
    said = {"Content-Type": "application/x-www-form-urlencoded"}  # as curl says of any file
    answer = api().post("/api/enlarge?scale=2", content=png(), headers=said)
    assert answer.status_code == 200, answer.text


def test_more_memory_than_a_job_has_is_refused_with_a_remedy_of_its_own(api, png):
    """WebP is encoded from memory at once; no setting of a request gives a job more of it."""
    fields = {"scale": 8, "format": "webp", "job": True}
    answer = api().post("/api/enlarge", params=fields, content=png(1000, 1000))
    assert (answer.status_code, answer.json()["code"]) == (400, "size"), answer.text
    assert answer.json()["message"].startswith(
        "that takes more memory than a job has here; ask for"
    )


def test_what_is_no_picture_is_refused(api, session, png, photo):
    file = io.BytesIO()
    Image.fromarray(photo[:16, :24]).convert("RGBA").save(file, "PNG")
    client = api()
    for body, fields, status, code in (
        (b"", "", 400, "request"),
        (b"garbage", "", 415, "unreadable"),
        (png()[:-200], "", 415, "unreadable"),
        (png(60, 40)[:400], "", 415, "unreadable"),
        (file.getvalue(), "format=jpg", 400, "output"),
    ):
        answer = client.post(f"/api/enlarge?name=cat.png&{fields}", content=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert str(session().session) not in answer.text
    assert list((session().session / "jobs").iterdir()) == []


def test_pixels_are_limited_before_anything_is_decoded(api, png):
    client = api(max_upload_pixels=500, max_job_pixels=40_000)
    within = client.post("/api/enlarge?scale=2", content=png())
    assert within.status_code == 200
    for fields, size in (("scale=2", (30, 20)), ("scale=10.5", (24, 16)), ("width=4000", (100, 5))):
        for job in ("true", "false"):
            answer = client.post(f"/api/enlarge?job={job}&{fields}", content=png(*size))
            assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_a_large_result_needs_a_job(api, png):
    answer = api().post("/api/enlarge?width=6000&height=4200&fill=true", content=png(2000, 1400))
    assert answer.status_code == 413
    assert "add job=true" in answer.json()["message"]


def raw(client, head, chunks):
    """Speak HTTP by hand; gives what comes back."""
    with socket.create_connection((client.base_url.host, client.base_url.port)) as line:
        line.sendall(head.encode())
        for chunk in chunks:
            try:
                line.sendall(chunk)
            except OSError:  # the server has said all that it will
                break
        line.settimeout(20)
        try:
            return line.recv(4096).decode()
        except ConnectionResetError:
            return "reset"


@pytest.mark.parametrize("stated", ["Transfer-Encoding: chunked", "Content-Length: 9999999"])
def test_a_body_is_limited_while_it_is_read(api, session, stated):
    client = api(max_upload_bytes=100_000)
    sent = (b"4000\r\n" + bytes(0x4000) + b"\r\n" for _ in range(600))
    said = raw(client, f"POST /api/enlarge HTTP/1.1\r\nHost: x\r\n{stated}\r\n\r\n", sent)
    assert said.startswith("HTTP/1.1 413") or said == "reset"
    assert list((session().session / "jobs").iterdir()) == []


def test_a_length_that_is_no_number_is_refused(api):
    head = "POST /api/enlarge HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n"
    assert raw(api(), head, []).startswith("HTTP/1.1 400")


def test_a_body_that_breaks_off_leaves_nothing(api, session, until):
    client = api()
    folder = session().session / "jobs"
    head = "POST /api/enlarge HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port)) as line:
        line.sendall(head.encode() + bytes(1000))
        until(lambda: list(folder.iterdir()))
    until(lambda: not list(folder.iterdir()))


def test_a_served_picture_in_place_of_a_body(api, session, png):
    settings = session()
    (settings.folder / "scans").mkdir()
    (settings.folder / "scans" / "ü 1.png").write_bytes(png())
    client = api()
    answer = client.post("/api/enlarge", params={"picture": "scans/ü 1.png"})
    assert answer.content == client.post("/api/enlarge", content=png()).content
    assert "%C3%BC%201-x4.png" in answer.headers["content-disposition"]
    assert (settings.folder / "scans" / "ü 1.png").read_bytes() == png()
    for missing in ("none.png", "../secret.png", "upload-" + 32 * "0", "a" * 1025, "\0"):
        refused = client.post("/api/enlarge", params={"picture": missing})
        assert refused.status_code in (404, 422), missing
    (settings.folder / "clearzoom.toml").write_text("upscaling = false\n")
    refused = client.post("/api/enlarge", params={"picture": "scans/ü 1.png"})
    assert (refused.status_code, refused.json()["code"]) == (501, "switched-off")


def test_what_takes_too_long_is_given_up(api, session, png, until):
    client = api(viewers_wait=lambda: True, request_s=0.5)
    answer = client.post("/api/enlarge", content=png(700, 500))
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert "job=true" in answer.json()["message"]
    assert int(answer.headers["retry-after"]) > 0
    until(lambda: not list((session().session / "jobs").iterdir()))


def test_a_client_that_goes_away_cancels(api, session, png, until):
    client = api(viewers_wait=lambda: True)
    jobs = session().session / "jobs"
    body = png(2400, 1500)  # of 60 tiles, each of which waits a second for viewers
    head = f"POST /api/enlarge?scale=2 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port)) as line:
        line.sendall(head.encode() + body)
        until(lambda: any('"running"' in f.read_text() for f in jobs.glob("*/state.json")))
    until(lambda: not list(jobs.iterdir()), seconds=30)


def test_with_the_whole_server_and_its_token(served, session, png):
    client = served(create_app(session(token="secret")))
    refused = client.post("/api/enlarge", content=png())
    assert (refused.status_code, refused.json()["code"]) == (401, "token")
    in_header = client.post(
        "/api/enlarge", content=png(), headers={"Authorization": "Bearer secret"}
    )
    in_address = client.post("/api/enlarge?token=secret", content=png())
    assert in_header.status_code == in_address.status_code == 200
    assert in_header.content == in_address.content
    upload = client.post("/api/pictures?name=holiday.png", content=png()).json()
    named = client.post("/api/enlarge", params={"picture": upload["id"]})
    assert named.content == in_header.content
    assert 'filename="holiday-x4.png"' in named.headers["content-disposition"]
    foreign = client.post("/api/enlarge", content=png(), headers={"Origin": "http://elsewhere"})
    assert foreign.status_code == 403


def test_jobs_run_on_the_server_s_device(api, png):
    answer = api(device="openvino-cpu").post("/api/enlarge", params={"scale": 2}, content=png())
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert b'Engine="openvino fp32"' in picture.info["xmp"]
