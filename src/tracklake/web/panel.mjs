/** The panel's filters, counts and legend. It tells `change` what a person chose and shows what is. */
import { FAMILIES, familyOf, legend, sportName } from "./colors.mjs";
import { COLORS, counts } from "./state.mjs";

const NAMES = { sport: "Sport", year: "Year", recency: "Recency", heat: "Heat" };
const number = new Intl.NumberFormat("en");

/** Make an element: text and attributes are set as such, never parsed. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** The element of an id. */
export const byId = (id) => document.getElementById(id);

/** Let arrow keys, Home and End move the focus among the buttons of a box. */
export function arrowKeys(box, selector, onFocus) {
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const all = [...box.querySelectorAll(selector)];
    const at = all.indexOf(document.activeElement);
    if (at < 0 || (step === undefined && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    let next = event.key === "Home" ? 0 : all.length - 1;
    if (step !== undefined) next = Math.min(Math.max(at + step, 0), all.length - 1);
    all[next].focus();
    onFocus?.(all[next]);
  });
}

/**
 * Fill the panel once.
 * @param {object} page
 * @param {(patch: object) => void} page.change takes what of the state a person changed
 * @param {() => object} page.state
 * @returns {{update: (view: object) => void}} `update` shows a view (as in style.mjs) with its
 *   calendar and says how many activities it has
 */
export function filterPanel({ change, state }) {
  const colors = new Map(COLORS.map((mode) => [mode, element("button", {
    type: "button", role: "radio", onclick: () => change({ color: mode }),
  }, NAMES[mode])]));
  byId("colors").append(...colors.values());
  arrowKeys(byId("colors"), "button", (button) => button.click());
  for (const name of ["from", "to"]) {
    byId(name).addEventListener("change", () => change({ [name]: byId(name).value }));
  }
  byId("reset").addEventListener("click", () =>
    change({ sports: [], years: [], from: "", to: "" }));
  foldable();
  const chips = chipBoxes(change, state);
  return {
    update(view) {
      const count = counts(view.calendar, view.state);
      for (const [mode, button] of colors) {
        const chosen = mode === view.state.color;
        button.setAttribute("aria-checked", String(chosen));
        button.tabIndex = chosen ? 0 : -1;
      }
      chips.update(view, count);
      showLegend(view);
      for (const name of ["from", "to"]) {
        if (byId(name).value !== view.state[name]) byId(name).value = view.state[name];
      }
      const filtered = view.state.sports.length || view.state.years.length
        || view.state.from || view.state.to;
      byId("reset").disabled = !filtered;
      const text = filtered
        ? `${number.format(count.shown)} of ${number.format(count.all)} activities`
        : `${number.format(count.all)} activities`;
      showLate(view);
      if (byId("count").textContent !== text) byId("count").textContent = text;
      return count;
    },
  };
}

/** Say that older years are not drawn as lines yet. */
function showLate({ late }) {
  byId("late").hidden = !late;
  byId("late").textContent = late
    ? `Of ${late} and before, dots show the starts until you use the map.` : "";
}

/** The chips of sports and years. They are made when the calendar changes, and updated else. */
function chipBoxes(change, state) {
  let made = null;
  const families = [], sports = new Map(), years = new Map();

  function make(calendar, span) {
    made = calendar;
    families.length = 0;
    sports.clear();
    years.clear();
    const groups = FAMILIES.map((family) => ({
      family, names: calendar.sports.filter((name) => familyOf(name) === family).sort(),
    })).filter(({ names }) => names.length);
    byId("sports").replaceChildren(...groups.map(({ family, names }) => {
      const button = element("button", { type: "button", class: "family",
        onclick: () => change({ sports: toggledAll(state().sports, names) }) },
      element("span", { class: "swatch" }), family.name);
      families.push({ family, names, button });
      const chips = names.map((name) => {
        const chip = chipFor(sportName(name), () =>
          change({ sports: toggled(state().sports, name) }));
        sports.set(name, chip);
        return chip.button;
      });
      return element("div", { class: "group" }, button, element("div", { class: "chips" }, ...chips));
    }));
    for (let year = span[1]; year >= span[0]; year -= 1) {
      years.set(year, chipFor(String(year), () => change({ years: toggled(state().years, year) })));
    }
    byId("years").replaceChildren(...[...years.values()].map(({ button }) => button));
  }

  return {
    update({ calendar, facts, state: { sports: chosen, years: chosenYears }, theme }, count) {
      if (made !== calendar) make(calendar, facts.span);
      for (const [name, chip] of sports) chip.show(chosen.includes(name), count.bySport.get(name));
      for (const [year, chip] of years) {
        const there = count.byYear.get(year);
        chip.show(chosenYears.includes(year), there ?? 0);
        chip.button.hidden = there === undefined;
      }
      for (const { family, names, button } of families) {
        button.firstElementChild.style.background = family[theme];
        const all = names.every((name) => chosen.includes(name));
        const some = names.some((name) => chosen.includes(name));
        button.setAttribute("aria-pressed", all ? "true" : some ? "mixed" : "false");
      }
    },
  };
}

function chipFor(name, onclick) {
  const count = element("span", { class: "number" });
  const button = element("button", { type: "button", class: "chip", onclick }, `${name} `, count);
  return {
    button,
    show(pressed, there) {
      button.setAttribute("aria-pressed", String(pressed));
      button.classList.toggle("none", !there);
      count.textContent = number.format(there);
    },
  };
}

function toggled(list, item) {
  return list.includes(item) ? list.filter((other) => other !== item) : [...list, item];
}

function toggledAll(list, items) {
  const others = list.filter((name) => !items.includes(name));
  return items.every((name) => list.includes(name)) ? others : [...others, ...items];
}

function showLegend({ state, theme, facts }) {
  const box = byId("legend");
  byId("sports").classList.toggle("swatches", state.color === "sport");
  box.hidden = state.color === "sport";
  if (box.hidden) return;
  const { colors, labels } = legend(state.color, theme, facts);
  const bar = element("div", { class: "ramp" });
  bar.style.background = `linear-gradient(to right, ${colors.join(", ")})`;
  box.replaceChildren(bar, element("div", { class: "labels" },
    ...labels.map((label) => element("span", {}, label))));
}

/** The button that folds the panel away: on a phone it is a sheet that starts folded. */
function foldable() {
  const fold = (folded) => {
    document.body.classList.toggle("folded", folded);
    byId("fold").setAttribute("aria-expanded", String(!folded));
    byId("fold").setAttribute("aria-label", folded ? "Show the panel" : "Hide the panel");
  };
  byId("fold").addEventListener("click", () => fold(!document.body.classList.contains("folded")));
  fold(window.matchMedia("(max-width: 640px)").matches);
}

/** Show the panel, where it is folded away. */
export function unfold() {
  if (document.body.classList.contains("folded")) byId("fold").click();
}
