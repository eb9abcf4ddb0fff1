"""What commands say, on a real terminal and in any encoding: names are shown, never obeyed."""

import io
import json
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
import typer

from clearzoom.cli.arguments import parse
from clearzoom.cli.console import say
from clearzoom.cli.main import app, main
from clearzoom.cli.streams import printing
from clearzoom.io.writing import write_rgb8

SERVED = ("cache-size", "max-upload", "max-pixels", "workers")
NASTY = {
    "a[red]b[bold].png": "a[red]b[bold].png",
    "b:smile:.png": "b:smile:.png",
    "c\x1b]0;owned\x07\x1b[31m.png": "c\\x1b]0;owned\\x07\\x1b[31m.png",
    "d\nerror[input]: e.png": "d\\nerror[input]: e.png",
    "e\udcff.png": "e\\xff.png",
    "f\u202egnp.\u009b31m.png": "f\\u202egnp.\\x9b31m.png",
    "g[nothing].png": "g[nothing].png",
}
RAW = [b"\x1b]0;", b"\x07", b"\x1b[31m.png", b"\nerror[input]: e", b"\xff", "\u202e".encode()]
RAW += [b"\xc2\x9b"]


def on_terminal(*arguments, **environment):
    """Run the real command with a terminal for everything; gives the status and what came there."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "clearzoom", *map(os.fspath, arguments)],
        stdin=its,
        stdout=its,
        stderr=its,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "400", **environment},
    )
    os.close(its)
    came = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        came += part
    os.close(ours)
    return process.wait(timeout=60), came.replace(b"\r\n", b"\n")


@pytest.fixture
def nasty(tmp_path, photo):
    """A folder of pictures whose names a terminal or markup would obey, and as many that fail."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate(NASTY):
        write_rgb8(folder / name, np.ascontiguousarray(photo[:40, number : number + 44]))
    for name in NASTY:
        (folder / f"x {name}").write_text("no picture")
    return folder


def check(came):
    for raw in RAW:
        assert raw not in came, raw
    assert b"Traceback" not in came


@pytest.mark.slow
def test_names_never_reach_a_terminal_raw_or_as_markup(nasty, tmp_path, small_weights):
    options = ("--scale", "2", "--model", small_weights)
    status, came = on_terminal("plan", nasty, "-o", tmp_path / "out", *options)
    check(came)
    assert status == 3
    for name in NASTY.values():
        assert f"\n{name}  44x40 px -> 88x80 px".encode() in b"\n" + came
        assert f"\nx {name}  fails: {nasty}/x {name} is no picture".encode() in came
    status, came = on_terminal("enlarge", nasty, "-o", tmp_path / "out", *options)
    check(came)
    assert status == 3
    assert b"7 enlarged, 0 done before, 7 failed" in came
    assert f"failed: {nasty}/x a[red]b[bold].png is no".encode() in came
    report = (tmp_path / "out/report.jsonl").read_text("utf-8", errors="surrogateescape")
    rows = [json.loads(line) for line in report.split("\n") if line]
    assert {row["file"] for row in rows} == {*NASTY, *(f"x {name}" for name in NASTY)}
    errors = {row["error"].partition(" is no ")[0] for row in rows if row["status"] == "failed"}
    assert errors == {f"{nasty}/x {name}" for name in NASTY.values()}


def test_one_picture_with_such_a_name(nasty, tmp_path, small_weights):
    name = "c\x1b]0;owned\x07\x1b[31m.png"
    status, came = on_terminal(
        *("enlarge", nasty / name, "-o", tmp_path / name, "--scale", "2", "--model", small_weights)
    )
    check(came)
    assert status == 0, came
    assert f"{tmp_path}/{NASTY[name]}  88x80 px".encode() in came


def test_what_is_wrong_is_said_without_being_obeyed(nasty, monkeypatch, capfdbinary):
    monkeypatch.chdir(nasty.parent)
    for arguments, said in (
        (
            ["enlarge", nasty / "none\x1b[31m", "-o", "a.png"],
            b"none\\x1b[31m; the nearest right one is c\\x1b]0;owned\\x07\\x1b[31m.png",
        ),
        (["enlarge", nasty / "xyz\x1bq", "-o", "a.png"], b"xyz\\x1bq; check the name"),
        (
            ["enlarge", nasty / "\nerror[input]: e", "-o", "a.png"],
            b"e; the nearest right one is d\\nerror[input]: e.png",
        ),
        (["enlarge", nasty, "-o", "x", "--model", "\x1b[31m\udcff"], b"\\x1b[31m\\xff"),
        (["enlarge", nasty, "-o", "x", "--engine", "\x1b[31m.png"], b"'\\x1b[31m.png'"),
        (["enlarge", nasty, "-o", "x", "--memory", "\x1b[31m.png"], b"\\x1b[31m.png"),
        (["\x1b[31m.png"], b"No such command '\\x1b[31m.png'"),
        (["plan", nasty, "-o", "x", "--\x1b[31m.png"], b"--\\x1b[31m.png"),
        (["train", nasty / "\x1b[31m.png.toml"], b"\\x1b[31m.png.toml"),
        (["evaluate", "--data", nasty / "\x07"], b"\\x07"),
        (["serve", nasty / "\x07"], b"\\x07"),
        (["models", "show", "\x1b[31m.png"], b"\\x1b[31m.png"),
    ):
        monkeypatch.setattr(sys, "argv", ["clearzoom", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        came = capfdbinary.readouterr().err
        check(came)
        assert ended.value.code > 1, came
        assert said in came, came


def test_a_fault_of_the_program_is_shown_likewise(nasty, monkeypatch, capfdbinary):
    def fails(*_, **__):
        raise RuntimeError("of c\x1b]0;owned\x07")

    monkeypatch.setattr("clearzoom.pipeline.job.plan_job", fails)
    monkeypatch.setattr(sys, "argv", ["clearzoom", "plan", str(nasty / "x"), "-o", "a.png"])
    (nasty / "x").touch()
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert b"RuntimeError: of c\\x1b]0;owned\\x07\n" in capfdbinary.readouterr().err


def test_a_table_shows_names_as_they_are(nasty):
    for path in nasty.glob("x *"):
        path.unlink()
    status, came = on_terminal("evaluate", "--data", nasty, "--scale", "2", "--model", "fast")
    check(came)
    assert status == 0
    for name in NASTY.values():
        assert name.removesuffix(".png").encode() in came


@pytest.mark.slow
def test_any_encoding_of_the_output_will_do(command, tmp_path, photo, small_weights):
    folder = tmp_path / "größe →"
    folder.mkdir()
    for name in ("é→👩‍🎨.png", "\udcff.png"):
        write_rgb8(folder / name, np.ascontiguousarray(photo[:40, :44]))
    options = ("--scale", 2, "--model", small_weights)
    one = folder / "é→👩‍🎨.png"
    for encoding, arguments, said in (
        ("cp1252", ("plan", folder, "-o", tmp_path / "ö→", *options), "é\\u2192\\U0001f469"),
        ("cp1252", ("enlarge", folder, "-o", tmp_path / "ö→", *options), "ö\\u2192  2 enlarged"),
        ("ascii", ("enlarge", one, "-o", tmp_path / "→.png", *options), "/\\u2192.png  88x80 px"),
        ("latin-1", ("evaluate", "--data", folder, "--scale", 2), "größe \\u2192 x2: PSNR"),
        ("ascii", ("models", "show", "fast"), '"name": "fast"'),
    ):
        environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        done = command(*arguments, env=environment, encoding=encoding)
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert said in done.stdout, done.stdout
    json.loads(done.stdout)
    status, came = on_terminal(
        *("enlarge", folder, "-o", tmp_path / "2", *map(str, options)),
        PYTHONIOENCODING="cp1252",
        PYTHONUTF8="0",
    )
    assert status == 0, came
    assert b"MP, " in came


def values(command, path=()):
    """All options and arguments of all commands that take a value."""
    for name, below in getattr(command, "commands", {}).items():
        yield from values(below, (*path, name))
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            yield [*path, ""]
        elif not parameter.is_flag and path:
            yield [*path, parameter.opts[0], ""]


@pytest.mark.slow
def test_an_empty_value_is_refused_by_every_command(monkeypatch, capfd, tmp_path):
    monkeypatch.chdir(tmp_path)
    cases = list(values(typer.main.get_command(app)))
    assert len(cases) > 100
    for case in cases:
        monkeypatch.setattr(sys, "argv", ["clearzoom", *case])
        assert parse(app) == 2, case
        said = capfd.readouterr()
        assert said.out == "", case
        assert "Error: " in said.err, case
        *_, last = said.err.splitlines()
        assert case[-2] in last or "'[" in last or "Invalid value" in last, (case, last)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_numbers_that_are_none_are_refused(monkeypatch, capfd, tmp_path):
    """A number may be of any length, infinite or none; none of them ends in a traceback."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"no picture")
    cases = [["plan", "a.png", "-o", "o.png", "--memory"], ["serve", ".", "--cache-size"]]
    cases += [["tune", ".", option] for option in ("--learning-rate", "--time-budget")]
    options = ("--split-megapixels", "--cpus", "--gpus")
    cases += [["batch", ".", "out", "--engine", "ray", option] for option in options]
    for case in cases:
        for number in ("inf", "nan", "-1", "9" * 400, "9" * 400 + "GB", "9" * 400 + "h"):
            monkeypatch.setattr(sys, "argv", ["clearzoom", *case, number])
            with pytest.raises(SystemExit) as ended:
                main()
            said = capfd.readouterr().err
            assert ended.value.code in (2, 3, 6), (case, number[:9], said)
            assert "Traceback" not in said


def test_a_value_that_is_refused_is_said_with_its_option(monkeypatch, capfd, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"no picture")
    cases = [(option, "0") for option in ("--memory", "--max-bytes", "--max-pixels", "--quality")]
    cases += [(option, "-1") for option in ("--consistency", "--denoise", "--strength", "--halo")]
    cases += [
        ("--strength", "nan"),
        ("--halo", "5000"),
        ("--max-pixels", "-9"),
        ("--print", "9" * 50),
    ]
    cases += [(f"--{name}", "0") for name in ("scale", "width", "height", "long-edge")]
    for name, words, asked in (
        ("plan", ("a.png", "-o", "o.png"), [*cases, ("--megapixels", "-2"), ("--memory", "1EB")]),
        ("enlarge", ("a.png", "-o", "o.png"), cases),
        ("batch", (".", "out"), cases),
        ("serve", (".",), [(f"--{each}", "0") for each in SERVED]),
        ("evaluate", ("--data", "."), [("--scale", "0")]),
    ):
        for option, value in asked:
            monkeypatch.setattr(sys, "argv", ["clearzoom", name, *words, option, value])
            with pytest.raises(SystemExit) as ended:
                main()
            said = capfd.readouterr().err
            assert ended.value.code in (2, 3), said
            assert option in said.splitlines()[-1], said
            assert "Settings" not in said
            assert "Value error" not in said


def test_a_stream_of_another_kind_is_left_as_it_is(monkeypatch):
    text = io.StringIO()
    monkeypatch.setattr(sys, "stdout", text)
    with printing():
        say("→\x1b")
    assert text.getvalue() == "→\\x1b\n"
    assert sys.stdout is text
