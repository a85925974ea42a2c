/** Latency, frame age, rate and drops over time; stages and queues as they are now. */

import { byId, element } from "./element.js";
import { Plot } from "./plot.js";
import { count, placeName } from "./words.js";

const MS = "ms";

/** A longer queue is shown with so many slots, each for more than one frame. */
const MOST_SLOTS = 8;

export class Instruments {
  #before = null;
  #smooth = null;
  #plots = {
    delay: new Plot(byId("delay-plot"), { colors: ["--accent", "--second"], least: 50 }),
    age: new Plot(byId("age-plot"), { colors: ["--accent", "--second"], least: 50 }),
    rate: new Plot(byId("rate-plot"), { colors: ["--accent"], least: 10 }),
    drops: new Plot(byId("drops-plot"), { colors: ["--warn"], least: 2 }),
  };

  /**
   * Show a new status.
   * @param {any} status of /api/status
   * @param {{p50: number, p95: number, p99: number} | null} latency capture to screen, ms
   * @param {string} unknown why there is no latency
   */
  show(status, latency, unknown) {
    this.#percentiles("delay", latency, unknown);
    const { report } = status;
    if (!report) {
      this.gap();
      return;
    }
    this.#percentiles("age", report.age_ms, "");
    this.#rates(report);
    stages(working(report), report.bottleneck, status.source?.rate || report.fps);
    queues(report.links);
  }

  /** The server did not answer, or has nothing to tell. */
  gap() {
    this.#before = this.#smooth = null;
    for (const plot of Object.values(this.#plots)) plot.add([null, null]);
  }

  #percentiles(name, values, unknown) {
    reading(name, values ? values.p50.toFixed(0) : "–", MS);
    more(name, values ? `p95 ${values.p95.toFixed(0)}\np99 ${values.p99.toFixed(0)}` : unknown);
    this.#plots[name].add(values ? [values.p50, values.p95] : [null, null]);
  }

  #rates(report) {
    const now = performance.now();
    const before = this.#before;
    this.#before = { now, out: report.frames_out, dropped: report.dropped };
    const withheld = report.withheld ? `\n${count(report.withheld)} withheld` : "";
    more("drops", `${count(report.dropped)} of ${count(report.frames_in)}${withheld}`);
    if (!before || report.frames_out < before.out || now - before.now < 100) return;
    const each = (later, earlier) => (1000 * Math.max(later - earlier, 0)) / (now - before.now);
    const rate = each(report.frames_out, before.out);
    const drops = each(report.dropped, before.dropped);
    this.#smooth = this.#smooth === null ? rate : this.#smooth + (rate - this.#smooth) / 4;
    reading("rate", this.#smooth.toFixed(1), "fps");
    more("rate", `mean\n${report.fps.toFixed(1)}`);
    reading("drops", drops.toFixed(drops < 10 ? 1 : 0), "/s");
    this.#plots.rate.add([this.#smooth]);
    this.#plots.drops.add([drops]);
  }
}

function reading(name, text, unit) {
  const output = byId(name);
  output.textContent = text;
  if (text === "–") delete output.dataset.unit;
  else output.dataset.unit = unit;
}

function more(name, text) {
  byId(`${name}-more`).textContent = text;
}

/** The stages with what they work: capture from a live source is mostly waiting. */
function working({ stages: all, live }) {
  if (!live || !all.capture) return all;
  const work = all.capture.cpu_ms_mean;
  return { ...all, capture: { ...all.capture, busy_ms_p50: work, busy_ms_p95: work } };
}

/** Busy time of each stage; the whole width is the time until the next frame. */
function stages(all, bottleneck, rate) {
  const entries = Object.entries(all);
  const frame = rate > 0 ? 1000 / rate : 0;
  const width = frame || Math.max(...entries.map(([, stage]) => stage.busy_ms_p95), 1);
  byId("budget").textContent = frame ? `of ${frame.toFixed(0)} ms` : "";
  const rows = entries.flatMap(([name, stage]) => {
    const bar = (tag, value) => {
      const made = element(tag);
      made.style.setProperty("--part", `${(100 * value) / width}%`);
      return made;
    };
    const over = stage.busy_ms_p50 > width ? " over" : "";
    const times = `p50 ${stage.busy_ms_p50.toFixed(1)} ms, p95 ${stage.busy_ms_p95.toFixed(1)} ms`;
    const title = `${times}, busy ${(100 * stage.utilization).toFixed(0)} % of the time`;
    return [
      element("dt", { text: placeName(name), title: name, class: name === bottleneck ? "slowest" : false }),
      element(
        "dd",
        { class: `timebar${over}`, title },
        bar("b", stage.busy_ms_p95),
        bar("i", stage.busy_ms_p50),
      ),
      element("dd", { class: "number-cell", text: `${stage.busy_ms_p50.toFixed(1)} ms`, title }),
    ];
  });
  byId("stages").replaceChildren(...rows);
}

/** Frames that wait between stages, and those that were left out there. */
function queues(links) {
  const rows = Object.entries(links).flatMap(([name, link]) => {
    const title = `${link.waiting} of ${link.capacity} wait, at most ${link.peak} so far`;
    const length = Math.min(link.capacity, MOST_SLOTS);
    const full = Math.ceil((link.waiting / link.capacity) * length);
    const slots = Array.from({ length }, (_, slot) =>
      element("i", { class: slot < full ? "full" : false }),
    );
    const lost = link.dropped ? `−${count(link.dropped)}` : "0";
    return [
      element("dt", { text: `→ ${placeName(name.split(" -> ").at(-1))}`, title: name }),
      element("dd", { class: "slots", role: "img", "aria-label": title, title }, ...slots),
      element("dd", {
        class: link.dropped ? "lost-count some" : "lost-count",
        text: lost,
        title: `${link.dropped} dropped`,
      }),
    ];
  });
  byId("queues").replaceChildren(...rows);
}
