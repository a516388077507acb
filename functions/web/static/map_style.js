// The style of the map: land, boundaries, names and reports from our tiles, above a base map where one is configured.
import { language } from "./core.js";
import { pmTiles } from "./map_library.js";

const dark = () => window.matchMedia("(prefers-color-scheme: dark)").matches;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const statuses = ["pending", "verified", "in_progress", "fixed", "duplicate", "rejected"];

/** The address of the tiles with these filters: {status, issue_type}, lists of values with commas. */
export function tiles(filters = {}) {
  const query = new URLSearchParams();
  for (const name of ["status", "issue_type"]) if (filters[name]) query.set(name, filters[name]);
  const text = query.toString();
  return [location.origin + "/api/v1/public/tiles/{z}/{x}/{y}.mvt" + (text ? "?" + text : "")];
}

/**
 * Returns the style. base is {url} of a MapLibre style or of a PMTiles archive, or null. It rejects when the base map cannot be
 * loaded; the map is then made without it.
 */
export async function mapStyle(library, { base, filters, reports }) {
  const below = base ? await baseStyle(library, base) : { sources: {}, layers: [] };
  const font = (below.layers.find((l) => l.layout && Array.isArray(l.layout["text-font"]) && typeof l.layout["text-font"][0] === "string") || { layout: { "text-font": ["sans-serif"] } }).layout["text-font"];
  const named = below.layers.some((l) => l.type === "symbol");
  return {
    ...below, version: 8,
    sources: { ...below.sources, ours: { type: "vector", tiles: tiles(filters), maxzoom: 16 }, points: { type: "geojson", data: collection([]) }, area: { type: "geojson", data: collection([]) } },
    layers: [...(base ? below.layers : ground()), ...borders(), ...area(), ...(named ? [] : names(font)), ...(reports ? reportLayers(font) : []), ...pointLayers("points", "picked", {})],
  };
}

const ground = () => [
  { id: "ground", type: "background", paint: { "background-color": dark() ? "#141d24" : "#e4eaee" } },
  { id: "land", type: "fill", source: "ours", "source-layer": "boundaries", filter: ["==", ["get", "level"], "municipality"], paint: { "fill-color": dark() ? "#25313b" : "#f8f6ef" } },
];

const borders = () => [{ id: "borders", type: "line", source: "ours", "source-layer": "boundaries",
  paint: { "line-color": dark() ? "#5f717d" : "#8d9ba4", "line-width": ["match", ["get", "level"], "municipality", 1.4, "district", 0.9, 0.5] } }];

const area = () => [
  { id: "area", type: "fill", source: "area", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour("main"), "fill-opacity": 0.15 } },
  { id: "area-line", type: "line", source: "area", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": colour("main"), "line-width": 2.5 } },
  { id: "area-points", type: "circle", source: "area", filter: ["==", ["geometry-type"], "Point"],
    paint: { "circle-radius": ["case", ["boolean", ["get", "chosen"], false], 10, 7], "circle-color": colour("paper"), "circle-stroke-color": colour("main"), "circle-stroke-width": 3 } },
];

// Names are drawn with fonts of the device: no font file is loaded.
const names = (font) => [{ id: "names", type: "symbol", source: "ours", "source-layer": "names",
  layout: { "text-field": ["coalesce", ["get", "name_" + language], ["get", "name"]], "text-font": font, "text-padding": 3, "text-max-width": 8,
    "text-size": ["match", ["get", "level"], "municipality", 14, "district", 13, "suco", 12, 11.5], "symbol-sort-key": ["get", "rank"] },
  paint: { "text-color": dark() ? "#d3dde4" : "#33424e", "text-halo-color": dark() ? "#141d24" : "#fff", "text-halo-width": 1.6 } }];

const reportLayers = (font) => [
  { id: "clusters", type: "circle", source: "ours", "source-layer": "reports", filter: ["has", "point_count"],
    paint: { "circle-color": dark() ? "#e8eef2" : "#2f3d49", "circle-opacity": 0.9, "circle-stroke-color": dark() ? "#10181f" : "#fff", "circle-stroke-width": 2,
      "circle-radius": ["interpolate", ["linear"], ["log10", ["get", "point_count"]], 0, 12, 2, 17, 5, 28] } },
  { id: "counts", type: "symbol", source: "ours", "source-layer": "reports", filter: ["has", "point_count"],
    layout: { "text-allow-overlap": true, "text-ignore-placement": true, "text-size": 13, "text-font": font, "text-field": ["case", [">=", ["get", "point_count"], 1000],
      ["concat", ["to-string", ["floor", ["/", ["get", "point_count"], 1000]]], "k"], ["to-string", ["get", "point_count"]]] },
    paint: { "text-color": dark() ? "#10181f" : "#fff" } },
  ...pointLayers("ours", "reports", { "source-layer": "reports", filter: ["!", ["has", "point_count"]] }),
];

const pointLayers = (source, id, more) => [{ id, type: "circle", source, ...more,
  paint: { "circle-radius": 9, "circle-stroke-color": dark() ? "#10181f" : "#fff", "circle-stroke-width": 2.5,
    "circle-color": ["match", ["get", "status"], ...statuses.map((s) => [s, colour(s)]).flat(), colour("main")] } }];

export const collection = (features) => ({ type: "FeatureCollection", features });

// The base map: a style as it is, or a style of ours for the tiles in a PMTiles archive.
async function baseStyle(library, { url }) {
  if (!url.split("?")[0].endsWith(".pmtiles")) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error("base map: " + answer.status);
    const style = await answer.json();
    return { ...style, terrain: undefined, sky: undefined, projection: undefined };
  }
  const pmtiles = await pmTiles();
  library.addProtocol("pmtiles", new pmtiles.Protocol().tile);
  const archive = new pmtiles.PMTiles(url), header = await archive.getHeader();
  const source = { url: "pmtiles://" + url };
  if (header.tileType !== 1) return { sources: { base: { ...source, type: "raster", tileSize: 256 } }, layers: [{ id: "base", type: "raster", source: "base" }] };
  const { vector_layers: layers = [] } = await archive.getMetadata();
  return { sources: { base: { ...source, type: "vector" } }, layers: [...ground(), ...streets(layers.map((l) => l.id))] };
}

// Layers for water, roads and buildings, by the names that Protomaps, OpenMapTiles and Shortbread give them.
function streets(ids) {
  const of = (...candidates) => ids.filter((id) => candidates.includes(id));
  const water = dark() ? "#1c3a52" : "#bcd9ea", road = dark() ? "#51626e" : "#fff", edge = dark() ? "#10181f" : "#c3bfb3";
  const fill = (id, color, extra = {}) => ({ id: "base-" + id, type: "fill", source: "base", "source-layer": id, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": color }, ...extra });
  const line = (id, name, color, width) => ({ id: "base-" + id + name, type: "line", source: "base", "source-layer": id, filter: ["==", ["geometry-type"], "LineString"],
    layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": color, "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 7, width / 8, 12, width / 3, 16, width] } });
  return [
    ...of("earth", "land").map((id) => fill(id, dark() ? "#25313b" : "#f8f6ef")),
    ...of("water", "ocean", "water_polygons").map((id) => fill(id, water)),
    ...of("waterway", "water_lines", "water").map((id) => line(id, "-line", water, 3)),
    ...of("buildings", "building").map((id) => fill(id, dark() ? "#33424e" : "#e6e0d2", { minzoom: 14 })),
    ...of("roads", "transportation", "streets").flatMap((id) => [line(id, "-edge", edge, 9), line(id, "", road, 7)]),
  ];
}
