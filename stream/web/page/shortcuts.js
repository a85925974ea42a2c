/** Keys that do things, and the overlay that lists them. */

import { byId, element } from "./element.js";

/**
 * Listen to keys.
 * @param {{keys: string[], label: string, down: () => void, up?: () => void, repeat?: boolean}[]} list
 *   `keys` as `KeyboardEvent.key`; the first one is shown
 */
export function listen(list) {
  const help = byId("help");
  const open = () => (help.open ? help.close() : help.showModal());
  const all = [...list, { keys: ["?"], label: "This list", down: open }];
  byId("help-keys").replaceChildren(
    ...all.flatMap(({ keys, label }) => [
      element("dt", {}, ...shown(keys).map((key) => element("kbd", { text: key }))),
      element("dd", { text: label }),
    ]),
  );
  byId("help-open").addEventListener("click", open);
  byId("help-close").addEventListener("click", () => help.close());
  const find = (event) => all.find(({ keys }) => keys.includes(event.key.toLowerCase()));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || taken(event)) return;
    const found = find(event);
    if (!found || (event.repeat && !found.repeat)) return;
    event.preventDefault();
    found.down();
  });
  addEventListener("keyup", (event) => find(event)?.up?.());
  addEventListener("blur", () => list.forEach(({ up }) => up?.()));
}

const NAMES = { " ": "Space" };

function shown(keys) {
  return keys.slice(0, 1).map((key) => NAMES[key] ?? key.toUpperCase());
}

/** Whether the element that has the focus needs the key itself. */
function taken({ target, key }) {
  if (target.matches("input[type=number], input[type=text], select, textarea")) return true;
  return key === " " && target.matches("button, input, summary, a");
}
