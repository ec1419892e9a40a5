/** The map page: loads what it shows, keeps the URL, the map and the panel in step. */
import * as maplibregl from "./vendor/maplibre-gl-6.17.0/maplibre-gl.mjs";
import { interaction, toolbar } from "./controls.mjs";
import { byId, filterPanel } from "./panel.mjs";
import { counts, format, homeBox, parse, yearOf } from "./state.mjs";
import { LINE_ZOOM, buildStyle, visibleFiles } from "./style.mjs";
import { findHome, tileReader } from "./tiles.mjs";

const TILES = "../tiles/";
const NOTHING = { sports: [], days: [] };
// A file of lines takes two requests, a small one one. Until a person does anything on the page, only
// the newest files are loaded, for so many requests; starts stand for what is older.
const FIRST_REQUESTS = 8;
const FIRST_DOINGS = ["pointerup", "wheel", "keydown", "touchend"];

const dark = window.matchMedia("(prefers-color-scheme: dark)");

const page = {
  map: null, state: null, config: { public: true, basemap: null }, manifest: null,
  calendar: NOTHING, tracks: [], facts: { span: [1970, 1970], newest: 0 }, own: null, opened: null,
  most: FIRST_REQUESTS, change, render, message, index, goHome, loadAll,
  visibleFiles: () => visibleFiles(page.tracks, page.state, page.most),
  get theme() {
    const { theme } = page.state;
    return theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  },
  get usualBase() {
    return page.config.basemap ? "own" : "bundled";
  },
};
window.tracklake = page;

async function json(url, options) {
  const answer = await fetch(url, options);
  if (!answer.ok) throw Object.assign(new Error(`${url}: ${answer.status}`), { status: answer.status });
  return answer.json();
}

/** Say something that a person should know; nothing: take it away. */
function message(text) {
  byId("message").textContent = text ?? "";
  byId("message").hidden = !text;
}

/** Load the manifest and the calendar. @returns {Promise<boolean>} whether anything is new */
async function loadManifest() {
  const manifest = await json(`${TILES}manifest.json`, { cache: "no-cache" });
  if (page.manifest?.generated_at === manifest.generated_at) return false;
  const calendar = manifest.calendar ? await json(TILES + manifest.calendar.file) : NOTHING;
  page.manifest = manifest;
  page.calendar = calendar;
  page.tracks = manifest.tracks;
  page.loadedIndex = null;
  const years = calendar.days.map(([day]) => yearOf(day));
  if (years.length) page.facts = { span: [years[0], years.at(-1)], newest: calendar.days.at(-1)[0] };
  for (const entry of page.tracks) page.reader.add(entry.file, TILES + entry.file, entry.bytes);
  return true;
}

/** The index: loaded by the first who asks. */
async function index() {
  page.loadedIndex ??= Promise.all([import("./list.mjs"), json(TILES + page.manifest.index.file)])
    .then(([{ readIndex }, data]) => readIndex(data));
  try {
    return await page.loadedIndex;
  } catch (error) {
    page.loadedIndex = null;
    if (error.status === 404 && (await loadManifest())) {
      render();
      return index();
    }
    throw error;
  }
}

/** The words of a text that may hold HTML: without its tags, with its entities read. */
function plainText(html) {
  const words = String(html).replace(/<[^>]*>?/g, "");
  return new DOMParser().parseFromString(words, "text/html").body.textContent.trim();
}

/** The user's own basemap, as the style needs it; where it cannot be read, ours. */
async function loadOwn() {
  if (!page.config.basemap) return;
  try {
    const file = page.reader.add("own", page.config.basemap);
    const [header, metadata] = [await file.getHeader(), await file.getMetadata()];
    if (header.tileType !== window.pmtiles.TileType.Mvt) throw new Error("not of vector tiles");
    page.own = {
      minZoom: header.minZoom, maxZoom: header.maxZoom,
      layers: (metadata?.vector_layers ?? []).map(({ id }) => id),
      attribution: plainText(metadata?.attribution ?? ""),
    };
  } catch {
    message("The basemap of your own cannot be read; the one that comes along is shown.");
    page.state.base = "bundled";
  }
}

function view() {
  const { shown } = counts(page.calendar, page.state);
  const zoom = page.map?.getZoom() ?? page.state.at?.zoom ?? LINE_ZOOM;
  const late = zoom >= LINE_ZOOM && page.visibleFiles().find((file) => file.late)?.entry.year;
  return { ...page, theme: page.theme, shown, late };
}

/** Bring the map and the panel in step with the state. */
function render() {
  const now = view();
  document.documentElement.dataset.theme = now.theme;
  page.panel.update(now);
  page.tools?.update();
  if (page.styled) page.map.setStyle(buildStyle(now), { diff: true });
  page.pointing?.restore();
}

/** Take over what a person changed; each change is a step of the browser's history. */
function change(patch, { push = true } = {}) {
  Object.assign(page.state, patch);
  keepUrl(push);
  render();
  page.pointing?.follow();
}

function keepUrl(push) {
  const hash = format(page.state, page.usualBase);
  if (hash !== location.hash) history[push ? "pushState" : "replaceState"](null, "", hash);
}

function readUrl() {
  page.state = parse(location.hash, page.usualBase);
  if (page.state.base === "own" && !page.own) page.state.base = "bundled";
  if (page.state.at) {
    page.map.jumpTo({ center: [page.state.at.lng, page.state.at.lat], zoom: page.state.at.zoom });
  }
  render();
  page.pointing.follow();
}

/** The box of the place where most of the newest activities are; null if there are none. */
async function home() {
  const newest = visibleFiles(page.tracks, page.state, FIRST_REQUESTS)
    .filter(({ entry, late }) => !late && entry.layers.includes("tracks"));
  try {
    const box = await findHome(newest.map(({ entry }) => page.reader.get(entry.file)));
    return box ?? homeBox(page.tracks);
  } catch {
    return homeBox(page.tracks);
  }
}

async function goHome() {
  const box = await home();
  if (box) page.map.fitBounds(box, fitting());
}

/** Where the map starts. @returns {Promise<object>} options of the map */
async function firstView() {
  const { at } = page.state;
  if (at) return { center: [at.lng, at.lat], zoom: at.zoom };
  const bounds = await home();
  if (!bounds) return { center: [10, 30], zoom: 1.2 };
  return { bounds, fitBoundsOptions: fitting() };
}

/** How a box is fitted: on a phone, the folded panel lies over the map's lower edge. */
function fitting() {
  const header = byId("panel").querySelector("header").offsetHeight;
  const bottom = byId("panel").clientWidth >= innerWidth ? header + 20 : 30;
  return { padding: { top: 30, left: 30, right: 30, bottom }, maxZoom: 14 };
}

/** Load the lines of all years; see FIRST_REQUESTS. */
function loadAll() {
  if (page.most === Infinity) return;
  const late = page.visibleFiles().some((file) => file.late);
  page.most = Infinity;
  if (late) render();
}

/** From the first thing that a person does, everything is loaded; what they did comes first. */
function loadAllOnUse() {
  const soon = () => {
    for (const name of FIRST_DOINGS) removeEventListener(name, soon, true);
    setTimeout(loadAll);
  };
  for (const name of FIRST_DOINGS) addEventListener(name, soon, { capture: true, passive: true });
}

let renewing = null;

/** A tile could not be read: its file may have been replaced by a flow meanwhile. */
function onTileFailure(error, key) {
  if (key === "own" || key === "bundled") {
    message("The basemap cannot be read.");
    return;
  }
  if (error.name !== "Gone") {
    message("The map's server does not answer. Is `tracklake map` still running?");
    return;
  }
  renewing ??= loadManifest().then((renewed) => {
    if (renewed) render();
    else failed(`A tile file is missing: ${key}. Run \`tracklake tiles --rebuild\`.`);
  }).catch(() => failed("The tiles are gone. Run `make flow`, then load this page again."))
    .finally(() => setTimeout(() => { renewing = null; }, 1000));
}

function failed(text) {
  document.documentElement.dataset.state = "error";
  message(text);
}

async function start() {
  page.reader = tileReader(maplibregl, onTileFailure);
  page.reader.add("bundled", "basemap.pmtiles", 0);
  const [config] = await Promise.allSettled([json("config.json"), loadManifest().catch((error) => {
    page.trouble = error;
  })]);
  if (config.status === "fulfilled") page.config = config.value;
  page.state = parse(location.hash, page.usualBase);
  if (page.usualBase === "own") await loadOwn();
  if (page.state.base === "own" && !page.own) page.state.base = "bundled";
  page.panel = filterPanel({ change, state: () => page.state });
  render();
  makeMap(await firstView());
  loadAllOnUse();
  page.pointing = interaction(page);
  page.tools = toolbar(page);
  page.tools.update();
  page.pointing.follow();
  window.addEventListener("popstate", readUrl);
  dark.addEventListener("change", render);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && page.manifest) loadManifest().then((renewed) => renewed && render(), () => {});
  });
}

function makeMap(where) {
  page.map = new maplibregl.Map({
    container: "map", style: buildStyle(view()), attributionControl: false, maxZoom: 18,
    fadeDuration: 0, dragRotate: false, pitchWithRotate: false, touchPitch: false,
    ...where,
  });
  page.map.touchZoomRotate.disableRotation();
  page.map.addControl(new maplibregl.ScaleControl(), "bottom-right");
  page.map.on("error", ({ error }) => {
    if (error?.name !== "Gone" && error?.name !== "AbortError") console.warn(error);
  });
  page.map.on("moveend", () => {
    const { lng, lat } = page.map.getCenter();
    page.state.at = { zoom: page.map.getZoom(), lat, lng };
    keepUrl(false);
  });
  page.map.once("style.load", () => {
    page.styled = true;
    render();
  });
  page.map.once("idle", () => {
    const root = document.documentElement;
    if (root.dataset.state === "loading") root.dataset.state = page.tracks.length ? "ready" : "empty";
  });
  if (page.trouble?.status === 404 || (page.manifest && !page.tracks.length)) {
    message("There are no tiles yet. Put activity files into the inbox or log in to Strava, run "
      + "`make flow`, then load this page again.");
    byId("count").textContent = "No activities yet";
  } else if (page.trouble) {
    failed("The list of tiles cannot be read. Is `tracklake map` still running?");
  }
}

start();
