"""What the site takes from elsewhere: tutorials, model cards, the reference, messages, formulas.

None of it is copied by hand: tutorials are the notebooks with the outputs that are kept of them;
cards are those beside the exports, with the figures of the presets' metadata before them; the
reference lists what each room exports; messages are read from the source; formulas become MathML,
which browsers draw without a script.
"""

import ast
import json
import re
from html import unescape
from pathlib import Path

import messages
from latex2mathml.converter import convert
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "aline_tf"
#: Rooms of the reference, in the order in which a user meets them.
ROOMS = (
    "acquisition",
    "models",
    "tasks",
    "training",
    "evaluation",
    "plots",
    "experiments",
    "serving",
    "units",
    "information",
    "gateway",
)


def on_config(config):
    """Adds the pages that are made of something else to the navigation."""
    presets = sorted(path.name for path in (PACKAGE / "presets").iterdir() if path.is_dir())
    pages = {"models/": [f"models/{name}.md" for name in presets]}
    pages["tutorials/"] = [f"tutorials/{path.stem}.md" for path in notebooks()]
    pages["messages/"] = "messages.md"
    pages["reference/"] = ["reference/aline_tf.md", *(f"reference/{room}.md" for room in ROOMS)]
    for entry in config.nav:
        for title, place in entry.items() if isinstance(entry, dict) else ():
            if isinstance(place, str) and place in pages:
                entry[title] = pages[place]
    return config


def on_files(files, config):
    """Adds the generated pages."""
    texts = {f"models/{path.name}.md": card(path) for path in (PACKAGE / "presets").iterdir()}
    texts |= {f"tutorials/{path.stem}.md": tutorial(path) for path in notebooks()}
    texts["messages.md"] = messages.page()
    texts["reference/aline_tf.md"] = reference("aline_tf", top_exports())
    for room in ROOMS:
        texts[f"reference/{room}.md"] = reference(f"aline_tf.{room}", room_exports(room))
    for place, text in texts.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_content(html, page, config, files):
    """Formulas as MathML."""

    def mathml(match):
        display = match["open"] == "["
        return convert(unescape(match["tex"]), display="block" if display else "inline")

    pattern = (
        r'<(?P<tag>span|div) class="arithmatex">\\(?P<open>[(\[])(?P<tex>.*?)\\[)\]]</(?P=tag)>'
    )
    return re.sub(pattern, mathml, html, flags=re.DOTALL)


def notebooks():
    """Those of which outputs are kept."""
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def tutorial(path):
    """A notebook as Markdown: its text, its code, and what that printed and drew."""
    parts = []
    for cell in json.loads(path.read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "application/vnd.jupyter.widget-view+json" in data:
                parts.append("*In JupyterLab there is a panel to click here.*")
            elif "image/png" in data:
                image = "".join(data["image/png"]).replace("\n", "")
                parts.append(f'<img alt="figure" src="data:image/png;base64,{image}">')
            elif "text/html" in data:
                parts.append("<div>" + "".join(data["text/html"]) + "</div>")
            else:
                text = "".join(output.get("text", data.get("text/plain", ""))).rstrip()
                parts.append(f"```text\n{text}\n```")
    return "\n\n".join(parts)


def card(preset):
    """The model card of a preset's export, after what the preset says of itself."""
    metadata = json.loads((preset / "metadata.json").read_text())
    lines = [f"- weights: {metadata['parameters']:,}"] if "parameters" in metadata else []
    for name in ("measured", "machine", "tensorflow", "keras"):
        if metadata.get(name):
            lines.append(f"- {name}: {metadata[name]}")
    text = (ROOT / "savedmodels" / preset.name / "1" / "MODEL_CARD.md").read_text()
    title, _, rest = text.partition("\n")
    # What lies beside the card is in the repository, not on the site.
    rest = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", rest)
    return "\n".join([title, "", "The preset says of itself:", "", *lines, "", rest])


def reference(name, places):
    """A page with every public name of a room, from where it is defined."""
    return "\n".join([f"# {name}", "", *(f"::: {place}\n" for place in places)])


def room_exports(room):
    """Dotted places of what a room exports by `lazy_exports`."""
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lazy_exports":
            exports = ast.literal_eval(node.args[1])
    # A module that is exported as a whole stands under its own name.
    return [
        f"aline_tf.{room}.{module}" + ("" if module.rpartition(".")[2] == name else f".{name}")
        for name, module in exports.items()
    ]


def top_exports():
    """Dotted places of what the package itself exports."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "_EXPORTS":
            exports = ast.literal_eval(node.value)
    return [f"{module}.{name}" for name, module in exports.items()]
