/** How the picture is looked at: result, split or side by side; frozen; full screen. */

import { byId } from "./element.js";

const VIEWS = ["result", "split", "side"];
const STEP = 0.02;

export class Viewer {
  #picture = byId("picture");
  #divider = byId("divider");
  #at = 0.5;
  #originalOffered = true;
  #size = "";

  /** @param {() => void} onChange another view, or the original is wanted or no longer */
  constructor(onChange) {
    this.onChange = onChange;
    for (const input of this.#inputs) {
      input.addEventListener("change", () => (this.view = input.value));
    }
    this.#divider.addEventListener("pointerdown", (event) => this.#drag(event));
    this.#divider.addEventListener("keydown", (event) => this.#step(event));
    byId("fullscreen").addEventListener("click", () => this.toggleFullscreen());
    if (!document.fullscreenEnabled) byId("fullscreen").hidden = true;
  }

  get view() {
    return this.#picture.dataset.view;
  }

  set view(view) {
    this.#picture.dataset.view = view;
    for (const input of this.#inputs) input.checked = input.value === view;
    this.onChange();
  }

  /** Show the original instead of the result, while true. */
  set peeking(on) {
    if (on === this.#picture.classList.contains("peek")) return;
    this.#picture.classList.toggle("peek", on && this.#originalOffered && this.view !== "side");
    this.onChange();
  }

  /** Whether the view that was chosen needs the original. */
  get wantsOriginal() {
    return this.view !== "result" || this.#picture.classList.contains("peek");
  }

  /** Whether there can be an original; without one only the result is shown. */
  set originalOffered(offered) {
    this.#originalOffered = offered;
    for (const input of this.#inputs) input.disabled = !offered && input.value !== "result";
    if (!offered) this.view = "result";
  }

  /** Whether the original belongs to the result that is seen; an older one is not shown. */
  set originalThere(there) {
    this.#picture.classList.toggle("alone", !there);
  }

  next() {
    if (this.#originalOffered) this.view = VIEWS[(VIEWS.indexOf(this.view) + 1) % VIEWS.length];
  }

  /** Follow the size of the pictures. */
  fit(width, height) {
    if (this.#size === `${width}x${height}`) return;
    this.#size = `${width}x${height}`;
    this.#picture.classList.remove("empty");
    this.#picture.style.setProperty("--ratio", width / height);
  }

  /**
   * Say something over the picture.
   * @param {string} text empty for nothing
   * @param {boolean} camera offer this device's camera
   */
  say(text, camera = false) {
    const line = byId("veil").firstElementChild;
    byId("veil").hidden = !text;
    byId("veil-camera").hidden = !camera;
    if (text && line.textContent !== text) line.textContent = text;
  }

  toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else byId("viewer").requestFullscreen?.();
  }

  get #inputs() {
    return byId("views").querySelectorAll("input");
  }

  #drag(event) {
    event.preventDefault();
    this.#divider.focus();
    this.#divider.setPointerCapture(event.pointerId);
    const { left, width } = byId("result").getBoundingClientRect();
    const move = ({ clientX }) => this.#place((clientX - left) / width);
    const end = () => this.#divider.removeEventListener("pointermove", move);
    this.#divider.addEventListener("pointermove", move);
    this.#divider.addEventListener("lostpointercapture", end, { once: true });
  }

  #step(event) {
    const steps = { ArrowLeft: -STEP, ArrowRight: STEP, PageDown: -10 * STEP, PageUp: 10 * STEP };
    if (event.key in steps) this.#place(this.#at + steps[event.key]);
    else if (event.key === "Home") this.#place(0);
    else if (event.key === "End") this.#place(1);
    else return;
    event.preventDefault();
  }

  #place(at) {
    this.#at = Math.min(1, Math.max(0, at));
    this.#picture.style.setProperty("--at", this.#at);
    this.#divider.setAttribute("aria-valuenow", String(Math.round(100 * this.#at)));
  }
}
