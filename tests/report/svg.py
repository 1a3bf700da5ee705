"""Reading pictures: where the markers of rows stand."""

import re
from xml.etree.ElementTree import Element

SVG = "{http://www.w3.org/2000/svg}"


def markers(root: Element) -> list[Element]:
    """All markers below an element, whatever their shape."""
    return [one for one in root.iter() if one.get("class") == "marker"]


def centre(marker: Element) -> tuple[float, float]:
    """Where a marker stands."""
    if marker.tag.endswith("circle"):
        return float(marker.get("cx", "nan")), float(marker.get("cy", "nan"))
    x, y = re.findall(r"[-\d.]+", marker.get("transform", ""))
    return float(x), float(y)
