import sys

import numpy as np
from helpers.scripts import script
from PIL import Image

from clearzoom import Settings, Wanted, enlarge_file
from clearzoom.core.resize import enlarge_bicubic

peers, sheet = script("benchmarks/peers.py"), script("benchmarks/sheet.py")
LABEL_PX = script("benchmarks/contact.py").LABEL_PX
rng = np.random.default_rng(0)


def noise(height, width, channels=3):
    return rng.integers(0, 256, (height, width, channels)).astype(np.uint8)


def test_the_margin_is_cut_off_again_where_it_was_added():
    picture = noise(7, 23)
    four_times = peers.with_margin(lambda wider: wider.repeat(4, axis=0).repeat(4, axis=1))
    np.testing.assert_array_equal(four_times(picture), picture.repeat(4, 0).repeat(4, 1))


def test_ours_is_what_the_command_gives(tmp_path, monkeypatch):
    source = tmp_path / "in" / "small.png"
    source.parent.mkdir()
    Image.fromarray(noise(30, 40)).save(source)
    (source.parent / "broken.png").write_bytes(source.read_bytes()[:200])
    arguments = f"sheet {source.parent} -o {tmp_path} --model fast --peer none --side 80 --at 0,0"
    monkeypatch.setattr(sys, "argv", arguments.split())
    sheet.main()
    enlarge_file(source, tmp_path / "larger.png", Settings(Wanted(4), "fast"))
    drawn = np.asarray(Image.open(tmp_path / "small.png"))[LABEL_PX : LABEL_PX + 80]
    given = np.asarray(Image.open(source))
    np.testing.assert_array_equal(drawn[:, :80], enlarge_bicubic(given, 4)[:80, :80])
    larger = np.asarray(Image.open(tmp_path / "larger.png"))
    np.testing.assert_array_equal(drawn[:, 86:166], larger[:80, :80])
    assert (tmp_path / "page-1.png").is_file()
    assert not (tmp_path / "broken.png").exists()


def test_what_is_transparent_is_shown_on_light_grey(tmp_path):
    Image.new("RGBA", (3, 2), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (sheet.shown(tmp_path / "clear.png") == sheet.BEHIND).all()


def test_a_missing_peer_is_left_out_with_its_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "cache"))
    bare = tmp_path / "python"  # an environment without any wheel
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    Image.fromarray(noise(10, 10)).save(tmp_path / "small.png")
    given = f"sheet {tmp_path} -o {tmp_path / 'out'} --model fast --peers-python {bare}"
    monkeypatch.setattr(sys, "argv", given.split())
    sheet.main()
    lines = [line for line in capsys.readouterr().out.splitlines() if "left out" in line]
    assert len(lines) == len(peers.PEERS)
    assert all("No module named" in line for line in lines)


def test_a_peer_runs_once_for_each_picture(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEARZOOM_CACHE", str(tmp_path / "cache"))
    stand_in = tmp_path / "python"  # writes a picture and seconds, as peers.py does
    Image.fromarray(noise(40, 40)).save(tmp_path / "larger.png")
    stand_in.write_text(
        f'#!/bin/sh\ncp {tmp_path}/larger.png "$4"\necho 1.25\necho >> "$0".calls\n'
    )
    stand_in.chmod(0o755)
    picture = noise(10, 10)
    for given in (picture, picture, noise(10, 10)):
        larger, seconds = sheet.peers(given, "Real-ESRGAN x4plus", str(stand_in))
        assert (larger.shape, seconds) == ((40, 40, 3), 1.25)
    assert (tmp_path / "python.calls").read_text() == "\n\n"
