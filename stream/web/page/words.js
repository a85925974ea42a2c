/** What settings and their values are called, and what they mean. */

/** Groups of settings, in the order of the work: `[title, names]`. */
export const GROUPS = [
  ["Persona", ["model", "faces"]],
  ["Mask and edge", ["mask", "skin_rule", "erode", "feather"]],
  ["Colors", ["color"]],
  ["Blending", ["blend", "opacity"]],
  ["Follow the picture", ["sharpen", "grain", "smooth_frames"]],
];

/** By setting: label and explanation. */
export const SETTINGS = {
  model: ["Model", "Whose face is put in"],
  faces: ["Faces", "How many faces are swapped at most"],
  mask: ["Mask", "Where the new face is put; of several shapes, what all of them cover"],
  skin_rule: ["Skin rule", "How the mask shape Skin tells skin from all else"],
  erode: ["Inset", "How far the mask stays inside the face, as a share of its size"],
  feather: ["Feather", "Over what distance the new face fades out, as a share of its size"],
  color: ["Color", "How the new face takes on the colors of the picture"],
  blend: ["Blend", "How the new face meets the picture"],
  opacity: ["Opacity", "0 leaves the picture as it is"],
  sharpen: ["Sharpness", "How far the new face follows the picture's sharpness"],
  grain: ["Grain", "How far the new face follows the picture's noise"],
  smooth_frames: ["Steadiness", "Over how many frames measured colors and shapes are averaged"],
};

/** By setting and value: name and explanation. */
export const CHOICES = {
  mask: {
    hull: ["Hull", "The outline of all landmarks"],
    "hull-eyes": ["Below brows", "From the jaw to the brows; the forehead stays the person's own"],
    skin: ["Skin", "What looks like skin, with eyes, nose and mouth"],
    rect: ["Box", "The classic square from brows to chin"],
    model: ["Model", "What the model itself marks"],
    occlusion: ["Uncovered", "The hull without hands and hair that cross it"],
  },
  color: {
    none: ["None", "The model's own colors"],
    avg: ["Mean", "Shifts the mean color"],
    lab: ["Lab", "Mean and spread of lightness and color (Reinhard)"],
    lct: ["LCT", "Linear: mean and covariance"],
    mkl: ["MKL", "Mean and covariance, moving colors least (Monge-Kantorovich)"],
    idt: ["IDT", "The whole distribution, along turned axes"],
    sot: ["SOT", "The whole distribution, by sliced optimal transport"],
    light: ["Light", "Brightness from place to place"],
  },
  blend: {
    feather: ["Feather", "A soft edge"],
    poisson: ["Poisson", "Spreads the difference along the edge over the face: no seam"],
    multiband: ["Multiband", "Coarse differences fade over a longer way than fine ones"],
  },
  skin_rule: {
    calibrated: ["Learned from the face", ""],
    kovac: ["RGB (Kovač)", ""],
    daylight: ["Daylight", ""],
    hsv: ["HSV", ""],
    ycrcb: ["YCrCb", ""],
  },
};

/** What states of sources and outputs are called. */
export const STATES = {
  connecting: "Connecting",
  running: "Running",
  lost: "Lost",
  failed: "Failed",
  ended: "Ended",
};

/** `[label, explanation]` of a setting; a name that is not known here speaks for itself. */
export function settingWords(name) {
  return SETTINGS[name] ?? [plain(name), ""];
}

/** `[label, explanation]` of a value of a setting. */
export function choiceWords(name, value) {
  return CHOICES[name]?.[value] ?? [name === "model" ? value.split(/[\\/]/).pop() : plain(value), ""];
}

function plain(name) {
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

/** A number for people: 12 345 becomes 12.3k. */
export function count(number) {
  if (number < 10_000) return String(number);
  return number < 1e6 ? `${(number / 1e3).toFixed(1)}k` : `${(number / 1e6).toFixed(1)}M`;
}

/** What a source or an output is called in few letters: of a file its name is enough. */
export function placeName(name) {
  return name.includes("://") ? name : name.split(/[\\/]/).at(-1);
}
