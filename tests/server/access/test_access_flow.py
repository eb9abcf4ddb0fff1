"""The whole flow of IIIF Authorization 2.0, in a real browser, from a page of another origin.

Mirador 4.0.0 and Universal Viewer 4.4.0 know version 1 of that standard alone. So a small page here
does what the standard asks of a client (section 7.1), and Mirador shows that its images come with
the cookie that the login page has set. (Universal Viewer loads images without cookies.)
"""

import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from helpers.file_server import file_server

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "chelsea.png"
MIRADOR = ROOT / ".tools" / "mirador-4.0.0"
AXE = ROOT / ".tools" / "axe-core-4.14.1" / "axe.min.js"
PASSWORD = "correct horse battery"
CLIENT = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<p id="heading"></p><p id="note"></p><button id="confirm" hidden></button><p id="status"></p>
<div id="place"></div>
<script type="module">
const say = (id, text) => { document.getElementById(id).textContent = text; };
const info = await (await fetch(decodeURIComponent(location.hash.slice(1)))).json();
const [probe] = info.service;
const [access] = probe.service;
const service = (type) => access.service.find((each) => each.type === type);

async function ask(token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await (await fetch(probe.id, { headers })).json();
  return answer.status;
}

function show() {
  const image = new Image();
  image.onload = () => say("status", `shown ${image.naturalWidth}`);
  image.onerror = () => say("status", "refused");
  image.src = `${info.id}/full/max/0/default.jpg?${Date.now()}`;
  document.getElementById("place").replaceChildren(image);
}

function token() {
  const id = crypto.randomUUID();
  const asked = `messageId=${id}&origin=${encodeURIComponent(location.origin)}`;
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.src = `${service("AuthAccessTokenService2").id}?${asked}`;
  document.body.append(frame);
  return new Promise((resolve) => {
    addEventListener("message", function listen({ data }) {
      if (data.messageId !== id) return;
      removeEventListener("message", listen);
      frame.remove();
      resolve(data);
    });
  });
}

say("status", `probe ${await ask()}`);
say("heading", access.heading.en[0]);
say("note", access.note.en[0]);
const confirm = document.getElementById("confirm");
confirm.textContent = access.confirmLabel.en[0];
confirm.hidden = false;
confirm.addEventListener("click", async () => {
  const opened = open(`${access.id}?origin=${encodeURIComponent(location.origin)}`);
  while (!opened.closed) await new Promise((resolve) => setTimeout(resolve, 50));
  const message = await token();
  if (message.type !== "AuthAccessToken2") {
    say("status", message.profile);
    return;
  }
  const status = await ask(message.accessToken);
  if (status === 200) show();
  else say("status", `probe ${status}`);
});
window.show = show;
window.logout = service("AuthLogoutService2").id;
</script>"""
VIEWER = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<div id="viewer" style="position:absolute;inset:0"></div>
<script src="mirador-4.0.0/dist/mirador.min.js"></script>
<script>
const manifestId = decodeURIComponent(location.hash.slice(1));
Mirador.viewer({ id: "viewer", windows: [{ manifestId }] });
</script>"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Another origin, with the client and Mirador."""
    root = tmp_path_factory.mktemp("elsewhere")
    (root / "client.html").write_text(CLIENT)
    (root / "mirador.html").write_text(VIEWER)
    (root / MIRADOR.name).symlink_to(MIRADOR)
    with file_server(root) as port:
        # Cookies without TLS go to pages of the same site alone: here another port of localhost.
        yield f"http://localhost:{port}"


@pytest.fixture(scope="module")
def museum(serve, tmp_path_factory, elsewhere):
    root, outside = tmp_path_factory.mktemp("museum"), tmp_path_factory.mktemp("outside")
    shutil.copy(EXAMPLE, root / "open.png")
    (root / "closed").mkdir()
    shutil.copy(EXAMPLE, root / "closed" / "cat.png")
    (root / "closed" / "clearzoom.toml").write_text('access = "readers"')
    (outside / "passwords.toml").write_text(f'readers = "{PASSWORD}"')
    options = ["--allowed-origin", elsewhere, "--access-file", outside / "passwords.toml"]
    return serve(root, *options)


@pytest.fixture
def context(browser):
    context = browser.new_context(locale="en")
    yield context
    context.close()


def client_page(context, elsewhere, museum):
    page = context.new_page()
    info = quote(f"{museum.url}/iiif/3/closed%2Fcat.png/info.json", safe="")
    page.goto(f"{elsewhere}/client.html#{info}")
    page.get_by_role("button", name="Log in").wait_for()
    return page


def status_is(page, text):
    page.locator("#status", has_text=text).wait_for()


def test_a_viewer_elsewhere_lets_people_log_in_and_out(context, elsewhere, museum):
    page = client_page(context, elsewhere, museum)
    status_is(page, "probe 401")
    assert "“readers”" in page.locator("#note").inner_text()
    page.evaluate("show()")
    status_is(page, "refused")

    with page.expect_popup() as opened:
        page.get_by_role("button", name="Log in").click()
    login = opened.value
    login.get_by_label("Password").fill("not the right one")
    login.get_by_role("button", name="Log in").click()
    login.get_by_text("That is not the password").wait_for()
    login.get_by_label("Password").fill(PASSWORD)
    with login.expect_event("close"):
        login.get_by_role("button", name="Log in").click()
    status_is(page, "shown 451")

    leaving = context.new_page()
    leaving.goto(page.evaluate("logout"))
    leaving.get_by_role("heading", name="You are logged out").wait_for()
    page.evaluate("show()")
    status_is(page, "refused")


def test_a_window_that_is_closed_without_a_password_is_an_error(context, elsewhere, museum):
    page = client_page(context, elsewhere, museum)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Log in").click()
    opened.value.get_by_label("Password").wait_for()
    opened.value.close()
    status_is(page, "missingAspect")


def test_a_page_elsewhere_cannot_read_what_the_visitor_sees(context, elsewhere, museum):
    log_in(context, museum)
    page = client_page(context, elsewhere, museum)
    image = f"{museum.url}/iiif/3/closed%2Fcat.png/full/max/0/default.jpg"
    assert page.evaluate("a => fetch(a).then((answer) => answer.status)", image) == 401
    sent = "a => fetch(a, { credentials: 'include' }).then(() => 'read', () => 'refused')"
    assert page.evaluate(sent, image) == "refused"


def log_in(context, museum):
    page = context.new_page()
    page.goto(f"{museum.url}/iiif/auth/2/access/readers")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="You are logged in").wait_for()
    return page


def test_mirador_elsewhere_shows_pictures_after_logging_in(context, elsewhere, museum):
    if not MIRADOR.is_dir():
        pytest.skip("Mirador is not there; run scripts/install-test-tools")
    manifest = quote(f"{museum.url}/iiif/presentation/3/closed/manifest", safe="")
    page, refused, shown = context.new_page(), [], []

    def is_image(address):
        return "/iiif/3/closed%2Fcat.png/" in address and address.endswith(".jpg")

    # Chromium hides the answer where JSON with the status 401 comes in an image's place.
    page.on("requestfailed", lambda one: is_image(one.url) and refused.append(one.url))
    page.on("response", lambda one: is_image(one.url) and shown.append(one.status))
    page.goto(f"{elsewhere}/mirador.html#{manifest}")
    wait_for(page, lambda: refused)
    assert 200 not in shown
    log_in(context, museum)
    page.reload()
    wait_for(page, lambda: 200 in shown)


def wait_for(page, what, seconds=60):
    for _ in range(seconds * 10):
        if what():
            return
        page.wait_for_timeout(100)
    raise AssertionError("that took too long")


def test_without_tls_images_go_to_pages_of_the_same_site_alone(context, elsewhere, museum):
    log_in(context, museum)
    image = f"{museum.url}/iiif/3/closed%2Fcat.png/full/max/0/default.jpg"
    load = """address => new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve("shown");
        image.onerror = () => resolve("refused");
        image.src = address;
    })"""
    for site, seen in (
        (elsewhere, "shown"),
        (elsewhere.replace("localhost", "127.0.0.1"), "refused"),
    ):
        page = context.new_page()
        page.goto(f"{site}/nothing.html")
        assert page.evaluate(load, image) == seen


def test_the_gallery_asks_for_the_password_and_then_shows_the_folder(context, museum):
    page = context.new_page()
    page.goto(museum.url)
    page.get_by_role("link", name="open.png").wait_for()
    assert page.get_by_role("link", name="cat.png").count() == 0
    page.get_by_role("link", name="Pictures for “readers”").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="To the pictures").click()
    page.get_by_role("link", name="cat.png").wait_for()
    assert page.get_by_role("link", name="Pictures for “readers”").count() == 0


def test_the_login_page_speaks_both_languages(browser, museum):
    context = browser.new_context(locale="zh-TW")
    page = context.new_page()
    page.goto(f"{museum.url}/iiif/auth/2/access/readers")
    page.get_by_role("heading", name="這些圖片需要密碼").wait_for()
    page.get_by_role("button", name="switch to English").click()
    page.get_by_role("heading", name="These pictures need a password").wait_for()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_login_page(browser, museum, scheme):
    if not AXE.is_file():
        pytest.skip("axe is not there; run scripts/install-test-tools")
    size = {"width": 390, "height": 844}
    context = browser.new_context(locale="en", color_scheme=scheme, viewport=size)
    page = context.new_page()
    page.goto(f"{museum.url}/iiif/auth/2/access/readers")
    for heading, password in (("need a password", "wrong one"), ("need a password", PASSWORD)):
        page.get_by_role("heading", name=heading).wait_for()
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        assert [(each["id"], each["help"]) for each in found["violations"]] == []
        page.get_by_label("Password").fill(password)
        page.keyboard.press("Enter")
        page.wait_for_load_state("networkidle")
    page.get_by_role("heading", name="You are logged in").wait_for()
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(each["id"], each["help"]) for each in found["violations"]] == []
    context.close()
