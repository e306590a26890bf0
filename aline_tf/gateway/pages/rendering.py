"""Templates to pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from aline_tf.migraine.forecast import wording
from aline_tf.migraine.report.style_sheet import STYLE

_FORMS = """
:root { color-scheme: light dark; accent-color: var(--blue); }
legend::first-letter, label.field::first-letter { text-transform: uppercase; }
.card h2 { margin-top: 0; }
form { margin: .75rem 0 0; }
fieldset { border: 0; margin: 0; padding: 0; }
legend, label.field { font-weight: 600; padding: 0; display: block; margin-bottom: .35rem; }
.choices { display: flex; flex-wrap: wrap; gap: .5rem; }
.choices label { display: flex; align-items: center; gap: .5rem; min-height: 2.75rem;
  padding: 0 1rem 0 .75rem; border: 1px solid var(--soft); border-radius: .5rem; }
input[type=text], input[type=password] { width: 100%; min-height: 2.75rem; padding: 0 .75rem;
  font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft);
  border-radius: .5rem; }
button { min-height: 2.75rem; padding: 0 1.25rem; margin: .75rem .5rem 0 0; font: inherit;
  font-weight: 600; border-radius: .5rem; border: 1px solid var(--blue); background: var(--blue);
  color: var(--paper); cursor: pointer; }
button.second { background: transparent; color: var(--ink); border-color: var(--soft); }
:focus-visible { outline: 3px solid var(--orange); outline-offset: 2px; }
.error { border-color: var(--orange); }
.moved { font-size: 1.15rem; }
"""

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals |= {
    "style": STYLE + _FORMS,
    "not_a_device": wording.NOT_A_DEVICE,
    "red_flags": wording.RED_FLAGS,
}
_ENVIRONMENT.filters |= {"percent": wording.percent, "points": wording.points}
_ENVIRONMENT.globals["percent_range"] = wording.percent_range


def page(name: str, **values: Any) -> str:
    """A page as HTML.

    Args:
        name: of the template, without its ending.
        **values: what it shows; text in it is escaped.
    """
    return _ENVIRONMENT.get_template(f"{name}.html").render(values)
