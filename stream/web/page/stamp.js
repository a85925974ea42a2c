/** Reads the time stamp that `--stamp` paints into pictures; the format is in stream/stamp.py. */

const ACROSS = 64;
const DOWN = 36;
const COLUMNS = 16;
const ROWS = 4;
const MIN_CONTRAST = 48;
const CLEARLY_DARK = 0.4;
const CLEARLY_BRIGHT = 0.6;
const PERIOD_MS = 2 ** 32;

/** Looks for stamps in pictures that are shown; one object for one place. */
export class StampReader {
  #canvas = new OffscreenCanvas(1, 1);
  #context = this.#canvas.getContext("2d", { willReadFrequently: true });

  /**
   * @param {CanvasImageSource} picture
   * @param {number} width of the picture
   * @param {number} height
   * @returns {number | null} ms, 0 to 2^32 - 1, or null without a stamp beyond doubt
   */
  read(picture, width, height) {
    if (width < ACROSS || height < DOWN) return null;
    const right = Math.ceil((width / ACROSS) * COLUMNS);
    const bottom = Math.ceil((height / DOWN) * ROWS);
    if (this.#canvas.width !== right) this.#canvas.width = right;
    if (this.#canvas.height !== bottom) this.#canvas.height = bottom;
    this.#context.drawImage(picture, 0, 0, right, bottom, 0, 0, right, bottom);
    const pixels = this.#context.getImageData(0, 0, right, bottom).data;
    return decode(cells(pixels, right, width / ACROSS, height / DOWN));
  }
}

/** Milliseconds from a stamp until a time of the clock that made it, across the clock's wrap. */
export function ageOf(stamp, now) {
  const age = (((now - stamp) % PERIOD_MS) + PERIOD_MS) % PERIOD_MS;
  return age >= PERIOD_MS / 2 ? age - PERIOD_MS : age;
}

/** Mean brightness of the middle half of each cell, row after row. */
function cells(pixels, stride, cellWidth, cellHeight) {
  const columns = middles(COLUMNS, cellWidth);
  return middles(ROWS, cellHeight).flatMap(([top, bottom]) =>
    columns.map(([left, right]) => {
      let sum = 0;
      for (let y = top; y < bottom; y++) {
        for (let at = (y * stride + left) * 4; at < (y * stride + right) * 4; at += 4) {
          sum += pixels[at] + pixels[at + 1] + pixels[at + 2];
        }
      }
      return sum / (3 * (bottom - top) * (right - left));
    }),
  );
}

function middles(count, size) {
  return Array.from({ length: count }, (_, cell) => {
    const begin = Math.floor(size * (cell + 0.25) + 0.5);
    return [begin, Math.max(begin + 1, Math.floor(size * (cell + 0.75) + 0.5))];
  });
}

function decode(values) {
  const rails = [0, 1, 2, 3].flatMap((row) => [
    { value: values[row * COLUMNS], bright: row % 2 === 0 },
    { value: values[row * COLUMNS + COLUMNS - 1], bright: row % 2 === 1 },
  ]);
  const mean = (bright) =>
    rails.reduce((sum, rail) => sum + (rail.bright === bright ? rail.value : 0), 0) / ROWS;
  const [dark, bright] = [mean(false), mean(true)];
  if (bright - dark < MIN_CONTRAST) return null;
  const isBright = (value) => (value - dark) / (bright - dark) > CLEARLY_BRIGHT;
  const unclear = (value) => !isBright(value) && (value - dark) / (bright - dark) >= CLEARLY_DARK;
  if (values.some(unclear) || rails.some((rail) => isBright(rail.value) !== rail.bright)) return null;
  const bits = values
    .filter((_, cell) => cell % COLUMNS !== 0 && cell % COLUMNS !== COLUMNS - 1)
    .map((value) => (isBright(value) ? 1 : 0));
  const number = (from, to) => bits.slice(from, to).reduce((sum, bit) => sum * 2 + bit, 0);
  const time = number(0, 32);
  return crc32(time) % 2 ** 24 === number(32, 56) ? time : null;
}

/** CRC-32 (IEEE 802.3) of a number's four bytes, most significant first. */
function crc32(number) {
  let rest = ~0;
  for (const shift of [24, 16, 8, 0]) {
    rest ^= (number / 2 ** shift) & 0xff;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}
