/** One control for each kind of setting. */

import { element, icon } from "./element.js";
import { choiceWords, settingWords } from "./words.js";

const FEW = 4;

/**
 * A control on the page.
 * @typedef {object} Control
 * @property {HTMLElement} root
 * @property {(value: any) => void} show a value that is in force
 */

/**
 * Make the control that fits a setting.
 * @param {string} name
 * @param {{kind: string, choices?: string[], min?: number, max?: number, step?: number}} setting
 * @param {(value: any) => void} change called for each change by the user
 * @returns {Control}
 */
export function control(name, setting, change) {
  if (setting.kind === "shapes") return shapes(name, setting, change);
  if (setting.kind === "number") return number(name, setting, change);
  if (setting.kind === "integer") return integer(name, setting, change);
  if (setting.choices.some((choice) => choice.endsWith(WITH_LIGHT))) {
    return color(name, setting, change);
  }
  return setting.choices.length > 1 && setting.choices.length <= FEW && name !== "model"
    ? segments(name, setting, change)
    : select(name, setting, change);
}

function number(name, { min, max, step }, change) {
  const [label, title] = settingWords(name);
  const id = `set-${name}`;
  const limits = { min, max, step };
  const slider = element("input", { type: "range", id, ...limits });
  const exact = element("input", { type: "number", ...limits, "aria-label": `${label}, exactly` });
  const digits = step < 1 ? Math.ceil(-Math.log10(step)) : 0;
  const show = (value) => {
    slider.value = value;
    slider.style.setProperty("--part", (value - min) / (max - min));
    if (document.activeElement !== exact) exact.value = Number(value).toFixed(digits);
  };
  const take = (value) => {
    show(value);
    change(value);
  };
  slider.addEventListener("input", () => take(slider.valueAsNumber));
  exact.addEventListener("change", () => {
    // What is out of range is sent too: the server says in words what it expects.
    if (!Number.isNaN(exact.valueAsNumber)) take(exact.valueAsNumber);
  });
  exact.addEventListener("blur", () => show(slider.valueAsNumber));
  const root = element(
    "div",
    { class: "control number", title },
    element("label", { class: "name", for: id, text: label }),
    slider,
    exact,
  );
  return { root, show };
}

function integer(name, { min, max, step }, change) {
  const [label, title] = settingWords(name);
  const output = element("output", { "aria-live": "polite" });
  let current = min;
  const button = (sign, word, drawing) =>
    element(
      "button",
      {
        type: "button",
        class: "icon",
        "aria-label": `${word} ${label.toLowerCase()}`,
        onclick: () => {
          show(current + sign * step);
          change(current);
        },
      },
      icon(drawing),
    );
  const less = button(-1, "Fewer", "minus");
  const more = button(1, "More", "plus");
  const show = (value) => {
    current = value;
    output.textContent = value;
    less.disabled = value <= min;
    more.disabled = value >= max;
  };
  const root = element(
    "div",
    { class: "control line", role: "group", "aria-label": label, title },
    element("span", { class: "name", text: label }),
    element("div", { class: "stepper" }, less, output, more),
  );
  return { root, show };
}

function select(name, { choices }, change) {
  const [label, title] = settingWords(name);
  const id = `set-${name}`;
  const options = choices.map((choice) =>
    element("option", { value: choice, text: choiceWords(name, choice)[0] }),
  );
  const field = element("select", { id, onchange: () => change(field.value) }, ...options);
  const root = element(
    "div",
    { class: "control line", title },
    element("label", { class: "name", for: id, text: label }),
    field,
  );
  return { root, show: (value) => (field.value = value) };
}

function segments(name, { choices }, change) {
  const inputs = boxes(name, choices, "radio");
  for (const input of inputs.values()) {
    input.addEventListener("change", () => change(input.value));
  }
  const root = stack(name, element("div", { class: "segments" }, ...labels(name, inputs)));
  return { root, show: (value) => (inputs.get(value).checked = true) };
}

function shapes(name, { choices }, change) {
  const inputs = boxes(name, choices, "checkbox");
  const chosen = () => choices.filter((choice) => inputs.get(choice).checked);
  for (const input of inputs.values()) {
    input.addEventListener("change", () => {
      // There is always one shape: nothing cannot be cut out.
      if (chosen().length === 0) input.checked = true;
      else change(chosen().join("+"));
    });
  }
  const root = stack(name, element("div", { class: "chips" }, ...labels(name, inputs)));
  const show = (value) => {
    const on = value.split("+");
    for (const [choice, input] of inputs) input.checked = on.includes(choice);
  };
  return { root, show };
}

const WITH_LIGHT = "+light";

/** A color transfer, with or without the transfer of light. */
function color(name, { choices }, change) {
  const bases = choices.filter((choice) => !choice.endsWith(WITH_LIGHT) && choice !== "light");
  const inputs = boxes(name, bases, "radio");
  const [label, title] = choiceWords(name, "light");
  const light = element("input", { type: "checkbox", role: "switch" });
  const take = () => {
    const base = bases.find((choice) => inputs.get(choice).checked);
    if (!light.checked) change(base);
    else change(base === "none" ? "light" : base + WITH_LIGHT);
  };
  for (const input of [...inputs.values(), light]) input.addEventListener("change", take);
  const chips = element("div", { class: "chips four" }, ...labels(name, inputs));
  const root = stack(name, chips);
  root.append(element("label", { class: "switch", title }, `${label} from place to place`, light));
  const show = (value) => {
    light.checked = value === "light" || value.endsWith(WITH_LIGHT);
    const base = value === "light" ? "none" : value.replace(WITH_LIGHT, "");
    inputs.get(base).checked = true;
  };
  return { root, show };
}

function boxes(name, choices, type) {
  return new Map(
    choices.map((value) => [value, element("input", { type, name: `set-${name}`, value })]),
  );
}

function labels(name, inputs) {
  return [...inputs].map(([value, input]) => {
    const [text, title] = choiceWords(name, value);
    // The option's own name too, where it is another: the command line and the manual use it.
    const option = text.toLowerCase() === value ? [] : [element("small", { text: value })];
    return element("label", { title }, input, element("span", {}, text, ...option));
  });
}

function stack(name, content) {
  const [label, title] = settingWords(name);
  const caption = element("span", { class: "name", id: `name-${name}`, text: label, title });
  return element(
    "div",
    { class: "control stack", role: "group", "aria-labelledby": `name-${name}` },
    caption,
    content,
  );
}
