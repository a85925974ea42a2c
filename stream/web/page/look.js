/** All live settings: made from what the server offers, changed at once. */

import { call, Refused } from "./api.js";
import { control } from "./controls.js";
import { byId, element } from "./element.js";
import { GROUPS } from "./words.js";

const QUIET_MS = 1500;
const REFRESH_MS = 2000;

export class Look {
  #controls = new Map();
  #settings = {};
  #first = null;
  #changes = {};
  #sending = false;
  #touched = 0;
  #error = byId("look-error");
  #reset = byId("reset");

  constructor() {
    this.#reset.addEventListener("click", () => this.#change({ ...this.#first }));
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    setInterval(() => !document.hidden && this.refresh(), REFRESH_MS);
  }

  /** Ask for the settings again: another panel may have changed them. */
  async refresh() {
    if (this.#busy) return;
    try {
      const settings = await call("/api/settings");
      if (!this.#busy) this.#take(settings);
    } catch {
      // Whether the server is there is told by its status, twice a second.
    }
  }

  /** Make a number larger or smaller by a part of its range. */
  nudge(name, part) {
    const setting = this.#settings[name];
    if (!setting) return;
    const { min, max, value } = setting;
    const next = Math.min(max, Math.max(min, value + part * (max - min)));
    this.#change({ [name]: Math.round(next * 1000) / 1000 });
  }

  /** A change is on its way, or has just been made. */
  get #busy() {
    return this.#sending || performance.now() - this.#touched < QUIET_MS;
  }

  #take(settings) {
    const names = Object.keys(settings);
    const same = (name) =>
      String(settings[name].choices) === String(this.#settings[name]?.choices) &&
      settings[name].max === this.#settings[name]?.max;
    if (names.length !== this.#controls.size || !names.every(same)) this.#build(settings);
    this.#settings = settings;
    this.#first ??= values(settings);
    this.#showAll();
  }

  #build(settings) {
    this.#controls.clear();
    const grouped = GROUPS.flatMap(([, names]) => names);
    const other = Object.keys(settings).filter((name) => !grouped.includes(name));
    const groups = [...GROUPS, ["Other", other]].map(([title, names]) => {
      const there = names.filter((name) => name in settings);
      for (const name of there) {
        const change = (value) => this.#change({ [name]: value });
        this.#controls.set(name, control(name, settings[name], change));
      }
      const roots = there.map((name) => this.#controls.get(name).root);
      const legend = element("legend", { class: "unseen", text: title });
      return roots.length ? element("fieldset", {}, legend, ...roots) : null;
    });
    byId("controls").replaceChildren(...groups.filter(Boolean));
  }

  #showAll() {
    for (const [name, { show }] of this.#controls) show(this.#settings[name].value);
    this.#reset.hidden = !this.#controls.size || equal(values(this.#settings), this.#first);
  }

  #change(changes) {
    this.#touched = performance.now();
    Object.assign(this.#changes, changes);
    for (const [name, value] of Object.entries(changes)) {
      this.#settings[name] = { ...this.#settings[name], value };
    }
    this.#showAll();
    if (!this.#sending) this.#send();
  }

  /** One request at a time; what changes meanwhile goes with the next one. */
  async #send() {
    this.#sending = true;
    try {
      while (Object.keys(this.#changes).length) {
        const body = this.#changes;
        this.#changes = {};
        const settings = await call("/api/settings", { method: "PATCH", body });
        this.#say("");
        if (!Object.keys(this.#changes).length) this.#take(settings);
      }
    } catch (error) {
      this.#changes = {};
      this.#touched = 0;
      this.#say(error instanceof Refused ? error.message : "Not changed: the server cannot be reached.");
    } finally {
      this.#sending = false;
    }
    if (this.#touched === 0) await this.refresh();
  }

  #say(message) {
    this.#error.textContent = message;
    this.#error.hidden = !message;
  }
}


function values(settings) {
  return Object.fromEntries(Object.entries(settings).map(([name, { value }]) => [name, value]));
}

function equal(a, b) {
  return Object.keys(a).every((name) => a[name] === b[name]);
}
