/**
 * Colours: for sports, years, age, passes and measures; in light and dark. Pure.
 *
 * The six colours of sports were searched for the largest difference between any two, to usual,
 * protanope and deuteranope eyes, at a contrast of 3:1 to the land. Every ramp but that of gradients
 * runs from light to dark (or back) without turning, so it can be read without seeing hues.
 */
import { dayOf } from "./state.mjs";

/** Families of sports in the order of the legend; a sport that none names is in the last. */
export const FAMILIES = [
  { name: "On foot", light: "#e26e17", dark: "#f25218", sports:
    "Run TrailRun VirtualRun Walk Hike" },
  { name: "By bike", light: "#0040cc", dark: "#4688fb", sports:
    "Ride VirtualRide MountainBikeRide GravelRide EBikeRide EMountainBikeRide Handcycle Velomobile" },
  { name: "Swimming", light: "#00a371", dark: "#2de287", sports: "Swim" },
  { name: "Snow and ice", light: "#c465bb", dark: "#b8609f", sports:
    "AlpineSki BackcountrySki NordicSki Snowboard Snowshoe IceSkate" },
  { name: "On water", light: "#533500", dark: "#fff24a", sports:
    "Rowing VirtualRow Kayaking Canoeing Sail Surfing Windsurf Kitesurf StandUpPaddling" },
  { name: "Other", light: "#3c404d", dark: "#dbddeb", sports: "" },
].map((family) => ({ ...family, sports: family.sports.split(" ").filter(Boolean) }));

const RAMPS = {
  year: {
    light: ["#e39a2d", "#d95f3c", "#b5306f", "#6a1b9a", "#1b0c5c"],
    dark: ["#7d6bff", "#c45fd8", "#ff7f7a", "#ffbd59", "#fbf886"],
  },
  recency: {
    light: ["#b9c2cc", "#a99bb4", "#a8587f", "#c22a2a", "#7a0010"],
    dark: ["#3d4a66", "#6a5490", "#c2578a", "#ff9e3d", "#fff3b0"],
  },
  speed: {
    light: ["#4fb38a", "#2a8f93", "#2c6099", "#33308a", "#2a0a4d"],
    dark: ["#6a7bff", "#3fa9e0", "#3fd0b0", "#a8e35a", "#fbf25a"],
  },
  grade: {
    light: ["#053f8f", "#3f83c4", "#8c8c8c", "#d9772b", "#8f2d00"],
    dark: ["#3f9bff", "#8cc4ff", "#d8d8d8", "#ffb066", "#ff6a1a"],
  },
  heartrate: {
    light: ["#e0a13a", "#d9663b", "#b8304f", "#7a1764", "#3a0550"],
    dark: ["#7a6cf0", "#c060c8", "#f5757a", "#ffb35c", "#fdf59a"],
  },
};
/** Ages in days at which the ramp of recency has its colours, oldest first, and their names. */
const AGES = [[3650, "10 years"], [1095, "3 years"], [365, "1 year"], [30, "1 month"], [0, "newest"]];

/** The family of a sport. @param {string} sport */
export function familyOf(sport) {
  return FAMILIES.find(({ sports }) => sports.includes(sport)) ?? FAMILIES.at(-1);
}

/** A sport's name as people write it: "TrailRun" is "Trail run". */
export function sportName(sport) {
  const words = sport.replace(/^E(Bike|Mountain)/, "E-$1").replace(/([a-z])([A-Z])/g, "$1 $2");
  return words.charAt(0) + words.slice(1).toLowerCase();
}

/** The ramp of a way of colouring. @returns {string[]} five colours */
export function ramp(name, theme) {
  return RAMPS[name][theme];
}

/** The colour at a share (0 to 1) of a ramp of hex colours. */
export function along(colors, share) {
  const place = Math.min(Math.max(share, 0), 1) * (colors.length - 1);
  const below = Math.min(Math.floor(place), colors.length - 2);
  const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const [from, to] = [parts(colors[below]), parts(colors[below + 1])];
  const mixed = from.map((value, i) => Math.round(value + (to[i] - value) * (place - below)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * The colour of a year among those from the first to the last there is.
 * @param {number} year @param {[number, number]} span
 */
export function yearColor(year, [first, last], theme) {
  return along(RAMPS.year[theme], last === first ? 1 : (year - first) / (last - first));
}

/**
 * How tracks and start points are coloured, as an expression over their `sport` and `day`.
 * @param {string} mode @param {{span: [number, number], newest: number}} facts years; newest day
 */
export function colorExpression(mode, theme, { span, newest }) {
  if (mode === "year") {
    const steps = ["step", ["get", "day"], yearColor(span[0], span, theme)];
    for (let year = span[0] + 1; year <= span[1]; year += 1) {
      steps.push(dayOf(`${year}-01-01`), yearColor(year, span, theme));
    }
    return steps.length > 3 ? steps : steps[2];
  }
  if (mode === "recency") {
    const stops = AGES.flatMap(([age], i) => [newest - age, RAMPS.recency[theme][i]]);
    return ["interpolate", ["linear"], ["get", "day"], ...stops];
  }
  const named = FAMILIES.filter(({ sports }) => sports.length);
  const cases = named.flatMap((family) => [family.sports, family[theme]]);
  return ["match", ["get", "sport"], ...cases, FAMILIES.at(-1)[theme]];
}

/**
 * The layers of heat, from below: colour, pixels of width and opacity of one pass. Passes add up to
 * the first layer's colour soon, to the last one's only after dozens; with many activities in sight
 * each counts less.
 */
export function heatLayers(theme, shown) {
  const share = Math.min(1, Math.max(0.25, 20 / Math.sqrt(Math.max(shown, 1))));
  return theme === "dark"
    ? [["#7a1fa2", 4, 0.42 * share], ["#ff5a36", 2.4, 0.22 * share], ["#fff3b0", 1.4, 0.09 * share]]
    : [["#f2a03d", 4, 0.5 * share], ["#cf2f3a", 2.4, 0.24 * share], ["#2b0038", 1.4, 0.11 * share]];
}

/**
 * What the legend says of a ramp.
 * @returns {{colors: string[], labels: string[]}} labels from the first colour to the last
 */
export function legend(mode, theme, { span }) {
  if (mode === "year") {
    return { colors: RAMPS.year[theme], labels: [...new Set(span.map(String))] };
  }
  if (mode === "recency") {
    return { colors: RAMPS.recency[theme], labels: AGES.map(([, name]) => name) };
  }
  return { colors: heatLayers(theme, 1).map(([color]) => color), labels: ["once", "often"] };
}
