/** How long pictures take from the camera to the screen. */

const WINDOW_MS = 10_000;

/** Percentiles over the last ten seconds. */
export class LatencyMeter {
  #samples = [];

  /**
   * @param {number} latency ms
   * @param {number} now `performance.now()`
   */
  add(latency, now) {
    this.#samples.push({ latency, now });
    while (this.#samples[0].now < now - WINDOW_MS) this.#samples.shift();
  }

  clear() {
    this.#samples = [];
  }

  /** @returns {{p50: number, p95: number, p99: number, count: number} | null} ms */
  summary(now = performance.now()) {
    const sorted = this.#samples
      .filter((sample) => sample.now >= now - WINDOW_MS)
      .map((sample) => sample.latency)
      .sort((a, b) => a - b);
    if (sorted.length === 0) return null;
    const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), count: sorted.length };
  }
}
