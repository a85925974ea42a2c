/** The server's clock, as seen from here. */

const KEPT = 20;

/**
 * Learns how far the server's clock is ahead of `performance.now()` from pings and their answers.
 *
 * The answer that was on its way for the shortest time tells most: whatever delays a message,
 * delays one of its two ways, and shifts the estimate by half of that at most.
 */
export class ServerClock {
  #answers = [];

  /**
   * @param {number} sent `performance.now()` when the ping left
   * @param {number} received the same when its answer came
   * @param {number} now the server's clock in between, ms
   */
  learn(sent, received, now) {
    this.#answers.push({ trip: received - sent, ahead: now - (sent + received) / 2 });
    if (this.#answers.length > KEPT) this.#answers.shift();
  }

  /** Another server has another clock. */
  forget() {
    this.#answers = [];
  }

  get known() {
    return this.#answers.length > 0;
  }

  /** The shortest trip there and back of late, ms. */
  get trip() {
    return this.#best.trip;
  }

  /** The server's time at a time of `performance.now()`, ms. */
  at(local) {
    return local + this.#best.ahead;
  }

  get #best() {
    return this.#answers.reduce((best, next) => (next.trip < best.trip ? next : best));
  }
}
