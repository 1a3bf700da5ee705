"""Pages in a real browser: what a script measures of a page that is shown in a window of a given width."""

import html
import json
import shutil
import subprocess
from pathlib import Path

import pytest

needs_chromium = pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")

# A frame, because a headless window is never narrower than about 500 pixels. The page itself allows no script, so the
# script is its frame's neighbour.
HELPER = """<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<iframe style="border: 0; width: {width}px; height: 900px" srcdoc="{page}"></iframe><pre></pre>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument, look = node => frame.contentWindow.getComputedStyle(node);
  const all = (selector, inside = page) => [...inside.querySelectorAll(selector)];
  page.querySelectorAll("details").forEach(one => one.open = true);
  document.querySelector("pre").textContent = JSON.stringify((() => {{ {script} }})());
}};
</script>"""


def measure(page: str, folder: Path, width: int, script: str, *, dark: bool = False) -> object:
    """What a script returns about a page, all of which is unfolded. It may use `page`, `look` and `all`."""
    helper = folder / "helper.html"
    helper.write_text(HELPER.format(width=width, page=html.escape(page), script=script), encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
    command += ["--disable-background-networking", "--hide-scrollbars", "--virtual-time-budget=2000"]
    command += [f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--user-data-dir={folder / 'profile'}"]
    command += [f"--window-size={max(width, 500)},900", f"file://{helper}"]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(html.unescape(seen.rpartition("<pre>")[2].partition("</pre>")[0]))
