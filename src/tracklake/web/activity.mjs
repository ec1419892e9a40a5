/** One opened activity: its line at full resolution, coloured by a measure, and its chart. */
import * as maplibregl from "./vendor/maplibre-gl-6.17.0/maplibre-gl.mjs";
import { elevationChart } from "./chart.mjs";
import { ramp, sportName } from "./colors.mjs";
import { dateText, distanceText, durationText, nameOf } from "./list.mjs";
import { arrowKeys, byId, element, unfold } from "./panel.mjs";
import { boxOf, gradient, lineData, readTrack, valueRange, valueText } from "./track.mjs";

const MEASURES = { speed: "Speed", grade: "Gradient", heartrate: "Heart rate" };
const NEAR_PX = 24; // how near to the line the pointer moves the chart's cursor

/**
 * @param {object} page as in main.mjs
 * @returns {{show: (id: string, by: string) => Promise<void>, close: () => void}}
 */
export function activityView(page) {
  const section = byId("activity");
  const parts = { title: byId("activity-title"), facts: section.querySelector(".facts"),
    note: section.querySelector(".note"), drawn: section.querySelector(".drawn") };
  const spot = new maplibregl.Marker({ element: element("div", { class: "spot" }) });
  let shown = null, asked = 0;

  async function load(id) {
    if (page.config.public) return { known: false };
    const answer = await fetch(`../activities/${id}/track`);
    if (answer.status === 404) return { known: false };
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    const data = await answer.json();
    return { known: true, data, track: readTrack(data.points) };
  }

  async function factsOf(id, found) {
    if (found.data) return { ...found.data, date: found.data.start_date_local };
    return (await page.index().catch(() => new Map())).get(id) ?? { name: `Activity ${id}` };
  }

  function describe(facts) {
    parts.title.textContent = nameOf(facts);
    parts.facts.textContent = [facts.date && dateText(facts.date),
      facts.sport_type && sportName(facts.sport_type), distanceText(facts.distance_m),
      durationText(facts.moving_time_s)].filter(Boolean).join(" · ");
  }

  function say(text) {
    parts.note.textContent = text;
  }

  async function open(id, by) {
    const mine = (asked += 1);
    const fits = Boolean(document.activeElement?.closest?.("#list"));
    leave();
    section.hidden = false;
    byId("list").hidden = true;
    byId("filters").hidden = true;
    unfold();
    parts.title.textContent = "Loading …";
    parts.facts.textContent = "";
    say("");
    parts.drawn.replaceChildren();
    parts.title.focus();
    let found;
    try {
      found = await load(id);
    } catch {
      if (mine === asked) say("This activity cannot be read. Is `tracklake map` still running?");
      return;
    }
    const facts = await factsOf(id, found);
    if (mine !== asked) return;
    describe(facts);
    shown = { id, facts, track: found.track ?? null };
    if (!shown.track) {
      say(found.known ? "This activity has no track; the map shows where it started."
        : "Only the simplified line is here, not the whole track.");
      return;
    }
    draw(by);
    if (fits) fit();
  }

  function fit() {
    const box = boxOf(shown.track);
    const covered = page.map.getContainer().clientHeight - byId("panel").getBoundingClientRect().top;
    const below = byId("panel").clientWidth >= page.map.getContainer().clientWidth ? covered : 0;
    page.map.fitBounds(box, { maxZoom: 15,
      padding: { top: 50, left: 50, right: 70, bottom: 50 + Math.max(0, below) } });
  }

  /** Draw line and chart by a measure, or by another that is there. */
  function draw(by) {
    const { track, facts } = shown;
    const there = Object.keys(MEASURES).filter((name) => track.values[name]);
    const measure = there.includes(by) ? by : there[0];
    shown.by = by;
    shown.theme = page.theme;
    page.opened = { data: lineData(track), gradient: gradient(track, measure, page.theme) };
    page.render();
    const chart = elevationChart(track, { measure, theme: page.theme, onMove: move,
      textAt: (i) => reading(i, measure) });
    shown.chart = chart;
    parts.drawn.replaceChildren(choice(there, measure), ...(measure ? [scale(measure)] : []),
      chart.element, chart.reading);

    function reading(i, name) {
      const height = track.altitude?.[i];
      return [distanceText(track.distance[i]), track.time[i] === null ? "" : durationText(track.time[i]),
        height === null || height === undefined ? "" : `${Math.round(height)} m high`,
        name ? valueText(name, track.values[name][i], facts.sport_type) : ""].filter(Boolean).join(" · ");
    }
  }

  function choice(there, measure) {
    const box = element("div", { class: "choice", role: "radiogroup", "aria-label": "Colour the track by" },
      ...Object.entries(MEASURES).map(([name, title]) => element("button", {
        type: "button", role: "radio", "aria-checked": String(name === measure), "data-by": name,
        tabindex: name === measure ? "0" : "-1", disabled: there.includes(name) ? null : "",
        onclick: () => {
          page.change({ by: name });
          section.querySelector(`[data-by="${name}"]`)?.focus();
        },
      }, title)));
    arrowKeys(box, "button:not(:disabled)", (button) => button.click());
    return box;
  }

  function scale(measure) {
    const range = valueRange(shown.track.values[measure], measure);
    const bar = element("div", { class: "ramp" });
    bar.style.background = `linear-gradient(to right, ${ramp(measure, page.theme).join(", ")})`;
    return element("div", { class: "scale" }, bar, element("div", { class: "labels" },
      ...range.map((value) => element("span", {}, valueText(measure, value, shown.facts.sport_type)))));
  }

  /** The chart's cursor moved: show the same place on the map. */
  function move(i) {
    if (i === null) spot.remove();
    else spot.setLngLat(shown.track.coordinates[i]).addTo(page.map);
  }

  /** The pointer moved over the map: show the same place in the chart. */
  function onMapMove({ point }) {
    if (!shown?.chart || page.map.isMoving()) return;
    let best = null, least = NEAR_PX ** 2;
    shown.track.coordinates.forEach((coordinate, i) => {
      const { x, y } = page.map.project(coordinate);
      const away = (x - point.x) ** 2 + (y - point.y) ** 2;
      if (away < least) [best, least] = [i, away];
    });
    shown.chart.moveTo(best);
  }

  function leave() {
    spot.remove();
    shown = null;
    if (page.opened) {
      page.opened = null;
      page.render();
    }
  }

  page.map.on("mousemove", onMapMove);
  section.querySelector(".close").addEventListener("click", () => page.change({ open: "" }));
  return {
    async show(id, by) {
      if (shown?.id !== id) await open(id, by);
      else if (shown.track && (shown.by !== by || shown.theme !== page.theme)) draw(by);
    },
    close() {
      if (section.hidden) return;
      asked += 1;
      leave();
      section.hidden = true;
      const listed = byId("list").querySelector("li");
      byId(listed ? "list" : "filters").hidden = false;
    },
  };
}
