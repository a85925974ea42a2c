/** Runs inside the panel's page: a camera that stamps its pictures, and a look at what returns. */

async ({ way, backdrop, width, height, rate, seconds, settleSeconds }) => {
  const [{ CameraSocket }, { PictureSocket }, { ServerClock }, { StampReader, ageOf }, webrtc] =
    await Promise.all(
      ["camera_socket", "picture_socket", "clock", "stamp", "webrtc"].map(
        (name) => import(`/static/${name}.js`),
      ),
    );
  const [ACROSS, DOWN, COLUMNS, ROWS] = [64, 36, 16, 4];
  const [DARK, BRIGHT] = ["rgb(16 16 16)", "rgb(235 235 235)"];

  function crc32(number) {
    let rest = ~0;
    for (const shift of [24, 16, 8, 0]) {
      rest ^= (number >>> shift) & 0xff;
      for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
    }
    return ~rest >>> 0;
  }

  /** The format of stream/stamp.py. */
  function paintStamp(context, time) {
    const word = (BigInt(time) << 24n) | BigInt(crc32(time) % 2 ** 24);
    const [cellWidth, cellHeight] = [width / ACROSS, height / DOWN];
    for (let row = 0; row < ROWS; row++) {
      for (let column = 0; column < COLUMNS; column++) {
        const bit = 55n - BigInt(row * (COLUMNS - 2) + column - 1);
        let bright = column === 0 ? row % 2 === 0 : row % 2 === 1;
        if (column > 0 && column < COLUMNS - 1) bright = ((word >> bit) & 1n) === 1n;
        context.fillStyle = bright ? BRIGHT : DARK;
        const left = Math.round(column * cellWidth);
        const top = Math.round(row * cellHeight);
        const right = Math.round((column + 1) * cellWidth);
        context.fillRect(left, top, right - left, Math.round((row + 1) * cellHeight) - top);
      }
    }
  }

  const bytes = Uint8Array.from(atob(backdrop), (character) => character.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { alpha: false });
  let painted = 0;
  const painting = setInterval(() => {
    const shift = 4 * Math.sin(painted++ / 10);
    context.drawImage(picture, shift, shift, width, height);
    paintStamp(context, Math.floor(performance.now()) % 2 ** 32);
  }, 1000 / rate);
  const stream = canvas.captureStream(rate);

  const reader = new StampReader();
  const seen = [];
  let [unreadable, last, keep] = [0, -1, false];
  function look(source, sourceWidth, sourceHeight) {
    const now = performance.now();
    const stamp = reader.read(source, sourceWidth, sourceHeight);
    if (!keep) return;
    if (stamp === null) unreadable += 1;
    else if (stamp !== last) seen.push({ at: now, age: ageOf(stamp, now) });
    last = stamp ?? last;
  }

  const video = document.createElement("video");
  Object.assign(video, { muted: true, autoplay: true, playsInline: true });
  document.body.append(video);
  const clock = new ServerClock();
  const closing = [];
  if (way === "websocket") {
    video.srcObject = stream;
    await video.play();
    const camera = new CameraSocket(video, clock, (reason) => console.error(reason));
    const back = new PictureSocket({
      original: false,
      pictures: true,
      clock,
      onState: () => {},
      onPicture: ({ result, done }) =>
        requestAnimationFrame(() => {
          look(result, result.width, result.height);
          result.close();
          done();
        }),
    });
    closing.push(camera, back);
  } else {
    closing.push(await webrtc.send(stream, () => {}));
    closing.push(await webrtc.watch(video, () => {}));
    const shown = () => {
      look(video, video.videoWidth, video.videoHeight);
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
  }
  await new Promise((resolve) => setTimeout(resolve, 1000 * settleSeconds));
  keep = true;
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  keep = false;
  for (const one of closing) one.close();
  clearInterval(painting);
  return { seen, unreadable };
};
