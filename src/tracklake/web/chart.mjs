/** The chart of an opened activity: height over distance, coloured by the measure, with a cursor. */
import { along, ramp } from "./colors.mjs";
import { element } from "./panel.mjs";
import { indexAt, valueRange } from "./track.mjs";

const WIDE = 320, HIGH = 150, LEFT = 46, RIGHT = 6, TOP = 8, BOTTOM = 20;
const COLUMNS = 280;
let made = 0;

function svg(tag, attributes, ...children) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

/** Round numbers within a range, about `count` of them. */
export function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough);
  const out = [];
  for (let at = Math.ceil(low / step) * step; at <= high + 1e-9; at += step) out.push(at);
  return out;
}

/**
 * @param {object} track as track.mjs reads it
 * @param {object} how
 * @param {string | undefined} how.measure what the ground is coloured by
 * @param {"light" | "dark"} how.theme
 * @param {(point: number | null) => void} how.onMove told of each move of the cursor
 * @param {(point: number) => string} how.textAt what is to be read at a point
 * @returns {{element: Element, reading: Element, moveTo: (point: number | null) => void}}
 */
export function elevationChart(track, { measure, theme, onMove, textAt }) {
  const { distance, altitude } = track;
  const total = distance.at(-1) || 1;
  const shown = altitude ?? (measure ? track.values[measure] : distance.map(() => 0));
  const known = shown.filter((value) => value !== null);
  const [least, most] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
  const room = Math.max((most - least) * 0.08, altitude ? 5 : 0.5);
  const [low, high] = [least - room, most + room];
  const x = (metres) => LEFT + (metres / total) * (WIDE - LEFT - RIGHT);
  const y = (value) => TOP + (1 - (value - low) / (high - low)) * (HIGH - TOP - BOTTOM);

  const columns = sampled(distance, shown, total);
  const line = columns.map(([metres, value]) => `${x(metres).toFixed(1)},${y(value).toFixed(1)}`).join("L");
  const base = HIGH - BOTTOM;
  const cursor = svg("line", { class: "cursor", y1: TOP, y2: base, visibility: "hidden" });
  const dot = svg("circle", { class: "dot", r: 4, visibility: "hidden" });
  const fill = colors(track, measure, theme, total);
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${WIDE} ${HIGH}`, tabindex: 0, role: "slider",
    "aria-label": altitude ? "Elevation along the way" : "Along the way", "aria-valuemin": 0,
    "aria-valuemax": Math.round(total), "aria-valuenow": 0, "aria-valuetext": textAt(0) },
  ...(fill ? [svg("defs", {}, fill)] : []),
  svg("rect", { width: WIDE, height: HIGH, fill: "none", "pointer-events": "all" }),
  ...axes({ low, high, total, x, y, unit: altitude ? " m" : "" }),
  svg("path", { d: `M${x(columns[0][0]).toFixed(1)},${base}L${line}L${x(columns.at(-1)[0]).toFixed(1)},${base}Z`,
    fill: fill ? `url(#${fill.id})` : "currentColor", "fill-opacity": 0.85 }),
  svg("path", { class: "ground", d: `M${line}` }), cursor, dot);
  const reading = element("p", { class: "reading", "aria-hidden": "true" });
  let point = null;

  function moveTo(next) {
    if (next === point) return;
    point = next;
    for (const one of [cursor, dot]) one.setAttribute("visibility", point === null ? "hidden" : "visible");
    reading.textContent = point === null ? "" : textAt(point);
    if (point !== null) {
      const at = x(distance[point]);
      cursor.setAttribute("x1", at);
      cursor.setAttribute("x2", at);
      dot.setAttribute("cx", at);
      dot.setAttribute("cy", y(shown[point] ?? low));
      chart.setAttribute("aria-valuenow", Math.round(distance[point]));
      chart.setAttribute("aria-valuetext", textAt(point));
    }
    onMove(point);
  }

  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    const share = (((event.clientX - box.left) / box.width) * WIDE - LEFT) / (WIDE - LEFT - RIGHT);
    moveTo(indexAt(distance, Math.min(Math.max(share, 0), 1) * total));
  });
  chart.addEventListener("pointerleave", () => moveTo(null));
  chart.addEventListener("blur", () => moveTo(null));
  chart.addEventListener("keydown", (event) => {
    const share = { ArrowRight: 0.01, ArrowUp: 0.01, ArrowLeft: -0.01, ArrowDown: -0.01,
      PageUp: 0.1, PageDown: -0.1, Home: -1, End: 1 }[event.key];
    if (share === undefined) return;
    event.preventDefault();
    const from = point === null ? 0 : distance[point];
    let next = indexAt(distance, Math.min(Math.max(from + share * total, 0), total));
    if (next === point) next += Math.sign(share);
    moveTo(Math.min(Math.max(next, 0), distance.length - 1));
  });
  return { element: chart, reading, moveTo };
}

/** Some hundred points of the line, those between them averaged. */
function sampled(distance, values, total) {
  const sums = new Map();
  values.forEach((value, i) => {
    if (value === null) return;
    const column = Math.round((distance[i] / total) * COLUMNS);
    const sum = sums.get(column) ?? [0, 0, 0];
    sums.set(column, [sum[0] + distance[i], sum[1] + value, sum[2] + 1]);
  });
  return [...sums.entries()].sort(([a], [b]) => a - b).map(([, [metres, value, n]]) => [metres / n, value / n]);
}

/** The colours of the measure over distance, as an SVG gradient. */
function colors(track, measure, theme, total) {
  const values = measure && track.values[measure];
  if (!values) return null;
  const [low, high] = valueRange(values, measure);
  const list = ramp(measure, theme);
  made += 1;
  return svg("linearGradient", { id: `along${made}` },
    ...sampled(track.distance, values, total).map(([metres, value]) => svg("stop", {
      offset: (metres / total).toFixed(4), "stop-color": along(list, (value - low) / (high - low)) })));
}

function axes({ low, high, total, x, y, unit }) {
  const text = (content, attributes) => svg("text", attributes, content);
  const km = total >= 1000;
  return [
    ...ticks(low, high, 3).flatMap((value) => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value) }),
      text(`${Number(value.toFixed(1))}${unit}`, { x: LEFT - 4, y: y(value) + 4, "text-anchor": "end" }),
    ]),
    ...ticks(0, total, 4).map((metres) => text(
      km ? `${Number((metres / 1000).toFixed(1))} km` : `${metres} m`,
      { x: x(metres), y: HIGH - 5, "text-anchor": metres === 0 ? "start" : metres > total * 0.9 ? "end" : "middle" },
    )),
  ];
}
