/** Where pictures come from and go to, and how each connection is doing. */

import { byId, element } from "./element.js";
import { count, placeName, STATES } from "./words.js";

/** @param {any} status of /api/status */
export function showPlaces({ source, sinks }) {
  byId("source").replaceChildren(...sourceRows(source));
  const rows = Object.entries(sinks ?? {}).map(([name, health]) => row(name, health, ""));
  byId("sinks").replaceChildren(...(rows.length ? rows : [nothing("None yet")]));
}

function sourceRows(source) {
  if (!source) return [nothing("Waiting for the source")];
  const { url, width, height, rate, connections } = source;
  const format = `${width} × ${height}${rate ? `, ${Number(rate.toFixed(2))} fps` : ""}`;
  const entries = Object.entries(connections ?? {});
  if (!entries.length) return [row(url, { state: "running", detail: "" }, format)];
  return entries.map(([name, health]) => row(name || url, health, format));
}

function row(name, health, format) {
  const losses = health.losses ? `lost ${times(health.losses)}` : "";
  const dropped = health.dropped ? `${count(health.dropped)} dropped` : "";
  const detail = [health.detail, format, losses, dropped].filter(Boolean).join(" · ");
  return element(
    "li",
    { "data-state": health.state },
    element("i", { class: "dot" }),
    element("span", { class: "name", text: placeName(name), title: name }),
    element("span", { class: "state", text: STATES[health.state] ?? health.state }),
    ...(detail ? [element("span", { class: "detail", text: detail })] : []),
  );
}

function times(number) {
  return number === 1 ? "once" : `${count(number)} times`;
}

function nothing(text) {
  return element("li", {}, element("span", { class: "none", text }));
}
