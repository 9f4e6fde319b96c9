// The sheet that a list opens: sections with rows, of which one is chosen and sent.

import { byId, h } from "./dom.js";
import { t } from "./i18n.js";
import { show } from "./modal.js";
import { optionsOf } from "./state.js";

/** The sections of a list: [{title, rows: [{title, description}]}]. */
export function sectionsOf(row) {
  if (row.list) return row.list.sections ?? [];
  return [{ title: "", rows: optionsOf(row).map(({ label, detail }) => ({ title: label, description: detail })) }];
}

/** Show the list of a message; `choose(title)` is called with the row that was sent. */
export function listSheet(row, choose) {
  const dialog = byId("dialog");
  const send = h("button", { class: "primary", disabled: true, data: { testid: "list-send" } }, t("send"));
  const option = ({ title, description }) =>
    h(
      "label",
      { class: "sheet-row" },
      h(
        "span",
        { class: "option-text" },
        h("span", { class: "option-label" }, title),
        description && h("span", { class: "option-detail" }, description),
      ),
      h("input", {
        type: "radio",
        name: "row",
        value: title,
        data: { testid: "list-row" },
        on: { change: () => (send.disabled = false) },
      }),
    );
  const submit = (event) => {
    event.preventDefault();
    const chosen = new FormData(event.target).get("row");
    if (chosen === null) return;
    dialog.close();
    choose(chosen);
  };
  dialog.dataset.look = "sheet";
  dialog.addEventListener("close", () => delete dialog.dataset.look, { once: true });
  show(
    row.list?.buttonText || t("options"),
    h(
      "form",
      { class: "sheet-form", on: { submit } },
      h(
        "div",
        { class: "sheet-rows" },
        sectionsOf(row).map(({ title, rows }) =>
          h("fieldset", {}, h("legend", { class: title ? "" : "spoken" }, title || t("options")), rows.map(option)),
        ),
      ),
      h("div", { class: "form-end" }, send),
    ),
  );
  dialog.querySelector("input")?.focus();
}
