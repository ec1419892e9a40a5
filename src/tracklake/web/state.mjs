/**
 * What the page shows, as one plain object: read from and written to the URL's hash, turned into
 * filters for the map and into counts. Pure: no map, no document, so Node can run it too.
 */

/** @typedef {{sports: string[], years: number[], from: string, to: string}} Filter empty: all */
/** @typedef {Filter & {at: null | {zoom: number, lat: number, lng: number}, color: string,
 *   theme: string, base: string, open: string, by: string}} State */

/** Ways of colouring. */
export const COLORS = ["sport", "year", "recency", "heat"];
/** Themes. */
export const THEMES = ["auto", "light", "dark"];
/** Basemaps: the one that comes along, none, the user's. */
export const BASES = ["bundled", "none", "own"];
/** What an opened activity is coloured by. */
export const MEASURES = ["speed", "grade", "heartrate"];

const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** What is shown where the hash says nothing. @returns {State} */
export function defaults(base = "bundled") {
  return {
    at: null, sports: [], years: [], from: "", to: "",
    color: "sport", theme: "auto", base, open: "", by: "speed",
  };
}

/**
 * Read a hash; what is not understood is left at its default.
 * @param {string} hash with or without "#" @returns {State}
 */
export function parse(hash, base = "bundled") {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const state = defaults(base);
  const list = (name) => (given.get(name) ?? "").split(",").filter(Boolean);
  const oneOf = (name, allowed) => {
    if (allowed.includes(given.get(name))) state[name] = given.get(name);
  };
  const [zoom, lat, lng] = (given.get("map") ?? "").split("/").map(Number);
  if ([zoom, lat, lng].every(Number.isFinite) && Math.abs(lat) <= 90 && zoom >= 0 && zoom <= 24) {
    state.at = { zoom, lat, lng };
  }
  state.sports = [...new Set(list("sport").filter((name) => /^[A-Za-z]{1,40}$/.test(name)))];
  state.years = [...new Set(list("year").filter((year) => /^\d{4}$/.test(year)).map(Number))];
  for (const name of ["from", "to"]) {
    const text = given.get(name) ?? "";
    if (DATE.test(text) && !Number.isNaN(Date.parse(text))) state[name] = text;
  }
  oneOf("color", COLORS);
  oneOf("theme", THEMES);
  oneOf("base", BASES);
  oneOf("by", MEASURES);
  if (/^-?\d{1,18}$/.test(given.get("open") ?? "")) state.open = given.get("open");
  return state;
}

/** Write the hash of a state; what is at its default is left out. @param {State} state */
export function format(state, base = "bundled") {
  const parts = [];
  const usual = defaults(base);
  if (state.at) {
    const { zoom, lat, lng } = state.at;
    parts.push(`map=${zoom.toFixed(2)}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
  }
  if (state.sports.length) parts.push(`sport=${[...state.sports].sort().join(",")}`);
  if (state.years.length) parts.push(`year=${[...state.years].sort((a, b) => a - b).join(",")}`);
  for (const name of ["from", "to", "color", "theme", "base", "open"]) {
    if (state[name] !== usual[name]) parts.push(`${name}=${state[name]}`);
  }
  if (state.open && state.by !== usual.by) parts.push(`by=${state.by}`);
  return `#${parts.join("&")}`;
}

/** Days since 1970 of a date as the inputs write it, e.g. "2024-05-01". */
export function dayOf(date) {
  return Math.round(Date.parse(date) / DAY_MS);
}

/** The date of a day since 1970, as "2024-05-01". */
export function dateOf(day) {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The calendar year of a day since 1970. */
export function yearOf(day) {
  return new Date(day * DAY_MS).getUTCFullYear();
}

/**
 * The days that a filter lets through, as [first, last] ranges; one endless range if it has none.
 * @param {Filter} filter @returns {[number, number][]}
 */
export function dayRanges({ years, from, to }) {
  const least = from ? dayOf(from) : -Infinity;
  const most = to ? dayOf(to) : Infinity;
  const wanted = [...years].sort((a, b) => a - b);
  const ranges = wanted.length
    ? wanted.map((year) => [dayOf(`${year}-01-01`), dayOf(`${year}-12-31`)])
    : [[-Infinity, Infinity]];
  return ranges
    .map(([first, last]) => [Math.max(first, least), Math.min(last, most)])
    .filter(([first, last]) => first <= last);
}

/** The same as an expression of MapLibre; null where nothing is hidden. @param {Filter} filter */
export function filterExpression(filter) {
  const all = [];
  if (filter.sports.length) all.push(["in", ["get", "sport"], ["literal", filter.sports]]);
  if (filter.years.length || filter.from || filter.to) {
    const within = dayRanges(filter).map(([first, last]) => [
      "all",
      ...(first === -Infinity ? [] : [[">=", ["get", "day"], first]]),
      ...(last === Infinity ? [] : [["<=", ["get", "day"], last]]),
    ]);
    all.push(["any", ...within]);
  }
  return all.length ? ["all", ...all] : null;
}

/**
 * Whether a filter leaves anything of a file, by what the manifest says of it.
 * @param {{days: number[], sports?: Record<string, number>}} entry @param {Filter} filter
 */
export function leavesAny(entry, filter) {
  const sports = entry.sports;
  if (filter.sports.length && sports && !filter.sports.some((name) => sports[name])) return false;
  if (entry.days.length !== 2) return true;
  return dayRanges(filter).some(
    ([first, last]) => first <= entry.days[1] && last >= entry.days[0],
  );
}

/**
 * Count activities by the calendar file, without the index.
 * @param {{sports: string[], days: [number, number, number][]}} calendar @param {Filter} filter
 * @returns {{shown: number, all: number, bySport: Map<string, number>, byYear: Map<number, number>}}
 *   bySport: of the days chosen, whatever the sport; byYear: of the sports chosen, whatever the day
 */
export function counts(calendar, filter) {
  const ranges = dayRanges(filter);
  const chosen = new Set(filter.sports);
  const out = { shown: 0, all: 0, bySport: new Map(), byYear: new Map() };
  for (const name of calendar.sports) out.bySport.set(name, 0);
  for (const [day, sportIndex, count] of calendar.days) {
    const sport = calendar.sports[sportIndex];
    const inSport = !chosen.size || chosen.has(sport);
    const inDays = ranges.some(([first, last]) => first <= day && day <= last);
    out.all += count;
    if (inSport && inDays) out.shown += count;
    if (inDays) out.bySport.set(sport, out.bySport.get(sport) + count);
    const year = yearOf(day);
    out.byYear.set(year, (out.byYear.get(year) ?? 0) + (inSport ? count : 0));
  }
  return out;
}

/**
 * The box where most activities are: that of the fullest file, narrowed by the boxes of the others
 * as long as something is left. Who lives in one place and travels gets the place they live in.
 * @param {{count: number, bounds: number[]}[]} entries @returns {number[] | null} west, south, …
 */
export function homeBox(entries) {
  const sorted = entries.filter((entry) => entry.count && entry.bounds?.length === 4)
    .sort((a, b) => b.count - a.count);
  if (!sorted.length) return null;
  return sorted.slice(1).reduce((box, { bounds: [w, s, e, n] }) => {
    const common = [
      Math.max(box[0], w), Math.max(box[1], s), Math.min(box[2], e), Math.min(box[3], n),
    ];
    return common[0] < common[2] && common[1] < common[3] ? common : box;
  }, sorted[0].bounds);
}
