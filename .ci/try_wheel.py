"""What somebody does with the installed wheel alone, from an empty directory.

Run by .ci/wheel with the interpreter of a clean environment; the argument is a directory with the
inputs (a phone's export, a diary) and with pages of the site, whose code and commands are done as
they stand there. Ends with exit code 1 at the first thing that is not as it should be.
"""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

INPUTS = Path(sys.argv[1]).resolve()
SERVING = "serving "


def say(what, started):
    print(f"ok  {what} ({time.monotonic() - started:.0f} s)", flush=True)


def command(*words):
    """Runs aline-tf; returns what it printed."""
    started = time.monotonic()
    result = subprocess.run(["aline-tf", *words], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"aline-tf {' '.join(words)}: exit {result.returncode}\n{result.stderr}")
    say(f"aline-tf {' '.join(words)}", started)
    return result.stdout


def blocks(language, page):
    """The blocks of code of a page."""
    text = (INPUTS / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(page, less):
    """Runs the commands of a page in order; `less` has what makes the long ones short."""
    for line in "".join(blocks("console", page)).splitlines():
        name, *words = shlex.split(line)
        if name == "aline-tf":
            command(*words, *less.get(words[0], ()))


def check(true, what):
    if not true:
        sys.exit(f"NOT as it should be: {what}")


def presets():
    import numpy as np

    import aline_tf

    started = time.monotonic()
    check("site-packages" in aline_tf.__file__, f"imported from {aline_tf.__file__}")
    check((Path(aline_tf.__file__).parent / "py.typed").is_file(), "py.typed is in the wheel")
    table = aline_tf.presets()
    check(len(table) == 7, f"seven presets, {len(table)} found")
    for name in table["name"]:
        model = aline_tf.ALINE.from_preset(name)
        check(all(np.isfinite(weight.numpy()).all() for weight in model.weights), name)
    say("every preset by its name", started)
    return list(table["name"])


def serve():
    import numpy as np

    from aline_tf.serving import Client

    for what in ("exports the model once", "finds it in the cache"):
        started = time.monotonic()
        with subprocess.Popen(
            ["aline-tf", "serve", "--models", "psychometric", "--port", "0", "--quiet"],
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            try:
                lines = []
                for line in server.stdout:
                    lines.append(line)
                    if line.startswith(SERVING):
                        break
                check(lines and lines[-1].startswith(SERVING), f"serves; printed {lines}")
                with Client(lines[-1].split()[-1], "psychometric", timeout=60) as client:
                    pool = np.linspace(-5, 5, 50, dtype=np.float32)[None, :, None]
                    index = client.propose({"candidate_design": pool})["index"]
                check(0 <= int(index[0]) < 50, f"proposes {index}")
            finally:
                server.terminate()
                rest, _ = server.communicate(timeout=60)
        check(server.returncode == 0, f"stops cleanly; exit {server.returncode}, printed {rest}")
        say(f"aline-tf serve {what}", started)


if __name__ == "__main__":
    names = presets()
    started = time.monotonic()
    exec(compile("".join(blocks("python", "quickstart.md")), "quickstart.md", "exec"), {})
    say("the quickstart, as its page has it", started)
    commands("quickstart.md", {})
    check(Path("report/report.html").is_file(), "a report of somebody simulated")
    listed = command("models")
    check(all(name in listed for name in names), "aline-tf models lists every preset")
    health, diary = INPUTS / "export.zip", INPUTS / "diary.csv"
    command(
        "migraine", "forecast", "--apple-health", str(health), "--diary", str(diary), "--out", "out"
    )
    check(Path("out/report.html").stat().st_size > 10_000, "a report")
    table = command("eval", "psychometric", "--policy", "learned", "random", "--runs", "4")
    check("rmse" in table and "learned" in table, "a table")
    serve()
    started = time.monotonic()
    exec(compile("".join(blocks("python", "serve.md")), "serve.md", "exec"), {})
    say("a server in a thread, as its page has it", started)
    Path("own_task.py").write_text(blocks("python", "own_task.md")[0])
    less = {"train": ("--warmup-steps", "2", "--joint-steps", "0"), "eval": ("--runs", "2")}
    commands("own_task.md", less)
    check(
        Path("build/served/elimination/1/saved_model.pb").is_file(), "a task of one's own, to serve"
    )
