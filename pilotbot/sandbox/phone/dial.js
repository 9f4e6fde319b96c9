// What a call button shows: the number that a phone would call. This page calls nobody.

import { h, icon } from "./dom.js";
import { phoneText } from "./format.js";
import { t } from "./i18n.js";
import { show } from "./modal.js";

/** Show the number of a call button; `copy(number)` puts it into the clipboard. */
export function dial({ label, value }, copy) {
  const button = h(
    "button",
    { type: "button", class: "pill", data: { testid: "dial-copy" }, on: { click: () => copy(value) } },
    t("dialCopy"),
  );
  show(
    label,
    h(
      "div",
      { class: "dial", data: { testid: "dial" } },
      h("span", { class: "dial-sign", "aria-hidden": "true" }, icon("call")),
      h("p", { class: "dial-number" }, phoneText(value)),
      h("p", { class: "hint" }, t("dialNote")),
      button,
    ),
  );
  button.focus();
}
