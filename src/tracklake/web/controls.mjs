/** What a person does on the map: point, click, open, and the buttons on it. */
import { byId, element } from "./panel.mjs";

const PATIENCE_MS = 8000; // for what is still loading, before it is left out of a list
const REACH = { mouse: 5, touch: 16 }; // pixels around the pointer that count as under it

/**
 * @param {object} page as in main.mjs
 * @returns {{restore: () => void, follow: () => void}} `restore` puts marks on sources that came
 *   back; `follow` shows or closes the activity that the state says is open
 */
export function interaction(page) {
  const { map } = page;
  let hovered = null, list = null, opened = null, pending = 0, asked = 0, listing = 0;

  /** Set a feature's state in every source and layer that may hold it. */
  function mark(id, state) {
    for (const { entry, source } of page.visibleFiles()) {
      if (!map.getSource(source)) continue;
      for (const sourceLayer of entry.layers) {
        map.setFeatureState({ source, sourceLayer, id: Number(id) }, state);
      }
    }
  }

  function point(id) {
    if (id === hovered) return;
    if (hovered !== null) mark(hovered, { hover: false });
    hovered = id;
    if (hovered !== null) mark(hovered, { hover: true });
  }

  /** The layers that show activities: one of each source and kind. */
  function layers() {
    return map.getStyle().layers.map(({ id }) => id).filter((id) => /^(mark|start|warmth|late):/.test(id));
  }

  function idsIn(box) {
    const found = map.queryRenderedFeatures(box, { layers: layers() });
    return [...new Set(found.map(({ id }) => String(id)))];
  }

  function around({ x, y }, reach) {
    return [[x - reach, y - reach], [x + reach, y + reach]];
  }

  async function theList() {
    if (list) return list;
    const { activityList } = await import("./list.mjs");
    list ??= activityList({ index: page.index, point, theme: () => page.theme,
      open: (id) => page.change({ open: id }) });
    list.onClose(() => closeList());
    return list;
  }

  function closeList() {
    list?.close();
  }

  /** Wait until all that is to be seen is drawn, so that nothing is missing in a list. */
  function drawn() {
    if (map.loaded() && map.areTilesLoaded()) return Promise.resolve();
    return new Promise((resolve) => {
      const late = setTimeout(resolve, PATIENCE_MS);
      map.once("idle", () => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** List what is in a box of the screen; there may be nothing. */
  async function show(box, where, even = true) {
    const mine = (listing += 1);
    page.loadAll();
    await drawn();
    const ids = mine === listing ? idsIn(box) : [];
    if (mine !== listing || (!ids.length && !even)) {
      if (mine === listing && list?.isOpen) closeList();
      return;
    }
    if (page.state.open) page.change({ open: "" });
    try {
      await (await theList()).show(ids, where);
    } catch {
      page.message("The names of the activities cannot be read. Load this page again.");
    }
  }

  /** What can be seen of the map: the panel may lie over it. */
  function seen() {
    const box = map.getContainer().getBoundingClientRect();
    const panel = byId("panel").getBoundingClientRect();
    const covered = panel.width >= box.width && panel.top < box.bottom;
    const bottom = covered ? panel.top - box.top : box.height;
    return [[0, 0], [box.width, Math.max(bottom, 1)]];
  }

  map.on("mousemove", ({ point: at }) => {
    if (pending) return;
    pending = requestAnimationFrame(() => {
      pending = 0;
      if (map.isMoving()) return;
      const [id] = idsIn(around(at, REACH.mouse));
      map.getCanvas().style.cursor = id ? "pointer" : "";
      point(id ?? null);
    });
  });
  map.on("mouseout", () => point(null));
  map.on("click", ({ point: at, originalEvent }) => {
    const touch = originalEvent.pointerType === "touch" || originalEvent.sourceCapabilities?.firesTouchEvents;
    show(around(at, touch ? REACH.touch : REACH.mouse), "here", false);
  });
  byId("in-view").addEventListener("click", () => show(seen(), "in view"));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (page.state.open) page.change({ open: "" });
    else if (list?.isOpen) closeList();
  });

  async function follow() {
    const mine = (asked += 1);
    const { open, by } = page.state;
    if (!open) {
      opened?.close();
      if (opened?.id) {
        mark(opened.id, { open: false });
        if (list?.isOpen) list.focus(opened.id);
        opened.id = null;
      }
      return;
    }
    const { activityView } = await import("./activity.mjs");
    if (mine !== asked) return;
    opened ??= Object.assign(activityView(page), { id: null });
    if (opened.id && opened.id !== open) mark(opened.id, { open: false });
    opened.id = open;
    mark(open, { open: true });
    await opened.show(open, by);
  }

  return {
    restore() {
      if (hovered !== null) mark(hovered, { hover: true });
      if (page.state.open) mark(page.state.open, { open: true });
    },
    follow,
  };
}

const ICONS = {
  home: "M3 11 12 4l9 7M6 9.5V20h12V9.5",
  export: "M12 3v11m-4-4 4 4 4-4M4 17v3h16v-3",
  auto: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.5 1.5m11 11L19 19M5 19l1.5-1.5m11-11L19 5",
  dark: "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10",
  base: "M3 6l6-2 6 2 6-2v14l-6 2-6-2-6 2zM9 4v14m6-12v14",
};
const THEMES = { auto: "as the system", light: "light", dark: "dark" };
const BASES = { bundled: "bundled", own: "your own", none: "none" };
const SOURCES = {
  bundled: [["Natural Earth", "https://www.naturalearthdata.com/"],
    ["GeoNames", "https://www.geonames.org/"],
    ["CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"]],
};
const MAPLIBRE = ["MapLibre", "https://maplibre.org/"];

/** An icon of one stroke. */
function icon(path) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  const stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
  stroke.setAttribute("d", path);
  made.append(stroke);
  return made;
}

/** Whose data the map shows, as plain text: a picture of it must say it too. */
export function attributionText(page) {
  return attributions(page).map(([name]) => name).join(" · ");
}

function attributions({ state, own }) {
  if (state.base === "bundled") return [...SOURCES.bundled, MAPLIBRE];
  if (state.base === "own" && own?.attribution) return [[own.attribution], MAPLIBRE];
  return [MAPLIBRE];
}

/** @param {object} page as in main.mjs @returns {{update: () => void}} */
export function toolbar(page) {
  const { map, change } = page;
  const bases = () => (page.own ? ["own", "bundled", "none"] : ["bundled", "none"]);
  const next = (list, item) => list[(list.indexOf(item) + 1) % list.length];
  byId("zoom-in").addEventListener("click", () => map.zoomIn());
  byId("zoom-out").addEventListener("click", () => map.zoomOut());
  byId("home").append(icon(ICONS.home));
  byId("home").addEventListener("click", () => page.goHome());
  byId("theme").addEventListener("click", () =>
    change({ theme: next(Object.keys(THEMES), page.state.theme) }));
  byId("base").append(icon(ICONS.base));
  byId("base").addEventListener("click", () => change({ base: next(bases(), page.state.base) }));
  byId("export").append(icon(ICONS.export));
  byId("export").addEventListener("click", async () => {
    const { savePicture } = await import("./exporting.mjs");
    await savePicture(page);
  });

  function say(button, text) {
    button.setAttribute("aria-label", text);
    button.title = text;
  }

  return {
    update() {
      const { theme, base } = page.state;
      if (byId("theme").dataset.shown !== theme) byId("theme").replaceChildren(icon(ICONS[theme]));
      byId("theme").dataset.shown = theme;
      say(byId("theme"), `Theme: ${THEMES[theme]}`);
      say(byId("base"), `Basemap: ${BASES[base]}`);
      byId("attribution").replaceChildren(...attributions(page).flatMap(([name, url], i) => [
        i ? " · " : "", url ? element("a", { href: url, target: "_blank", rel: "noreferrer" }, name) : name,
      ]));
    },
  };
}
