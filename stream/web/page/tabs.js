/** On a phone the panes lie behind tabs; elsewhere all of them are seen. */

import { byId } from "./element.js";

export function tabs() {
  const all = [...byId("tabs").querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const each of all) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
      byId(each.getAttribute("aria-controls")).classList.toggle("chosen", chosen);
    }
  };
  all.forEach((tab, index) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = all[(index + step + all.length) % all.length];
      next.focus();
      choose(next);
    });
  });
  choose(all[0]);
  const phone = matchMedia("(max-width: 759px)");
  phone.addEventListener("change", () => place(phone.matches));
  place(phone.matches);
}

/** On a phone there is no room beside the picture for how it travels. */
function place(onPhone) {
  if (onPhone) byId("places").append(byId("transports"));
  else byId("fullscreen").before(byId("transports"));
}
