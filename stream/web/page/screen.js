/** Shows the newest pictures, in step with the display. */

/**
 * @typedef {import("./picture_socket.js").Picture} Picture
 */

export class Screen {
  #result;
  #original;
  #next = null;
  #drawn = null;
  #scheduled = false;
  #visibleSince = 0;

  /**
   * @param {HTMLCanvasElement} result
   * @param {HTMLCanvasElement} original
   * @param {(picture: Picture, shown: number) => void} onShown `shown` is the time of the first
   *   animation frame after the one that drew it: by then it is on its way to the display.
   */
  constructor(result, original, onShown) {
    this.#result = result.getContext("2d", { alpha: false });
    this.#original = original.getContext("2d", { alpha: false });
    this.onShown = onShown;
    this.frozen = false;
    document.addEventListener("visibilitychange", () => {
      // A hidden page draws nothing, so nothing is acknowledged and nothing more is sent; what
      // came before it was looked at again tells nothing about latency.
      this.#visibleSince = performance.now();
    });
  }

  /** @param {Picture} picture to be shown; the one that still waits is left out. */
  show(picture) {
    if (this.#next) discard(this.#next);
    this.#next = picture;
    this.#schedule();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame((now) => this.#turn(now));
  }

  #turn(now) {
    this.#scheduled = false;
    if (this.#drawn) {
      if (this.#drawn.arrived >= this.#visibleSince) this.onShown(this.#drawn, now);
      this.#drawn = null;
    }
    const picture = this.#next;
    if (!picture) return;
    this.#next = null;
    if (this.frozen) {
      discard(picture);
      return;
    }
    draw(this.#result, picture.result);
    if (picture.original) draw(this.#original, picture.original);
    this.#drawn = picture;
    discard(picture);
    this.#schedule();
  }
}

function draw(context, bitmap) {
  const { canvas } = context;
  if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
  if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
  context.drawImage(bitmap, 0, 0);
}

function discard(picture) {
  picture.result.close();
  picture.original?.close();
  picture.done();
}
