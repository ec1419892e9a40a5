/** The map's style as a function of what is to be shown. Pure: the same in, the same out. */
import { colorExpression, heatLayers } from "./colors.mjs";
import { filterExpression, leavesAny } from "./state.mjs";
import { isReadAtOnce } from "./tiles.mjs";

/** Below this zoom starts are drawn, from it on lines. */
export const LINE_ZOOM = 7;

const PAPER = {
  light: {
    water: "#dfe8ee", land: "#fbfaf7", border: "#b9b4c4", name: "#4a4f5c", halo: "#ffffff",
    casing: "#ffffff", green: "#eaf0e2", road: "#e2dfd8", strong: "#111827", plain: "#f6f5f2", faint: "#8b93a1",
  },
  dark: {
    water: "#0a0f16", land: "#171d27", border: "#414b5c", name: "#a9b4c4", halo: "#10151d",
    casing: "#0b0f15", green: "#1a2420", road: "#2b3442", strong: "#ffffff", plain: "#12171f", faint: "#66738a",
  },
};

/**
 * @param {object} view
 * @param {import("./state.mjs").State} view.state
 * @param {"light" | "dark"} view.theme
 * @param {object[]} view.tracks the manifest's entries of tiles
 * @param {number} view.most requests that lines may take; see visibleFiles
 * @param {{span: [number, number], newest: number}} view.facts
 * @param {number} view.shown activities that the filter leaves
 * @param {null | {maxZoom: number, minZoom: number, layers: string[]}} view.own the user's basemap
 * @param {null | {data: object, gradient: any[]}} view.opened the opened activity's line
 * @returns {object} a style; sources of files of which the filter leaves nothing are not in it
 */
export function buildStyle(view) {
  const paper = PAPER[view.theme];
  const sources = {};
  const base = baseLayers(view, paper, sources);
  const activities = activityLayers(view, paper, sources);
  const opened = openedLayers(view, paper, sources);
  const background = { id: "background", type: "background", paint: {
    "background-color": view.state.base === "none" ? paper.plain : paper.water } };
  return {
    version: 8,
    transition: { duration: 0, delay: 0 },
    sources,
    layers: [background, ...base.below, ...activities, ...opened, ...base.above],
  };
}

/**
 * The files that a filter leaves something of, newest first, each with the name of its source.
 * late: files of lines beyond what `most` requests can read; they are not loaded, their starts stand
 * for them.
 */
export function visibleFiles(tracks, filter, most = Infinity) {
  let requests = 0;
  return tracks
    .filter((entry) => entry.kind !== "single" && entry.count > 0 && leavesAny(entry, filter))
    .sort((a, b) => (b.days[1] ?? 0) - (a.days[1] ?? 0))
    .map((entry) => {
      if (entry.layers.includes("tracks")) requests += isReadAtOnce(entry.bytes) ? 1 : 2;
      const late = requests > most && entry.layers.includes("tracks") && !entry.layers.includes("starts");
      return { entry, source: `file:${entry.file}`, late };
    });
}

function activityLayers({ state, theme, tracks, most, facts, shown, opened }, paper, sources) {
  const filter = filterExpression(state);
  const files = visibleFiles(tracks, state, most);
  const late = Math.max(...files.filter((file) => file.late).map(({ entry }) => entry.days[1]));
  const look = {
    paper, theme, shown, heat: state.color === "heat", dimmed: Boolean(opened),
    color: opened ? paper.faint : colorExpression(state.color, theme, facts),
    filter: filter ? { filter } : {},
  };
  const casings = [], bodies = [], dots = [], olderDots = [], marks = [];
  for (const { entry, source } of files.filter((file) => !file.late).reverse()) {
    sources[source] = {
      type: "vector", tiles: [`tracklake://${entry.file}/{z}/{x}/{y}`],
      bounds: padded(entry.bounds), minzoom: entry.min_zoom, maxzoom: entry.max_zoom,
    };
    if (entry.layers.includes("tracks")) {
      const line = { type: "line", source, "source-layer": "tracks", minzoom: LINE_ZOOM,
        layout: { "line-cap": "round", "line-join": "round" }, ...look.filter };
      casings.push(...casing(line, source, look));
      bodies.push(...body(line, source, look));
      marks.push(mark(line, source, paper));
    }
    if (entry.layers.includes("starts")) {
      const dot = { source, "source-layer": "starts" };
      dots.push(start({ ...dot, maxzoom: LINE_ZOOM, ...look.filter }, source, look));
      if (entry.days[0] <= late) {
        const older = ["all", ...(filter ? [filter] : []), ["<=", ["get", "day"], late]];
        olderDots.push(speck({ ...dot, minzoom: LINE_ZOOM, filter: older }, source, look));
      }
    }
  }
  if (look.heat) bodies.sort((a, b) => a.metadata.order - b.metadata.order);
  return [...olderDots, ...casings, ...bodies, ...dots, ...marks];
}

function casing(line, source, { heat, dimmed, paper }) {
  if (heat || dimmed) return [];
  return [{ ...line, id: `casing:${source}`, paint: {
    "line-color": paper.casing,
    "line-width": ["interpolate", ["linear"], ["zoom"], 7, 2.2, 11, 3, 15, 5.5],
    "line-opacity": ["interpolate", ["linear"], ["zoom"], 7, 0.25, 12, 0.6],
  } }];
}

function body(line, source, { heat, dimmed, color, theme, shown }) {
  if (!heat || dimmed) {
    return [{ ...line, id: `line:${source}`, metadata: { order: 0 }, paint: {
      "line-color": color,
      "line-width": ["interpolate", ["linear"], ["zoom"], 7, 1.2, 11, 1.7, 15, 3.2],
      "line-opacity": dimmed ? 0.3 : 0.85,
    } }];
  }
  return heatLayers(theme, shown).map(([hue, width, opacity], order) => ({
    ...line, id: `heat${order}:${source}`, metadata: { order }, paint: {
      "line-color": hue,
      "line-width": ["interpolate", ["linear"], ["zoom"], 7, width * 0.7, 12, width, 16, width * 2],
      "line-blur": order === 0 ? 1.5 : 0.5,
      "line-opacity": opacity,
    },
  }));
}

/** What is pointed at, above all others: seen only where the feature's state says so. */
function mark(line, source, paper) {
  return { ...line, id: `mark:${source}`, paint: {
    "line-color": paper.strong,
    "line-width": ["interpolate", ["linear"], ["zoom"], 7, 2.5, 15, 5],
    "line-opacity": ["case", marked(), 1, 0],
  } };
}

function marked() {
  return ["any", ["boolean", ["feature-state", "hover"], false],
    ["boolean", ["feature-state", "open"], false]];
}

function start(layer, source, { heat, color, theme, paper, shown, dimmed }) {
  if (heat) {
    const [low, middle, high] = heatLayers(theme, 1).map(([hue]) => hue);
    return { ...layer, id: `warmth:${source}`, type: "heatmap", paint: {
      "heatmap-radius": ["interpolate", ["linear"], ["zoom"], 0, 8, 7, 18],
      "heatmap-intensity": Math.min(1, Math.max(0.05, 60 / Math.max(shown, 1))),
      "heatmap-color": ["interpolate", ["linear"], ["heatmap-density"],
        0, "rgba(0,0,0,0)", 0.02, low, 0.35, middle, 1, high],
      "heatmap-opacity": dimmed ? 0.4 : 0.9,
    } };
  }
  const layout = { "circle-sort-key": ["get", "day"] };
  return { ...layer, id: `start:${source}`, type: "circle", layout, paint: {
    "circle-color": ["case", marked(), paper.strong, color],
    "circle-radius": ["interpolate", ["linear"], ["zoom"],
      0, ["case", marked(), 6, 3], 7, ["case", marked(), 8, 5]],
    "circle-opacity": dimmed ? 0.3 : 0.85,
  } };
}

/** A start that stands for a line that is not loaded yet. */
function speck(layer, source, { color, dimmed, theme, heat }) {
  return { ...layer, id: `late:${source}`, type: "circle", paint: {
    "circle-color": heat ? heatLayers(theme, 1)[0][0] : color,
    "circle-radius": ["interpolate", ["linear"], ["zoom"], 7, 1, 11, 1.6, 15, 3],
    "circle-opacity": dimmed ? 0.15 : 0.4,
  } };
}

function openedLayers({ opened }, paper, sources) {
  if (!opened) return [];
  sources.opened = { type: "geojson", lineMetrics: true, data: opened.data, tolerance: 0.1 };
  const layout = { "line-cap": "round", "line-join": "round" };
  return [
    { id: "opened-casing", type: "line", source: "opened", layout, paint: {
      "line-color": paper.strong, "line-opacity": 0.9,
      "line-width": ["interpolate", ["linear"], ["zoom"], 7, 5, 15, 9] } },
    { id: "opened-line", type: "line", source: "opened", layout, paint: {
      "line-gradient": opened.gradient,
      "line-width": ["interpolate", ["linear"], ["zoom"], 7, 3, 15, 6] } },
  ];
}

function baseLayers({ state, own }, paper, sources) {
  if (state.base === "bundled") {
    sources.base = { type: "vector", tiles: ["tracklake://bundled/{z}/{x}/{y}"],
      minzoom: 0, maxzoom: 6 };
    return bundledLayers(paper);
  }
  if (state.base === "own" && own) return ownLayers(own, paper, sources);
  return { below: [], above: [] };
}

function bundledLayers(paper) {
  const layer = (name) => ({ source: "base", "source-layer": name });
  return {
    below: [
      { id: "land", type: "fill", ...layer("land"),
        paint: { "fill-color": paper.land, "fill-antialias": false } },
      { id: "borders", type: "line", ...layer("borders"), paint: {
        "line-color": paper.border, "line-width": ["interpolate", ["linear"], ["zoom"], 0, 0.4, 8, 1.4] } },
    ],
    above: [
      names("places", layer("names"), ["==", ["get", "kind"], "place"], paper,
        { size: ["interpolate", ["linear"], ["zoom"], 3, 10, 12, 14], order: ["get", "rank"],
          below: true }),
      { ...names("countries", layer("names"), ["==", ["get", "kind"], "country"], paper,
        { size: ["interpolate", ["linear"], ["zoom"], 1, 10, 6, 15], order: ["get", "rank"] }),
      maxzoom: 7 },
    ],
  };
}

function names(id, from, filter, paper, { size, order, below, field = ["get", "name"] }) {
  return { id, type: "symbol", ...from, ...(filter ? { filter } : {}),
    layout: { "text-field": field, "text-size": size, "text-max-width": 8, "text-padding": 6,
      // Below its place, so that it does not lie on what is drawn there.
      ...(below ? { "text-anchor": "top", "text-offset": [0, 0.5] } : {}),
      ...(order ? { "symbol-sort-key": order } : {}) },
    paint: { "text-color": paper.name, "text-halo-color": paper.halo, "text-halo-width": 1.4 } };
}

/** Layers of a basemap of the user's own: by the layer names of Protomaps, or of OpenMapTiles. */
function ownLayers(own, paper, sources) {
  sources.base = { type: "vector", tiles: ["tracklake://own/{z}/{x}/{y}"],
    minzoom: own.minZoom, maxzoom: own.maxZoom };
  const is = (type) => ["==", ["geometry-type"], type];
  const fill = (name, color) => ({ id: name, type: "fill", source: "base", "source-layer": name,
    filter: is("Polygon"), paint: { "fill-color": color } });
  const line = (name, color, width) => ({ id: `${name}-lines`, type: "line", source: "base",
    "source-layer": name, filter: is("LineString"), paint: { "line-color": color,
      "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 6, width * 0.3, 16, width * 4] } });
  const has = (layer) => !own.layers.length || own.layers.includes(layer["source-layer"]);
  const label = (name) => ({ ...names(`${name}-names`, { source: "base", "source-layer": name },
    is("Point"), paper, { size: 12, field: ["coalesce", ["get", "name"], ["get", "name:latin"], ""] }) });
  return {
    below: [
      fill("earth", paper.land), fill("land", paper.land), fill("landcover", paper.green),
      fill("landuse", paper.green), fill("park", paper.green), fill("water", paper.water),
      line("water", paper.water, 1), line("waterway", paper.water, 1),
      fill("buildings", paper.road), fill("building", paper.road),
      line("roads", paper.road, 2), line("transportation", paper.road, 2),
      line("boundaries", paper.border, 1), line("boundary", paper.border, 1),
    ].filter(has),
    above: [label("places"), label("place")].filter(has),
  };
}

/** Bounds with a little room: a line on the edge of its own box is still within it. */
function padded([west, south, east, north]) {
  return [Math.max(-180, west - 0.001), Math.max(-85.0511, south - 0.001),
    Math.min(180, east + 0.001), Math.min(85.0511, north + 0.001)];
}
