// A picture seen large, over the page.

import { byId, fill, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { formatted } from "./markup.js";

/** Show a picture as large as the screen allows; Escape, the button and a click beside it close it. */
export function view(address, caption) {
  const dialog = byId("viewer");
  const name = caption || t("photo");
  const shut = { type: "button", class: "tool", "aria-label": t("close"), title: t("close") };
  fill(
    dialog,
    h(
      "div",
      { class: "viewer-tools" },
      h(
        "a",
        {
          class: "tool",
          href: address,
          download: true,
          target: "_blank",
          rel: "noopener noreferrer",
          "aria-label": t("download"),
          title: t("download"),
        },
        icon("download"),
      ),
      h("button", { ...shut, autofocus: true, on: { click: () => dialog.close() } }, icon("close")),
    ),
    h("img", { src: address, alt: name }),
    caption && h("p", { class: "viewer-caption" }, formatted(caption)),
  );
  dialog.setAttribute("aria-label", name);
  dialog.onclick = ({ target }) => target === dialog && dialog.close();
  dialog.showModal();
}
