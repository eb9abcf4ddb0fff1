from PIL import Image

from clearzoom.server.gallery.library import Library, Unreadable


def test_what_is_listed_is_what_a_folder_job_takes(tmp_path):
    folder, outside = tmp_path / "served", tmp_path / "outside"
    for each in (folder / ".hidden", folder / "below", outside):
        each.mkdir(parents=True)
    taken = ["a.JFIF", "b.bmp", "below/c.jp2", "scan"]
    for name in (*taken, "._a.JFIF", ".hidden/d.png", "letter.txt"):
        kind = {"b.bmp": "BMP", "below/c.jp2": "JPEG2000"}.get(name, "JPEG")
        Image.new("RGB", (9, 7)).save(folder / name, kind)
    (folder / "LICENSE").write_text("no picture")
    Image.new("RGB", (9, 7)).save(outside / "secret", "PNG")
    (folder / "leads-out").symlink_to(outside / "secret")
    (folder / "x.jpe").write_text("no picture")
    found = list(Library(folder, tmp_path / "uploads", 10**6).pictures())
    listed = sorted(each[0].identifier for each in found if not isinstance(each, Unreadable))
    assert listed == taken
    assert [each.identifier for each in found if isinstance(each, Unreadable)] == ["x.jpe"]
